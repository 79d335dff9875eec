/** Which of the texts in a media file are workflows: ComfyUI graphs in API form, in UI form, or Wan2GP settings. */
import { detectFormat } from '#graph/graph.ts';
import { member, parseJson } from '#graph/json.ts';
import type { JsonNode } from '#graph/types.ts';
import type { EmbeddedText } from './texts.ts';

export interface FoundWorkflow {
  readonly key: string;
  /** Exactly as it was embedded: 64-bit integers and Python's NaN survive. */
  readonly text: string;
}

export interface FoundWorkflows {
  readonly api?: FoundWorkflow;
  readonly ui?: FoundWorkflow;
  readonly wan2gp?: FoundWorkflow;
}

/** Texts within texts within objects: a comment that holds both, glTF's `asset.extras`, safetensors' `__metadata__`. */
const MOST_LEVELS = 4;
const WRAPPERS = ['prompt', 'workflow', 'asset', 'extras', '__metadata__', 'metadata'] as const;

/** The first of each kind, `prompt` and `workflow` before others. */
export function findWorkflows(texts: readonly EmbeddedText[]): FoundWorkflows {
  const found: { -readonly [K in keyof FoundWorkflows]: FoundWorkflows[K] } = {};
  for (const { key, text } of texts.toSorted((a, b) => rank(a.key) - rank(b.key))) look(key, text, found, 0);
  return found;
}

function rank(key: string): number {
  return /^(?:prompt|workflow)$/i.test(key) ? 0 : 1;
}

function look(key: string, text: string, found: { -readonly [K in keyof FoundWorkflows]: FoundWorkflows[K] }, level: number): void {
  if (!/^\uFEFF?\s*\{/.test(text)) return;
  const { root } = parseJson(text);
  if (root !== undefined) lookAt(key, text, root, found, level);
}

function lookAt(
  key: string,
  text: string,
  node: JsonNode,
  found: { -readonly [K in keyof FoundWorkflows]: FoundWorkflows[K] },
  level: number,
): void {
  if (node.kind === 'string') {
    look(key, node.value, found, level);
    return;
  }
  if (node.kind !== 'object') return;
  const format = isModel(node) ? 'unknown' : detectFormat(node);
  if (format !== 'unknown') {
    found[format] ??= { key, text: text.slice(node.start, node.end) };
    return;
  }
  if (level >= MOST_LEVELS) return;
  for (const name of WRAPPERS) {
    const inner = member(node, name);
    if (inner !== undefined) lookAt(name, text, inner, found, level + 1);
  }
}

/** glTF has a list of nodes too, of another kind. */
function isModel(node: JsonNode): boolean {
  return member(member(node, 'asset'), 'version') !== undefined;
}
