/** Links that bring exactly one value in every run: never a list, for which the next node is called once for each part, and never a block. */
import type { GraphLink } from '../types.ts';
import type { Draft } from './draft.ts';
import { isIdempotent } from './idempotent-classes.ts';

const MAX_DEPTH = 1000;

/**
 * A node gives one value when its class gives no list by object info and everything it takes is one value, or is taken as a
 * whole. None of the classes that are known (`isIdempotent`) returns an ExecutionBlocker or a graph of its own.
 */
export function steadiness(draft: Draft): (link: GraphLink) => boolean {
  const found = new Map<string, boolean>();
  const isSteady = ({ node: id, slot }: GraphLink, depth: number): boolean => {
    const node = draft.get(id);
    if (node === undefined || depth > MAX_DEPTH || !isIdempotent(node.nodeClass)) return false;
    if (node.nodeClass.outputs[slot] === undefined || node.nodeClass.outputs[slot].isList === true) return false;
    if (node.nodeClass.inputIsList === true) return true;
    const before = found.get(id);
    if (before !== undefined) return before;
    // A circle proves nothing.
    found.set(id, false);
    const all = [...node.inputs.values()].every(({ link }) => link === undefined || isSteady(link, depth + 1));
    found.set(id, all);
    return all;
  };
  return (link) => isSteady(link, 0);
}
