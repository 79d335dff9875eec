/** Texts of a PNG: tEXt, zTXt and iTXt (https://www.w3.org/TR/png-3/#11textinfo), where ComfyUI keeps prompt and workflow, Wan2GP its comment. */
import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import type { ByteSource } from '../bytes.ts';
import { pngChunks } from '../formats/png.ts';
import { readExif } from './exif.ts';
import { decodeText, LONGEST_TEXT, readRange } from './texts.ts';
import type { TextPile } from './texts.ts';

const inflated = promisify(inflate);

const KINDS: ReadonlySet<string> = new Set(['tEXt', 'zTXt', 'iTXt', 'eXIf']);

/** Bytes that are unpacked for one file, whether they turn out to be texts or not. */
const MOST_UNPACKED = 2 * LONGEST_TEXT;

export async function readPng(source: ByteSource, pile: TextPile): Promise<void> {
  const budget = { left: MOST_UNPACKED };
  for await (const chunk of pngChunks(source)) {
    if (pile.isFull) return;
    if (!KINDS.has(chunk.type)) continue;
    const data = await readRange(source, chunk.at, chunk.length);
    if (data === null) pile.leaveOut(chunk.type);
    else if (chunk.type === 'eXIf') readExif(data, pile);
    else await readChunk(chunk.type, data, pile, budget);
  }
}

interface Budget {
  left: number;
}

async function readChunk(type: string, data: Buffer, pile: TextPile, budget: Budget): Promise<void> {
  const split = data.indexOf(0);
  // The standard's limits: 1 to 79 bytes.
  if (split < 1 || split > 79) return;
  const key = data.toString('latin1', 0, split);
  const text = await textOf(type, data.subarray(split + 1), budget);
  if (text === null) pile.leaveOut(key);
  else pile.add(key, text);
}

async function textOf(type: string, rest: Buffer, budget: Budget): Promise<string | null> {
  if (type === 'tEXt') return decodeText(rest);
  if (type === 'zTXt') return rest[0] === 0 ? unpack(rest.subarray(1), budget) : null;
  const [isCompressed, method] = rest;
  const language = rest.indexOf(0, 2);
  const translated = language < 0 ? -1 : rest.indexOf(0, language + 1);
  if (translated < 0) return null;
  const body = rest.subarray(translated + 1);
  if (isCompressed === 0) return decodeText(body);
  return isCompressed === 1 && method === 0 ? unpack(body, budget) : null;
}

async function unpack(data: Buffer, budget: Budget): Promise<string | null> {
  const most = Math.min(LONGEST_TEXT, budget.left);
  if (most <= 0) return null;
  try {
    const unpacked = await inflated(data, { maxOutputLength: most });
    budget.left -= unpacked.length;
    return decodeText(unpacked);
  } catch {
    // As much as it was allowed to be may have been unpacked in vain.
    budget.left -= most;
    return null;
  }
}
