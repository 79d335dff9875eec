/** What nodes reported, as files and texts: the rules of comfyui.md 3.1, which scan every key and trust no name of a key. */
import type { RemoteFile, RemoteOutputs, RemoteText } from '../contract.ts';
import { isFields, list, text } from './replies.ts';
import type { Fields } from './replies.ts';

/** Deeper nesting than any node is known to report. */
const MAX_DEPTH = 6;
const MODEL_FILE = /\.(?:glb|gltf|obj|fbx|usdz|stl|ply|splat)$/i;
const TEXT_KEYS = new Set(['text', 'string']);

/** `meta` names the node of the graph behind an id that arose in an expansion. */
export function readOutputs(outputs: unknown, meta: unknown, cachedNodes: readonly string[]): RemoteOutputs {
  const files: RemoteFile[] = [];
  const texts: RemoteText[] = [];
  const seen = new Set<string>();
  for (const [id, ui] of Object.entries(isFields(outputs) ? outputs : {})) {
    if (!isFields(ui)) continue;
    const node = realNode(id, meta);
    for (const [key, value] of Object.entries(ui)) {
      if (TEXT_KEYS.has(key)) for (const found of strings(value, 0)) texts.push({ node, text: found });
      for (const file of filesUnder(value, node, key, 0)) {
        const name = JSON.stringify([node, file.type, file.subfolder, file.filename]);
        // A 3D saver names its file twice: as a triple and as a path under `result`.
        if (!seen.has(name)) files.push(file);
        seen.add(name);
      }
    }
  }
  return { files, texts, cachedNodes };
}

function realNode(id: string, meta: unknown): string {
  const entry = isFields(meta) ? meta[id] : undefined;
  if (!isFields(entry)) return id;
  // A node that is equal to another is not executed: it reports what that one gave, with its own id nowhere but here.
  const made = text(entry['node_id']);
  if (made !== undefined && made !== id && made === text(entry['real_node_id'])) return id;
  return text(entry['real_node_id']) ?? text(entry['display_node']) ?? id;
}

function filesUnder(value: unknown, node: string, key: string, depth: number): RemoteFile[] {
  if (depth > MAX_DEPTH) return [];
  if (Array.isArray(value)) return value.flatMap((item: unknown) => filesUnder(item, node, key, depth + 1));
  if (typeof value === 'string') {
    if ((key !== 'result' && key !== 'model_file') || !MODEL_FILE.test(value)) return [];
    return [{ node, key, ...splitPath(value), type: 'output' }];
  }
  const file = isFields(value) ? triple(value, node, key) : undefined;
  return file === undefined ? [] : [file];
}

function triple(item: Fields, node: string, key: string): RemoteFile | undefined {
  const filename = text(item['filename']);
  if (filename === undefined || filename === '') return undefined;
  const type = item['type'] ?? 'output';
  if (type !== 'output' && type !== 'temp' && type !== 'input') return undefined;
  const draft = item['draft'] === true;
  return { node, key, filename, subfolder: text(item['subfolder']) ?? '', type, ...(draft ? { draft } : {}) };
}

/** An output-relative path may come with an annotation and with the server's own separators. */
function splitPath(path: string): { filename: string; subfolder: string } {
  const plain = path.replace(/ ?\[(?:output|temp|input)\]$/, '');
  const cut = Math.max(plain.lastIndexOf('/'), plain.lastIndexOf('\\'));
  return { filename: plain.slice(cut + 1), subfolder: cut < 0 ? '' : plain.slice(0, cut) };
}

function strings(value: unknown, depth: number): string[] {
  if (typeof value === 'string') return [value];
  if (depth > MAX_DEPTH) return [];
  return list(value).flatMap((item) => strings(item, depth + 1));
}
