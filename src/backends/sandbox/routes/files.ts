/** /view and the uploads. */
import { createReadStream, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { type Call, HttpFailure, type Route, sendJson } from '../http.ts';
import { isRecord, readJson } from '../json.ts';
import type { ServerState } from '../server-state.ts';
import { type FolderName, isFolderName, splitAnnotation, type Storage } from '../storage.ts';
import { readForm, type Form, type FormFile } from '../multipart.ts';

/** What a browser may show; anything else (also SVG and HTML) is a download. */
const TYPES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
  '.gif': 'image/gif',
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
  '.wav': 'audio/wav',
  '.flac': 'audio/flac',
  '.mp3': 'audio/mpeg',
  '.glb': 'model/gltf-binary',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
};

export function fileRoutes({ environment }: ServerState): Route[] {
  const { storage } = environment;
  return [
    { method: 'GET', pattern: '/view', handler: async (call) => await view(call, storage) },
    {
      method: 'POST',
      pattern: '/upload/image',
      async handler(call) {
        const form = await readForm(call);
        const stored = await store(form, storage, (file) => Promise.resolve(file.bytes));
        sendJson(call.response, stored);
      },
    },
    {
      method: 'POST',
      pattern: '/upload/mask',
      async handler(call) {
        const form = await readForm(call);
        const original = originalOf(form, storage);
        const stored = await store(form, storage, async (file) =>
          original === undefined ? undefined : await withAlphaOf(storage.read(original), file.bytes),
        );
        sendJson(call.response, stored);
      },
    },
  ];
}

async function view({ query, request, response }: Call, storage: Storage): Promise<void> {
  const name = query.get('filename') ?? '';
  const { bare } = splitAnnotation(name);
  const annotated = bare === name ? undefined : splitAnnotation(name).type;
  const type = annotated ?? query.get('type') ?? 'output';
  if (name === '' || bare.startsWith('/') || bare.includes('..') || !isFolderName(type)) throw new HttpFailure(400);
  const file = storage.resolve(type, query.get('subfolder') ?? '', path.basename(bare.replaceAll('\\', '/')));
  if (file === undefined) throw new HttpFailure(403);
  if (!existsSync(file) || !statSync(file).isFile()) throw new HttpFailure(404);

  const converted = await convert(storage, file, query);
  if (converted !== undefined) {
    response
      .writeHead(200, {
        'Content-Type': converted.type,
        'Content-Length': converted.bytes.length,
        'Content-Disposition': disposition(file),
      })
      .end(converted.bytes);
    return;
  }
  sendFile(request.headers.range, response, file);
}

async function convert(storage: Storage, file: string, query: URLSearchParams): Promise<{ type: string; bytes: Buffer } | undefined> {
  const preview = query.get('preview');
  const channel = query.get('channel');
  if (preview !== null) {
    const [format, quality = '90'] = preview.split(';');
    const level = /^\d+$/.test(quality) ? Math.min(100, Math.max(1, Number(quality))) : 90;
    const image = sharp(storage.read(file));
    if (format === 'jpeg') return { type: 'image/jpeg', bytes: await image.jpeg({ quality: level }).toBuffer() };
    return { type: 'image/webp', bytes: await image.webp({ quality: level }).toBuffer() };
  }
  if (channel === 'rgb') return { type: 'image/png', bytes: await sharp(storage.read(file)).removeAlpha().png().toBuffer() };
  if (channel === 'a') {
    const alpha = await sharp(storage.read(file)).ensureAlpha().extractChannel('alpha').raw().toBuffer({ resolveWithObject: true });
    const { width, height } = alpha.info;
    const black = sharp({ create: { width, height, channels: 3, background: '#000' } });
    const bytes = await black
      .joinChannel(alpha.data, { raw: { width, height, channels: 1 } })
      .png()
      .toBuffer();
    return { type: 'image/png', bytes };
  }
  return undefined;
}

function sendFile(range: string | undefined, response: Call['response'], file: string): void {
  const { size, mtimeMs } = statSync(file);
  const type = TYPES[path.extname(file).toLowerCase()];
  const headers = {
    'Content-Type': type ?? 'application/octet-stream',
    'Content-Disposition': type === undefined ? `attachment; ${disposition(file)}` : disposition(file),
    'X-Content-Type-Options': 'nosniff',
    'Accept-Ranges': 'bytes',
    'Last-Modified': new Date(mtimeMs).toUTCString(),
    ETag: `"${mtimeMs.toString(16)}-${size.toString(16)}"`,
  };
  const part = /^bytes=(\d+)-(\d*)$/.exec(range ?? '');
  const start = Number(part?.[1] ?? 0);
  const end = part?.[2] === undefined || part[2] === '' ? size - 1 : Math.min(size - 1, Number(part[2]));
  if (part !== null && (start >= size || end < start)) throw new HttpFailure(416);
  const status = part === null ? 200 : 206;
  const extra = part === null ? {} : { 'Content-Range': `bytes ${start}-${end}/${size}` };
  response.writeHead(status, { ...headers, ...extra, 'Content-Length': size === 0 ? 0 : end - start + 1 });
  if (size === 0) return void response.end();
  createReadStream(file, { start, end })
    .on('error', () => response.destroy())
    .pipe(response);
}

/** UTF-8 in the header, as ComfyUI sends it; Node takes bytes as Latin-1. */
function disposition(file: string): string {
  const name = path.basename(file).replaceAll(/["\\\p{Cc}]/gu, '_');
  return `filename="${Buffer.from(name, 'utf8').toString('latin1')}"`;
}

/** `undefined` from `make`: the original of a mask is gone, and ComfyUI answers 200 without writing. */
async function store(form: Form, storage: Storage, make: (file: FormFile) => Promise<Buffer | undefined>): Promise<Record<string, string>> {
  const file = form.files.get('image');
  const type = form.fields.get('type') ?? 'input';
  if (file === undefined || file.filename === '') throw new HttpFailure(400, { error: 'The form holds no file named "image".' });
  if (!isFolderName(type)) throw new HttpFailure(500, { error: `unknown upload type "${type}"` });
  const subfolder = form.fields.get('subfolder') ?? '';
  const overwrite = ['true', '1'].includes(form.fields.get('overwrite') ?? '');
  const first = resolveOrRefuse(storage, type, subfolder, file.filename);
  mkdirSync(path.dirname(first), { recursive: true });
  const bytes = await make(file);
  const target = overwrite || bytes === undefined ? first : freeName(first, bytes);
  if (bytes !== undefined && (overwrite || !existsSync(target))) writeFileSync(target, bytes);
  return { name: path.basename(target), subfolder, type };
}

function resolveOrRefuse(storage: Storage, type: FolderName, subfolder: string, filename: string): string {
  const file = storage.resolve(type, subfolder, path.basename(filename.replaceAll('\\', '/')));
  if (file === undefined) throw new HttpFailure(400, { error: 'The upload would leave its folder.' });
  return file;
}

/** Equal bytes under the same name are reused; other bytes get ` (1)`, ` (2)` … */
function freeName(wanted: string, bytes: Buffer): string {
  const { dir, name, ext } = path.parse(wanted);
  for (let count = 0; ; count++) {
    const candidate = count === 0 ? wanted : path.join(dir, `${name} (${count})${ext}`);
    if (!existsSync(candidate) || sameBytes(candidate, bytes)) return candidate;
  }
}

function sameBytes(file: string, bytes: Buffer): boolean {
  const found = statSync(file);
  return found.isFile() && found.size === bytes.length && readFileSync(file).equals(bytes);
}

function originalOf(form: Form, storage: Storage): string | undefined {
  const reference = readJson(form.fields.get('original_ref') ?? '');
  if (!isRecord(reference) || typeof reference['filename'] !== 'string')
    throw new HttpFailure(400, { error: 'original_ref must be a JSON object with a filename.' });
  const { filename, subfolder, type = 'output' } = reference;
  if (typeof type !== 'string' || !isFolderName(type)) throw new HttpFailure(400);
  const file = storage.resolve(type, typeof subfolder === 'string' ? subfolder : '', path.basename(filename));
  return file !== undefined && existsSync(file) ? file : undefined;
}

async function withAlphaOf(original: Buffer, mask: Buffer): Promise<Buffer> {
  const { width, height } = await sharp(original).metadata();
  const alpha = await sharp(mask).ensureAlpha().extractChannel('alpha').resize(width, height, { fit: 'fill' }).raw().toBuffer();
  return await sharp(original)
    .removeAlpha()
    .joinChannel(alpha, { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer();
}
