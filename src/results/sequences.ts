/** The files of a picture sequence: their names by its pattern, and the hash of all of them together. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { dirname, join } from 'node:path';
import type { SequenceView } from '#protocol/views.ts';

/** In order. */
export function namesOf({ count, first, pattern }: Pick<SequenceView, 'count' | 'first' | 'pattern'>): readonly string[] {
  const [digits = ''] = /#+(?=[^#]*$)/.exec(pattern) ?? [];
  const at = pattern.lastIndexOf(digits);
  return Array.from(
    { length: count },
    (_, n) => `${pattern.slice(0, at)}${String(first + n).padStart(digits.length, '0')}${pattern.slice(at + digits.length)}`,
  );
}

/** As `sequence.sha256` is made. Undefined when one of them can not be read. */
export async function hashOfSequence(firstFile: string, sequence: SequenceView): Promise<string | undefined> {
  const all = createHash('sha256');
  for (const name of namesOf(sequence)) {
    const one = await hashOfFile(join(dirname(firstFile), name));
    if (one === undefined) return undefined;
    all.update(one);
  }
  return all.digest('hex');
}

/** Undefined when it can not be read. */
export async function hashOfFile(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
    return hash.digest('hex');
  } catch {
    return undefined;
  }
}
