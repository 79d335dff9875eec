/** Nodes of several steps in one prompt: those of a step that shares it carry its name before their ids. */

import type { FusedStep } from '#protocol/views.ts';

export interface PartNode {
  readonly step: string;
  /** As it is called in the graph of the step. */
  readonly node: string;
}

export function prefixOf(step: string): string {
  return `${step}/`;
}

/** Whose node it is, of the steps that share the prompt; undefined for one of the step that it was sent for. */
export function partNode(fused: readonly FusedStep[], node: string): PartNode | undefined {
  const found = fused.find(({ step }) => node.startsWith(prefixOf(step)));
  return found === undefined ? undefined : { step: found.step, node: node.slice(prefixOf(found.step).length) };
}
