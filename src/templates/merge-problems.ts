/** Problems of one check put together: the same finding once, in an order that does not depend on who found it first. */
import type { Problem } from '#protocol/problem.ts';

/** Found by the workflow's own value and again, with more words, by the type that object info gives its input. */
const TOLD_TWICE = 'TEMPLATE_PLACEHOLDER_TYPE';

/**
 * Files in the order in which they first occur, each from top to bottom; at one place as found. A warning goes where the same
 * code is an error at the same place: with object info more is certain than without.
 */
export function mergeProblems(...lists: readonly (readonly Problem[])[]): Problem[] {
  const all = lists.flat();
  const certain = new Set(all.filter(({ severity }) => severity === 'error').map(placeOf));
  const files = [...new Set(all.map(({ file }) => file))];
  const rank = new Map(files.map((file, index) => [file, index]));
  const known = new Map(all.map((problem) => [placeOf(problem), problem]));
  return all
    .filter((problem) => problem.severity === 'error' || !certain.has(placeOf(problem)))
    .filter((problem) => problem.code !== TOLD_TWICE || known.get(placeOf(problem)) === problem)
    .toSorted(
      (a, b) => (rank.get(a.file) ?? 0) - (rank.get(b.file) ?? 0) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
    );
}

function placeOf({ code, file, pointer, step, input }: Problem): string {
  // Findings of the graph alone name no step.
  return JSON.stringify(pointer === undefined ? [code, file, step, input] : [code, file, pointer]);
}
