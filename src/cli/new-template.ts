/** `callsheet templates new`: a folder to go on writing in, from a workflow file or from nothing. */
import { dirname, join, relative, resolve } from 'node:path';
import { isBlocking } from '#protocol/problem.ts';
import { type NamedInfo, OBJECT_INFO_FILE, savedInfo } from '#templates/nearby-info.ts';
import { scaffold, type ScaffoldRequest } from '#templates/scaffold.ts';
import { adoptAtBackend } from './adopt-at-backend.ts';
import { type Arguments, UsageError } from './command.ts';
import { dataDirOf } from './data-dir.ts';
import { demandFile } from './exchange-templates.ts';
import { safeText } from './format.ts';
import { EXIT, type Io, jsonLine, line } from './io.ts';
import { objectInfoOption } from './object-info-option.ts';
import { printProblems } from './report-error.ts';

/** Throws UsageError, INVALID_PARAMS, TEMPLATE_EXISTS, TEMPLATE_NOT_RUNNABLE with all problems of the workflow. */
export async function newTemplate(id: string, args: Arguments, io: Io): Promise<number> {
  const shown = args.text('from');
  const from = shown === undefined ? undefined : demandFile(shown, io);
  if (args.text('object-info') !== undefined && args.text('backend') !== undefined) {
    throw new UsageError('Give either --object-info or --backend, not both.');
  }
  if (from === undefined && (args.text('object-info') ?? args.text('backend')) !== undefined) {
    throw new UsageError('Options --object-info and --backend describe a workflow: name it with --from FILE.');
  }
  const out = args.text('out');
  const directory = out === undefined ? join(dataDirOf(args, io), 'templates') : resolve(io.cwd, out);
  const request: ScaffoldRequest = { id, directory, ...(from === undefined ? {} : { from, info: infoFor(from, directory, args, io) }) };
  const made = await (args.text('backend') === undefined
    ? scaffold(request)
    : scaffold({ ...request, adopt: (_text, name) => adoptAtBackend(from ?? '', name, true, args, io) }));
  if (args.flag('json')) {
    jsonLine(io.out, { id, path: made.path, files: made.files, problems: made.problems });
    return EXIT.done;
  }
  line(io.out, `made      ${safeText(shownFrom(made.path, io))}`);
  for (const file of made.files) line(io.out, `  ${safeText(file)}`);
  printProblems(
    made.problems.filter((problem) => !isBlocking(problem)),
    io,
  );
  const library = out === undefined ? '' : ` --templates ${safeText(shownFrom(directory, io))}`;
  line(io.out, `See its form: callsheet templates show ${id}${library}`);
  return EXIT.done;
}

// --- helpers ---

/** As given, else what lies beside the workflow or in the directory of templates. */
function infoFor(from: string, directory: string, args: Arguments, io: Io): NamedInfo | undefined {
  const given = objectInfoOption(args, io);
  if (given !== undefined) return { info: given, name: args.text('object-info') ?? '' };
  return savedInfo([join(dirname(from), OBJECT_INFO_FILE), join(directory, OBJECT_INFO_FILE)]);
}

function shownFrom(path: string, { cwd }: Io): string {
  const short = relative(cwd, path);
  return short === '' ? '.' : short.startsWith('..') ? path : short;
}
