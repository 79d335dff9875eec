/** "Did you mean": the nearest of some names, or none when nothing is near. */
import { distance } from 'fastest-levenshtein';

/** Comparisons that one suggester makes, so that a file full of wrong names is still checked in well under a second. */
const BUDGET = 1_000_000;

export type Suggester = (name: string) => string | undefined;

/**
 * For many wrong names and one set of right ones. A suggestion is a typing mistake away: equal but for case, white space and
 * separators (`\` and `/` too), else within a third of the letters, at least 2 and at most 4. Names without letters are never
 * mistakes of each other: node 1043 says nothing about node 1044. Of two letters one can be wrong, of one only its case.
 */
export function createSuggester(candidates: Iterable<string>): Suggester {
  let known: { name: string; plain: string }[] | undefined;
  const answers = new Map<string, string | undefined>();
  let budget = BUDGET;
  return (name) => {
    if (answers.has(name)) return answers.get(name);
    const plain = flatten(name);
    if (!/\p{L}/u.test(plain) || budget <= 0) return undefined;
    known ??= Array.from(candidates, (candidate) => ({ name: candidate, plain: flatten(candidate) }));
    budget -= known.length;
    const answer = nearest(name, plain, known);
    answers.set(name, answer);
    return answer;
  };
}

/** For one wrong name; undefined when nothing is near. */
export function closest(name: string, candidates: Iterable<string>): string | undefined {
  return createSuggester(candidates)(name);
}

function nearest(name: string, plain: string, known: readonly { name: string; plain: string }[]): string | undefined {
  let best: string | undefined;
  const most = Math.min(4, Math.max(2, Math.floor(plain.length / 3)));
  let limit = Math.min(most, plain.length < 2 ? 0 : Math.max(1, plain.length - 2)) + 1;
  for (const candidate of known) {
    if (candidate.name === name) continue;
    if (candidate.plain === plain) return candidate.name;
    if (Math.abs(candidate.plain.length - plain.length) >= limit) continue;
    const d = distance(plain, candidate.plain);
    if (d < limit) {
      best = candidate.name;
      limit = d;
    }
  }
  return best;
}

function flatten(name: string): string {
  return name.toLowerCase().replace(/[\s_\\/-]+/g, '');
}

/** `Did you mean "x"?` or, when nothing is near, the list of what there is. */
export function didYouMean(word: string, candidates: Iterable<string>, what: string): string {
  const all = [...candidates];
  const near = closest(word, all);
  if (near !== undefined) return `Did you mean "${near}"?`;
  if (all.length === 0) return `There are no ${what}.`;
  const shown = all.slice(0, 12).join(', ');
  return `Known ${what}: ${shown}${all.length > 12 ? ', …' : ''}.`;
}
