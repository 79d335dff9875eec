/** "Did you mean": the nearest known name to a misspelt one. */
import { distance } from 'fastest-levenshtein';

/** The candidate within about a third of the word's length in edits (at most 3, and never all of it), ignoring case; undefined when none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > 100) return undefined;
  const limit = Math.min(3, word.length - 1, Math.max(1, Math.floor((word.length + 1) / 3)));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) > limit) continue;
    const steps = distance(word.toLowerCase(), candidate.toLowerCase());
    if (steps < bestDistance) [best, bestDistance] = [candidate, steps];
  }
  return best;
}

/** `Did you mean "x"? ` or, when nothing is near, the list of what there is. */
export function didYouMean(word: string, candidates: Iterable<string>, what: string): string {
  const all = [...candidates];
  const near = nearest(word, all);
  if (near !== undefined) return `Did you mean "${near}"?`;
  if (all.length === 0) return `There are no ${what}.`;
  const shown = all.slice(0, 12).join(', ');
  return `Known ${what}: ${shown}${all.length > 12 ? ', …' : ''}.`;
}
