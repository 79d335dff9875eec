/** A rendered step as it is sent: its graph through the optimiser, unless the manifest wants it as it is. */
import { parseGraph } from '#graph/graph.ts';
import type { ObjectInfo } from '#graph/object-info.ts';
import { optimise, type PassSaving } from '#graph/optimise/optimise.ts';
import type { PassName } from '#protocol/views.ts';
import { tellSaving } from '#graph/optimise/tell.ts';
import { authorNode } from './author-node.ts';
import type { CompiledStep } from './compiled.ts';
import type { RenderedStep } from './render.ts';

export interface OptimisedStep {
  readonly text: string;
  readonly outputNodes: readonly string[];
  readonly savings: readonly PassSaving[];
}

/** Whether there is anything for the optimiser to do: settings of Wan2GP are no graph. */
export function mayBeOptimised({ optimize, backend }: CompiledStep): boolean {
  return optimize && backend !== 'wan2gp';
}

/** The same graph and object info always give the same text, so that a daemon that renders again after a crash sends what it sent. */
export function optimiseStep({ text, outputNodes }: Pick<RenderedStep, 'text' | 'outputNodes'>, info: ObjectInfo): OptimisedStep {
  const { graph } = parseGraph(text);
  return graph === undefined ? { text, outputNodes, savings: [] } : optimise(graph, { info, outputNodes });
}

/** For people: nodes that patches put in speak as those of the workflow that they stand for. */
export function savingFor({ graph }: Pick<CompiledStep, 'graph'>, saving: PassSaving): ReturnType<typeof tellSaving> {
  return tellSaving(saving, (id) => authorNode(graph, id));
}

/** Passes that make one node give its result for several. */
export const MERGES: ReadonlySet<PassName> = new Set(['equal-nodes', 'shared-loaders']);
