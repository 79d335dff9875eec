/** `callsheet templates migrate`: what has changed since the author's files were written, and with `--write` into them. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ObjectInfo } from '#graph/object-info.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { discover } from '#templates/discover.ts';
import { planMigration } from '#templates/plan-migration.ts';
import { writeMigration } from '#templates/write-migration.ts';
import { type Arguments, UsageError } from './command.ts';
import { safeText } from './format.ts';
import { EXIT, type Io, jsonLine, line } from './io.ts';
import { objectInfoOption } from './object-info-option.ts';
import { openSession } from './open-session.ts';
import { printProblems } from './report-error.ts';
import { demandTemplate } from './template-names.ts';

interface Migrated {
  readonly path: string;
  /** Files that are, or would be, another afterwards. */
  readonly files: readonly string[];
  readonly written: boolean;
  readonly problems: readonly Problem[];
}

/** Without arguments: all templates of the library. Exit code 1 when something could not be read or written. Throws UsageError. */
export async function migrateTemplates(args: Arguments, io: Io): Promise<number> {
  const info = objectInfoOption(args, io);
  const write = args.flag('write');
  const paths = await pathsOf(args.positionals.slice(1), args, io);
  const results = paths
    .map((path) => migrateOne(path, info, write))
    .filter(({ files, problems }) => files.length > 0 || problems.length > 0);
  const failed = results.some(({ problems }) => problems.some(isBlocking));
  if (args.flag('json')) jsonLine(io.out, { templates: results });
  else printResults(results, write, io);
  return failed ? EXIT.failed : EXIT.done;
}

// --- helpers ---

/** What is there as a file or folder is a path, what is not is an id. */
async function pathsOf(given: readonly string[], args: Arguments, io: Io): Promise<readonly string[]> {
  const paths: string[] = [];
  const ids: string[] = [];
  for (const shown of given) {
    const path = resolve(io.cwd, shown);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined && /[/\\]|\.json$/.test(shown)) throw new UsageError(`There is no file or folder "${shown}".`);
    if (stats === undefined) ids.push(shown);
    else paths.push(...(stats.isDirectory() ? discover(path) : [path]));
  }
  if (given.length > 0 && ids.length === 0) return paths;
  const session = await openSession(args, io, { templates: args.texts('templates').map((dir) => resolve(io.cwd, dir)), scratch: true });
  try {
    if (given.length > 0) return [...paths, ...(await Promise.all(ids.map(async (id) => (await demandTemplate(session, id)).path)))];
    const { templates } = await session.client.call('template/list');
    return await Promise.all(
      templates.map(async ({ id, version }) => (await session.client.call('template/get', { id, version })).template.path),
    );
  } finally {
    await session.close();
  }
}

function migrateOne(path: string, info: ObjectInfo | undefined, write: boolean): Migrated {
  const plan = planMigration(path, { info });
  const files = plan.files.map((file) => file.path);
  const result = { path: plan.path, files, written: false, problems: plan.problems };
  if (!write || files.length === 0) return result;
  try {
    const refused = writeMigration(plan);
    return { ...result, written: refused.length === 0, problems: [...plan.problems, ...refused] };
  } catch (error) {
    if (!(error instanceof CallsheetError)) throw error;
    const { code, message, hint } = error.data;
    return {
      ...result,
      problems: [...plan.problems, { code, severity: 'error', message, file: plan.path, ...(hint === undefined ? {} : { hint }) }],
    };
  }
}

function printResults(results: readonly Migrated[], write: boolean, io: Io): void {
  for (const { path, files, written, problems } of results) {
    printProblems(problems, io);
    if (files.length === 0) continue;
    const many = `${files.length} ${files.length === 1 ? 'file' : 'files'}`;
    line(
      io.out,
      `${safeText(path)}: ${written ? `${many} written` : write ? 'not written' : `${many} would change; --write changes ${files.length === 1 ? 'it' : 'them'}`}`,
    );
  }
  if (results.every(({ files }) => files.length === 0)) line(io.out, 'Everything is as it is written today.');
}
