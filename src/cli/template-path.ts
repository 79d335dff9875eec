/** A template given by path: checked here, where its path means something, then found in the library of a daemon. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { CallsheetError } from '#protocol/errors.ts';
import { isBlocking } from '#protocol/problem.ts';
import type { TemplateDetail } from '#protocol/methods/template.ts';
import { loadTemplate } from '#templates/load.ts';
import { UsageError } from './command.ts';
import type { Session } from './session.ts';

export interface GivenTemplate {
  readonly shown: string;
  readonly id: string;
  readonly version: string;
  /** sha256 over its content: the same in every library that holds the same files. */
  readonly hash: string;
  /** A directory that holds this template and no other. */
  readonly directory: string;
  /** Removes what was made for it. */
  dispose(): void;
}

/** Throws UsageError when nothing is there, TEMPLATE_NOT_RUNNABLE with every problem when it is broken. */
export async function templateAt(path: string, shown: string): Promise<GivenTemplate> {
  const { template, problems, origin } = await loadTemplate(path);
  if (template === undefined) {
    const [first] = problems;
    if (problems.length === 1 && first?.code === 'TEMPLATE_FILE_MISSING' && first.file === path) {
      throw new UsageError(
        `There is no file or folder "${shown}". A template of the library is named by its id alone: callsheet templates`,
      );
    }
    const errors = problems.filter(isBlocking).length;
    throw new CallsheetError('TEMPLATE_NOT_RUNNABLE', `${shown} can not run: ${errors} ${errors === 1 ? 'error' : 'errors'}.`, {
      problems,
    });
  }
  const { id, version, hash } = template;
  if (origin.kind === 'folder') return { shown, id, version, hash, directory: origin.path, dispose: () => undefined };
  // Beside a bare workflow lie other files; a library of its own takes in this one alone.
  const directory = mkdtempSync(join(tmpdir(), 'callsheet-'));
  copyFileSync(origin.path, join(directory, basename(origin.path)));
  return { shown, id, version, hash, directory, dispose: () => rmSync(directory, { recursive: true, force: true }) };
}

/** The same content in the daemon's library. Throws UsageError that says how a running daemon can be shown the file. */
export async function findGiven(session: Session, given: GivenTemplate): Promise<TemplateDetail> {
  const { id, version, hash, shown } = given;
  const found = await session.client.call('template/get', { id, version }).catch((error: unknown) => {
    if (error instanceof CallsheetError && error.code === 'TEMPLATE_NOT_FOUND') return undefined;
    throw error;
  });
  if (found?.template.hash === hash) return found.template;
  const { templateDirs } = await session.client.call('daemon/status');
  const what = found === undefined ? `does not know ${shown}` : `has another ${id} ${version} (${found.template.path})`;
  throw new UsageError(
    `The running daemon ${what}; put the template into ${templateDirs[0] ?? 'a directory of its library'}, or stop the daemon and try again.`,
  );
}
