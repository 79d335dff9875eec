/** Makes a template of a run that succeeded: the one it pinned, with the run's values as defaults and its input files beside it. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { printJson } from '#graph/values.ts';
import type { JsonValue } from '#graph/types.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { Problem } from '#protocol/problem.ts';
import type { ArtifactView } from '#protocol/views.ts';
import type { AttemptRow, RunRow } from '#store/types.ts';
import { BUNDLE_LIMITS, isAllowedKind } from '#templates/bundle/limits.ts';
import { PROVENANCE_FILE, type Versions } from '#templates/bundle/lock.ts';
import type { ClassLock } from '#templates/class-lock.ts';
import { compileTemplate } from '#templates/compile.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';
import { sourceOf } from '#templates/load.ts';
import { reviveParameters } from '#templates/parameters.ts';
import { isMedia, type MediaValue, type Value } from '#templates/types.ts';
import { changeManifest } from '#templates/with-defaults.ts';
import { isStandIn } from '../rebuild/stand-in.ts';
import { pack, type Packed, textsOf } from './exports.ts';

export interface FinishedRun {
  readonly row: RunRow;
  readonly template: CompiledTemplate;
  readonly attempts: readonly AttemptRow[];
  readonly artifacts: readonly ArtifactView[];
}

export interface RunExportOptions {
  readonly as: 'template' | 'bundle';
  readonly id: string | undefined;
  readonly versions: Versions;
  /** Node classes of the backends that ran it. */
  readonly classLock: ClassLock | undefined;
}

/** Throws EXPORT_REFUSED. */
export async function packRun(run: FinishedRun, { as, id, versions, classLock }: RunExportOptions): Promise<Packed> {
  const { row, template } = run;
  if (row.status !== 'succeeded') {
    throw new CallsheetError('EXPORT_REFUSED', `Run ${row.runId} has not succeeded: it is ${row.status}.`, {
      hint: 'Export a run that succeeded; see `callsheet runs`.',
    });
  }
  if (isStandIn(row.templateHash)) {
    throw new CallsheetError('EXPORT_REFUSED', `The template of run ${row.runId} was lost with the database.`, {
      hint: 'Export another run of it, or the template itself.',
    });
  }
  const problems: Problem[] = [];
  const media = new Map<string, Uint8Array>();
  const defaults = new Map<string, string | undefined>();
  for (const [name, value] of Object.entries(reviveParameters(template, row.parameters))) {
    const definition = template.parameters.get(name);
    if (definition === undefined) continue;
    const isPlace = definition.type === 'directory' || definition.of === 'directory';
    if (isPlace) problems.push(leftOut(name, 'is a folder of this machine'));
    else defaults.set(name, await defaultOf(name, value, media, problems));
  }
  // The last part of a run's id is random, its first is the time.
  const fields = {
    id: id ?? `${template.id.slice(0, 55).replace(/-+$/, '')}-${row.runId.slice(-8)}`,
    version: '1.0.0',
    title: `${template.manifest.title ?? template.id} (from a run)`.slice(0, 200),
    // What made these files was sent as it was written.
    ...(row.options?.optimize === false ? { optimize: false } : {}),
  };
  const made = compile(template, changeManifest(template.source.manifest, { fields, defaults }));
  const files = textsOf(made);
  for (const [name, bytes] of media) files.set(name, bytes);
  if (as === 'bundle') files.set(PROVENANCE_FILE, Buffer.from(provenance(run, versions)));
  return pack(made, files, problems, { lock: as === 'bundle' ? versions : undefined, ...(as === 'bundle' ? { classLock } : {}) });
}

// --- helpers ---

function compile(template: CompiledTemplate, manifest: string | undefined): CompiledTemplate {
  const { value, problems } =
    manifest === undefined ? { problems: [] } : compileTemplate(sourceOf(manifest, template.source.workflows, template.source.originals));
  if (value !== undefined) return value;
  const [first] = problems;
  throw new CallsheetError('EXPORT_REFUSED', `No template can be made of the run: ${first?.message ?? 'its manifest cannot be read.'}`, {
    problems,
    ...(first?.hint === undefined ? {} : { hint: first.hint }),
  });
}

/** JSON text; undefined when the value cannot travel. */
async function defaultOf(name: string, value: Value, media: Map<string, Uint8Array>, problems: Problem[]): Promise<string | undefined> {
  if (isMedia(value)) return carry(name, value, media, problems);
  if (!isList(value) || !value.some(isMedia)) return printJson(value as JsonValue);
  const items: string[] = [];
  for (const item of value) {
    const text = await defaultOf(name, item, media, problems);
    if (text === undefined) return undefined;
    items.push(text);
  }
  return `[${items.join(', ')}]`;
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/** By content, so that the same file goes in once and no name of somebody's disk travels. */
async function carry(name: string, value: MediaValue, media: Map<string, Uint8Array>, problems: Problem[]): Promise<string | undefined> {
  const extension = /\.([A-Za-z0-9]{1,10})$/.exec(value.name)?.[1]?.toLowerCase() ?? 'bin';
  const file = `media/${name.toLowerCase()}-${value.sha256.slice(0, 12)}.${extension}`;
  if (!isAllowedKind(file)) problems.push(leftOut(name, `is a file of a kind (.${extension}) that bundles do not carry`));
  else if (value.bytes > BUNDLE_LIMITS.entry) problems.push(leftOut(name, `is a file of more than ${BUNDLE_LIMITS.entry / 1024 ** 2} MiB`));
  else {
    const bytes = await readFileOf(value);
    if (bytes !== undefined) {
      media.set(file, bytes);
      return JSON.stringify(file);
    }
    problems.push(leftOut(name, 'is a file that is gone or was changed since'));
  }
  return undefined;
}

async function readFileOf({ path, sha256, bytes }: MediaValue): Promise<Uint8Array | undefined> {
  try {
    if ((await stat(path)).size !== bytes) return undefined;
    const content = await readFile(path);
    return createHash('sha256').update(content).digest('hex') === sha256 ? content : undefined;
  } catch {
    return undefined;
  }
}

function leftOut(parameter: string, reason: string): Problem {
  const message = `The value of "${parameter}" ${reason}; the exported template does not have it.`;
  return {
    code: 'EXPORT_VALUE_LEFT_OUT',
    severity: 'warning',
    message,
    hint: 'Give the value when you run the exported template.',
    parameter,
  };
}

/** What made the files of the run: enough to find and compare them, nothing of the machine's paths. */
function provenance({ row, template, attempts, artifacts }: FinishedRun, versions: Versions): string {
  const name = (path: string): string => path.split(/[\\/]/).at(-1) ?? '';
  return `${JSON.stringify(
    {
      format: 1,
      run: {
        runId: row.runId,
        createdAt: row.createdAt,
        endedAt: row.endedAt,
        ...(row.options === undefined ? {} : { options: row.options }),
        draft: row.draft || artifacts.some(({ draft }) => draft),
        template: { id: template.id, version: template.version, hash: template.hash },
      },
      attempts: attempts
        .filter(({ status }) => status === 'finished')
        // One that was done again made none of these files.
        .filter(({ step, item }, at, all) => !all.slice(at + 1).some((later) => later.step === step && later.item === item))
        .map(({ promptId, step, item, attempt, backend, payloadHash }) => ({ promptId, step, item, attempt, backend, payloadHash })),
      artifacts: artifacts.map(({ step, item, output, node, index, path, mediaType, bytes, sha256, draft }) => ({
        step,
        item,
        output,
        node,
        index,
        name: name(path),
        mediaType,
        bytes,
        sha256,
        draft,
      })),
      versions,
    },
    null,
    2,
  )}\n`;
}
