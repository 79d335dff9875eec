/** Nodes that patches put into a graph speak, to everybody outside, as the nodes of the workflow that they stand for. */
import type { ErrorData } from '#protocol/errors.ts';
import { authorNode } from '#templates/author-node.ts';
import type { RunMemory } from './deps.ts';

export interface NodeNames {
  of<T extends string | undefined>(node: T): T | string;
  ofError(error: ErrorData): ErrorData;
}

export function createNodeNames({ template }: Pick<RunMemory, 'template'>, stepId: string): NodeNames {
  const graph = template.steps.find(({ id }) => id === stepId)?.graph;
  const of = <T extends string | undefined>(node: T): T | string =>
    node === undefined || graph === undefined ? node : authorNode(graph, node);
  const named = <T extends { readonly node?: string }>(about: T): T =>
    about.node === undefined ? about : { ...about, node: of(about.node) };
  return {
    of,
    ofError: (error) => {
      const { problems } = error;
      return named(problems === undefined ? error : { ...error, problems: problems.map((problem) => named(problem)) });
    },
  };
}
