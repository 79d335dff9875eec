/** A graph back to text: values spliced into the text it came from, every other byte untouched. */
import { memberOf } from './json.ts';
import type { Graph, GraphNode, JsonObject } from './types.ts';

export interface GraphEdit {
  readonly node: string;
  readonly input: string;
  /** The new value as JSON text; `printJson` makes one. */
  readonly json: string;
}

interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Replaces the values of inputs and adds inputs that are missing, at the end of the node's `inputs` and in the file's own
 * style. Of several edits of one input the last counts. Without edits the text comes back as it is.
 * Throws RangeError when a node is not in the graph: callers check their addresses first and report them with places.
 */
export function printGraph(graph: Graph, edits: readonly GraphEdit[]): string {
  if (edits.length === 0) return graph.text;
  const splices: Splice[] = [];
  for (const [id, values] of byNode(edits)) {
    const node = graph.nodes.get(id);
    if (node === undefined) throw new RangeError(`The graph has no node "${id}".`);
    const added = new Map<string, string>();
    for (const [name, json] of values) {
      const input = node.inputs.get(name);
      if (input === undefined) added.set(name, json);
      else splices.push({ start: input.value.start, end: input.value.end, text: json });
    }
    if (added.size > 0) splices.push(insertion(graph.text, node, added));
  }
  return applySplices(graph.text, splices);
}

function byNode(edits: readonly GraphEdit[]): Map<string, Map<string, string>> {
  const nodes = new Map<string, Map<string, string>>();
  for (const { node, input, json } of edits) {
    const values = nodes.get(node);
    if (values === undefined) nodes.set(node, new Map([[input, json]]));
    else values.set(input, json);
  }
  return nodes;
}

function applySplices(text: string, splices: Splice[]): string {
  splices.sort((a, b) => a.start - b.start || a.end - b.end);
  const parts: string[] = [];
  let from = 0;
  for (const splice of splices) {
    parts.push(text.slice(from, splice.start), splice.text);
    from = splice.end;
  }
  parts.push(text.slice(from));
  return parts.join('');
}

/** New members as the last ones of `inputs`, spaced as the member before them is. */
function insertion(text: string, node: GraphNode, added: ReadonlyMap<string, string>): Splice {
  const object = node.inputsAt;
  const last = object.members.at(-1);
  if (last === undefined) return fillEmpty(text, node, added);
  const before = object.members.at(-2)?.value.end ?? object.start;
  const colon = text.slice(last.key.end, last.value.start);
  let lead = text.slice(before, last.key.start).replace(/^[\s\S]*[,{]/, '');
  // A lone member of `{"a": 1}` has no space before it that could be repeated; the one after its colon shows the style.
  if (lead === '' && object.members.length === 1 && colon.endsWith(' ')) lead = ' ';
  const items = [...added].map(([name, json]) => `,${lead}${JSON.stringify(name)}${colon}${json}`);
  return { start: last.value.end, end: last.value.end, text: items.join('') };
}

/** Members for an `inputs` that has none: its style is read off its own key and the node around it. */
function fillEmpty(text: string, node: GraphNode, added: ReadonlyMap<string, string>): Splice {
  const { start, end } = node.inputsAt;
  const key = memberOf(node.at, 'inputs')?.key;
  const colon = key === undefined ? ': ' : text.slice(key.end, start);
  const items = [...added].map(([name, json]) => `${JSON.stringify(name)}${colon}${json}`);
  const indent = key === undefined ? undefined : indentBefore(text, key.start);
  if (indent === undefined) return { start, end, text: `{${items.join(colon.endsWith(' ') ? ', ' : ',')}}` };
  const inner = indent + unitOf(text, node.at, indent);
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  return { start, end, text: `{${newline}${inner}${items.join(`,${newline}${inner}`)}${newline}${indent}}` };
}

/** The white space at the beginning of the line, when nothing else stands before `offset` on it. */
function indentBefore(text: string, offset: number): string | undefined {
  return /(?:^|[\r\n])([ \t]*)$/.exec(text.slice(Math.max(0, offset - 200), offset))?.[1];
}

/** One level of indentation: what the node's members have more than the line on which the node closes. */
function unitOf(text: string, at: JsonObject, indent: string): string {
  const outer = indentBefore(text, at.end - 1);
  if (outer !== undefined && indent.length > outer.length && indent.startsWith(outer)) return indent.slice(outer.length);
  return indent.startsWith('\t') ? '\t' : '  ';
}
