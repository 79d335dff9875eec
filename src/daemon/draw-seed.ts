/** Draws seeds, 0 … 2^64−1, uniformly: many at a time, since asking for 8 bytes costs as much as for thousands. */
import { randomFillSync } from 'node:crypto';

const drawn = new BigUint64Array(512);
let next = drawn.length;

export function drawSeed(): bigint {
  if (next === drawn.length) {
    randomFillSync(drawn);
    next = 0;
  }
  const seed = drawn[next] ?? 0n;
  next += 1;
  return seed;
}
