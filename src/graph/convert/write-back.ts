/**
 * The author's workflow in UI format with the values of a graph in it: what ComfyUI's page would have to hold to send that graph. Only what is
 * another is written, each value in its own place of the file; the result is converted again and given out only when it is that graph.
 */
import { parseGraph } from '../graph.ts';
import { canonicalHash, canonicalJson } from '../hash.ts';
import { member, memberOf, parseJson } from '../json.ts';
import type { ObjectInfo } from '../node-classes.ts';
import { rewrite, type Span, type Splice } from '../rewrite.ts';
import type { Graph, GraphInput, JsonNode } from '../types.ts';
import { convertWorkflow, type Conversion } from './convert.ts';
import type { ConvertedInput, ConvertedNode } from './emit.ts';
import { BYPASSED } from './shapes.ts';

/** Undefined when there is no such workflow: the graph has other nodes or links, or two nodes share a value that are different in it. Never throws. */
export function workflowWith(workflow: string, graph: string, info: ObjectInfo): string | undefined {
  const target = parseGraph(graph).graph;
  const base = converted(workflow, info);
  if (target === undefined || base.graph === undefined) return undefined;
  const wanted = canonicalHash(target);
  if (canonicalHash(base.graph) === wanted) return workflow;
  const splices = changesOf(base.nodes, target);
  if (splices === undefined) return undefined;
  const text = rewrite(workflow, splices).text;
  const made = convertWorkflow(text, info).graph;
  return made !== undefined && canonicalHash(made) === wanted ? text : undefined;
}

// --- helpers ---

/** Items of a step have one workflow: it is converted once for all of them. */
const KEPT = 8;
const conversions = new WeakMap<ObjectInfo, Map<string, Conversion>>();

function converted(workflow: string, info: ObjectInfo): Conversion {
  const known = conversions.get(info) ?? new Map<string, Conversion>();
  conversions.set(info, known);
  const before = known.get(workflow);
  if (before !== undefined) return before;
  const conversion = convertWorkflow(workflow, info);
  known.set(workflow, conversion);
  const [oldest] = known.keys();
  if (known.size > KEPT && oldest !== undefined) known.delete(oldest);
  return conversion;
}

/** Undefined as soon as one cannot be written. Links are not looked at: what they became is seen when the whole is converted again. */
function changesOf(nodes: readonly ConvertedNode[], target: Graph): readonly Splice[] | undefined {
  const written = new Map<string, Splice>();
  const write = ({ start, end }: Span, text: string): boolean => {
    const key = `${String(start)} ${String(end)}`;
    const other = written.get(key);
    if (other === undefined) written.set(key, { start, end, parts: [text] });
    return other === undefined || other.parts[0] === text;
  };
  const known = new Set(nodes.map(({ id }) => id));
  for (const id of target.nodes.keys()) if (!known.has(id)) return undefined;
  for (const node of nodes) {
    const goal = target.nodes.get(node.id);
    if (goal === undefined) {
      // Bypassed by a patch; a node in a subgraph stands there for every instance.
      const mode = node.id.includes(':') ? undefined : modeSplice(node.at);
      if (mode === undefined || !write(mode, mode.text)) return undefined;
      continue;
    }
    if (goal.classType !== node.classType) return undefined;
    for (const input of goal.inputs.values()) {
      const before = node.inputs.get(input.name);
      if (input.link !== undefined || (before !== undefined && isSame(before, input))) continue;
      if (before?.at === undefined) return undefined;
      const json = widgetJson(input, before, target.text);
      if (!write(before.at, json)) return undefined;
      const named = namedPlace(node.at, input.name, before.at);
      if (named !== undefined && !write(named, json)) return undefined;
    }
  }
  return [...written.values()];
}

function isSame({ json }: ConvertedInput, { value }: GraphInput): boolean {
  const { root } = parseJson(json);
  return root !== undefined && canonicalJson(root) === canonicalJson(value);
}

/** A list is unwrapped, and braces in a prompt are marked as text: the page would draw one of several choices. */
function widgetJson({ value }: GraphInput, { isPrompt = false }: ConvertedInput, source: string): string {
  const inner = member(value, '__value__') ?? value;
  if (isPrompt && inner.kind === 'string' && inner.value.includes('{'))
    return JSON.stringify(inner.value.replaceAll(/[{}|]/g, String.raw`\$&`));
  return source.slice(inner.start, inner.end);
}

/** The same value under its name, where the node saves its values twice. */
function namedPlace(node: JsonNode, name: string, at: Span): Span | undefined {
  const named = member(member(node, 'widgets_values_named'), name);
  const isOwn = at.start >= node.start && at.end <= node.end;
  return isOwn && named !== undefined ? { start: named.start, end: named.end } : undefined;
}

function modeSplice(node: JsonNode): (Span & { readonly text: string }) | undefined {
  const mode = memberOf(node, 'mode');
  if (mode !== undefined) return { start: mode.value.start, end: mode.value.end, text: String(BYPASSED) };
  if (node.kind !== 'object' || node.members.length === 0) return undefined;
  return { start: node.end - 1, end: node.end - 1, text: `,"mode":${String(BYPASSED)}` };
}
