/** What a new template offers of a graph that says nothing itself: prompts, seeds, sizes, pictures, models. */
import type { Graph, GraphNode } from '#graph/types.ts';
import type { WantedInput } from './adopt-inputs.ts';
import { tableDefinition } from './input-tables.ts';

const MAX_SUGGESTED = 40;
/** Inputs that few people want to see although their type is known. */
const LEFT_OUT = /^(?:start_at_step|end_at_step|x|y|shift|flow_shift|batch_size|strength_clip|positive|negative|model_name)$/;
const GROUPS: readonly (readonly [RegExp, string])[] = [
  [/^(?:width|height|length|video_length)$/, 'Size'],
  [/^(?:seed|noise_seed|steps|num_inference_steps|cfg|guidance|guidance_scale|denoise|sampler_name|scheduler)$/, 'Sampling'],
  [/_name\d?$|^strength/, 'Models'],
];

/** Texts first, then in the order of the file. */
export function suggestInputs(graph: Graph): readonly WantedInput[] {
  const roles = promptRoles(graph);
  const texts: WantedInput[] = [];
  const others: WantedInput[] = [];
  for (const node of graph.nodes.values()) {
    for (const { name, value, link } of node.inputs.values()) {
      if (link !== undefined || LEFT_OUT.test(name) || value.kind === 'null' || value.kind === 'array' || value.kind === 'object') continue;
      const definition = tableDefinition(node.classType, name);
      if (definition === undefined) continue;
      const textual = definition.type === 'text';
      const role = textual ? roles.get(node.id) : undefined;
      const group = GROUPS.find(([names]) => names.test(name))?.[1];
      (textual ? texts : others).push({
        name: role ?? name,
        targets: [{ node: node.id, input: name }],
        fixed: true,
        origin: `${node.id}.${name} (${node.classType})`,
        ...(group === undefined ? {} : { group }),
        ...(group === 'Models' || group === 'Sampling' ? { advanced: name !== 'seed' && name !== 'noise_seed' } : {}),
      });
    }
  }
  return [...texts, ...others].slice(0, MAX_SUGGESTED);
}

/** Which texts a sampler takes for what is wanted and what is not. */
function promptRoles(graph: Graph): ReadonlyMap<string, 'prompt' | 'negative'> {
  const roles = new Map<string, 'prompt' | 'negative'>();
  for (const node of graph.nodes.values()) {
    for (const [input, role] of [
      ['positive', 'prompt'],
      ['negative', 'negative'],
    ] as const) {
      const link = node.inputs.get(input)?.link;
      const source = link === undefined ? undefined : textBehind(graph, graph.nodes.get(link.node), input, new Set());
      if (source !== undefined && !roles.has(source)) roles.set(source, role);
    }
  }
  return roles;
}

function textBehind(graph: Graph, node: GraphNode | undefined, input: string, seen: Set<string>): string | undefined {
  if (node === undefined || seen.has(node.id)) return undefined;
  seen.add(node.id);
  if (['text', 'prompt'].some((name) => node.inputs.get(name)?.value.kind === 'string')) return node.id;
  const next = ['conditioning', 'conditioning_to', 'conditioning_1', input].flatMap((name) => node.inputs.get(name)?.link ?? []);
  for (const { node: id } of next) {
    const found = textBehind(graph, graph.nodes.get(id), input, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}
