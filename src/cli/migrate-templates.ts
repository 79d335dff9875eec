/** `callsheet templates migrate`: what has changed since the author's files were written, and with `--write` into them. */
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { CallsheetError } from '#protocol/errors.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { discover } from '#templates/discover.ts';
import { type MigrationPlan, planMigration } from '#templates/plan-migration.ts';
import { writeMigration } from '#templates/write-migration.ts';
import { backendOption, chooseBackend } from './choose-backend.ts';
import { type Arguments, UsageError } from './command.ts';
import { safeText } from './format.ts';
import { EXIT, type Io, jsonLine, line } from './io.ts';
import { objectInfoOption } from './object-info-option.ts';
import { type OpenOptions, openSession } from './open-session.ts';
import { printProblems } from './report-error.ts';
import type { Session } from './session.ts';
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
  if (args.text('object-info') !== undefined && args.text('backend') !== undefined) {
    throw new UsageError('Give either --object-info or --backend, not both.');
  }
  const write = args.flag('write');
  const given = sortGiven(args.positionals.slice(1), io);
  const plans = args.text('backend') === undefined ? await plansOffline(given, args, io) : await plansAtBackend(given, args, io);
  const results = plans.map((plan) => migrateOne(plan, write)).filter(({ files, problems }) => files.length > 0 || problems.length > 0);
  const failed = results.some(({ problems }) => problems.some(isBlocking));
  if (args.flag('json')) jsonLine(io.out, { templates: results });
  else printResults(results, write, io);
  return failed ? EXIT.failed : EXIT.done;
}

// --- helpers ---

interface Given {
  /** Template folders and files. */
  readonly paths: readonly string[];
  readonly ids: readonly string[];
  /** Nothing was named. */
  readonly all: boolean;
}

/** What is there as a file or folder is a path, what is not is an id. */
function sortGiven(given: readonly string[], io: Io): Given {
  const paths: string[] = [];
  const ids: string[] = [];
  for (const shown of given) {
    const path = resolve(io.cwd, shown);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined && /[/\\]|\.json$/.test(shown)) throw new UsageError(`There is no file or folder "${shown}".`);
    if (stats === undefined) ids.push(shown);
    else paths.push(...(stats.isDirectory() ? discover(path) : [path]));
  }
  return { paths, ids, all: given.length === 0 };
}

async function plansOffline(given: Given, args: Arguments, io: Io): Promise<readonly MigrationPlan[]> {
  const info = objectInfoOption(args, io);
  const places =
    !given.all && given.ids.length === 0 ? given.paths : await withSession(args, io, {}, (session) => placesOf(given, session));
  return places.map((path) => planMigration(path, { info }));
}

/** The daemon asks the backend, and answers with what is to be written. */
async function plansAtBackend(given: Given, args: Arguments, io: Io): Promise<readonly MigrationPlan[]> {
  const option = backendOption(args);
  const roots = given.paths.map((path) => (statSync(path).isDirectory() ? path : dirname(path)));
  return withSession(args, io, { roots, backends: option?.own ?? [] }, async (session) => {
    const backend = (await chooseBackend(session, option)) ?? '';
    const plans: MigrationPlan[] = [];
    for (const path of await placesOf(given, session)) {
      const { files, ...plan } = await session.client.call('template/migrate', { path, backend });
      plans.push({ ...plan, files: files.map((file) => ({ ...file, content: Buffer.from(file.content) })) });
    }
    return plans;
  });
}

async function withSession<T>(args: Arguments, io: Io, options: OpenOptions, work: (session: Session) => Promise<T>): Promise<T> {
  const templates = args.texts('templates').map((dir) => resolve(io.cwd, dir));
  const session = await openSession(args, io, { ...options, templates, scratch: true });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** Of the whole library when nothing was named. */
async function placesOf({ paths, ids, all }: Given, session: Session): Promise<readonly string[]> {
  if (!all) return [...paths, ...(await Promise.all(ids.map(async (id) => (await demandTemplate(session, id)).path)))];
  const { templates } = await session.client.call('template/list');
  return Promise.all(templates.map(async ({ id, version }) => (await session.client.call('template/get', { id, version })).template.path));
}

function migrateOne(plan: MigrationPlan, write: boolean): Migrated {
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
