/** Reads a multipart form into memory; the body limit caps it. */
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { type Call, HttpFailure, readBody } from './http.ts';

export interface FormFile {
  readonly filename: string;
  readonly bytes: Buffer;
}

export interface Form {
  readonly fields: ReadonlyMap<string, string>;
  readonly files: ReadonlyMap<string, FormFile>;
}

/** Throws HttpFailure 400 for anything that is not a whole multipart form. */
export async function readForm(call: Pick<Call, 'request' | 'maxBody'>): Promise<Form> {
  const type = call.request.headers['content-type'] ?? '';
  const body = await readBody(call);
  if (!type.startsWith('multipart/form-data')) throw malformed();
  const fields = new Map<string, string>();
  const files = new Map<string, FormFile>();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let parser: BusboyInstance;
  try {
    parser = new Busboy({ headers: { 'content-type': type }, limits: { fieldSize: call.maxBody } });
  } catch {
    throw malformed();
  }
  parser.on('field', (name, value) => void fields.set(name, value));
  parser.on('file', (name, stream, filename) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => void chunks.push(chunk));
    stream.on('end', () => void files.set(name, { filename: filename ?? '', bytes: Buffer.concat(chunks) }));
  });
  parser.on('finish', resolve);
  parser.on('error', () => reject(malformed()));
  parser.end(body);
  await promise;
  return { fields, files };
}

function malformed(): HttpFailure {
  return new HttpFailure(400, { error: 'The body is not a multipart form.' });
}
