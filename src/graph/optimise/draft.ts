/** A graph on its way to a smaller one: nodes go, links lead elsewhere, values are written; what stays keeps its bytes. */
import type { InputSpec, NodeClass, ObjectInfo } from '../node-classes.ts';
import { inputsOf } from '../node-inputs.ts';
import { parseJson } from '../json.ts';
import { type GraphEdit, printStructure } from '../print-graph.ts';
import type { Graph, GraphLink, GraphNode, JsonNode } from '../types.ts';
import { cacheKeys } from './cache-keys.ts';
import { sourcesFirst } from './order.ts';
import type { Roots } from './roots.ts';
import type { GoneNode } from './types.ts';

export interface DraftInput {
  readonly link?: GraphLink;
  /** The constant; of a link, the text of the link as the author wrote it. */
  readonly value: JsonNode;
  /** JSON text of what was written here; absent while it is the author's. */
  readonly written?: string;
}

export interface DraftNode {
  readonly id: string;
  readonly classType: string;
  /** Undefined when the server does not describe it. */
  readonly nodeClass: NodeClass | undefined;
  readonly specs: ReadonlyMap<string, InputSpec>;
  readonly inputs: ReadonlyMap<string, DraftInput>;
  readonly original: GraphNode;
}

export interface Taker {
  readonly node: DraftNode;
  readonly input: string;
  readonly slot: number;
}

interface Entry extends DraftNode {
  readonly inputs: Map<string, DraftInput>;
}

const NO_SPECS: ReadonlyMap<string, InputSpec> = new Map();

export class Draft {
  readonly info: ObjectInfo;
  readonly roots: Roots;
  readonly #graph: Graph;
  readonly #nodes = new Map<string, Entry>();
  readonly #takers = new Map<string, Set<Entry>>();
  #changes = 0;
  #cacheKey: ((id: string) => string) | undefined;

  constructor(graph: Graph, info: ObjectInfo, roots: Roots) {
    this.#graph = graph;
    this.info = info;
    this.roots = roots;
    for (const node of graph.nodes.values()) {
      const nodeClass = info.classes.get(node.classType);
      const inputs = new Map<string, DraftInput>();
      for (const { name, link, value } of node.inputs.values()) inputs.set(name, link === undefined ? { value } : { link, value });
      const specs = nodeClass === undefined ? NO_SPECS : inputsOf(nodeClass, node);
      this.#nodes.set(node.id, { id: node.id, classType: node.classType, nodeClass, specs, inputs, original: node });
    }
    for (const entry of this.#nodes.values())
      for (const { link } of entry.inputs.values()) if (link !== undefined) this.#join(entry, link.node);
  }

  /** Rises with everything that is done: two equal counts mean that nothing happened in between. */
  get changes(): number {
    return this.#changes;
  }

  /** Whether the server, given the author's graph, would execute one of them only. */
  isCachedWith(a: string, b: string): boolean {
    this.#cacheKey ??= cacheKeys(this.#graph);
    return this.#cacheKey(a) === this.#cacheKey(b);
  }

  /** In the author's order; a copy, so that nodes may go meanwhile. */
  nodes(): readonly DraftNode[] {
    return [...this.#nodes.values()];
  }

  get(id: string): DraftNode | undefined {
    return this.#nodes.get(id);
  }

  /** Sources before those that take from them; nodes that are in no order keep the author's. */
  inOrder(): readonly DraftNode[] {
    return sourcesFirst(this.#nodes);
  }

  takersOf(id: string): readonly Taker[] {
    const found: Taker[] = [];
    for (const node of this.#takers.get(id) ?? []) {
      for (const [input, { link }] of node.inputs) if (link?.node === id) found.push({ node, input, slot: link.slot });
    }
    return found;
  }

  isTaken(id: string): boolean {
    return (this.#takers.get(id)?.size ?? 0) > 0;
  }

  relink(node: string, input: string, to: GraphLink): void {
    const entry = this.#entry(node);
    const before = entry.inputs.get(input);
    if (before?.link === undefined) throw new RangeError(`Input "${input}" of node ${node} is not linked.`);
    entry.inputs.set(input, { link: to, value: before.value, written: linkText(this.#graph, before.value, to) });
    this.#part(entry, before.link.node);
    this.#join(entry, to.node);
    this.#changes += 1;
  }

  /** `json` is one value as JSON text. */
  write(node: string, input: string, json: string): void {
    const entry = this.#entry(node);
    const value = parseJson(json).root;
    if (value === undefined) throw new RangeError(`Not JSON: ${json}`);
    const before = entry.inputs.get(input);
    entry.inputs.set(input, { value, written: json });
    if (before?.link !== undefined) this.#part(entry, before.link.node);
    this.#changes += 1;
  }

  /** Nothing may take from it any more. */
  remove(id: string): void {
    const entry = this.#entry(id);
    if (this.isTaken(id)) throw new RangeError(`Node ${id} is still in use.`);
    this.#nodes.delete(id);
    this.#takers.delete(id);
    for (const { link } of entry.inputs.values()) if (link !== undefined) this.#takers.get(link.node)?.delete(entry);
    this.#changes += 1;
  }

  /** Removes a node, and then every node that only what went fed. Gives them in the order in which they went. */
  removeWithFeeders(id: string): readonly DraftNode[] {
    const gone: DraftNode[] = [];
    const open = [this.#entry(id)];
    for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
      if (!this.#nodes.has(entry.id)) continue;
      this.remove(entry.id);
      gone.push(entry);
      open.push(...this.#idleFeeders(entry));
    }
    return gone;
  }

  /** The same for the feeders of a node that stays, once it takes less than before. */
  removeIdle(ids: Iterable<string>): readonly DraftNode[] {
    return [...ids].flatMap((id) => {
      const entry = this.#nodes.get(id);
      return entry === undefined || !this.#isIdle(entry) ? [] : this.removeWithFeeders(id);
    });
  }

  print(): string {
    const edits: GraphEdit[] = [];
    for (const { id, inputs } of this.#nodes.values()) {
      for (const [input, { written }] of inputs) if (written !== undefined) edits.push({ node: id, input, json: written });
    }
    const removedNodes = new Set([...this.#graph.nodes.keys()].filter((id) => !this.#nodes.has(id)));
    return printStructure(this.#graph, edits, { removedNodes, removedInputs: new Map(), added: new Map() });
  }

  #entry(id: string): Entry {
    const entry = this.#nodes.get(id);
    if (entry === undefined) throw new RangeError(`The graph has no node "${id}".`);
    return entry;
  }

  #isIdle(entry: Entry): boolean {
    return !this.isTaken(entry.id) && !this.roots.kept.has(entry.id);
  }

  #idleFeeders(gone: Entry): readonly Entry[] {
    const found = new Set<Entry>();
    for (const { link } of gone.inputs.values()) {
      const source = link === undefined ? undefined : this.#nodes.get(link.node);
      if (source !== undefined && this.#isIdle(source)) found.add(source);
    }
    return [...found].toReversed();
  }

  #join(entry: Entry, source: string): void {
    const takers = this.#takers.get(source);
    if (takers === undefined) this.#takers.set(source, new Set([entry]));
    else takers.add(entry);
  }

  #part(entry: Entry, source: string): void {
    for (const { link } of entry.inputs.values()) if (link?.node === source) return;
    this.#takers.get(source)?.delete(entry);
  }
}

export function saved(node: DraftNode, more: Pick<GoneNode, 'into' | 'ran'> = {}): GoneNode {
  const { id, classType, original } = node;
  return {
    id,
    classType,
    ...(original.title === undefined || original.title === '' ? {} : { title: original.title }),
    ...more,
  };
}

/** Spaced as the link was that stood there. */
function linkText({ text }: Graph, before: JsonNode, { node, slot }: GraphLink): string {
  const [name, number] = before.kind === 'array' ? before.items : [];
  if (name === undefined || number === undefined) return `[${JSON.stringify(node)}, ${slot}]`;
  return (
    text.slice(before.start, name.start) +
    JSON.stringify(node) +
    text.slice(name.end, number.start) +
    String(slot) +
    text.slice(number.end, before.end)
  );
}
