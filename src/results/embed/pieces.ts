/** A file as it is going to be: new bytes between stretches of the old file, which are copied as they are. */
import { crc32 } from 'node:zlib';

/** A stretch of the old file; `end` exclusive. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

export type Piece = Uint8Array | Stretch;

/** Texts by the name they get in the file. */
export type Texts = ReadonlyMap<string, string>;

/** The pieces of the new file, or a clause for people that says why there is none: `it is fragmented`. */
export type Plan = { readonly pieces: readonly Piece[] } | { readonly refused: string };

/** Pieces that are empty are left out, and stretches that follow on each other are one. */
export function joined(pieces: readonly Piece[]): readonly Piece[] {
  const out: Piece[] = [];
  for (const piece of pieces) {
    const last = out.at(-1);
    if (sizeOf(piece) === 0) continue;
    if (last !== undefined && isStretch(last) && isStretch(piece) && last.end === piece.start)
      out[out.length - 1] = { start: last.start, end: piece.end };
    else out.push(piece);
  }
  return out;
}

export function isStretch(piece: Piece): piece is Stretch {
  return !(piece instanceof Uint8Array);
}

export function sizeOf(piece: Piece): number {
  return isStretch(piece) ? piece.end - piece.start : piece.length;
}

export function totalOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + sizeOf(piece), 0);
}

/**
 * JSON in nothing but ASCII: characters beyond it stand in texts only, where their escapes mean the same. Readers of ComfyUI's page take
 * bytes for characters in some formats.
 */
export function asciiJson(json: string): string {
  return json.replace(/^\uFEFF/, '').replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function uint32LE(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function checksum(bytes: Uint8Array): Buffer {
  return uint32(crc32(bytes));
}
