/** Writes what was exported to where the command line says: a bundle as a file, a template as a folder. Nothing that is there is replaced. */
import { lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { ExportResult } from '#protocol/methods/exchange.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { isBlocking } from '#protocol/problem.ts';
import { isCode } from '#results/durable.ts';
import { unpackBundle } from '#templates/bundle/unpack.ts';
import { type Arguments, UsageError } from './command.ts';
import { downloadAsset } from './download-asset.ts';
import { formatBytes } from './format.ts';
import { EXIT, type Io, jsonLine, line } from './io.ts';
import { printProblems } from './report-error.ts';
import type { Session } from './session.ts';

/** Where `--out` leads. Throws UsageError when something is there. */
export function outOption(args: Arguments, io: Io, what: string): string {
  const shown = args.text('out');
  if (shown === undefined) throw new UsageError(`Missing --out: ${what}.`);
  const out = resolve(io.cwd, shown);
  if (lstatSync(out, { throwIfNoEntry: false }) !== undefined)
    throw new UsageError(`There is something at "${shown}" already; nothing is overwritten.`);
  if (lstatSync(dirname(out), { throwIfNoEntry: false }) === undefined) throw new UsageError(`There is no folder "${dirname(shown)}".`);
  return out;
}

/** Throws OUT_NOT_WRITTEN. */
export async function writeExport(
  exported: ExportResult,
  as: 'file' | 'folder',
  out: string,
  session: Session,
  args: Arguments,
  io: Io,
): Promise<number> {
  const bytes = await downloadAsset(exported.assetId, session);
  // Beside its place, so that the last step is a rename.
  const aside = attempt(out, () => mkdtempSync(join(dirname(out), '.callsheet-export-')));
  try {
    const packed = join(aside, 'bundle.zip');
    attempt(out, () => writeFileSync(packed, bytes));
    const made = as === 'file' ? packed : await unpackTo(join(aside, 'folder'), packed, basename(out));
    attempt(out, () => renameSync(made, out));
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  const { template, problems } = exported;
  if (args.flag('json')) jsonLine(io.out, { path: out, template, bytes: exported.bytes, problems });
  else {
    line(io.out, `${template.id} ${template.version} written to ${out}${as === 'file' ? ` (${formatBytes(exported.bytes)})` : ''}`);
    printProblems(problems, io);
  }
  return EXIT.done;
}

// --- helpers ---

async function unpackTo(folder: string, packed: string, shown: string): Promise<string> {
  attempt(folder, () => mkdirSync(folder));
  const { problems } = await unpackBundle(packed, shown, folder);
  if (!problems.some(isBlocking)) return folder;
  throw new CallsheetError('OUT_NOT_WRITTEN', 'What the daemon packed cannot be unpacked.', { problems });
}

function attempt<T>(out: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const reason = isCode(error, 'EACCES', 'EPERM')
      ? 'it may not be written there'
      : error instanceof Error
        ? error.message
        : String(error);
    throw new CallsheetError('OUT_NOT_WRITTEN', `${out} could not be written: ${reason}.`, {
      hint: 'Name another place with --out.',
      cause: error,
    });
  }
}
