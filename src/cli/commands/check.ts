/** `callsheet check`: templates and workflows like a compiler, offline or against what a backend has. */
import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { ObjectInfo } from '#graph/object-info.ts';
import { type ClassLocks, lockStore, openClassLocks } from '#daemon/class-locks.ts';
import { lackOfFfmpeg } from '#daemon/lack-of-ffmpeg.ts';
import { VERSION } from '#daemon/version.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { checkTemplateAgainst, checkTemplateVersions } from '#templates/against-object-info.ts';
import { keptObjectInfo } from '#daemon/object-info-keeper.ts';
import { checkDrift } from '#templates/check-drift.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';
import { discover } from '#templates/discover.ts';
import { loadTemplate, namesOf } from '#templates/load.ts';
import { mergeProblems } from '#templates/merge-problems.ts';
import { needsOf } from '#templates/needs.ts';
import type { TemplateOrigin } from '#templates/types.ts';
import { backendOption, chooseBackend } from '../choose-backend.ts';
import { type Arguments, type Command, DATA_OPTION, JSON_OPTION, UsageError } from '../command.ts';
import { EXIT, type Io, jsonLine, line } from '../io.ts';
import { objectInfoOption } from '../object-info-option.ts';
import { dataDirOf } from '../data-dir.ts';
import { openSession } from '../open-session.ts';
import { printProblems } from '../report-error.ts';

export const checkCommand: Command = {
  name: 'check',
  summary: 'Checks templates and workflows like a compiler: all problems at once.',
  usage: ['check PATH… [--object-info FILE | --backend ID] [--json]'],
  options: {
    'object-info': { type: 'string', value: 'FILE', help: 'a saved GET /object_info of a ComfyUI: classes, inputs, ranges, models' },
    backend: { type: 'string', value: 'ID', help: 'the same from a backend of the running daemon, or comfyui=URL, or sandbox' },
    ...JSON_OPTION,
    ...DATA_OPTION,
  },
  notes: ['PATH is a template folder, a workflow file, or a directory that is searched for both. Exit code 1 when there is an error.'],

  async run(args, io) {
    if (args.positionals.length === 0) throw new UsageError('Missing PATH: a template folder, a workflow file, or a directory of them.');
    if (args.text('object-info') !== undefined && args.text('backend') !== undefined) {
      throw new UsageError('Give either --object-info or --backend, not both.');
    }
    const paths = args.positionals.map((shown) => ({ shown, path: resolve(io.cwd, shown) }));
    for (const { shown, path } of paths) {
      if (statSync(path, { throwIfNoEntry: false }) === undefined) throw new UsageError(`There is no file or folder "${shown}".`);
    }
    const files = args.text('backend') === undefined ? await checkOffline(paths, args, io) : await checkAtBackend(paths, args, io);
    const ok = files.every((file) => file.ok);
    if (args.flag('json')) jsonLine(io.out, { files });
    else printFiles(files, io);
    return ok ? EXIT.done : EXIT.failed;
  },
};

// --- helpers ---

interface CheckedFile {
  readonly path: string;
  readonly ok: boolean;
  readonly problems: readonly Problem[];
}

interface GivenPath {
  readonly shown: string;
  readonly path: string;
}

async function checkOffline(paths: readonly GivenPath[], args: Arguments, io: Io): Promise<CheckedFile[]> {
  const info = objectInfoOption(args, io);
  // What a daemon of this data directory last heard from its backend: enough to read a workflow in UI format.
  const kept = [keptObjectInfo(dataDirOf(args, io))];
  const locks = openClassLocks(lockStore(dataDirOf(args, io)), { warn: () => undefined });
  const files: CheckedFile[] = [];
  for (const given of paths) {
    const places = statSync(given.path).isDirectory() ? discover(given.path) : [given.path];
    if (places.length === 0) throw new UsageError(`There are no templates and no workflow files in "${given.shown}".`);
    for (const place of places) {
      const file = await checkOne(place, given, info, { kept, locks });
      if (file !== undefined) files.push(file);
    }
  }
  return files;
}

/** Undefined for JSON of another kind that a search came across; one that was named is reported. */
async function checkOne(
  place: string,
  given: GivenPath,
  info: ObjectInfo | undefined,
  { kept, locks }: { readonly kept: readonly string[]; readonly locks: ClassLocks },
): Promise<CheckedFile | undefined> {
  const { template, partial, original, problems, foreign, origin } = await loadTemplate(place, {
    info: info === undefined ? undefined : { info, name: 'object info' },
    infoFiles: kept,
  });
  if (foreign === true && place !== given.path) return undefined;
  const nameOf = (name: string) => (origin.kind === 'folder' ? join(origin.path, name) : origin.path);
  const compiled = template ?? partial;
  const versions = compiled === undefined ? [] : checkTemplateVersions(compiled, { callsheet: VERSION }, nameOf);
  const programs = compiled === undefined ? [] : lackOfFfmpeg(needsOf(compiled, original), nameOf);
  const found = compiled === undefined || info === undefined ? [] : checkTemplateAgainst(compiled, info, nameOf, { original });
  const drift = template === undefined || info === undefined ? [] : driftFrom(template, info, { locks, origin, original });
  const all = mergeProblems([...versions, ...programs], problems, found, drift).map((problem) => withShownPath(problem, given));
  return { path: showPath(place, given), ok: !all.some(isBlocking), problems: all };
}

/** Against the lock beside the template, or the one that a daemon of this data directory kept. */
function driftFrom(
  template: CompiledTemplate,
  info: ObjectInfo,
  { locks, origin, original }: { readonly locks: ClassLocks; readonly origin: TemplateOrigin; readonly original: string | undefined },
): readonly Problem[] {
  const read = locks.of({ hash: template.hash, origin });
  if (read?.lock === undefined) return read?.problems ?? [];
  const options = { file: namesOf(origin), isMade: original !== undefined };
  return [...read.problems, ...checkDrift(template, read.lock, info, options)];
}

/** Paths are shown as the user wrote them, so that an editor finds them from the same directory. */
function withShownPath(problem: Problem, given: GivenPath): Problem {
  return problem.file === undefined ? problem : { ...problem, file: showPath(problem.file, given) };
}

function showPath(path: string, { shown, path: absolute }: GivenPath): string {
  return path.startsWith(absolute) ? `${shown.replace(/[/\\]+$/, '')}${path.slice(absolute.length)}` : path;
}

async function checkAtBackend(paths: readonly GivenPath[], args: Arguments, io: Io): Promise<CheckedFile[]> {
  const option = backendOption(args);
  const roots = paths.map(({ path }) => (statSync(path).isDirectory() ? path : dirname(path)));
  const session = await openSession(args, io, { scratch: true, roots, backends: option?.own ?? [] });
  try {
    const backend = await chooseBackend(session, option);
    const files: CheckedFile[] = [];
    for (const given of paths) {
      const params = { path: given.path, ...(backend === undefined ? {} : { backend }) };
      const answer = await session.client.call('template/check', params);
      for (const { path, ok, problems } of answer.files) {
        files.push({ path: showPath(path, given), ok, problems: problems.map((problem) => withShownPath(problem, given)) });
      }
    }
    return files;
  } finally {
    await session.close();
  }
}

function printFiles(files: readonly CheckedFile[], io: Io): void {
  for (const { path, ok, problems } of files) {
    printProblems(problems, io);
    const errors = problems.filter(isBlocking).length;
    line(io.out, `${path}: ${ok ? 'ok' : `${errors} ${errors === 1 ? 'error' : 'errors'}`}`);
  }
}
