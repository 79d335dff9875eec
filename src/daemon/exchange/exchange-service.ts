/** The methods of exchange: import, approve, and export of templates and runs. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { objectInfoOf } from '#actors/render-item.ts';
import type { Backend } from '#backends/contract.ts';
import { sha256Hex } from '#graph/hash.ts';
import { type ObjectInfo, parseObjectInfo } from '#graph/object-info.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type {
  ExportResult,
  RunExportParams,
  TemplateApproveParams,
  TemplateApproveResult,
  TemplateExportParams,
  TemplateImportParams,
  TemplateImportResult,
} from '#protocol/methods/exchange.ts';
import { isBlocking } from '#protocol/problem.ts';
import type { Inspector } from '#results/inspect/inspector.ts';
import type { Store } from '#store/types.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';
import { ID_PATTERN } from '#templates/manifest-schema.ts';
import { needsOf } from '#templates/needs.ts';
import type { ClassLocks } from '../class-locks.ts';
import { driftProblems, lockNow } from '../drift.ts';
import type { Bench } from '../judge.ts';
import type { Offers } from '../offers.ts';
import { keepAsset } from '../uploads.ts';
import type { Contention } from '../contention.ts';
import { createRequestKeys } from '../request-keys.ts';
import type { Roots } from '../roots.ts';
import { findTemplate } from '../run-door.ts';
import { VERSION } from '../version.ts';
import type { Approvals } from './approvals.ts';
import { contentsView } from './contents-view.ts';
import { packRun } from './export-run.ts';
import { type Packed, packTemplate } from './exports.ts';
import type { GatedLibrary, GatedTemplate } from './gate.ts';
import type { AskForInfo } from './workflow-folder.ts';
import { exists, type Imported, importFile, type Placement } from './imports.ts';

export interface ExchangeService {
  /** Stops with its signal as long as nothing is written. Throws IMPORT_REFUSED, TEMPLATE_EXISTS, PATH_NOT_ALLOWED, ASSET_NOT_FOUND, FILE_NOT_FOUND, BACKEND_NOT_FOUND, BACKEND_UNREACHABLE. */
  import(params: TemplateImportParams, signal?: AbortSignal): Promise<TemplateImportResult>;
  /** Throws TEMPLATE_NOT_FOUND, TEMPLATE_CHANGED, TEMPLATE_NOT_RUNNABLE. */
  approve(params: TemplateApproveParams): Promise<TemplateApproveResult>;
  /** Throws TEMPLATE_NOT_FOUND, TEMPLATE_NOT_RUNNABLE, EXPORT_REFUSED. */
  exportTemplate(params: TemplateExportParams): Promise<ExportResult>;
  /** Throws RUN_NOT_FOUND, EXPORT_REFUSED, SNAPSHOT_REFUSED. */
  exportRun(params: RunExportParams): Promise<ExportResult>;
}

export interface ExchangeOptions {
  readonly importDir: string;
  readonly assetDir: string;
  readonly library: GatedLibrary;
  readonly approvals: Approvals;
  readonly roots: Roots;
  readonly backends: readonly Backend[];
  readonly offers: Pick<Offers, 'known'>;
  readonly locks: Pick<ClassLocks, 'of'>;
  readonly store: Pick<Store, 'asset' | 'putAsset' | 'run' | 'attempts' | 'artifacts' | 'requestKey' | 'putRequestKey'>;
  readonly contention: Pick<Contention, 'write'>;
  readonly inspector: Pick<Inspector, 'inspect'>;
  /** The template a run pinned. Throws SNAPSHOT_REFUSED. */
  readonly pinned: (hash: string) => CompiledTemplate;
  /** Reads again what lies there, and tells listeners; answers with what could not be read yet because it had just been written. */
  readonly refresh: (paths: readonly string[]) => Promise<readonly string[]>;
  /** Tells listeners that the state of a template is another. */
  readonly announce: (id: string, version: string) => void;
}

/** How long the first backend that could convert a workflow is waited for, in milliseconds. */
const PATIENCE_MS = 10_000;
/** The same where a template can be made without it. */
const IMPATIENCE_MS = 2000;
/** The library waits before it believes files that have just been written; each look is such a wait. */
const LOOKS = 10;

export function createExchangeService(options: ExchangeOptions): ExchangeService {
  const { importDir, assetDir, library, approvals, roots, backends, store, contention, offers, locks, inspector } = options;
  const bench: Bench = { backends, offer: (id) => offers.known(id) };
  const keys = createRequestKeys(store, contention);
  let importing: Promise<unknown> = Promise.resolve();

  /** One at a time, so that two of them cannot take one name. */
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = importing.then(work);
    importing = turn.catch(() => undefined);
    return turn;
  }

  async function importNow(
    { file, name, id, backend, objectInfo }: TemplateImportParams,
    signal: AbortSignal | undefined,
  ): Promise<TemplateImportResult> {
    signal?.throwIfAborted();
    if (id !== undefined) demandId(id);
    const media = await roots.resolveMedia(file, 'file');
    const shown = cleanName(name ?? media.name);
    const infoOf: AskForInfo = (isNeeded) =>
      objectInfo === undefined
        ? infoFromBackend(backends, backend, isNeeded ? PATIENCE_MS : IMPATIENCE_MS, signal)
        : infoFromFile(roots, objectInfo);
    const wish = { file: media, name: shown, id, objectInfo: infoOf, inspector };
    const imported = await importFile(importDir, wish, placementIn(library, importDir));
    for (let left = LOOKS; !imported.existing && left > 0; left -= 1) {
      if (!(await options.refresh([imported.path])).includes(imported.path)) break;
    }
    const { template, path } = imported;
    const found = { hash: template.hash, origin: { kind: 'folder', path }, needs: needsOf(template) } as const;
    const drift = driftProblems(template, found, bench, locks);
    return resultOf({ ...imported, problems: [...imported.problems, ...drift] }, library);
  }

  async function approveNow({ id, version, hash }: TemplateApproveParams): Promise<TemplateApproveResult> {
    findTemplate(library, id, version);
    const loaded = library.get(id, version);
    if (loaded?.hash !== hash) {
      throw new CallsheetError(
        'TEMPLATE_CHANGED',
        `Template '${id}' ${version} is not what was looked at: its content has another hash now.`,
        {
          hint: `Look at it again: callsheet templates show ${id}@${version}`,
          details: { id, version, ...(loaded?.hash === undefined ? {} : { hash: loaded.hash }) },
        },
      );
    }
    if (loaded.approval === undefined) return { id, version, hash, approval: 'own' };
    if (loaded.approval === 'pending') {
      await approvals.add({ id, version, hash, at: Date.now() });
      options.announce(id, version);
    }
    return { id, version, hash, approval: 'approved' };
  }

  async function handOut({ bytes, name, template, problems }: Packed): Promise<ExportResult> {
    const assetId = await keepAsset(bytes, name, { assetDir, store, contention });
    const { id, version, hash } = template;
    return { assetId, name, bytes: bytes.length, template: { id, version, hash }, problems };
  }

  return {
    import: ({ requestKey, ...params }, signal) =>
      keys.once(requestKey, 'template/import', sha256Hex(JSON.stringify(params)), () => inTurn(() => importNow(params, signal)), null),
    approve: ({ requestKey, ...params }) =>
      keys.once(requestKey, 'template/approve', sha256Hex(JSON.stringify(params)), () => inTurn(() => approveNow(params)), null),
    async exportTemplate({ id, version }) {
      const template = findTemplate(library, id, version);
      const loaded = library.get(id, version);
      if (loaded === undefined) throw new CallsheetError('TEMPLATE_NOT_FOUND', `No template is called '${id}'.`);
      const lock = locks.of(loaded)?.lock ?? lockNow(template, bench);
      return handOut(await packTemplate(template, loaded.origin, { callsheet: VERSION }, lock));
    },
    async exportRun({ runId, as, id }) {
      const row = store.run(runId);
      if (row === undefined) throw new CallsheetError('RUN_NOT_FOUND', `No run has the id '${runId}'.`, { hint: 'See `callsheet runs`.' });
      const attempts = store.attempts(runId);
      const run = { row, template: options.pinned(row.templateHash), attempts, artifacts: store.artifacts(runId) };
      const used = new Set(attempts.map(({ backend }) => backend));
      const versions = await versionsOf(backends.filter((backend) => used.has(backend.id)));
      const classLock = lockNow(run.template, { ...bench, backends: backends.filter((backend) => used.has(backend.id)) });
      return handOut(await packRun(run, { as, id, versions, classLock }));
    },
  };
}

// --- helpers ---

/** Files are named by it, so it is looked at before anything is written. Throws IMPORT_REFUSED. */
function demandId(id: string): void {
  if (new RegExp(ID_PATTERN).test(id)) return;
  throw new CallsheetError('IMPORT_REFUSED', `${JSON.stringify(id)} cannot be the id of a template.`, {
    hint: 'Use 1 to 64 lower case letters, digits and hyphens, beginning with a letter or digit.',
  });
}

/** An id that the user's own templates or the curated ones have is theirs: an import would take their place. */
function placementIn(library: GatedLibrary, importDir: string): Placement {
  return ({ id, version, hash }) => {
    const same = library.list().filter((one) => one.id === id);
    const equal = same.find((one) => one.hash === hash && !one.problems.some(({ code }) => code === 'TEMPLATE_CONFLICT'));
    if (equal !== undefined) return { existing: equal.origin.path };
    const own = same.find((one) => one.approval === undefined);
    if (own !== undefined) throw exists(`the template '${id}' at ${own.origin.path}`);
    if (same.some((one) => one.version === version)) throw exists(`${id}@${version}, imported before with other content`);
    return { free: join(importDir, same.length === 0 ? id : `${id}-${version}`) };
  };
}

function resultOf(
  { template, path, from, problems, existing }: Imported & { readonly existing: boolean },
  library: GatedLibrary,
): TemplateImportResult {
  const { id, version, hash, manifest } = template;
  const loaded: GatedTemplate | undefined = library.list().find((one) => one.origin.path === path);
  return {
    template: {
      id,
      version,
      title: manifest.title ?? id,
      hash,
      path,
      approval: loaded === undefined ? 'pending' : (loaded.approval ?? 'own'),
      contents: contentsView(template, library),
    },
    existing,
    from,
    problems,
  };
}

/** Throws BACKEND_NOT_FOUND and, for a backend that was named, BACKEND_UNREACHABLE. */
async function infoFromBackend(
  backends: readonly Backend[],
  wanted: string | undefined,
  patience: number,
  takenBack: AbortSignal | undefined,
): ReturnType<AskForInfo> {
  if (wanted !== undefined) {
    const backend = backends.find((one) => one.id === wanted);
    if (backend !== undefined) return named(await askOne(backend, takenBack), `backend ${wanted}`);
    throw new CallsheetError('BACKEND_NOT_FOUND', `No backend has the id '${wanted}'.`, {
      hint: `Known backends: ${backends.map((one) => one.id).join(', ')}.`,
    });
  }
  const signal = AbortSignal.any([AbortSignal.timeout(patience), ...(takenBack === undefined ? [] : [takenBack])]);
  for (const backend of backends.filter((one) => one.kind === 'comfyui')) {
    const info = await objectInfoOf(backend, signal).catch(() => undefined);
    takenBack?.throwIfAborted();
    if (info !== undefined) return named(info, `backend ${backend.id}`);
  }
  return undefined;
}

/** A question that was cut off by the caller fails with the caller's reason. */
async function askOne(backend: Backend, signal: AbortSignal | undefined): Promise<ObjectInfo | undefined> {
  try {
    return await objectInfoOf(backend, signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

function named(info: ObjectInfo | undefined, infoName: string): Awaited<ReturnType<AskForInfo>> {
  return info === undefined ? undefined : { info, infoName };
}

/** Throws IMPORT_REFUSED. */
async function infoFromFile(roots: Roots, file: string): ReturnType<AskForInfo> {
  const media = await roots.resolveMedia(file, 'file');
  const { info, problems } = parseObjectInfo(await readFile(media.path, 'utf8'), { file: media.name });
  if (info !== undefined && !problems.some(isBlocking)) return { info, infoName: media.name };
  throw new CallsheetError('IMPORT_REFUSED', `The file ${media.name} is no object info of a ComfyUI.`, {
    problems,
    hint: 'Save one with: curl http://127.0.0.1:8188/object_info > object_info.json',
  });
}

async function versionsOf(backends: readonly Backend[]): Promise<Readonly<Record<string, string>>> {
  const versions: Record<string, string> = { callsheet: VERSION };
  for (const backend of backends) {
    const described = await backend.describe(AbortSignal.timeout(PATIENCE_MS)).catch(() => undefined);
    if (described?.version !== undefined) versions[backend.kind] = described.version;
  }
  return versions;
}

/** The last part alone, without what could not be shown. */
function cleanName(name: string): string {
  const last = (name.split(/[\\/]/).at(-1) ?? '').replaceAll(/\p{C}/gu, '').trim();
  return last === '' ? 'imported' : last.slice(0, 200);
}
