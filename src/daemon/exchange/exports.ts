/** Packs templates and runs into bundles. The same content gives the same bytes: no clock, no paths of this machine. */
import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CallsheetError } from '#protocol/errors.ts';
import type { Problem } from '#protocol/problem.ts';
import { refuseEntryName } from '#templates/bundle/entry-names.ts';
import { BUNDLE_LIMITS } from '#templates/bundle/limits.ts';
import { LOCK_FILE, lockText, type Versions } from '#templates/bundle/lock.ts';
import { packBundle } from '#templates/bundle/pack.ts';
import { CLASS_LOCK_FILE, type ClassLock, classLockText, readClassLock } from '#templates/class-lock.ts';
import { MANIFEST_FILE } from '#templates/compile.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';
import { isUiWorkflow } from '#templates/convert-workflows.ts';
import { createInsideReader, MAX_WORKFLOW_BYTES } from '#templates/source-files.ts';
import type { TemplateOrigin } from '#templates/types.ts';

export interface Packed {
  readonly bytes: Uint8Array;
  readonly name: string;
  readonly template: CompiledTemplate;
  readonly problems: readonly Problem[];
}

const MOST_LEVELS = 3;

/** What lies in the template's folder and may travel; manifest and workflows as they were compiled, not as they are by now. Throws EXPORT_REFUSED. */
export async function packTemplate(
  template: CompiledTemplate,
  origin: TemplateOrigin,
  versions: Versions,
  classLock: ClassLock | undefined,
): Promise<Packed> {
  const files = textsOf(template);
  const problems: Problem[] = [];
  for (const [name, text] of uiOriginals(template, origin)) files.set(name, Buffer.from(text));
  if (origin.kind === 'folder') await collect(origin.path, '', files, problems);
  return pack(template, files, problems, { lock: versions, classLock });
}

/** What the author saved, where the template runs a graph that was made of it: it travels beside that graph as `NAME.ui.json`. */
function uiOriginals({ source }: CompiledTemplate, { kind, path }: TemplateOrigin): ReadonlyMap<string, string> {
  const read = createInsideReader(kind === 'folder' ? path : dirname(path));
  const textOf = (name: string): string | undefined => {
    const found = read(kind === 'folder' ? name : basename(path), MAX_WORKFLOW_BYTES);
    return found !== undefined && 'text' in found ? found.text : undefined;
  };
  const found = new Map<string, string>();
  for (const [name, graph] of Object.entries(source.workflows)) {
    const text = textOf(name);
    if (text === undefined || text === graph || !isUiWorkflow(text)) continue;
    const stem = name.replace(/(?:\.ui)?\.json$/i, '');
    const free = [`${stem}.ui.json`, `${stem}.original.ui.json`].find(
      (one) => !(one in source.workflows) && (kind !== 'folder' || [undefined, text].includes(textOf(one))),
    );
    if (free !== undefined) found.set(free, text);
  }
  return found;
}

/** With a lock, lock.json is made last and covers all others. Throws EXPORT_REFUSED. */
export function pack(
  template: CompiledTemplate,
  files: Map<string, Uint8Array>,
  problems: readonly Problem[],
  { lock, classLock }: { readonly lock: Versions | undefined; readonly classLock?: ClassLock | undefined },
): Packed {
  files.delete(LOCK_FILE);
  // The author's own goes first, unless it is damaged.
  const beside = files.get(CLASS_LOCK_FILE);
  const own = beside === undefined ? undefined : readClassLock(Buffer.from(beside).toString('utf8'), CLASS_LOCK_FILE).lock;
  if (own === undefined) files.delete(CLASS_LOCK_FILE);
  const classes = own ?? classLock;
  if (own === undefined && classes !== undefined && classes.classes.size > 0)
    files.set(CLASS_LOCK_FILE, Buffer.from(classLockText(classes)));
  if (lock !== undefined) {
    const listed = [...files].map(([name, bytes]) => ({
      name,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    }));
    files.set(LOCK_FILE, Buffer.from(lockText(template, listed, lock, classes)));
  }
  refuseUnfit(template, files);
  return { bytes: packBundle(files), name: `${template.id}-${template.version}.callsheet`, template, problems };
}

export function textsOf({ source }: CompiledTemplate): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>([[MANIFEST_FILE, Buffer.from(source.manifest)]]);
  for (const [name, text] of Object.entries(source.workflows)) files.set(name, Buffer.from(text));
  return files;
}

// --- helpers ---

async function collect(folder: string, prefix: string, files: Map<string, Uint8Array>, problems: Problem[]): Promise<void> {
  const entries: Dirent[] = await readdir(join(folder, prefix), { withFileTypes: true }).catch(() => []);
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.name.startsWith('.') || files.has(name) || name === LOCK_FILE) continue;
    if (entry.isDirectory()) {
      if (name.split('/').length <= MOST_LEVELS) await collect(folder, name, files, problems);
      continue;
    }
    const path = join(folder, ...name.split('/'));
    const reason = entry.isFile() ? (refuseEntryName(name) ?? (await tooLarge(path))) : 'is no ordinary file';
    if (reason === undefined) files.set(name, await readFile(path));
    else problems.push(leftOut(name, reason, path));
  }
}

async function tooLarge(path: string): Promise<string | undefined> {
  return (await stat(path)).size > BUNDLE_LIMITS.entry ? `has more than ${BUNDLE_LIMITS.entry / 1024 ** 2} MiB` : undefined;
}

function leftOut(name: string, reason: string, file: string): Problem {
  const message = `"${name}" ${reason} and was left out of the bundle.`;
  return {
    code: 'EXPORT_FILE_LEFT_OUT',
    severity: 'warning',
    message,
    hint: 'Whoever imports the bundle does not get it; see docs/importing.md for what travels.',
    file,
  };
}

/** What could never be imported again is not made: workflow files with names of their own, and too much of everything. */
function refuseUnfit({ id }: CompiledTemplate, files: ReadonlyMap<string, Uint8Array>): void {
  const problems: Problem[] = [];
  const add = (message: string, hint: string): void => void problems.push({ code: 'EXPORT_UNFIT', severity: 'error', message, hint });
  for (const [name, bytes] of files) {
    const reason = refuseEntryName(name);
    if (reason !== undefined) add(`"${name}" ${reason}.`, 'Rename the file, and the step that names it.');
    if (bytes.length > BUNDLE_LIMITS.entry) add(`"${name}" is larger than a bundle takes.`, 'Move large data out of it.');
  }
  const total = [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
  if (total > BUNDLE_LIMITS.total)
    add('The files are more than a bundle takes.', 'Remove pictures and films that the template does not need.');
  if (files.size > BUNDLE_LIMITS.entries)
    add(`The template has ${files.size} files; a bundle takes ${BUNDLE_LIMITS.entries}.`, 'Remove what it does not need.');
  const [first] = problems;
  if (first === undefined) return;
  throw new CallsheetError('EXPORT_REFUSED', `Template '${id}' can not be packed: ${first.message}`, {
    problems,
    ...(first.hint === undefined ? {} : { hint: first.hint }),
  });
}
