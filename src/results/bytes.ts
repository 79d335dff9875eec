/** Random access to the bytes of a file, bounded: parsers of foreign files read through this and nothing else. */
import type { FileHandle } from 'node:fs/promises';

export interface ByteSource {
  readonly size: number;
  /** At most `length` bytes from `at`; fewer at the end of the file, none beyond it. */
  read(at: number, length: number): Promise<Uint8Array>;
}

/** No parser needs more in one piece; a declared length is never trusted with memory. */
export const READ_LIMIT = 1024 * 1024;

export function bytesOfFile(handle: FileHandle, size: number): ByteSource {
  return {
    size,
    async read(at, length) {
      const wanted = clampLength(at, length, size);
      if (wanted === 0) return new Uint8Array();
      const buffer = Buffer.alloc(wanted);
      const { bytesRead } = await handle.read(buffer, 0, wanted, at);
      return buffer.subarray(0, bytesRead);
    },
  };
}

export function bytesInMemory(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    async read(at, length) {
      return bytes.subarray(at, at + clampLength(at, length, bytes.length));
    },
  };
}

/** What a parser reads beyond what it asked for, since it usually goes on there. */
const WINDOW = 4096;
/** A file may be nothing but millions of tiny parts; after so many reads it counts as ended. Real ones need a few thousand. */
const MOST_READS = 50_000;

/** The same source for a parser that takes small steps: few reads, and an end to them whatever the file says. */
export function throughWindow(source: ByteSource, mostReads = MOST_READS): ByteSource {
  let left = mostReads;
  let start = 0;
  let window: Uint8Array = new Uint8Array();
  return {
    size: source.size,
    async read(at, length) {
      const wanted = clampLength(at, length, source.size);
      if (wanted === 0) return new Uint8Array();
      if (at < start || at + wanted > start + window.length) {
        left -= 1;
        if (left < 0) return new Uint8Array();
        const read = await source.read(at, Math.max(wanted, WINDOW));
        // A long piece is not worth keeping.
        if (wanted > WINDOW) return read.subarray(0, wanted);
        start = at;
        window = read;
      }
      return window.subarray(at - start, at - start + wanted);
    },
  };
}

function clampLength(at: number, length: number, size: number): number {
  if (!(at >= 0) || at >= size) return 0;
  return Math.max(0, Math.min(length, size - at, READ_LIMIT));
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Latin-1, so that every byte is one character. */
export function textAt(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', at, at + length);
}
