/** What readers of embedded texts share: caps, reading in pieces, and the pile that texts are put on. */
import type { ByteSource } from '../bytes.ts';
import { READ_LIMIT } from '../bytes.ts';

export interface EmbeddedText {
  /** The name it stands under in the file: `prompt`, `workflow`, `comment`, `UserComment` … as written there. */
  readonly key: string;
  readonly text: string;
}

/** Bytes of one text and of all texts of a file; real workflows with many subgraphs reach a few MiB. */
export const LONGEST_TEXT = 16 * 1024 * 1024;
const MOST_BYTES = 32 * 1024 * 1024;
const MOST_TEXTS = 64;

export interface TextPile {
  readonly texts: readonly EmbeddedText[];
  /** Texts that went past a cap or were damaged, by key. */
  readonly leftOut: readonly string[];
  /** True when nothing more is taken. */
  readonly isFull: boolean;
  add(key: string, text: string): void;
  leaveOut(key: string): void;
}

export function createTextPile(): TextPile {
  const texts: EmbeddedText[] = [];
  const leftOut: string[] = [];
  let size = 0;
  return {
    texts,
    leftOut,
    get isFull() {
      return texts.length >= MOST_TEXTS || leftOut.length >= MOST_TEXTS;
    },
    add(key, text) {
      if (text === '') return;
      if (texts.length >= MOST_TEXTS || size + text.length > MOST_BYTES) {
        this.leaveOut(key);
        return;
      }
      size += text.length;
      texts.push({ key: key.slice(0, 200), text });
    },
    leaveOut(key) {
      if (leftOut.length < MOST_TEXTS) leftOut.push(key.slice(0, 200));
    },
  };
}

/** All of a range, or null when it is longer than a text may be or the file ends before it does. */
export async function readRange(source: ByteSource, at: number, length: number): Promise<Buffer | null> {
  if (!(length >= 0) || length > LONGEST_TEXT || !(at >= 0) || at + length > source.size) return null;
  const pieces: Uint8Array[] = [];
  let read = 0;
  while (read < length) {
    const piece = await source.read(at + read, Math.min(READ_LIMIT, length - read));
    if (piece.length === 0) return null;
    pieces.push(piece);
    read += piece.length;
  }
  return Buffer.concat(pieces, read);
}

/** UTF-8 where it is, Latin-1 otherwise: writers put both into fields that are declared as either. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  }
}

/** Up to the first NUL. */
export function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}
