/**
 * The key of a result: what a graph computes, from what, and with what. Two graphs with one key give one result. Node ids, `_meta` and the order
 * of keys do not count, as they do not in ComfyUI's own cache; where its key holds the id of a node, so does this one. Pure.
 */
import { schemaHash, schemaOf } from '../class-schema.ts';
import { canonicalJson, sha256Hex } from '../hash.ts';
import type { NodeClass, ObjectInfo } from '../node-classes.ts';
import { isSecretName, redactText } from '../secrets.ts';
import type { Graph, GraphNode } from '../types.ts';
import { ancestorsOf } from './ancestors.ts';
import { SAVER_CLASSES } from './core-classes.ts';
import { type FileReference, type ModelReference, referencesOf } from './references.ts';

/** Raised with every change of what a key is made of: older entries are then found no more. */
const FORMAT = 1;

/** What is known of something that a graph takes from the server by name. */
export interface Fact {
  /** Changes when the file does: size and time of its writing, or its hash. */
  readonly text: string;
  /** False: it may be another file under the same name. */
  readonly isSure: boolean;
}

export interface KeyFacts {
  readonly info: ObjectInfo;
  /** Nodes whose files are wanted; empty: all. */
  readonly outputNodes: readonly string[];
  /** What of the server changes pixels, by name. */
  readonly engine: Readonly<Record<string, string>>;
  readonly modelFact: (reference: ModelReference) => Fact;
  readonly fileFact: (reference: FileReference) => Fact;
  /** Whatever else makes another result of the same graph, by name, where it is not as usual. */
  readonly also?: Readonly<Record<string, 'on' | 'off'>>;
}

/** What a key was made of, short enough to be kept beside a result: to say later what is another. */
export interface KeyParts {
  /** Of classes and links alone. */
  readonly shape: string;
  /** `PLACE CLASS.input` → the value, or a hash of a long or secret one. Places are numbers that do not depend on ids. */
  readonly values: Readonly<Record<string, string>>;
  readonly classes: Readonly<Record<string, string>>;
  /** `folder/name` → what is known of it. */
  readonly models: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
  readonly engine: Readonly<Record<string, string>>;
  readonly also: Readonly<Record<string, string>>;
}

export interface ResultKey {
  /** 64 hexadecimal digits. */
  readonly key: string;
  readonly parts: KeyParts;
  /** Where the values stand in this graph, by the names that they have in `parts`. */
  readonly places: ReadonlyMap<string, { readonly node: GraphNode; readonly input: string }>;
  /** Node id → its name in every graph that computes the same: of the wanted nodes. */
  readonly names: ReadonlyMap<string, string>;
  /** What is only known by name, as clauses for people; a result that rests on it may be another one. */
  readonly doubts: readonly string[];
}

export function resultKey(graph: Graph, facts: KeyFacts): ResultKey {
  const { info, outputNodes, engine, also = {} } = facts;
  const wanted = (outputNodes.length === 0 ? [...graph.nodes.keys()] : outputNodes).filter((id) => graph.nodes.has(id));
  const needed = ancestorsOf(graph, wanted);
  const hashOf = nodeHashes(graph, info);
  const ordered = wanted.map((id) => ({ id, hash: hashOf.whole(id) })).toSorted(byHash);
  const outside = outsideFacts(graph, needed, facts);
  const classes = Object.fromEntries(
    [...new Set([...needed].map((id) => graph.nodes.get(id)?.classType ?? ''))].toSorted().map((name) => [name, classHash(info, name)]),
  );
  // Numbered by their shape, so that a value that differs does not move all others.
  const byShape = ordered.map(({ id }) => ({ id, hash: hashOf.shape(id) })).toSorted((a, b) => compare(a.hash, b.hash));
  const { values, places } = valuesOf(
    graph,
    byShape.map(({ id }) => id),
  );
  const computed = {
    format: FORMAT,
    all: outputNodes.length === 0,
    outputs: ordered.map(({ hash }) => hash),
    classes,
    models: outside.models,
    files: outside.files,
    engine: sorted(engine),
    also: sorted(also),
  };
  const shape = sha256Hex(JSON.stringify(byShape.map(({ hash }) => hash))).slice(0, SHORT);
  const { models, files } = outside;
  return {
    key: sha256Hex(JSON.stringify(computed)),
    parts: { shape, values, classes: shortened(classes), models, files, engine: computed.engine, also: computed.also },
    places,
    names: namesOf(ordered),
    doubts: outside.doubts,
  };
}

// --- helpers ---

/** Digits of hashes that only serve to tell what is another. */
const SHORT = 12;
/** Values up to this length are kept as they are. */
const SHOWN = 40;

interface Hashed {
  readonly id: string;
  readonly hash: string;
}

const byHash = (a: Hashed, b: Hashed): number => compare(a.hash, b.hash) || compare(a.id, b.id);

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Nodes that compute the same are numbered: whichever of them a file is given to, it is the right one. */
function namesOf(ordered: readonly Hashed[]): ReadonlyMap<string, string> {
  const counts = new Map<string, number>();
  return new Map(
    ordered.map(({ id, hash }) => {
      const count = (counts.get(hash) ?? 0) + 1;
      counts.set(hash, count);
      return [id, `${hash.slice(0, 2 * SHORT)}-${String(count)}`];
    }),
  );
}

/** ComfyUI's own signature of a node, as hashes: class, constants, and for each link the signature behind it with its slot. */
function nodeHashes(graph: Graph, info: ObjectInfo) {
  const make = (print: (node: GraphNode, input: string) => string | undefined, withId: boolean) => {
    const known = new Map<string, string>();
    const hash = (id: string): string => {
      const before = known.get(id);
      if (before !== undefined) return before;
      const node = graph.nodes.get(id);
      if (node === undefined) return 'nothing';
      // A circle is refused by the server; here it only must not be walked for ever.
      known.set(id, 'circle');
      const inputs = inputsOf(node).flatMap(({ name, link }): unknown[] => {
        if (link !== undefined) return [[name, hash(link.node), link.slot]];
        const text = print(node, name);
        return text === undefined ? [] : [[name, text]];
      });
      const own = withId && info.classes.get(node.classType)?.hidden?.includes('UNIQUE_ID') === true ? [node.id] : [];
      const made = sha256Hex(JSON.stringify([node.classType, inputs, ...own]));
      known.set(id, made);
      return made;
    };
    return hash;
  };
  return {
    whole: make((node, input) => constantOf(node, input), true),
    shape: make(() => '', false),
  };
}

function inputsOf(node: GraphNode) {
  return [...node.inputs.values()].toSorted((a, b) => compare(a.name, b.name));
}

/** Undefined for what decides nothing but the name of a file on the server. */
function constantOf(node: GraphNode, input: string): string | undefined {
  const value = node.inputs.get(input)?.value;
  if (value === undefined || (input === 'filename_prefix' && SAVER_CLASSES.has(node.classType))) return undefined;
  return canonicalJson(value);
}

function valuesOf(graph: Graph, roots: readonly string[]) {
  const numbers = new Map<string, number>();
  const visit = (id: string): void => {
    const node = graph.nodes.get(id);
    if (node === undefined || numbers.has(id)) return;
    numbers.set(id, numbers.size + 1);
    for (const { link } of inputsOf(node)) if (link !== undefined) visit(link.node);
  };
  for (const id of roots) visit(id);
  const values: Record<string, string> = {};
  const places = new Map<string, { readonly node: GraphNode; readonly input: string }>();
  for (const [id, number] of numbers) {
    const node = graph.nodes.get(id);
    if (node === undefined) continue;
    for (const { name: input, link } of inputsOf(node)) {
      const text = link === undefined ? constantOf(node, input) : undefined;
      if (text === undefined) continue;
      const place = `${String(number)} ${node.classType}.${input}`;
      values[place] = isShown(input, text) ? text : `#${sha256Hex(text).slice(0, SHORT)}`;
      places.set(place, { node, input });
    }
  }
  return { values, places };
}

/** What is kept and told is no place for secrets. */
function isShown(input: string, text: string): boolean {
  return text.length <= SHOWN && !isSecretName(input) && redactText(text) === text;
}

function outsideFacts(graph: Graph, needed: ReadonlySet<string>, { info, modelFact, fileFact }: KeyFacts) {
  const models: Record<string, string> = {};
  const files: Record<string, string> = {};
  const doubts = new Set<string>();
  for (const reference of referencesOf(graph, info, needed)) {
    if (reference.kind === 'file' && reference.sha256 !== undefined) continue;
    const fact = reference.kind === 'model' ? modelFact(reference) : fileFact(reference);
    const name = reference.kind === 'model' ? `${reference.folder ?? '?'}/${reference.name}` : reference.name;
    (reference.kind === 'model' ? models : files)[name] = fact.text;
    if (!fact.isSure) doubts.add(`${reference.kind === 'model' ? 'the model' : 'the file'} ${reference.name} is known by its name alone`);
  }
  return { models: sorted(models), files: sorted(files), doubts: [...doubts] };
}

const hashed = new WeakMap<NodeClass, string>();

function classHash(info: ObjectInfo, name: string): string {
  const nodeClass = info.classes.get(name);
  if (nodeClass === undefined) return 'unknown';
  const known = hashed.get(nodeClass) ?? schemaHash(schemaOf(nodeClass));
  hashed.set(nodeClass, known);
  return known;
}

function shortened(texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, text.slice(0, SHORT)]));
}

function sorted(texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(texts).toSorted(([a], [b]) => compare(a, b)));
}
