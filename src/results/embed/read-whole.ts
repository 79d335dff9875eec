/** Reads more than a parser may take in one piece, where the length has been held against a limit before. */
import { type ByteSource, READ_LIMIT } from '../bytes.ts';

/** Null when the file ends before. */
export async function readWhole(source: ByteSource, at: number, length: number): Promise<Buffer | null> {
  if (at + length > source.size) return null;
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length;) {
    const piece = await source.read(at + done, Math.min(READ_LIMIT, length - done));
    if (piece.length === 0) return null;
    bytes.set(piece, done);
    done += piece.length;
  }
  return bytes;
}
