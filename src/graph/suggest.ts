/** "Did you mean": the nearest of some names, or none when nothing is near. */
import { distance } from 'fastest-levenshtein';

/** Comparing against more names than this would be felt, and so many names are file lists in which the nearest is chance. */
const MAX_CANDIDATES = 20_000;

/**
 * The candidate that is a typing mistake away from `name`: equal but for case, white space and separators (`\` and `/` too),
 * else within a third of its letters, at least 2 and at most 4. Names without letters are never mistakes of each other: node
 * 1043 says nothing about node 1044.
 */
export function closest(name: string, candidates: Iterable<string>): string | undefined {
  const plain = flatten(name);
  const limit = plain.length < 3 || !/\p{L}/u.test(plain) ? 0 : Math.min(4, Math.max(2, Math.floor(plain.length / 3)), plain.length - 2);
  let best: string | undefined;
  let bestDistance = limit + 1;
  let seen = 0;
  for (const candidate of candidates) {
    if (++seen > MAX_CANDIDATES) break;
    const other = flatten(candidate);
    if (other === plain && candidate !== name) return candidate;
    if (Math.abs(other.length - plain.length) >= bestDistance) continue;
    const d = distance(plain, other);
    if (d > 0 && d < bestDistance) {
      best = candidate;
      bestDistance = d;
    }
  }
  return best;
}

function flatten(name: string): string {
  return name.toLowerCase().replace(/[\s_\\/-]+/g, '');
}
