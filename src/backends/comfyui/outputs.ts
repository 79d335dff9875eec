/**
 * What nodes reported, as files and texts (comfyui.md 3.1): every key is scanned at every depth, and what a thing is decides, not the name
 * of its key. The one table here is of keys under which bare strings are files or texts, since nothing else tells those from settings.
 */
import { formatByExtension } from '#protocol/file-formats.ts';
import type { RemoteFile, RemoteOutputs, RemoteText } from '../contract.ts';
import { isFields, list, text } from './replies.ts';
import type { Fields } from './replies.ts';

/** Deeper nesting than any node is known to report. */
const MAX_DEPTH = 8;
/** More than any prompt gives; a reply may hold anything. */
const MOST_FILES = 20_000;
const MOST_TEXTS = 1000;
const LONGEST_NAME = 4096;
/** Of texts under keys that are not known to be results, in characters: enough for a caption, too little for a page of settings. */
const LONGEST_GUESS = 64 * 1024;
const MOST_GUESSES = 16;

/** Bare strings under these keys are results to read. */
export const TEXT_KEYS: ReadonlySet<string> = new Set(['text', 'texts', 'string', 'strings', 'caption', 'captions', 'markdown']);
/** Bare strings under these keys are files of the server when they end like 3D ones: of the output folder, or where a folder of it is named. */
export const MODEL_KEYS = /^(?:result|3d|previews?|file_?path|full_?path)$|mesh|model|glb|gltf|splat|point_?cloud/i;
/** What says how something is shown, not what it is. */
const FLAG_KEYS = /^(?:animated|format|type|frame_rate|workflow|full_?path|subfolder|filename|.*url)$/i;
/** Endings of 3D files that have no format of their own here. */
const MORE_MODELS: ReadonlySet<string> = new Set(['splat', 'ksplat', 'spz', '3mf', 'blend']);

/** `meta` names the node of the graph behind an id that arose in an expansion; without it the id itself tells, if `graph` has its beginning. */
export function readOutputs(outputs: unknown, meta: unknown, cachedNodes: readonly string[], graph?: ReadonlySet<string>): RemoteOutputs {
  const files: RemoteFile[] = [];
  const texts: RemoteText[] = [];
  const seen = new Set<string>();
  for (const { id, ui } of reportsIn(outputs)) {
    const node = realNode(id, meta, graph);
    for (const [key, value] of Object.entries(ui)) {
      for (const found of textsUnder(value, key)) if (texts.length < MOST_TEXTS) texts.push({ node, ...found });
      for (const file of filesUnder(value, node, key, 0)) {
        const name = JSON.stringify([node, file.type, file.subfolder.replaceAll('\\', '/'), file.filename]);
        // A 3D saver names its file twice: as a triple and as a path under `result`.
        if (!seen.has(name) && files.length < MOST_FILES) files.push(file);
        seen.add(name);
      }
    }
  }
  return { files, texts, cachedNodes };
}

/** What one node became in an expansion comes in the order in which it was made, however the nodes of it ended. */
function reportsIn(outputs: unknown): readonly { readonly id: string; readonly ui: Fields }[] {
  const reports = Object.entries(isFields(outputs) ? outputs : {}).flatMap(([id, ui]) => (isFields(ui) ? [{ id, ui }] : []));
  const places = new Map<string, number>();
  for (const [place, { id }] of reports.entries()) places.set(authorOf(id), Math.min(place, places.get(authorOf(id)) ?? place));
  const order = (id: string): number => places.get(authorOf(id)) ?? 0;
  return reports.toSorted((a, b) => order(a.id) - order(b.id) || a.id.localeCompare(b.id, 'en', { numeric: true }));
}

/** `5.0.0.1`: made by node 5 (call, graph, id within it). */
const EPHEMERAL = /^(.+?)\.\d+\.\d+\.[^.]+(?:\.|$)/;

function authorOf(id: string): string {
  return EPHEMERAL.exec(id)?.[1] ?? id;
}

function realNode(id: string, meta: unknown, graph: ReadonlySet<string> | undefined): string {
  const entry = isFields(meta) ? meta[id] : undefined;
  // A node that is equal to another is not executed: it reports what that one gave, with its own id nowhere but here.
  const made = isFields(entry) ? text(entry['node_id']) : undefined;
  if (isFields(entry) && made !== undefined && made !== id && made === text(entry['real_node_id'])) return id;
  const told = isFields(entry) ? (text(entry['real_node_id']) ?? text(entry['display_node'])) : undefined;
  if (told !== undefined || graph === undefined || graph.has(id)) return told ?? id;
  const author = authorOf(id);
  return graph.has(author) ? author : id;
}

function filesUnder(value: unknown, node: string, key: string, depth: number): RemoteFile[] {
  if (depth > MAX_DEPTH) return [];
  if (Array.isArray(value)) return whole(value).flatMap((item: unknown) => filesUnder(item, node, key, depth + 1));
  if (typeof value === 'string') return isModelPath(key, value) ? fileAt(value, node, key) : [];
  if (!isFields(value)) return [];
  const file = triple(value, node, key);
  if (file !== undefined) return [file];
  return Object.entries(value).flatMap(([inner, item]) => filesUnder(item, node, inner, depth + 1));
}

/** `type` is a folder of the server; items whose `type` is anything else are of another kind. */
function triple(item: Fields, node: string, key: string): RemoteFile | undefined {
  const filename = text(item['filename']);
  if (filename === undefined || !isName(filename)) return undefined;
  const type = item['type'] ?? 'output';
  if (type !== 'output' && type !== 'temp' && type !== 'input') return undefined;
  const subfolder = text(item['subfolder']) ?? '';
  if (subfolder !== '' && !isName(subfolder)) return undefined;
  const draft = item['draft'] === true;
  return { node, key, filename, subfolder, type, ...(draft ? { draft } : {}) };
}

/** No server has files of such names, and none is asked for them. */
function isName(name: string): boolean {
  return name !== '' && name.length <= LONGEST_NAME && !/\p{Cc}/u.test(name);
}

function isModelPath(key: string, value: string): boolean {
  if (!MODEL_KEYS.test(key) || !isName(value)) return false;
  const extension = /\.(\w{1,8})(?: ?\[(?:output|temp|input)\])?$/.exec(value)?.[1]?.toLowerCase() ?? '';
  return formatByExtension(extension)?.kind === 'model3d' || MORE_MODELS.has(extension);
}

/** An output-relative path may come with an annotation and with the server's own separators; of an absolute one only what is in a folder of the server. */
function fileAt(path: string, node: string, key: string): RemoteFile[] {
  const annotation = / ?\[(output|temp|input)\]$/.exec(path)?.[1];
  const plain = path.replace(/ ?\[(?:output|temp|input)\]$/, '');
  const isAbsolute = /^(?:[\\/]|[A-Za-z]:)/.test(plain);
  const inside = isAbsolute ? (ownPart(plain) ?? /^.*[\\/](output|temp)[\\/](.+)$/.exec(plain)) : null;
  if (isAbsolute && inside === null) return [];
  const [, folder = 'output', relative = plain] = inside ?? [];
  const cut = Math.max(relative.lastIndexOf('/'), relative.lastIndexOf('\\'));
  const type = (annotation ?? folder) as RemoteFile['type'];
  return [{ node, key, filename: relative.slice(cut + 1), subfolder: cut < 0 ? '' : relative.slice(0, cut), type }];
}

/** The folder that every attempt has of its own is known wherever it lies. */
function ownPart(path: string): readonly string[] | null {
  const own = /^.*[\\/](callsheet[\\/][0-9a-f-]{36}[\\/].+)$/.exec(path);
  return own === null ? null : ['', 'output', own[1] ?? ''];
}

/** Texts under other keys than those above are kept for nodes that turn out to give nothing else. */
function textsUnder(value: unknown, key: string): readonly Omit<RemoteText, 'node'>[] {
  if (TEXT_KEYS.has(key)) return strings(value, 0, true).map((found) => ({ text: found }));
  if (FLAG_KEYS.test(key)) return [];
  const found = strings(value, 0, false).filter((one) => one !== '' && one.length <= LONGEST_GUESS && !isModelPath(key, one));
  return found.slice(0, MOST_GUESSES).map((one) => ({ key, text: one }));
}

/** One string, or lists of them; numbers and flags count where a text is expected. */
function strings(value: unknown, depth: number, all: boolean): string[] {
  if (typeof value === 'string') return [value];
  if (all && (typeof value === 'number' || typeof value === 'boolean')) return [String(value)];
  if (depth > MAX_DEPTH) return [];
  return whole(list(value)).flatMap((item) => strings(item, depth + 1, all));
}

/**
 * ComfyUI joins what several calls of a node reported as if all of it were lists: of a bare string it makes a list of its characters. Letters
 * and strokes one by one are such a string; numbers of one digit may well be a list.
 */
function whole(items: readonly unknown[]): readonly unknown[] {
  const isSpelt = items.length > 2 && items.every((item) => typeof item === 'string' && Array.from(item).length === 1);
  const spelt = isSpelt ? items.join('') : '';
  return isSpelt && !/^[\d.-]*$/.test(spelt) ? [spelt] : items;
}
