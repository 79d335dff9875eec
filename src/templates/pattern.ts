/** Patterns that template authors write, in an engine whose time is linear in the text (RE2), with a cap on their size. */
import { RE2JS } from 're2js';

const MAX_INSTRUCTIONS = 2000;
/**
 * Instructions times characters of one look at a value: linear is still long for a large pattern on a long text, and nobody else is served meanwhile.
 * Enough for a million characters and a pattern of a few classes; about a third of a second at the worst.
 */
const MAX_WORK = 8_000_000;
const MAX_CACHED = 500;
const cache = new Map<string, RE2JS>();

export interface Pattern {
  readonly test: (text: string) => boolean;
  /** ajv tells patterns apart by their text: without it they would all be the first one. */
  readonly toString: () => string;
}

let left = MAX_WORK;

/** Before each look at a value, whatever number of texts is in it. */
export function refillPatternWork(): void {
  left = MAX_WORK;
}

/** True when texts of the value that was looked at last were not held against their pattern, because it would have taken too long. */
export function isPatternWorkSpent(): boolean {
  return left < 0;
}

/** Throws an Error whose message says what is wrong with the pattern. */
export function compilePattern(source: string): Pattern {
  let compiled = cache.get(source);
  if (compiled === undefined) {
    compiled = RE2JS.compile(source);
    if (compiled.programSize() > MAX_INSTRUCTIONS) throw new Error('the pattern is too large; use smaller repeat counts');
    if (cache.size >= MAX_CACHED) cache.clear();
    cache.set(source, compiled);
  }
  const pattern = compiled;
  const size = pattern.programSize();
  return {
    test(text) {
      const cost = size * text.length;
      // What was not looked at does not fit.
      left = cost > left ? -1 : left - cost;
      return left >= 0 && pattern.matcher(text).find();
    },
    toString: () => source,
  };
}
