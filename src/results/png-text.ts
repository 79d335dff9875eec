/** Text that a PNG carries: tEXt, zTXt and iTXt (https://www.w3.org/TR/png-3/#11textinfo). ComfyUI keeps prompt and workflow there. */
import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import type { ByteSource } from './bytes.ts';
import { pngChunks } from './formats/png.ts';
import type { PngChunk } from './formats/png.ts';

/** Of one text, compressed or not; a workflow with pictures inside can reach this, and is then left out. */
const LONGEST_TEXT = 1024 * 1024;
const MOST_TEXTS = 64;

const inflated = promisify(inflate);

/** Keyword → text, the first of each. What is damaged, too long or of an unknown compression is left out. */
export async function readPngText(source: ByteSource): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  for await (const chunk of pngChunks(source)) {
    if (texts.size >= MOST_TEXTS) break;
    if (!['tEXt', 'zTXt', 'iTXt'].includes(chunk.type) || chunk.length > LONGEST_TEXT) continue;
    const data = Buffer.from(await source.read(chunk.at, chunk.length));
    const text = data.length === chunk.length ? await decode(chunk, data) : null;
    if (text !== null && !texts.has(text.keyword)) texts.set(text.keyword, text.value);
  }
  return texts;
}

async function decode(chunk: PngChunk, data: Buffer): Promise<{ readonly keyword: string; readonly value: string } | null> {
  const split = data.indexOf(0);
  // The standard's limits: 1 to 79 bytes.
  if (split < 1 || split > 79) return null;
  const keyword = data.toString('latin1', 0, split);
  const rest = data.subarray(split + 1);
  const value = await valueOf(chunk.type, rest);
  return value === null ? null : { keyword, value };
}

async function valueOf(type: string, rest: Buffer): Promise<string | null> {
  if (type === 'tEXt') return rest.toString('latin1');
  if (type === 'zTXt') return rest[0] === 0 ? ((await unpack(rest.subarray(1)))?.toString('latin1') ?? null) : null;
  const [isCompressed, method] = rest;
  const language = rest.indexOf(0, 2);
  const translated = language < 0 ? -1 : rest.indexOf(0, language + 1);
  if (translated < 0) return null;
  const body = rest.subarray(translated + 1);
  if (isCompressed === 0) return body.toString('utf8');
  return isCompressed === 1 && method === 0 ? ((await unpack(body))?.toString('utf8') ?? null) : null;
}

async function unpack(data: Buffer): Promise<Buffer | null> {
  try {
    return await inflated(data, { maxOutputLength: LONGEST_TEXT });
  } catch {
    return null;
  }
}
