/** A template given by path: checked here, where its path means something, then found in the library of a daemon. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { CallsheetError } from '#protocol/errors.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import type { TemplateDetail } from '#protocol/methods/template.ts';
import type { Adopted } from '#templates/adopt.ts';
import { compileTemplate, MANIFEST_FILE } from '#templates/compile.ts';
import { loadTemplate, sourceOf } from '#templates/load.ts';
import { originalNames } from '#templates/originals.ts';
import type { TemplateSource } from '#templates/types.ts';
import { UsageError } from './command.ts';
import type { Session } from './session.ts';

export interface GivenTemplate {
  readonly shown: string;
  readonly id: string;
  readonly version: string;
  /** sha256 over its content: the same in every library that holds the same files. */
  readonly hash: string;
  /** Of the folder or the bare workflow. */
  readonly path: string;
  /** A directory that holds this template and no other. */
  readonly directory: string;
  /** Removes what was made for it. */
  dispose(): void;
}

export interface PathOptions {
  /** Saved object info to fall back on, as a daemon of the same data directory does. */
  readonly infoFiles: readonly string[];
  /** Adopts with the node classes of a backend what cannot be adopted without. */
  readonly adopt: (path: string, name: string) => Promise<Adopted>;
}

/** Throws UsageError when nothing is there, TEMPLATE_NOT_RUNNABLE with every problem when it is broken. */
export async function templateAt(path: string, shown: string, options: PathOptions): Promise<GivenTemplate> {
  const { template, problems, origin } = await loadTemplate(path, { infoFiles: options.infoFiles });
  if (template !== undefined) {
    const { id, version, hash, source } = template;
    const given = { shown, id, version, hash, path: origin.path };
    return origin.kind === 'folder' ? { ...given, directory: origin.path, dispose: () => undefined } : { ...given, ...library(id, source) };
  }
  const [first] = problems;
  if (problems.length === 1 && first?.code === 'TEMPLATE_FILE_MISSING' && first.file === path) {
    throw new UsageError(`There is no file or folder "${shown}". A template of the library is named by its id alone: callsheet templates`);
  }
  if (problems.length === 1 && first?.code === 'TEMPLATE_WORKFLOW_UI_FORMAT' && origin.kind === 'adopted') {
    return throughBackend(origin.path, shown, options.adopt);
  }
  throw notRunnable(shown, problems);
}

async function throughBackend(path: string, shown: string, adopt: PathOptions['adopt']): Promise<GivenTemplate> {
  const name = basename(path);
  const { manifest, workflow, problems } = await adopt(path, name);
  if (manifest === undefined) throw notRunnable(shown, problems);
  const source = sourceOf(manifest, { [name]: workflow }, { [name]: readFileSync(path, 'utf8') });
  const { value, problems: found } = compileTemplate(source, { file: () => shown });
  if (value === undefined) throw notRunnable(shown, [...problems, ...found]);
  return { shown, id: value.id, version: value.version, hash: value.hash, path, ...library(value.id, source) };
}

function notRunnable(shown: string, problems: readonly Problem[]): CallsheetError {
  const errors = problems.filter(isBlocking).length;
  return new CallsheetError('TEMPLATE_NOT_RUNNABLE', `${shown} can not run: ${errors} ${errors === 1 ? 'error' : 'errors'}.`, { problems });
}

/** Beside a bare workflow lie other files, and what it becomes depends on the object info at hand; a library of its own holds just what was looked at. */
function library(id: string, { manifest, workflows, originals = {} }: TemplateSource): Pick<GivenTemplate, 'directory' | 'dispose'> {
  const directory = mkdtempSync(join(tmpdir(), 'callsheet-'));
  const folder = join(directory, id);
  mkdirSync(folder);
  for (const [name, text] of Object.entries(workflows)) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, MANIFEST_FILE), manifest);
  for (const [name, text] of Object.entries(originals)) {
    const [beside] = originalNames(name, new Set(Object.keys(workflows)));
    if (beside !== undefined) writeFileSync(join(folder, beside), text);
  }
  return { directory, dispose: () => rmSync(directory, { recursive: true, force: true }) };
}

/** The same content in the daemon's library. Throws UsageError that says how a running daemon can be shown the file. */
export async function findGiven(session: Session, given: GivenTemplate): Promise<TemplateDetail> {
  const { id, version, hash, shown } = given;
  const found = await session.client.call('template/get', { id, version }).catch((error: unknown) => {
    if (error instanceof CallsheetError && error.code === 'TEMPLATE_NOT_FOUND') return undefined;
    throw error;
  });
  // The daemon may know more of the backend's nodes than was at hand here; the file is the same.
  const same = found?.template.kind === 'adopted' && found.template.path === given.path && found.template.runnable;
  if (found !== undefined && (found.template.hash === hash || same)) return found.template;
  const { templateDirs } = await session.client.call('daemon/status');
  const what = found === undefined ? `does not know ${shown}` : `has another ${id} ${version} (${found.template.path})`;
  throw new UsageError(
    `The running daemon ${what}; put the template into ${templateDirs[0] ?? 'a directory of its library'}, or stop the daemon and try again.`,
  );
}
