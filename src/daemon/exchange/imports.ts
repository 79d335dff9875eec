/** Brings a file in as a template folder below the directory of imports: made aside, looked at, then given its name. Nothing is overwritten. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CallsheetError } from '#protocol/errors.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { isCode, syncDirectory } from '#results/durable.ts';
import type { Inspector } from '#results/inspect/inspector.ts';
import { checkLock, LOCK_FILE, PROVENANCE_FILE } from '#templates/bundle/lock.ts';
import { unpackBundle, type UnpackedFile } from '#templates/bundle/unpack.ts';
import { CLASS_LOCK_FILE, readClassLock } from '#templates/class-lock.ts';
import { MANIFEST_FILE } from '#templates/compile.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';
import { loadTemplate } from '#templates/load.ts';
import type { MediaValue } from '#templates/types.ts';
import { changeManifest } from '#templates/with-defaults.ts';
import { VERSION } from '../version.ts';
import { contentOfFile, type WorkflowIn } from './from-media.ts';
import { folderOfQueue, QUEUE_FILE } from './wan2gp-queue.ts';
import { type AskForInfo, folderOfWorkflow, IMPORTED_VERSION, stemOf, titleFrom } from './workflow-folder.ts';

export interface ImportWish {
  /** Checked and hashed at the door. */
  readonly file: MediaValue;
  /** What people call the file. */
  readonly name: string;
  readonly id: string | undefined;
  readonly objectInfo: AskForInfo;
  readonly inspector: Pick<Inspector, 'inspect'>;
}

export interface Imported {
  readonly template: CompiledTemplate;
  readonly path: string;
  readonly from: 'bundle' | 'api' | 'ui' | 'wan2gp';
  readonly problems: readonly Problem[];
}

/** Says where the template may lie, or that it is there already. Throws TEMPLATE_EXISTS. */
export type Placement = (template: CompiledTemplate) => { readonly existing: string } | { readonly free: string };

const PARTIAL = /^\.import-[0-9a-f-]{36}$/;

/** Throws IMPORT_REFUSED with every problem, TEMPLATE_EXISTS. */
export async function importFile(
  importDir: string,
  wish: ImportWish,
  placement: Placement,
): Promise<Imported & { readonly existing: boolean }> {
  await mkdir(importDir, { recursive: true, mode: 0o700 });
  const aside = join(importDir, `.import-${randomUUID()}`);
  await mkdir(aside, { mode: 0o700 });
  try {
    const { from, problems } = await fill(aside, wish);
    refuseErrors(problems, wish.name);
    const { template, problems: found } = await loadTemplate(join(aside, MANIFEST_FILE));
    const all = [...problems, ...found.map((problem) => withShownFile(problem, aside, wish.name))];
    refuseErrors(all, wish.name);
    if (template === undefined) throw refusal(all, wish.name);
    const place = placement(template);
    if ('existing' in place) return { template, path: place.existing, from, problems: all, existing: true };
    await giveName(aside, place.free);
    return { template, path: place.free, from, problems: all, existing: false };
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** Removes what a killed daemon left half imported. */
export async function sweepImports(importDir: string): Promise<void> {
  const names = await readdir(importDir).catch(() => []);
  await Promise.all(names.filter((name) => PARTIAL.test(name)).map((name) => rm(join(importDir, name), { recursive: true, force: true })));
}

// --- helpers ---

type Filled = Pick<Imported, 'from' | 'problems'>;

async function fill(aside: string, wish: ImportWish): Promise<Filled> {
  const content = await contentOfFile(wish.file.path, wish.file.mediaType, wish.name, wish.inspector);
  switch (content.kind) {
    case 'nothing':
      return { from: 'api', problems: [content.problem] };
    case 'bundle':
      return fillFromBundle(aside, wish);
    default:
      return fillFromWorkflow(aside, wish, content);
  }
}

async function fillFromBundle(aside: string, { file, name, id }: ImportWish): Promise<Filled> {
  const { files, problems } = await unpackBundle(file.path, name, aside);
  if (problems.some(isBlocking)) return { from: 'bundle', problems };
  if (!files.some((one) => one.name === MANIFEST_FILE)) {
    if (files.some((one) => one.name === QUEUE_FILE)) return fillFromQueue(aside, { file, name, id }, files);
    const message = 'The archive is no bundle: there is no template.json at its top.';
    const hint =
      'Give a *.callsheet file that `callsheet templates export` wrote; a zip of a template must hold its files, not its folder.';
    return { from: 'bundle', problems: [{ code: 'BUNDLE_NO_TEMPLATE', severity: 'error', message, hint, file: name }] };
  }
  const hasLock = files.some((one) => one.name === LOCK_FILE);
  const lock = hasLock ? await readFile(join(aside, LOCK_FILE), 'utf8') : undefined;
  const classes = files.some((one) => one.name === CLASS_LOCK_FILE)
    ? readClassLock(await readFile(join(aside, CLASS_LOCK_FILE), 'utf8'), `${name}/${CLASS_LOCK_FILE}`)
    : { lock: undefined, problems: [] };
  const all = [...problems, ...checkLock(lock, files, name, classes.lock), ...classes.problems];
  if (id !== undefined && !all.some(isBlocking)) {
    const manifest = join(aside, MANIFEST_FILE);
    const changed = changeManifest(await readFile(manifest, 'utf8'), { fields: { id } });
    if (changed !== undefined) await writeNew(manifest, changed, 'w');
    // It speaks of the manifest as it was.
    await rm(join(aside, LOCK_FILE), { force: true });
  }
  return { from: 'bundle', problems: all };
}

/** The files of the tasks lie there already, unpacked. */
async function fillFromQueue(
  aside: string,
  { file, name, id }: Pick<ImportWish, 'file' | 'name' | 'id'>,
  unpacked: readonly UnpackedFile[],
): Promise<Filled> {
  const stem = stemOf(name, id);
  const attached = new Set(unpacked.map((one) => one.name));
  const named = { id: id ?? stem, title: titleFrom(name, stem), version: IMPORTED_VERSION };
  const { files, problems } = folderOfQueue(await readFile(join(aside, QUEUE_FILE), 'utf8'), { ...named, attached, shown: name });
  if (files === undefined) return { from: 'wan2gp', problems };
  // Of its own it would be no settings, and hold them all twice.
  await rm(join(aside, QUEUE_FILE));
  const source = { name, sha256: file.sha256, mediaType: file.mediaType, foundAs: QUEUE_FILE };
  for (const [path, text] of files) await writeNew(join(aside, path), text);
  await writeProvenance(aside, source, false);
  return { from: 'wan2gp', problems };
}

async function fillFromWorkflow(aside: string, { file, name, id, objectInfo }: ImportWish, found: WorkflowIn): Promise<Filled> {
  const { files, problems, format } = await folderOfWorkflow(found, { name, id, objectInfo });
  if (files === undefined) return { from: format, problems };
  const source = { name, sha256: file.sha256, mediaType: found.mediaType, foundAs: found.foundAs };
  for (const [path, text] of files) await writeNew(join(aside, path), text);
  await writeProvenance(aside, source, format === 'ui');
  return { from: format, problems };
}

async function writeProvenance(aside: string, importedFrom: object, convertedFromUi: boolean): Promise<void> {
  const provenance = { format: 1, importedFrom, convertedFromUi, callsheet: VERSION };
  await writeNew(join(aside, PROVENANCE_FILE), `${JSON.stringify(provenance, null, 2)}\n`);
}

async function writeNew(path: string, text: string, flag: 'wx' | 'w' = 'wx'): Promise<void> {
  const handle = await open(path, flag, 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A rename onto an empty folder would succeed on some systems, so the place is looked at first; one daemon writes here, one import at a time. */
async function giveName(aside: string, target: string): Promise<void> {
  const taken = await stat(target).then(
    () => true,
    (error: unknown) => !isCode(error, 'ENOENT'),
  );
  if (taken) throw exists(target);
  await syncDirectory(aside);
  await rename(aside, target);
  await syncDirectory(join(target, '..'));
}

export function exists(what: string): CallsheetError {
  return new CallsheetError('TEMPLATE_EXISTS', `There is something already: ${what}.`, {
    hint: 'Import it under another id with --id NAME; nothing is ever overwritten.',
  });
}

function refuseErrors(problems: readonly Problem[], name: string): void {
  if (problems.some(isBlocking)) throw refusal(problems, name);
}

function refusal(problems: readonly Problem[], name: string): CallsheetError {
  const errors = problems.filter(isBlocking);
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return new CallsheetError('IMPORT_REFUSED', `${name} is not imported: ${first?.message ?? 'it holds no template.'}${more}`, {
    problems,
    ...(first?.hint === undefined ? {} : { hint: first.hint }),
  });
}

/** People know the file they gave, not the folder it was unpacked in. */
function withShownFile(problem: Problem, aside: string, name: string): Problem {
  if (problem.file === undefined || !problem.file.startsWith(aside)) return problem;
  return { ...problem, file: `${name}${problem.file.slice(aside.length).replaceAll('\\', '/')}` };
}
