/** What `callsheet templates migrate` would write into a template's files: its manifest in today's format, its graphs with the classes of a server. Writes nothing. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ObjectInfo } from '#graph/object-info.ts';
import { type Replaced, replaceNodes } from '#graph/replace-nodes.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { MANIFEST_FILE } from './compile.ts';
import type { CompiledTemplate } from './compiled.ts';
import { loadOnce, namesOf } from './load.ts';
import { migrateManifest } from './migrate-format.ts';
import { writtenBy } from './move-sites.ts';
import { renameInManifest } from './rename-in-manifest.ts';
import { placeOfClass, tellReplaced } from './replacement-words.ts';
import { createInsideReader, MAX_MANIFEST_BYTES, MAX_WORKFLOW_BYTES } from './source-files.ts';

export interface PlannedFile {
  /** Absolute. */
  readonly path: string;
  /** sha256 of the bytes that the plan was made from: what stands there must still be these when it is written. */
  readonly hash: string;
  readonly content: Buffer;
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export interface MigrationPlan {
  /** The folder or the bare file. */
  readonly path: string;
  /** The folder, or the one that the bare file lies in. */
  readonly folder: string;
  /** In the order in which they are written: a plan that was cut short between two files is finished by planning again. */
  readonly files: readonly PlannedFile[];
  /** One `info` for each change, and why something cannot be done. */
  readonly problems: readonly Problem[];
}

export interface PlanOptions {
  /** Of the server whose classes count; without it graphs stay as they are. */
  readonly info?: ObjectInfo | undefined;
}

/** Never throws. A workflow in UI format is never rewritten: it is read with its old classes as it is. */
export function planMigration(path: string, { info }: PlanOptions = {}): MigrationPlan {
  const { origin, template, partial, problems, files } = loadOnce(
    path,
    info === undefined ? {} : { info: { info, name: 'the node classes that were given' } },
  );
  const folder = origin.kind === 'folder';
  const at = origin.path;
  const home = folder ? at : dirname(at);
  const file = namesOf(origin);
  if (files.length === 0 || problems.some(({ code }) => code === 'TEMPLATE_FILE_MISSING' && !folder))
    return { path: at, folder: home, files: [], problems };
  const read = createReader(home);
  const manifest = folder ? read(MANIFEST_FILE, MAX_MANIFEST_BYTES) : undefined;
  if (folder && manifest === undefined) return { path: at, folder: home, files: [], problems };
  const found: Problem[] = [];
  const migrated = manifest === undefined ? undefined : migrateManifest(manifest.text);
  for (const { what, line, column } of migrated?.changes ?? [])
    found.push({ code: 'TEMPLATE_FORMAT_MIGRATED', severity: 'info', message: sentence(what), file: file(MANIFEST_FILE), line, column });
  const compiled = template ?? partial;
  const replaced = compiled === undefined || info === undefined ? new Map<string, Replaced>() : replacedGraphs(compiled, info);
  const planned: (PlannedFile | undefined)[] = [];
  let text = migrated?.text ?? manifest?.text;
  if (text !== undefined && compiled !== undefined) {
    const renamed = renameInManifest(text, compiled, replaced, info);
    text = renamed.text;
    found.push(...renamed.problems);
  }
  if (manifest !== undefined && text !== undefined && text !== manifest.text) planned.push(manifest.changedTo(text));
  for (const [name, graph] of replaced) {
    const source = folder ? read(name, MAX_WORKFLOW_BYTES) : read(basename(at), MAX_WORKFLOW_BYTES);
    const step = compiled?.steps.find(({ workflow }) => workflow === name);
    // What was converted from UI format has no file of its own.
    if (source === undefined || step === undefined || source.text !== step.graph.text) continue;
    planned.push(source.changedTo(graph.text));
    found.push(...graph.nodes.map((node) => tellReplaced(node, step.graph, placeOfClass(node, step.graph, file(name)))));
  }
  return {
    path: at,
    folder: home,
    files: planned.filter((each) => each !== undefined),
    problems: [...problems.filter(isBlocking), ...found],
  };
}

// --- helpers ---

interface ReadFile {
  readonly text: string;
  changedTo(text: string): PlannedFile;
}

/** Bytes and text of one reading: the hash is that of exactly what was understood. */
function createReader(folder: string): (name: string, maxBytes: number) => ReadFile | undefined {
  const inside = createInsideReader(folder);
  return (name, maxBytes) => {
    const looked = inside(name, maxBytes);
    if (looked === undefined || 'problem' in looked) return undefined;
    const path = join(folder, name);
    const bytes = readFileSync(path);
    const mark = bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : Buffer.alloc(0);
    const text = bytes.subarray(mark.length).toString('utf8');
    return { text, changedTo: (now) => ({ path, hash: hashOf(bytes), content: Buffer.concat([mark, Buffer.from(now)]) }) };
  };
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

const sentence = (what: string): string => `${what.charAt(0).toUpperCase()}${what.slice(1)}.`;

/** By workflow file; a file that several steps use is changed once, for all of them. */
function replacedGraphs({ steps }: CompiledTemplate, info: ObjectInfo): Map<string, Replaced> {
  const made = new Map<string, Replaced>();
  for (const [name, users] of Map.groupBy(steps, ({ workflow }) => workflow)) {
    const [first] = users;
    if (first === undefined || first.backend === 'wan2gp') continue;
    const written = users.map((step) => writtenBy(step, info));
    const replaced = replaceNodes(first.graph, info, (node, input) => written.some((by) => by(node, input)));
    if (replaced !== undefined) made.set(name, replaced);
  }
  return made;
}
