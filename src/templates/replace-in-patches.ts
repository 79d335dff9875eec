/** Patches of a step whose node classes were replaced: what they say of the old class holds for the new one. */
import { type Replaced, replaceNodes, slotIn } from '#graph/replace-nodes.ts';
import type { ObjectInfo } from '#graph/object-info.ts';
import type { NewNode, Rewiring } from '#graph/patch-graph.ts';
import type { GraphLink, NodeReplacement } from '#graph/types.ts';
import type { Problem } from '#protocol/problem.ts';
import type { CompiledPatch, CompiledStep } from './compiled.ts';
import { moveSite, writtenBy } from './move-sites.ts';
import { replacedLine, tellReplaced } from './replacement-words.ts';

/** Swaps speak of outputs by their numbers. Bypasses and stacks name nodes alone, whose ids stay. */
export function leadPatches({ id, patches }: CompiledStep, { nodes }: Replaced, problems: Problem[]): readonly CompiledPatch[] {
  const replacements = new Map(nodes.map((node) => [node.id, node.replacement]));
  return patches.map((patch) => {
    if (patch.kind !== 'swap') return patch;
    const lead = ({ node, slot }: GraphLink): GraphLink => ({ node, slot: slotIn(replacements.get(node), slot) });
    const rewire = leadRewiring(patch.rewire, replacements.get(patch.node));
    for (const { from, to } of rewire.lost) {
      const message = `The swap of node ${patch.node} gives its output ${from.slot} from node ${to.node}, but in ${replacements.get(patch.node)?.to ?? ''}, which the server has in place of the class, output ${from.slot} is one with another that the swap gives from elsewhere.`;
      const hint = 'Give both outputs from the same node, or write the swap for the new class.';
      problems.push({
        code: 'TEMPLATE_NODE_REPLACED_OUTPUT',
        severity: 'warning',
        message,
        hint,
        ...patch.place,
        node: patch.node,
        step: id,
      });
    }
    const led = patch.nodes.map((node): NewNode => ({
      ...node,
      inputs: node.inputs.map(([name, value]) => [name, 'json' in value ? value : lead(value)] as const),
    }));
    return { ...patch, nodes: led, rewire: rewire.kept };
  });
}

/** Of two outputs that are one now, the one that the replacement speaks of counts, else the first. */
export function leadRewiring(
  rewire: readonly Rewiring[],
  replacement: NodeReplacement | undefined,
): { readonly kept: readonly Rewiring[]; readonly lost: readonly Rewiring[] } {
  const isNamed = ({ from }: Rewiring): boolean => replacement?.outputs?.has(from.slot) === true;
  const kept = new Map<number, Rewiring>();
  const lost: Rewiring[] = [];
  for (const each of rewire.toSorted((a, b) => Number(isNamed(b)) - Number(isNamed(a)))) {
    const slot = slotIn(replacement, each.from.slot);
    const other = kept.get(slot);
    if (other === undefined) kept.set(slot, { ...each, from: { ...each.from, slot } });
    else if (other.to.node !== each.to.node || other.to.slot !== each.to.slot) lost.push(each);
  }
  return { kept: [...kept.values()], lost };
}

export interface CurrentPatched {
  readonly step: CompiledStep;
  /** What was done, for people. */
  readonly done: readonly string[];
  readonly problems: readonly Problem[];
}

/** Nodes that a patch put in may be of replaced classes, too; those of the workflow were replaced before. */
export function replacePutIn(
  step: CompiledStep,
  info: ObjectInfo,
  placeOf: (node: string) => Partial<Pick<Problem, 'file' | 'line' | 'column' | 'pointer'>>,
): CurrentPatched {
  const replaced = replaceNodes(step.graph, info, writtenBy(step, info));
  if (replaced === undefined) return { step, done: [], problems: [] };
  const problems: Problem[] = replaced.nodes.map((node) => ({
    ...tellReplaced(node, step.graph, { ...placeOf(node.id), node: node.id }),
    step: step.id,
  }));
  const sites = step.sites.flatMap((site) => moveSite(site, step, replaced, problems));
  return { step: { ...step, graph: replaced.graph, sites }, done: replaced.nodes.map(replacedLine), problems };
}
