/** What `callsheet templates migrate` would write into a template's files: its manifest in today's format, its graphs with the classes of a server. Writes nothing. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseJson } from '#graph/json.ts';
import type { ObjectInfo } from '#graph/object-info.ts';
import { type Replaced, replaceNodes } from '#graph/replace-nodes.ts';
import { rewrite, type Splice } from '#graph/rewrite.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { findNode, parseAddress } from './addresses.ts';
import { MANIFEST_FILE } from './compile.ts';
import type { CompiledStep, CompiledTemplate } from './compiled.ts';
import { loadOnce, namesOf } from './load.ts';
import { nodeAt } from './locate.ts';
import { migrateManifest } from './migrate-format.ts';
import { tellReplaced, writtenBy } from './replace-in-template.ts';
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
  const { origin, template, partial, problems, files } = loadOnce(path);
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
  if (text !== undefined && compiled !== undefined) text = withNewNames(text, compiled, replaced);
  if (manifest !== undefined && text !== undefined && text !== manifest.text) planned.push(manifest.changedTo(text));
  for (const [name, graph] of replaced) {
    const source = folder ? read(name, MAX_WORKFLOW_BYTES) : read(basename(at), MAX_WORKFLOW_BYTES);
    const step = compiled?.steps.find(({ workflow }) => workflow === name);
    // What was converted from UI format has no file of its own.
    if (source === undefined || step === undefined || source.text !== step.graph.text) continue;
    planned.push(source.changedTo(graph.text));
    found.push(...graph.nodes.map((node) => tellReplaced(node, step.graph, file(name))));
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

/** Keys of `set` that address inputs which are called otherwise now. */
function withNewNames(text: string, { steps, manifest }: CompiledTemplate, replaced: ReadonlyMap<string, Replaced>): string {
  const { root } = parseJson(text);
  if (root === undefined) return text;
  const splices = manifest.steps.flatMap(({ id, workflow }, index): Splice[] => {
    const step = steps.find((each) => each.id === id);
    const graph = replaced.get(workflow);
    const set = nodeAt(root, ['steps', index, 'set']);
    if (step === undefined || graph === undefined || set.kind !== 'object') return [];
    return set.members.flatMap(({ key, value }) => {
      const names = newNames(step, graph, key.value);
      const [first, ...copies] = names.map((name) => JSON.stringify(name));
      if (first === undefined || (copies.length === 0 && names[0] === key.value)) return [];
      const more = copies.flatMap((name) => [', ', name, ': ', { start: value.start, end: value.end }]);
      return [
        { start: key.start, end: key.end, parts: [first] },
        { start: value.end, end: value.end, parts: more },
      ];
    });
  });
  return splices.length === 0 ? text : rewrite(text, splices).text;
}

function newNames({ graph }: CompiledStep, { nodes }: Replaced, key: string): readonly string[] {
  const address = parseAddress(key);
  const found = address === undefined ? undefined : findNode(graph, address);
  const node = found !== undefined && 'node' in found ? nodes.find(({ id }) => id === found.node.id) : undefined;
  if (address === undefined || node === undefined) return [key];
  const names = node.namesOf(address.input);
  // Without a place it stays, and goes on being reported; a plan that was cut short has the new name already.
  return names.length === 0 ? [key] : names.map((name) => key.slice(0, key.length - address.input.length) + name);
}
