/** Reads the notes beside results back: which files of a run lie in a folder, whole, and what else the notes speak of. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ARTIFACT_KINDS, type ArtifactKind, type MediaFacts } from '#protocol/views.ts';
import { isCode } from './durable.ts';
import { holds } from './place.ts';
import { NOTES_FOLDER } from './sidecar.ts';

/** What a note of any format says; what older releases did not write down is absent. */
export interface FileNote {
  /** Absolute. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly mediaType: string;
  readonly width?: number;
  readonly height?: number;
  readonly duration?: number;
  readonly kind: ArtifactKind;
  readonly facts?: MediaFacts;
  /** Milliseconds since 1970, as far as the note says when it was made; else 0. */
  readonly createdAt: number;
  readonly artifactId: string;
  readonly runId: string;
  readonly template: string;
  readonly version: string;
  readonly templateHash: string;
  readonly step: string;
  readonly item: number;
  readonly attempt?: number;
  readonly output: string;
  readonly node: string;
  readonly index: number;
  readonly promptId?: string;
  /** Its id. */
  readonly backend?: string;
  readonly draft: boolean;
  readonly profile?: 'low';
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** Of the data directory whose run it is. */
  readonly store?: string;
}

export interface FolderNotes {
  readonly notes: readonly FileNote[];
  /** Paths of notes that could not be read. */
  readonly unreadable: readonly string[];
}

/** A note is some kilobytes; one that is larger is none of ours. */
const LARGEST_NOTE = 16 * 1024 * 1024;
/** Names of our own files there that are no notes of results. */
const OTHERS = /^(?:run|(?:graph|workflow|template)-[0-9a-f]{64})\.json$/;

/** Empty where nothing lies. Throws what the disk does, but for folders that may not be read. */
export async function readNotes(folder: string): Promise<FolderNotes> {
  const notes: FileNote[] = [];
  const unreadable: string[] = [];
  for (const name of await namesIn(join(folder, NOTES_FOLDER))) {
    if (!name.endsWith('.json') || name.startsWith('.') || OTHERS.test(name)) continue;
    const note = await readNote(join(folder, NOTES_FOLDER, name), join(folder, basename(name, '.json')));
    if (note === undefined) unreadable.push(join(folder, NOTES_FOLDER, name));
    else notes.push(note);
  }
  return { notes, unreadable };
}

export type Lying = 'whole' | 'damaged' | 'missing';

/** `unread`: only its length is looked at, as of one that is too large to be read now. */
export async function howItLies({ path, bytes, sha256 }: Pick<FileNote, 'path' | 'bytes' | 'sha256'>, unread = false): Promise<Lying> {
  let size: number | undefined;
  try {
    const found = await stat(path);
    size = found.isFile() ? found.size : undefined;
  } catch (error) {
    if (!isCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM')) throw error;
  }
  if (size === undefined) return 'missing';
  if (size !== bytes) return 'damaged';
  return unread || (await holds(path, { bytes, sha256 })) ? 'whole' : 'damaged';
}

// --- helpers ---

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).toSorted();
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM')) return [];
    throw error;
  }
}

async function readNote(path: string, file: string): Promise<FileNote | undefined> {
  try {
    if ((await stat(path)).size > LARGEST_NOTE) return undefined;
    return toNote(JSON.parse(await readFile(path, 'utf8')), file);
  } catch {
    return undefined;
  }
}

function toNote(value: unknown, path: string): FileNote | undefined {
  if (!isRecord(value) || !isRecord(value['provenance'])) return undefined;
  const from = value['provenance'];
  const text = (name: string): string | undefined => (typeof from[name] === 'string' ? from[name] : undefined);
  const whole = (name: string): number | undefined => (Number.isSafeInteger(from[name]) ? Number(from[name]) : undefined);
  const fact = (name: string) => (typeof value[name] === 'number' && Number.isFinite(value[name]) ? { [name]: value[name] } : {});
  const ids = ['artifactId', 'runId', 'template', 'version', 'templateHash', 'step', 'output', 'node'].map(text);
  const [artifactId, runId, template, version, templateHash, step, output, node] = ids;
  const [item, index, attempt] = [whole('item'), whole('index'), whole('attempt')];
  const { bytes, sha256, mediaType } = value;
  if (typeof bytes !== 'number' || typeof sha256 !== 'string' || typeof mediaType !== 'string') return undefined;
  if (artifactId === undefined || runId === undefined || template === undefined || version === undefined) return undefined;
  if (templateHash === undefined || step === undefined || output === undefined || node === undefined) return undefined;
  if (item === undefined || index === undefined) return undefined;
  // A name in the first format, an object with it in later ones.
  const backend = isRecord(from['backend']) ? from['backend']['id'] : from['backend'];
  const promptId = text('promptId');
  const store = text('store');
  return {
    path,
    bytes,
    sha256,
    mediaType,
    ...fact('width'),
    ...fact('height'),
    ...fact('duration'),
    kind: ARTIFACT_KINDS.find((kind) => kind === value['kind']) ?? 'file',
    ...(isRecord(value['facts']) ? { facts: value['facts'] } : {}),
    createdAt: whole('endedAt') ?? whole('preparedAt') ?? 0,
    artifactId,
    runId,
    template,
    version,
    templateHash,
    step,
    item,
    output,
    node,
    index,
    draft: from['draft'] === true,
    ...(attempt === undefined ? {} : { attempt }),
    ...(promptId === undefined ? {} : { promptId }),
    ...(typeof backend === 'string' ? { backend } : {}),
    ...(from['profile'] === 'low' ? { profile: 'low' } : {}),
    ...(isRecord(from['parameters']) ? { parameters: from['parameters'] } : {}),
    ...(store === undefined ? {} : { store }),
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
