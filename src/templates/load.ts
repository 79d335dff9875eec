/** Loads one template from disk: a folder with template.json, or a bare workflow file, which is adopted. Never throws. */
import { statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256Hex } from '#graph/hash.ts';
import { parseJson } from '#graph/json.ts';
import { toValue } from '#graph/values.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { adopt } from './adopt.ts';
import { compileTemplate, type CompiledTemplate, MANIFEST_FILE } from './compile.ts';
import { convertWorkflows, isUiWorkflow } from './convert-workflows.ts';
import { CURRENT_FORMAT, currentManifest } from './migrate-format.ts';
import { problemIn } from './locate.ts';
import { type NamedInfo, OBJECT_INFO_FILE, savedInfo } from './nearby-info.ts';
import { createInsideReader, MAX_MANIFEST_BYTES, MAX_WORKFLOW_BYTES, readTextFile } from './source-files.ts';
import { createRelocation } from './original-places.ts';
import { readOriginals } from './originals.ts';
import { REST_MS, type Stamp, stampOf } from './stamp.ts';
import type { TemplateOrigin, TemplateSource } from './types.ts';
import { refuseWorkflowPath } from './workflow-paths.ts';

export interface LoadResult {
  readonly origin: TemplateOrigin;
  /** Undefined when there are errors. */
  readonly template?: CompiledTemplate;
  /** Where there are errors: what could be compiled all the same, so that a check finds more of them at once. */
  readonly partial?: CompiledTemplate;
  /** Text of an adopted file in UI format: the template holds the graph that was made of it. */
  readonly original?: string;
  /** Workflow files of a folder that are in UI format: the template holds the graphs that were made of them. */
  readonly converted?: readonly string[];
  readonly problems: readonly Problem[];
  /** Id and version as far as the file says them, even when it is broken. */
  readonly claimed: { readonly id?: string; readonly version?: string };
  /** JSON that is no template and no workflow: nothing of ours. */
  readonly foreign?: boolean;
  /** Full paths of all that was read or looked for. */
  readonly files: readonly string[];
  /** Of `files`; undefined when one of them changed while they were read, so that they may not belong together. */
  readonly stamp: Stamp | undefined;
}

/** How often files that change while they are read are read again before they are taken as they are. */
const TRIES = 5;

export interface LoadOptions {
  /** Saved answers of a server's `/object_info` to fall back on where none lies beside a workflow in UI format, the first that is there. */
  readonly infoFiles?: readonly string[];
  /** What stands before all of them: given by whoever asks. */
  readonly info?: NamedInfo | undefined;
}

/** `path` is a folder, its template.json, or a workflow file. */
export async function loadTemplate(path: string, options: LoadOptions = {}): Promise<LoadResult> {
  for (let left = TRIES; ; left -= 1) {
    const loaded = loadOnce(path, options);
    if (loaded.stamp !== undefined || left === 0) return loaded;
    await sleep(REST_MS);
  }
}

/** One reading of the disk, without waiting. */
export function loadOnce(path: string, options: LoadOptions = {}): LoadResult {
  const absolute = resolve(path);
  if (basename(absolute) === MANIFEST_FILE) return loadFolder(dirname(absolute), options);
  try {
    if (statSync(absolute).isDirectory()) return loadFolder(absolute, options);
  } catch {
    const message = 'There is no such file or folder.';
    const hint = 'Give the folder of a template, its template.json, or a workflow exported with Export (API).';
    return {
      origin: { path: absolute, kind: 'adopted' },
      problems: [problemIn(absolute, 'TEMPLATE_FILE_MISSING', message, hint)],
      claimed: {},
      files: [absolute],
      stamp: stampOf([absolute]),
    };
  }
  return loadAdopted(absolute, options);
}

/** How the files of a template are called in problems. */
export function namesOf({ kind, path }: TemplateOrigin): (name: string) => string {
  return kind === 'folder' ? (name) => join(path, name) : () => path;
}

function loadFolder(folder: string, { infoFiles = [], info: given }: LoadOptions): LoadResult {
  const origin: TemplateOrigin = { path: folder, kind: 'folder' };
  const file = join(folder, MANIFEST_FILE);
  const atManifest = stampOf([file]);
  const readInside = createInsideReader(folder);
  const read = readInside(MANIFEST_FILE, MAX_MANIFEST_BYTES);
  if (read === undefined || 'problem' in read) {
    const message = 'The folder has no template.json.';
    const hint = 'Write one, or give a workflow file itself.';
    const problem = read?.problem ?? problemIn(file, 'TEMPLATE_FILE_MISSING', message, hint);
    return { origin, problems: [problem], claimed: {}, files: [file], stamp: unlessMoved([file], atManifest.text) };
  }
  const workflows: [string, string][] = [];
  const problems: Problem[] = [];
  const unread = new Set<string>();
  const { claimed, files: named } = outline(read.text);
  const wanted = named.filter((name) => refuseWorkflowPath(name) === undefined);
  const files = wanted.map((name) => join(folder, name));
  const atWorkflows = stampOf(files);
  for (const name of wanted) {
    const workflow = readInside(name, MAX_WORKFLOW_BYTES);
    if (workflow === undefined) continue;
    if ('problem' in workflow) {
      problems.push(workflow.problem);
      unread.add(name);
    } else workflows.push([name, workflow.text]);
  }
  const name = namesOf(origin);
  // Only a workflow in UI format depends on an object info, and only then its file is watched.
  const places = workflows.some(([, text]) => isUiWorkflow(text)) ? [...new Set([join(folder, OBJECT_INFO_FILE), ...infoFiles])] : [];
  const atPlaces = stampOf(places);
  const info = places.length === 0 ? undefined : (given ?? savedInfo(places))?.info;
  const made = info === undefined ? undefined : convertWorkflows(workflows, info, name);
  const looked = [file, ...files, ...places];
  const stamp = unlessMoved(looked, atManifest.text + atWorkflows.text + atPlaces.text);
  problems.push(...(made?.problems ?? []));
  for (const each of made?.failed ?? []) unread.add(each);
  const converted = workflows.filter(([each]) => made?.converted.has(each) === true);
  const api = workflows.filter(([each]) => made?.converted.has(each) !== true);
  const originals = { ...readOriginals(api, readInside), ...Object.fromEntries(converted) };
  const source = sourceOf(read.text, Object.fromEntries(made?.workflows ?? workflows), originals);
  const compiled = compileTemplate(source, { file: name, reported: unread });
  const original = new Map(converted.map(([each, text]) => [name(each), createRelocation(text)]));
  const found = compiled.problems.map((problem) => original.get(problem.file ?? '')?.(problem) ?? problem);
  const all = [...problems, ...found];
  const good = compiled.value !== undefined && !problems.some(isBlocking);
  const result = {
    origin,
    claimed,
    problems: all,
    files: looked,
    stamp,
    ...(made === undefined ? {} : { converted: [...made.converted] }),
  };
  if (good) return { ...result, template: compiled.value };
  const partial = compiled.value ?? compiled.partial;
  return partial === undefined ? result : { ...result, partial };
}

/** The stamp of the files when it still is what it was before they were read. */
function unlessMoved(files: readonly string[], before: string): Stamp | undefined {
  const stamp = stampOf(files);
  return stamp.text === before ? stamp : undefined;
}

/** The workflow files a manifest names, and what it calls itself; read leniently, because a broken one is checked as a whole later. */
function outline(manifest: string): { claimed: LoadResult['claimed']; files: readonly string[] } {
  const written = readLeniently(manifest);
  const value = isRecord(written) && written.format === CURRENT_FORMAT ? written : readLeniently(currentManifest(manifest));
  const record = isRecord(value) ? value : {};
  const steps = Array.isArray(record.steps) ? (record.steps as readonly unknown[]) : [];
  const files = steps.slice(0, 1000).flatMap((step) => (isRecord(step) && typeof step.workflow === 'string' ? [step.workflow] : []));
  const { id, version } = record;
  return {
    files: [...new Set(files)],
    claimed: { ...(typeof id === 'string' ? { id } : {}), ...(typeof version === 'string' ? { version } : {}) },
  };
}

/** The engine's own reader is several times as fast; ours also reads NaN, and bounds the depth. */
function readLeniently(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    const { root } = parseJson(text);
    return root === undefined ? undefined : toValue(root);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function loadAdopted(path: string, { infoFiles = [], info: given }: LoadOptions): LoadResult {
  const origin: TemplateOrigin = { path, kind: 'adopted' };
  const name = basename(path);
  // The answer of a server that lies among templates is there for them and is none itself.
  if (name === OBJECT_INFO_FILE) return { origin, problems: [], claimed: {}, foreign: true, files: [path], stamp: stampOf([path]) };
  const places = [join(dirname(path), OBJECT_INFO_FILE), ...infoFiles];
  const files = [path, ...new Set(places)];
  const before = stampOf(files);
  const read = readTextFile(path, MAX_WORKFLOW_BYTES);
  const named = 'text' in read ? (given ?? savedInfo(places)) : undefined;
  const stamp = unlessMoved(files, before.text);
  if ('problem' in read) return { origin, problems: [read.problem], claimed: {}, files, stamp };
  const adopted = adopt(read.text, name, path, { info: named?.info, infoName: named?.name });
  const { manifest, problems, foreign, workflow, converted } = adopted;
  if (manifest === undefined) return { origin, problems, claimed: {}, foreign, files, stamp };
  const source = sourceOf(manifest, { [name]: workflow }, converted ? { [name]: read.text } : {});
  const { value, partial, problems: found } = compileTemplate(source, { file: namesOf(origin) });
  const { claimed } = outline(manifest);
  const all = [...problems, ...(converted ? found.map(createRelocation(read.text)) : found)];
  const result = { origin, claimed, files, stamp, problems: all, ...(converted ? { original: read.text } : {}) };
  if (value !== undefined) return { ...result, template: value };
  return partial === undefined ? result : { ...result, partial };
}

/** The hash covers the manifest and every workflow with its name, each with its length before it. */
export function sourceOf(
  manifest: string,
  workflows: Readonly<Record<string, string>>,
  originals: Readonly<Record<string, string>> = {},
): TemplateSource {
  const names = Object.keys(workflows).toSorted();
  const parts = [manifest, ...names.flatMap((name) => [name, workflows[name] ?? ''])];
  const hash = sha256Hex(parts.map((part) => `${part.length}:${part}`).join(''));
  return { hash, manifest, workflows, ...(Object.keys(originals).length === 0 ? {} : { originals }) };
}
