/** Texts into PNG: tEXt chunks right after the header, as ComfyUI writes them; those of the same name are taken out (PNG 11.3.3). */
import type { ByteSource } from '../bytes.ts';
import { pngChunks } from '../formats/png.ts';
import { checksum, joined, type Piece, type Plan, type Texts, uint32 } from './pieces.ts';

const TEXT_CHUNKS = new Set(['tEXt', 'zTXt', 'iTXt']);
const LONGEST_KEYWORD = 79;

export async function planPng(source: ByteSource, texts: Texts): Promise<Plan> {
  const pieces: Piece[] = [];
  let end = 0;
  let isWhole = false;
  for await (const { type, at, length } of pngChunks(source)) {
    const chunk = { start: at - 8, end: at + length + 4 };
    if (end === 0 && type !== 'IHDR') return { refused: 'its header is not where it belongs' };
    if (end === 0) pieces.push({ start: 0, end: chunk.end }, ...[...texts].map(textChunk));
    else if (!TEXT_CHUNKS.has(type) || !texts.has(keywordOf(await source.read(at, Math.min(length, LONGEST_KEYWORD + 1)))))
      pieces.push(chunk);
    end = chunk.end;
    isWhole = type === 'IEND';
    if (isWhole) break;
  }
  if (!isWhole) return { refused: 'it is not whole' };
  // Some programs append data of their own.
  return { pieces: joined([...pieces, { start: end, end: source.size }]) };
}

// --- helpers ---

function keywordOf(data: Uint8Array): string {
  const end = data.indexOf(0);
  return end < 0 ? '' : Buffer.from(data.subarray(0, end)).toString('latin1');
}

function textChunk([keyword, text]: readonly [string, string]): Buffer {
  const body = Buffer.from(`tEXt${keyword}\0${text}`, 'latin1');
  return Buffer.concat([uint32(body.length - 4), body, checksum(body)]);
}
