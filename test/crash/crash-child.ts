/**
 * A daemon in a process of its own that can be told to meet its fate before or after the Nth commit or side effect: SIGKILL, or another way.
 * Store and backends are the real ones, each call counted on its way through. Started by crash-scenario.ts.
 */
import { appendFileSync } from 'node:fs';
import { createComfyUIBackend } from '#backends/comfyui/backend.ts';
import type { Timeouts } from '#backends/comfyui/settings.ts';
import type { Backend } from '#backends/contract.ts';
import { parseConfig } from '#daemon/config.ts';
import { runDaemon } from '#daemon/main.ts';
import { type OpenOptions, openStore } from '#store/store.ts';
import type { Store } from '#store/types.ts';
import { meetFate, type Fate } from './fates.ts';

interface Orders {
  readonly data: string;
  readonly templates: string;
  readonly backend: string;
  /** Further backends of the pool. */
  readonly others?: readonly string[];
  /** For a proxy between: sent with everything that goes to the backend. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Other times than the real ones, so that a test need not wait as long. */
  readonly timeouts?: Partial<Timeouts>;
  readonly root: string;
  /** Its fate is met when this many points have been passed; 0 never. */
  readonly dieAt: number;
  readonly fate: Fate;
  /** Step whose every touch kills the daemon: a poisoned run. */
  readonly poison?: string;
  readonly settleMs?: number;
  /** File to which the name of every point passed is appended; empty for none. */
  readonly record: string;
}

const orders = JSON.parse(process.env['CALLSHEET_CRASH_ORDERS'] ?? '{}') as Orders;
let passed = 0;

function point(name: string): void {
  passed += 1;
  if (orders.record !== '') appendFileSync(orders.record, `${name}\n`);
  if (passed === orders.dieAt) meetFate(orders.fate);
}

function poisoned(step: string): void {
  if (step === orders.poison) meetFate('killed');
}

function watchedStore(store: Store): Store {
  return {
    ...store,
    commit(batch) {
      point('commit.before');
      const events = store.commit(batch);
      point('commit.after');
      return events;
    },
  };
}

/** `submit`, `upload`, `fetch`, `cancel` and `forget` reach outside; looking something up changes nothing. */
function watchedBackend(backend: Backend): Backend {
  const watched =
    <Args extends readonly unknown[], Result>(name: string, call: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      point(`${name}.before`);
      const result = await call(...args);
      point(`${name}.after`);
      return result;
    };
  return {
    id: backend.id,
    kind: backend.kind,
    url: backend.url,
    describe: (signal) => backend.describe(signal),
    objectInfo: (options) => backend.objectInfo(options),
    attach(attempt, signal) {
      poisoned(attempt.step);
      return backend.attach(attempt, signal);
    },
    follow: (attempt, options) => backend.follow(attempt, options),
    free: () => backend.free(),
    close: () => backend.close(),
    upload: watched('upload', (file, signal) => backend.upload(file, signal)),
    submit: watched('submit', (attempt, payload, signal) => {
      poisoned(attempt.step);
      return backend.submit(attempt, payload, signal);
    }),
    fetch: watched('fetch', (file, signal) => backend.fetch(file, signal)),
    cancel: watched('cancel', (attempt, signal) => backend.cancel(attempt, signal)),
    forget: watched('forget', (attempt) => backend.forget(attempt)),
  };
}

/** The backend as it was configured, or one with other times in its place. */
function hurried(backend: Backend): Backend {
  const { timeouts, headers = {} } = orders;
  return timeouts === undefined ? backend : createComfyUIBackend({ id: backend.id, url: orders.backend, headers, timeouts });
}

const pool = (orders.others ?? []).map((url) => `comfyui=${url}`);
const config = parseConfig(
  { data: orders.data, templates: [orders.templates], backends: [`comfyui=${orders.backend}`, ...pool], roots: [orders.root] },
  { CALLSHEET_LOG_LEVEL: 'warn', ...process.env, CALLSHEET_RUNTIME_DIR: `${orders.data}/runtime` },
);
const parts = {
  openStore: (options: OpenOptions) => watchedStore(openStore(options)),
  wrapBackend: (backend: Backend) => watchedBackend(hurried(backend)),
  ...(orders.settleMs === undefined ? {} : { settleMs: orders.settleMs }),
};
process.exit(await runDaemon({ config, json: true, parts }));
