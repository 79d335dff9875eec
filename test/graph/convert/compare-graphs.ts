/** Compares a converted graph with the expected one, allowing only what the corpus' README allows. */
import { parseJson } from '../../../src/graph/json.ts';
import type { JsonValue } from '../../../src/graph/types.ts';
import { printJson, toValue } from '../../../src/graph/values.ts';

type Inputs = ReadonlyMap<string, JsonValue>;
interface PlainNode {
  readonly classType: string;
  readonly inputs: Inputs;
}
export type PlainGraph = ReadonlyMap<string, PlainNode>;

/** `_meta` and `is_changed` are no part of a graph; 8 and 8.0 are the same number once read. */
export function readPlain(text: string, leaveOut: ReadonlySet<string> = new Set()): PlainGraph {
  const { root } = parseJson(text);
  if (root?.kind !== 'object') throw new Error('not a graph');
  const graph = new Map<string, PlainNode>();
  for (const { key, value } of root.members) {
    const node = toValue(value);
    if (!isRecord(node)) continue;
    const inputs = node['inputs'];
    graph.set(key.value, {
      classType: typeof node['class_type'] === 'string' ? node['class_type'] : '',
      inputs: new Map(isRecord(inputs) ? Object.entries(inputs).filter(([name]) => !leaveOut.has(name)) : []),
    });
  }
  return graph;
}

export interface CompareOptions {
  /** Inputs that are not compared: written by old front ends, or belonging to newer nodes. */
  readonly ignore?: (classType: string, input: string, side: 'expected' | 'actual') => boolean;
  /** `sample_euler` of old front ends is `euler`. */
  readonly oldSamplers?: boolean;
  /** Where we leave {a|b}, the front end drew one. */
  readonly choicesDrawn?: boolean;
  /** Links only. */
  readonly structureOnly?: boolean;
  /** Nodes that are not compared. */
  readonly skip?: (classType: string) => boolean;
}

/** One line for each difference; none when the graphs are equal. */
export function compareGraphs(expected: PlainGraph, actual: PlainGraph, options: CompareOptions = {}): string[] {
  const { ignore = () => false, structureOnly = false, skip = () => false, oldSamplers = false, choicesDrawn = false } = options;
  const differences: string[] = [];
  for (const id of new Set([...expected.keys(), ...actual.keys()])) {
    const want = expected.get(id);
    const have = actual.get(id);
    const name = `${id} ${(want ?? have)?.classType ?? ''}`;
    if (skip((want ?? have)?.classType ?? '')) continue;
    if (want === undefined || have === undefined) {
      differences.push(`node ${name} ${want === undefined ? 'is too much' : 'is missing'}`);
      continue;
    }
    if (want.classType !== have.classType) differences.push(`node ${name} became ${have.classType}`);
    for (const input of new Set([...want.inputs.keys(), ...have.inputs.keys()])) {
      const wanted = want.inputs.get(input);
      const a = oldSamplers && typeof wanted === 'string' ? wanted.replace(/^sample_/, '') : wanted;
      const b = have.inputs.get(input);
      if (a === undefined ? ignore(want.classType, input, 'actual') : b === undefined && ignore(want.classType, input, 'expected'))
        continue;
      if (structureOnly && !isLink(a) && !isLink(b)) continue;
      if (input === 'filename_prefix' && expands(b, a, /%[^%]+%/)) continue;
      if (choicesDrawn && expands(b, a, /\{[^{}]*\|[^{}]*\}/)) continue;
      if (a === undefined || b === undefined || !sameValue(a, b))
        differences.push(`${name}.${input}: ${show(a)} expected, ${show(b)} found`);
    }
  }
  return differences;
}

/** The same with other ids: nodes are told apart by what they are and what feeds them. */
export function isIsomorphic(expected: PlainGraph, actual: PlainGraph): boolean {
  const signatures = (graph: PlainGraph): string[] => {
    const known = new Map<string, string>();
    const sign = (id: string, depth: number): string => {
      const done = known.get(id);
      if (done !== undefined) return done;
      const node = graph.get(id);
      if (node === undefined || depth > 200) return '?';
      const inputs = [...node.inputs].toSorted(([a], [b]) => (a < b ? -1 : 1));
      const parts = inputs.map(
        ([name, value]) => `${name}=${isLink(value) ? `${sign(value[0], depth + 1)}#${String(value[1])}` : canonical(value)}`,
      );
      const signature = `${node.classType}(${parts.join(';')})`;
      known.set(id, signature);
      return signature;
    };
    return [...graph.keys()].map((id) => sign(id, 0)).toSorted();
  };
  return signatures(expected).join('\n') === signatures(actual).join('\n');
}

// --- helpers ---

/** The front end replaces `%date:…%` and draws one of {a|b}; the rest of the text must be the same. */
function expands(ours: JsonValue | undefined, theirs: JsonValue | undefined, token: RegExp): boolean {
  if (typeof ours !== 'string' || typeof theirs !== 'string' || !token.test(ours)) return false;
  const parts = ours.split(new RegExp(token, 'g')).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^]*')}$`).test(theirs);
}

function isLink(value: JsonValue | undefined): value is readonly [string, number] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && typeof value[1] === 'number';
}

function sameValue(a: JsonValue, b: JsonValue): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: JsonValue): string {
  if (isRecord(value))
    return `{${Object.keys(value)
      .toSorted()
      .map((key) => `${JSON.stringify(key)}:${canonical(value[key] ?? null)}`)
      .join(',')}}`;
  return Array.isArray(value) ? `[${(value as readonly JsonValue[]).map(canonical).join(',')}]` : printJson(value);
}

function isRecord(value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: JsonValue | undefined): string {
  return value === undefined ? 'nothing' : canonical(value).slice(0, 60);
}
