/** A random source that gives the same numbers for the same seed and names, whatever else was drawn before. */
import { createHash } from 'node:crypto';

export interface Random {
  /** A whole number from 0 to below `count`. */
  below(count: number): number;
  /** Undefined for an empty list. */
  pick<T>(list: readonly T[]): T | undefined;
}

export function createRandom(...parts: readonly (string | number)[]): Random {
  let state = createHash('sha256').update(parts.join('\n')).digest().readUInt32LE(0);
  /** mulberry32 by Tommy Ettinger, public domain. */
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count: number): number => Math.floor(next() * count);
  return { below, pick: (list) => list[below(list.length)] };
}

/** A third of all names, always the same: they are kept out of development. */
export function isHeldOut(name: string): boolean {
  return createHash('sha256').update(name).digest().readUInt32LE(0) % 3 === 0;
}
