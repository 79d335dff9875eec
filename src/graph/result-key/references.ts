/** What a graph takes from outside of itself by name: model files, embeddings named in prompts, and files of the server's input folder. Pure. */
import { isModelFile, modelFolder } from '../models.ts';
import type { ObjectInfo } from '../node-classes.ts';
import type { Graph, GraphInput, GraphNode } from '../types.ts';

export interface ModelReference {
  readonly kind: 'model';
  readonly node: string;
  readonly input: string;
  /** Undefined: a loader that is not ComfyUI's own. */
  readonly folder: string | undefined;
  readonly name: string;
}

export interface FileReference {
  readonly kind: 'file';
  readonly node: string;
  readonly input: string;
  readonly name: string;
  /** Of an upload of ours, which is named by its content; undefined for a file of the server's own. */
  readonly sha256: string | undefined;
}

export type Reference = ModelReference | FileReference;

const UPLOAD = /^callsheet-([0-9a-f]{64})(?:\.[a-z0-9]{1,8})?$/;
const EMBEDDING = /\bembedding:([^\s,():<>|]+)/gi;

/** In the order of the graph. `only` are the nodes that count. */
export function referencesOf(graph: Graph, info: ObjectInfo, only: ReadonlySet<string>): readonly Reference[] {
  const found: Reference[] = [];
  for (const node of graph.nodes.values()) {
    if (!only.has(node.id)) continue;
    for (const input of node.inputs.values()) found.push(...referencesIn(node, input, info));
  }
  return found;
}

// --- helpers ---

function referencesIn({ id: node, classType }: GraphNode, { name: input, value }: GraphInput, info: ObjectInfo): readonly Reference[] {
  if (value.kind !== 'string') return [];
  const text = value.value;
  const sha256 = UPLOAD.exec(text)?.[1];
  if (sha256 !== undefined) return [{ kind: 'file', node, input, name: text, sha256 }];
  const folder = modelFolder(classType, input);
  const isModel: boolean = folder !== undefined || isModelFile(text);
  if (isModel) return isNone(text) ? [] : [{ kind: 'model', node, input, folder, name: text }];
  if (takesFile(classType, input, info)) return [{ kind: 'file', node, input, name: text, sha256 }];
  return [...text.matchAll(EMBEDDING)].map(([, name = '']): ModelReference => ({ kind: 'model', node, input, folder: 'embeddings', name }));
}

/** What loaders offer besides files. */
function isNone(text: string): boolean {
  return text === '' || /^(?:none|default)$/i.test(text);
}

/** Inputs of ComfyUI's own loaders that name a file; what has an upload button is one too, whoever brings it. */
const FILE_INPUTS: Readonly<Record<string, string>> = {
  LoadImage: 'image',
  LoadImageMask: 'image',
  LoadAudio: 'audio',
  LoadVideo: 'file',
  LoadLatent: 'latent',
};

function takesFile(classType: string, input: string, info: ObjectInfo): boolean {
  if (FILE_INPUTS[classType] === input) return true;
  const options = info.classes.get(classType)?.inputs.get(input)?.options ?? {};
  return Object.keys(options).some((key) => key.endsWith('_upload'));
}
