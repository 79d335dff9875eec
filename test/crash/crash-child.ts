/**
 * A daemon in a process of its own that can be told to meet its fate before or after the Nth commit or side effect: SIGKILL, or another way.
 * Store, files and backends are the real ones, each call counted on its way through. Started by play.ts.
 */
import { appendFileSync } from 'node:fs';
import { createComfyUIBackend } from '#backends/comfyui/backend.ts';
import type { Timeouts } from '#backends/comfyui/settings.ts';
import type { Backend } from '#backends/contract.ts';
import { parseConfig } from '#daemon/config.ts';
import { runDaemon } from '#daemon/main.ts';
import { type OpenOptions, openStore } from '#store/store.ts';
import { meetFate, type Fate } from './fates.ts';
import { watchedBackend, watchedStore, watchFiles } from './points.ts';

interface Orders {
  readonly data: string;
  readonly templates: string;
  /** Addresses, or whole specifications as `--backend` takes them. */
  readonly backends: readonly string[];
  /** For a proxy between: sent with everything that goes to the backend. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Other times than the real ones, so that a test need not wait as long. */
  readonly timeouts?: Partial<Timeouts>;
  readonly root: string;
  /** Its fate is met when this many points have been passed; 0 never. */
  readonly dieAt: number;
  readonly fate: Fate;
  /** Name of a point at which it is met as well, the first time. */
  readonly dieBefore?: string;
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
  if (passed === orders.dieAt || name === orders.dieBefore) meetFate(orders.fate);
}

function poisoned(step: string): void {
  if (step === orders.poison) meetFate('killed');
}

/** The backend as it was configured, or one with other times in its place. */
function hurried(backend: Backend): Backend {
  const { timeouts, headers = {} } = orders;
  return timeouts === undefined ? backend : createComfyUIBackend({ id: backend.id, url: backend.url, headers, timeouts });
}

const config = parseConfig(
  {
    data: orders.data,
    templates: [orders.templates],
    backends: orders.backends.map((given) => (given.includes('=') ? given : `comfyui=${given}`)),
    roots: [orders.root],
  },
  { CALLSHEET_LOG_LEVEL: 'warn', ...process.env, CALLSHEET_RUNTIME_DIR: `${orders.data}/runtime` },
);
const parts = {
  openStore: (options: OpenOptions) => watchedStore(openStore(options), point),
  wrapBackend: (backend: Backend) => watchedBackend(hurried(backend), point, poisoned),
  ...(orders.settleMs === undefined ? {} : { settleMs: orders.settleMs }),
};
watchFiles(point);
process.exit(await runDaemon({ config, json: true, parts }));
