/** What a patch made of a graph against object info: problems that the graph did not have before. */
import { checkAgainstObjectInfo, type ObjectInfo } from '#graph/object-info.ts';
import type { Graph } from '#graph/types.ts';
import { checkStructure } from '#graph/structure.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { authorNode } from './author-node.ts';
import { checkSites } from './check-sites.ts';
import { siteKey } from './compile-workflow.ts';
import type { CompiledStep, CompiledTemplate } from './compiled.ts';
import type { PatchDecision } from './decide-patches.ts';

/**
 * Errors of the patched step that the step itself does not have, each at the patch that it comes from. Inputs that are written
 * when the step is rendered hold nothing yet that could be judged; with `template` it is checked what fills them.
 */
export function findNews(
  before: CompiledStep,
  after: CompiledStep,
  info: ObjectInfo,
  decisions: readonly PatchDecision[],
  template?: CompiledTemplate,
): Problem[] {
  const known = new Set(graphErrors(before, info).map(keyOf));
  const news = graphErrors(after, info).filter((problem) => !known.has(keyOf(problem)));
  const filled =
    template === undefined
      ? []
      : checkSites(
          template,
          { ...after, lowMemory: undefined, sites: after.sites.filter(({ node }) => !before.graph.nodes.has(node)) },
          info,
        );
  return [
    ...news.map((problem) => ({
      ...problem,
      ...placeOf(problem, decisions, after.graph),
      ...(problem.node === undefined ? {} : { node: authorNode(before.graph, problem.node) }),
      step: before.id,
    })),
    ...filled.filter(isBlocking),
  ];
}

function graphErrors(step: CompiledStep, info: ObjectInfo): Problem[] {
  const written = new Set(step.sites.map((site) => siteKey(site.node, site.input)));
  return [...checkStructure(step.graph), ...checkAgainstObjectInfo(step.graph, info)].filter(
    (problem) => isBlocking(problem) && !written.has(siteKey(problem.node ?? '', problem.input ?? '')),
  );
}

const keyOf = ({ code, node, input, message }: Problem): string => JSON.stringify([code, node, input, message]);

/** The decision whose nodes it speaks of, else the only one there is, else the first. */
function placeOf({ node }: Problem, decisions: readonly PatchDecision[], graph: Graph): Partial<Problem> {
  const links = [...(graph.nodes.get(node ?? '')?.inputs.values() ?? [])].flatMap(({ link }) => link?.node ?? []);
  const named = (id: string | undefined): PatchDecision | undefined =>
    decisions.find(({ patch }) => patch.kind !== 'bypass' && patch.nodes.some((each) => each.id === id));
  const decision = named(node) ?? links.map(named).find((found) => found !== undefined) ?? decisions[0];
  return decision?.place ?? {};
}
