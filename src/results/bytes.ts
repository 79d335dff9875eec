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
