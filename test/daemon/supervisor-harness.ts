/** A whole engine without its door: real store, library, machines and comfyui backend over a fake ComfyUI. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import pino from 'pino';
import type { Backend } from '#backends/contract.ts';
import { createComfyUIBackend } from '#backends/comfyui/backend.ts';
import type { Timeouts } from '#backends/comfyui/settings.ts';
import { createContention } from '#daemon/contention.ts';
import { openKeptResults } from '#daemon/kept-results.ts';
import { createOffers } from '#daemon/offers.ts';
import type { StallPolicy } from '#actors/deps.ts';
import type { PhaseWatch } from '#actors/watch-phases.ts';
import type { PoolSettings } from '#daemon/scheduler/settings.ts';
import { guardStorage } from '#daemon/storage-guard.ts';
import { createSupervisor, type Supervisor } from '#daemon/supervisor.ts';
import type { BackOffOptions } from '#machines/back-off.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { RunEvent } from '#protocol/events.ts';
import { RUN_ENDS, type RunView } from '#protocol/views.ts';
import { openStore } from '#store/store.ts';
import type { Store } from '#store/types.ts';
import { createLibrary } from '#templates/library.ts';
import { type FakeComfyUI, startFakeComfyUI } from '../fakes/fake-comfyui.ts';

const TEMPLATES = fileURLToPath(new URL('../fixtures/templates', import.meta.url));

export interface EngineOptions {
  readonly pool?: PoolSettings;
  readonly graceMs?: number;
  /** Like `graceMs` when absent. */
  readonly restartGraceMs?: number;
  readonly backOff?: BackOffOptions;
  /** Stands between the supervisor and each backend. */
  readonly wrap?: (backend: Backend) => Backend;
  /** Stands between the supervisor and the store. */
  readonly wrapStore?: (store: Store) => Store;
  /** Ids of the backends, each with a fake of its own; the first serves runs that name none. One called `sandbox` counts as the embedded one. */
  readonly backends?: readonly string[];
  /** Servers that stand already, by id, instead of fakes. */
  readonly servers?: Readonly<Record<string, { readonly url: string; readonly headers?: Readonly<Record<string, string>> }>>;
  readonly stall?: StallPolicy;
  /** Other times than the short ones of this harness. */
  readonly timeouts?: Partial<Timeouts>;
  /** A directory of templates besides the fixtures. */
  readonly templates?: string;
  /** A stored data directory to start from, copied first. */
  readonly from?: string;
  /** Measures the parts of runs. */
  readonly watch?: PhaseWatch;
  /** Told of each supervisor before its runs go on. */
  readonly follow?: (supervisor: Supervisor) => void;
  /** How long a daemon lives with a run before the run is cleared of suspicion. */
  readonly settleMs?: number;
  /** Bytes of the result cache; without it there is none, so that the same request is executed each time. */
  readonly cacheBytes?: number;
}

export interface Engine {
  /** The first backend's fake. */
  readonly fake: FakeComfyUI;
  fakeOf(id: string): FakeComfyUI;
  readonly dir: string;
  readonly supervisor: Supervisor;
  readonly store: Store;
  readonly events: readonly RunEvent[];
  /** Stops the supervisor as a graceful daemon does and starts a new one over the same data; it is given the backends that are named, else all. */
  restart(only?: readonly string[], meanwhile?: () => void): Promise<void>;
  /** Resolves with the run once it has ended. */
  ended(runId: string): Promise<RunView>;
  close(): Promise<void>;
}

export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const dir = mkdtempSync(join(tmpdir(), 'callsheet-engine-'));
  if (options.from !== undefined) cpSync(options.from, dir, { recursive: true });
  const fakes = new Map<string, FakeComfyUI>();
  for (const id of options.backends ?? (options.servers === undefined ? ['comfyui'] : [])) fakes.set(id, await startFakeComfyUI());
  const servers = Object.entries({ ...Object.fromEntries([...fakes].map(([id, { url }]) => [id, { url }])), ...options.servers });
  const fakeOf = (id: string): FakeComfyUI => {
    const found = fakes.get(id);
    if (found === undefined) throw new Error(`no backend '${id}' in this engine`);
    return found;
  };
  const events: RunEvent[] = [];
  const wrapStore = options.wrapStore ?? ((one: Store) => one);
  const wrap = options.wrap ?? ((backend: Backend) => backend);
  const library = createLibrary([TEMPLATES, ...(options.templates === undefined ? [] : [options.templates])]);
  await library.refresh();
  if (options.from !== undefined) moveTo(dir, fakes);
  let store = openStore({ dir });
  const openKept = async () =>
    options.cacheBytes === undefined ? undefined : openKeptResults(dir, options.cacheBytes, pino({ level: 'silent' }));
  let kept = await openKept();
  let supervisor = start();

  function start(only?: readonly string[]): Supervisor {
    const timeouts = {
      absentGapMs: 30,
      pollMs: 200,
      pollOfflineMs: 40,
      reconnectMinMs: 10,
      reconnectMaxMs: 50,
      cancelStepMs: 20,
      ...options.timeouts,
    };
    const backends = servers
      .filter(([id]) => only?.includes(id) ?? true)
      .map(([id, at]) => wrap(createComfyUIBackend({ id, kind: id === 'sandbox' ? 'sandbox' : 'comfyui', ...at, timeouts })));
    const log = pino({ level: 'silent' });
    const parts = {
      store: wrapStore(store),
      contention: createContention(log),
      library,
      backends,
      offers: createOffers(backends, log),
      outputDir: join(dir, 'output'),
      storeId: 'engine',
      resolveMedia: () => (value: string) => Promise.reject(new CallsheetError('PATH_NOT_ALLOWED', `${value} is not allowed here.`)),
      resolveDirectory: (path: string) => Promise.resolve(path),
      graceMs: options.graceMs ?? 10_000,
      restartGraceMs: options.restartGraceMs ?? options.graceMs ?? 10_000,
      retryMs: 20,
      stall: options.stall ?? { limitMs: 600_000, leastMs: 60_000, lookMs: 2000, askMs: 30_000, action: 'note' },
      backOff: options.backOff ?? { initialMs: 20, maxMs: 100, random: () => 0.5 },
      ...(options.pool === undefined ? {} : { pool: options.pool }),
      ...(options.settleMs === undefined ? {} : { settleMs: options.settleMs }),
      ...(kept === undefined ? {} : { kept }),
      ...(options.watch === undefined ? {} : { watch: options.watch }),
      log,
    };
    const made = guardStorage({
      ...parts,
      make: (onStorageFailure) => createSupervisor({ ...parts, onStorageFailure }),
      onLastFailure: (error) => {
        throw error;
      },
    });
    made.onEvents((batch) => void events.push(...batch));
    options.follow?.(made);
    made.resume();
    return made;
  }

  return {
    get fake() {
      return fakeOf((options.backends ?? ['comfyui'])[0] ?? '');
    },
    fakeOf,
    dir,
    get supervisor() {
      return supervisor;
    },
    get store() {
      return store;
    },
    events,
    async restart(only, meanwhile) {
      await supervisor.close();
      store.close();
      kept?.close();
      meanwhile?.();
      store = openStore({ dir });
      kept = await openKept();
      supervisor = start(only);
    },
    ended(runId) {
      return new Promise((resolve) => {
        const look = () => {
          const view = supervisor.get(runId);
          if (!RUN_ENDS.includes(view.status)) return false;
          resolve(view);
          return true;
        };
        if (look()) return;
        const stop = supervisor.onEvents(() => {
          if (look()) stop();
        });
      });
    },
    async close() {
      await supervisor.close();
      store.close();
      kept?.close();
      for (const fake of fakes.values()) await fake.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A recorded directory names the addresses of its day; its backends are these fakes now. */
function moveTo(dir: string, fakes: ReadonlyMap<string, FakeComfyUI>): void {
  const db = new Database(join(dir, 'callsheet.db'));
  for (const [id, { url }] of fakes) db.prepare('UPDATE attempts SET address = ? WHERE backend = ?').run(url, id);
  db.close();
}
