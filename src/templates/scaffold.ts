/** Writes a new template as a folder: from a workflow file, or a small one to begin with. Whole or not at all, never over anything. */
import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseJson } from '#graph/json.ts';
import { toValue } from '#graph/values.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { type Adopted, adopt } from './adopt.ts';
import { CLASS_LOCK_FILE, classesOf, classLockText, lockClasses } from './class-lock.ts';
import { compileTemplate, MANIFEST_FILE } from './compile.ts';
import { titleOf } from './identifier.ts';
import { sourceOf } from './load.ts';
import { ID_PATTERN } from './manifest-schema.ts';
import type { NamedInfo } from './nearby-info.ts';
import { printManifest } from './print-manifest.ts';
import { MAX_WORKFLOW_BYTES, readTextFile } from './source-files.ts';
import { STARTER_MANIFEST, STARTER_WORKFLOW } from './starter.ts';
import { refuseWorkflowPath } from './workflow-paths.ts';

export interface ScaffoldRequest {
  readonly id: string;
  /** Absolute; the folder is made in it, and it is made if it is not there. */
  readonly directory: string;
  /** Absolute path of a workflow; without it the starter is written. */
  readonly from?: string;
  readonly info?: NamedInfo | undefined;
  /** Adopts in another way, such as where the backend is; `adopt` with `info` when absent. */
  readonly adopt?: (text: string, fileName: string) => Promise<Adopted>;
}

export interface Scaffolded {
  readonly path: string;
  readonly files: readonly string[];
  /** Warnings and notes about the workflow. */
  readonly problems: readonly Problem[];
}

/** Throws TEMPLATE_NOT_RUNNABLE with all problems of the workflow, and TEMPLATE_EXISTS. */
export async function scaffold(request: ScaffoldRequest): Promise<Scaffolded> {
  const { id, directory, from } = request;
  if (!new RegExp(ID_PATTERN).test(id)) {
    throw new CallsheetError('INVALID_PARAMS', `"${id}" cannot be the id of a template.`, {
      hint: 'Use 1 to 64 lower case letters, digits and hyphens, beginning with a letter or digit.',
    });
  }
  const { files, problems } = from === undefined ? starter(id) : await fromWorkflow(request, from);
  const path = join(directory, id);
  await mkdir(directory, { recursive: true });
  await publish(directory, path, id, files);
  return { path, files: files.map(([name]) => name), problems };
}

type Files = readonly (readonly [name: string, content: string | Uint8Array])[];

function starter(id: string): { readonly files: Files; readonly problems: readonly Problem[] } {
  const manifest = printManifest({ ...STARTER_MANIFEST, id, title: titleOf(id.replaceAll('-', '_')) });
  return {
    files: [
      ['workflow.json', `${JSON.stringify(STARTER_WORKFLOW, null, 2)}\n`],
      [MANIFEST_FILE, manifest],
    ],
    problems: [],
  };
}

async function fromWorkflow(
  { id, info, adopt: elsewhere }: ScaffoldRequest,
  from: string,
): Promise<{ files: Files; problems: readonly Problem[] }> {
  const read = readTextFile(from, MAX_WORKFLOW_BYTES);
  if ('problem' in read) throw refusal(from, [read.problem]);
  const name = fileNameFor(basename(from));
  const adopted =
    elsewhere === undefined
      ? adopt(read.text, name, from, { info: info?.info, infoName: info?.name, suggest: true })
      : await elsewhere(read.text, name);
  if (adopted.manifest === undefined) throw refusal(from, adopted.problems);
  const runs = adopted.converted ? name.replace(/(?:\.json)?$/i, '.api.json') : name;
  const manifest = manifestFor(adopted.manifest, id, name, runs);
  const compiled = compileTemplate(sourceOf(manifest, { [runs]: adopted.workflow }), { file: () => from });
  const problems = [...adopted.problems, ...compiled.problems];
  if (compiled.value === undefined) throw refusal(from, problems);
  const files: [string, string | Uint8Array][] = [[name, await readFile(from)]];
  if (adopted.converted) files.push([runs, adopted.workflow]);
  const lock = info === undefined ? undefined : lockClasses(classesOf(compiled.value), info.info);
  if (lock !== undefined && lock.classes.size > 0) files.push([CLASS_LOCK_FILE, classLockText(lock)]);
  return { files: [...files, [MANIFEST_FILE, manifest]], problems };
}

function refusal(from: string, problems: readonly Problem[]): CallsheetError {
  const errors = problems.filter(isBlocking).length;
  return new CallsheetError(
    'TEMPLATE_NOT_RUNNABLE',
    `No template can be made of ${from}: ${errors} ${errors === 1 ? 'error' : 'errors'}.`,
    { problems },
  );
}

/** The name that the file has, unless it could not be one on every system or is taken. */
function fileNameFor(name: string): string {
  return refuseWorkflowPath(name) === undefined && name.toLowerCase() !== MANIFEST_FILE ? name : 'workflow.json';
}

/** The manifest of the adopted file under its own id, as a first version of its own. */
function manifestFor(text: string, id: string, name: string, runs: string): string {
  const { root } = parseJson(text);
  const value: unknown = root === undefined ? {} : toValue(root);
  const manifest: Readonly<Record<string, unknown>> = typeof value === 'object' && value !== null ? { ...value } : {};
  const steps = (Array.isArray(manifest.steps) ? (manifest.steps as readonly object[]) : []).map((step) => ({ ...step, workflow: runs }));
  const { format, parameters, outputs } = manifest;
  const remark = runs === name ? {} : { $comment: `${runs} is ${name} in API format; it is what runs.` };
  return printManifest({
    ...remark,
    format,
    id,
    version: '1.0.0',
    title: titleOf(id.replaceAll('-', '_')),
    category: 'custom',
    parameters,
    steps,
    outputs,
  });
}

/** Hidden folders are no templates, so that a half-written one is never seen. */
async function publish(directory: string, path: string, id: string, files: Files): Promise<void> {
  const aside = join(directory, `.${id}.${randomBytes(6).toString('hex')}.partial`);
  try {
    await mkdir(aside);
    for (const [name, content] of files) await writeFile(join(aside, name), content, { flag: 'wx', flush: true });
    // The name is claimed first: a rename would replace a folder that is empty.
    try {
      await mkdir(path);
    } catch (error) {
      if ((await lstat(path).catch(() => undefined)) === undefined) throw error;
      throw new CallsheetError('TEMPLATE_EXISTS', `There is already something at ${path}.`, {
        hint: 'Choose another id, or remove it first.',
        cause: error,
      });
    }
    // Windows renames a folder only to a name that is free.
    if (process.platform === 'win32') await rmdir(path);
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw error;
  }
}
