/** A graph back to text: values spliced into the text it came from, every other byte untouched. */
import { memberOf } from './json.ts';
import type { Graph, GraphNode, JsonMember, JsonObject } from './types.ts';

export interface GraphEdit {
  readonly node: string;
  readonly input: string;
  /** The new value as JSON text; `printJson` makes one. */
  readonly json: string;
}

/** A node that the text does not have. Inputs are JSON text. */
export interface AddedNode {
  readonly id: string;
  readonly classType: string;
  readonly title: string;
  readonly inputs: readonly (readonly [name: string, json: string])[];
}

/** What becomes other than values: whole nodes and inputs. */
export interface StructureEdit {
  /** Ids of nodes that are left out. */
  readonly removedNodes: ReadonlySet<string>;
  /** Node → names of inputs that are left out. */
  readonly removedInputs: ReadonlyMap<string, ReadonlySet<string>>;
  /** Behind, or in place of, the node with this id. */
  readonly added: ReadonlyMap<string, readonly AddedNode[]>;
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
  return applySplices(
    graph.text,
    [...byNode(edits)].flatMap(([id, values]) => spliceNode(graph, id, values)),
  );
}

/**
 * `printGraph`, and nodes and inputs left out or added. Everything that stays keeps its bytes and its order; what is added is
 * spaced as the file is. Throws RangeError as `printGraph` does.
 */
export function printStructure(graph: Graph, edits: readonly GraphEdit[], structure: StructureEdit): string {
  const { removedNodes, removedInputs, added } = structure;
  const values = byNode(edits.filter(({ node, input }) => !removedNodes.has(node) && removedInputs.get(node)?.has(input) !== true));
  for (const id of removedInputs.keys()) if (!removedNodes.has(id) && !values.has(id)) values.set(id, new Map());
  const splices = [...values].flatMap(([id, written]) => [
    ...spliceNode(graph, id, written),
    ...leaveOut(graph.nodes.get(id), removedInputs.get(id) ?? new Set()),
  ]);
  if (removedNodes.size === 0 && added.size === 0) return applySplices(graph.text, splices);
  return rebuild(graph, removedNodes, added, splices);
}

/** The members of the root one by one: those that stay with what stood before them, new ones in the style of the file. */
function rebuild({ text, root }: Graph, removed: ReadonlySet<string>, added: StructureEdit['added'], splices: Splice[]): string {
  const [first, second] = root.members;
  const last = root.members.at(-1);
  if (first === undefined || last === undefined) return applySplices(text, splices);
  const head = text.slice(root.start + 1, first.key.start);
  const between = second === undefined ? `,${head}` : text.slice(first.value.end, second.key.start);
  const parts: string[] = [];
  let before: JsonMember | undefined;
  for (const member of root.members) {
    if (!removed.has(member.key.value)) {
      const lead = parts.length === 0 ? '' : before === undefined ? between : text.slice(before.value.end, member.key.start);
      const { start, end } = { start: member.key.start, end: member.value.end };
      const inside = splices.filter((splice) => splice.start >= start && splice.end <= end);
      parts.push(
        lead +
          applySplices(
            text.slice(start, end),
            inside.map((splice) => shifted(splice, start)),
          ),
      );
    }
    for (const node of added.get(member.key.value) ?? []) parts.push((parts.length === 0 ? '' : between) + printAdded(node, head));
    before = member;
  }
  return text.slice(0, root.start + 1) + head + parts.join('') + text.slice(last.value.end);
}

const shifted = ({ start, end, text }: Splice, by: number): Splice => ({ start: start - by, end: end - by, text });

function printAdded({ id, classType, title, inputs }: AddedNode, head: string): string {
  const fields = inputs.map(([name, json]) => `${JSON.stringify(name)}: ${json}`);
  const name = JSON.stringify(classType);
  const meta = `"_meta": {"title": ${JSON.stringify(title)}}`;
  const indent = /(?:\r\n|\n|\r)([ \t]*)$/.exec(head)?.[1];
  if (indent === undefined) return `${JSON.stringify(id)}: {"inputs": {${fields.join(', ')}}, "class_type": ${name}, ${meta}}`;
  const newline = head.includes('\r\n') ? '\r\n' : '\n';
  const unit = indent === '' ? '  ' : indent;
  const [one, two] = [newline + indent + unit, newline + indent + unit + unit];
  const body = fields.length === 0 ? '{}' : `{${two}${fields.join(`,${two}`)}${one}}`;
  return `${JSON.stringify(id)}: {${one}"inputs": ${body},${one}"class_type": ${name},${one}${meta}${newline}${indent}}`;
}

function spliceNode(graph: Graph, id: string, values: ReadonlyMap<string, string>): Splice[] {
  const node = graph.nodes.get(id);
  if (node === undefined) throw new RangeError(`The graph has no node "${id}".`);
  const splices: Splice[] = [];
  const added = new Map<string, string>();
  for (const [name, json] of values) {
    const input = node.inputs.get(name);
    if (input === undefined) added.set(name, json);
    else splices.push({ start: input.value.start, end: input.value.end, text: json });
  }
  if (added.size > 0) splices.push(insertion(graph.text, node, added));
  return splices;
}

/** Each with the comma on the side where something stays. */
function leaveOut(node: GraphNode | undefined, names: ReadonlySet<string>): Splice[] {
  const members = node?.inputsAt.members ?? [];
  const splices: Splice[] = [];
  let kept: JsonMember | undefined;
  for (const [index, member] of members.entries()) {
    if (!names.has(member.key.value)) {
      kept = member;
      continue;
    }
    const before = members[index - 1];
    const after = members[index + 1];
    if (kept !== undefined && before !== undefined) splices.push({ start: before.value.end, end: member.value.end, text: '' });
    else splices.push({ start: member.key.start, end: after?.key.start ?? member.value.end, text: '' });
  }
  return splices;
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
