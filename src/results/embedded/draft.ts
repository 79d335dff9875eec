/** The mark of a draft in a file: the sandbox writes `{"draft":true,…}` under `callsheet` into everything that no model made. */
import type { Embedded } from './read.ts';

const WITHIN = /"callsheet"\s{0,9}:\s{0,9}"?\{\s{0,20}\\?"draft\\?"\s{0,9}:\s{0,9}true/;

/** Kinds of files that carry one text only have the mark inside it. */
export function saysDraft({ texts }: Pick<Embedded, 'texts'>): boolean {
  return texts.some(({ key, text }) => (key.toLowerCase() === 'callsheet' ? text.startsWith('{"draft":true') : WITHIN.test(text)));
}
