/** `callsheet templates import | approve | export`. */
import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { TemplateContentsView } from '#protocol/methods/exchange.ts';
import { type Arguments, UsageError } from './command.ts';
import { safeText } from './format.ts';
import { EXIT, type Io, jsonLine, line } from './io.ts';
import { printProblems } from './report-error.ts';
import type { Session } from './session.ts';
import { demandTemplate } from './template-names.ts';
import { upload } from './upload-media.ts';
import { outOption, writeExport } from './write-export.ts';

/** Looked at before a daemon is asked. Throws UsageError. */
export function demandFile(shown: string, io: Io): string {
  const path = resolve(io.cwd, shown);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) throw new UsageError(`There is no file "${shown}".`);
  return path;
}

export async function importTemplate(session: Session, path: string, args: Arguments, io: Io): Promise<number> {
  const [id, backend, info] = ['id', 'backend', 'object-info'].map((name) => args.text(name));
  const objectInfo = info === undefined ? undefined : await upload(demandFile(info, io), session);
  const { template, existing, problems, from } = await session.client.call('template/import', {
    file: `asset:${await upload(path, session)}`,
    name: basename(path),
    ...(id === undefined ? {} : { id }),
    ...(backend === undefined ? {} : { backend }),
    ...(objectInfo === undefined ? {} : { objectInfo: `asset:${objectInfo}` }),
  });
  if (args.flag('json')) {
    jsonLine(io.out, { template, existing, from, problems });
    return EXIT.done;
  }
  line(io.out, `${template.id} ${template.version} ${existing ? 'is there already' : 'imported'}: ${safeText(template.path)}`);
  printContents(template.contents, io);
  printProblems(problems, io);
  if (template.approval === 'pending') {
    line(io.out, `hash      ${template.hash}`);
    line(io.out, `It does not run before you approve it: callsheet templates approve ${template.id}@${template.version}`);
  }
  return EXIT.done;
}

/** With `--hash` only that content; else the one that is shown here. */
export async function approveTemplate(session: Session, name: string, args: Arguments, io: Io): Promise<number> {
  const template = await demandTemplate(session, name);
  const { id, version } = template;
  const hash = args.text('hash') ?? template.hash;
  if (!/^[0-9a-f]{64}$/.test(hash)) throw new UsageError('Option --hash must be the 64 hexadecimal digits that import and show print.');
  const { approval } = await session.client.call('template/approve', { id, version, hash });
  if (args.flag('json')) {
    jsonLine(io.out, { id, version, hash, approval, contents: template.contents });
    return EXIT.done;
  }
  if (template.contents !== undefined) printContents(template.contents, io);
  if (approval === 'own') line(io.out, `${id} ${version} lies in a folder of yours; it needs no approval.`);
  else line(io.out, `${id} ${version} is approved as it is now. Any change of it asks again.`);
  return EXIT.done;
}

export async function exportTemplate(session: Session, name: string, args: Arguments, io: Io): Promise<number> {
  const out = outOption(args, io, 'the file to write, e.g. --out template.callsheet');
  const { id, version } = await demandTemplate(session, name);
  return writeExport(await session.client.call('template/export', { id, version }), 'file', out, session, args, io);
}

/** What a template would have a backend do, a line for each kind of thing. */
export function printContents(contents: TemplateContentsView, io: Io): void {
  const fresh = new Set(contents.newClasses);
  const models = contents.models.map(({ name, url }) => (url === undefined ? name : `${name} (${url})`));
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['backends', contents.backends],
    ['nodes', contents.nodeClasses.map((name) => (fresh.has(name) ? `${name} (new)` : name))],
    ['models', models],
    ['files', contents.files],
    ['addresses', contents.addresses],
  ];
  for (const [title, values] of rows) line(io.out, `${title.padEnd(10)}${values.length === 0 ? 'none' : safeText(values.join(', '))}`);
}
