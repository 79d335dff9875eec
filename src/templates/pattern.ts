/** Patterns that template authors write, in an engine whose time is linear in the text (RE2), with a cap on their size. */
import { RE2JS } from 're2js';

const MAX_INSTRUCTIONS = 2000;
const MAX_CACHED = 500;
const cache = new Map<string, RE2JS>();

export interface Pattern {
  readonly test: (text: string) => boolean;
  /** ajv tells patterns apart by their text: without it they would all be the first one. */
  readonly toString: () => string;
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
  return { test: (text) => pattern.matcher(text).find(), toString: () => source };
}
