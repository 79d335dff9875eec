/** Loads one template from disk: a folder with template.json, or a bare workflow file, which is adopted. Never throws. */
import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { sha256Hex } from '#graph/hash.ts';
import { parseJson } from '#graph/json.ts';
import { toValue } from '#graph/values.ts';
import type { Problem } from '#protocol/problem.ts';
import { adopt } from './adopt.ts';
import { compileTemplate, type CompiledTemplate, MANIFEST_FILE } from './compile.ts';
import { problemIn } from './locate.ts';
import { MAX_MANIFEST_BYTES, MAX_WORKFLOW_BYTES, readInside, readTextFile } from './source-files.ts';
import type { TemplateOrigin, TemplateSource } from './types.ts';
import { refuseWorkflowPath } from './workflow-paths.ts';

export interface LoadResult {
  readonly origin: TemplateOrigin;
  /** Undefined when there are errors. */
  readonly template?: CompiledTemplate;
  readonly problems: readonly Problem[];
  /** Id and version as far as the file says them, even when it is broken. */
  readonly claimed: { readonly id?: string; readonly version?: string };
  /** JSON that is no template and no workflow: nothing of ours. */
  readonly foreign?: boolean;
}

/** `path` is a folder, its template.json, or a workflow file. */
export async function loadTemplate(path: string): Promise<LoadResult> {
  const absolute = resolve(path);
  if (basename(absolute) === MANIFEST_FILE) return loadFolder(dirname(absolute));
  try {
    if ((await stat(absolute)).isDirectory()) return await loadFolder(absolute);
  } catch {
    const message = 'There is no such file or folder.';
    const hint = 'Give the folder of a template, its template.json, or a workflow exported with Export (API).';
    return {
      origin: { path: absolute, kind: 'adopted' },
      problems: [problemIn(absolute, 'TEMPLATE_FILE_MISSING', message, hint)],
      claimed: {},
    };
  }
  return loadAdopted(absolute);
}

async function loadFolder(folder: string): Promise<LoadResult> {
  const origin: TemplateOrigin = { path: folder, kind: 'folder' };
  const file = join(folder, MANIFEST_FILE);
  const read = await readInside(folder, MANIFEST_FILE, MAX_MANIFEST_BYTES);
  if (read === undefined) {
    const problem = problemIn(
      file,
      'TEMPLATE_FILE_MISSING',
      'The folder has no template.json.',
      'Write one, or give a workflow file itself.',
    );
    return { origin, problems: [problem], claimed: {} };
  }
  if ('problem' in read) return { origin, problems: [read.problem], claimed: {} };
  const workflows: [string, string][] = [];
  const problems: Problem[] = [];
  const unread = new Set<string>();
  const { claimed, files } = outline(read.text);
  for (const name of files) {
    if (refuseWorkflowPath(name) !== undefined) continue;
    const workflow = await readInside(folder, name, MAX_WORKFLOW_BYTES);
    if (workflow === undefined) continue;
    if ('problem' in workflow) {
      problems.push(workflow.problem);
      unread.add(name);
    } else workflows.push([name, workflow.text]);
  }
  const source = sourceOf(read.text, Object.fromEntries(workflows));
  const compiled = compileTemplate(source, { file: (name) => join(folder, name), reported: unread });
  const all = [...problems, ...compiled.problems];
  return { origin, claimed, problems: all, ...(compiled.value === undefined || problems.length > 0 ? {} : { template: compiled.value }) };
}

/** The workflow files a manifest names, and what it calls itself; read leniently, because a broken one is checked as a whole later. */
function outline(manifest: string): { claimed: LoadResult['claimed']; files: readonly string[] } {
  const { root } = parseJson(manifest);
  const value = root?.kind === 'object' ? toValue(root) : undefined;
  const record = isRecord(value) ? value : {};
  const steps = Array.isArray(record.steps) ? (record.steps as readonly unknown[]) : [];
  const files = steps.slice(0, 1000).flatMap((step) => (isRecord(step) && typeof step.workflow === 'string' ? [step.workflow] : []));
  const { id, version } = record;
  return {
    files: [...new Set(files)],
    claimed: { ...(typeof id === 'string' ? { id } : {}), ...(typeof version === 'string' ? { version } : {}) },
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function loadAdopted(path: string): Promise<LoadResult> {
  const origin: TemplateOrigin = { path, kind: 'adopted' };
  const read = await readTextFile(path, MAX_WORKFLOW_BYTES);
  if ('problem' in read) return { origin, problems: [read.problem], claimed: {} };
  const name = basename(path);
  const { manifest, problems, foreign } = adopt(read.text, name, path);
  if (manifest === undefined) return { origin, problems, claimed: {}, foreign };
  const { value, problems: found } = compileTemplate(sourceOf(manifest, { [name]: read.text }), { file: () => path });
  const { claimed } = outline(manifest);
  return { origin, claimed, problems: [...problems, ...found], ...(value === undefined ? {} : { template: value }) };
}

/** The hash covers the manifest and every workflow with its name. */
export function sourceOf(manifest: string, workflows: Readonly<Record<string, string>>): TemplateSource {
  const names = Object.keys(workflows).toSorted();
  return { hash: sha256Hex(JSON.stringify([manifest, names.map((name) => [name, workflows[name]])])), manifest, workflows };
}
