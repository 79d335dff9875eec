/** A whole daemon in a process of its own, as `callsheet daemon` starts it, with counters around its store and its file syncs. */
import { mkdirSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Backend } from '#backends/contract.ts';
import { startDaemon } from '#daemon/daemon.ts';
import { parseConfig } from '#daemon/config.ts';
import { openStore } from '#store/store.ts';
import type { OpenOptions } from '#store/store.ts';
import type { Batch, Store } from '#store/types.ts';
import { childOptions, serveParent, tell } from './processes.ts';

export interface Counters {
  /** Transactions; with synchronous=FULL each is one fsync of the log. */
  readonly commits: number;
  /** Snapshots of runs inside them. */
  readonly states: number;
  readonly events: number;
  /** Calls of fsync on files other than the database's. */
  readonly fileSyncs: number;
  /** Attempts of an earlier daemon that were looked up and found on their backend. */
  readonly found: number;
  /** Bytes sent to the disk by this process as Linux counts them; undefined elsewhere. */
  readonly bytesWritten: number | undefined;
  /** Milliseconds of processor time. */
  readonly cpuMs: number;
  /** The same of the main thread alone, and for how long it was ready while others had the processor; as Linux counts them. */
  readonly mainCpuMs: number;
  readonly waitedMs: number | undefined;
  readonly rssMb: number;
  /** Times of the way of each attempt (milliseconds of this process's clock), for telling where the time goes. */
  readonly stages: readonly Stages[];
  /** What each commit held, in order; only when `trace` is on. */
  readonly trace: readonly string[];
}

export interface Stages {
  /** The first commit that held the intent stands, and the prompt is handed to the backend. */
  submit: number;
  accepted?: number;
  finished?: number;
  fetch?: number;
}

const given = childOptions() as { dir: string; templates: string; url: string; trace?: boolean };
const { dir, templates, url, trace = false } = given;
const counted = { commits: 0, states: 0, events: 0, fileSyncs: 0, found: 0 };
const lines: string[] = [];

function countingStore(options: OpenOptions): Store {
  const store = openStore(options);
  return {
    ...store,
    commit(batch) {
      counted.commits += 1;
      counted.states += batch.states?.length ?? 0;
      counted.events += batch.events?.length ?? 0;
      const begin = performance.now();
      const events = store.commit(batch);
      if (trace) lines.push(`${begin.toFixed(2)} +${(performance.now() - begin).toFixed(2)} ms commit ${describe(batch)}`);
      return events;
    },
  };
}

const stages = new Map<string, Stages>();

/** Notes when each attempt passes; the calls themselves go through unchanged. */
function timed(backend: Backend): Backend {
  const newest = (): Stages | undefined => [...stages.values()].at(-1);
  return {
    ...backend,
    async attach(attempt, signal) {
      const found = await backend.attach(attempt, signal);
      if (found.state !== 'absent') counted.found += 1;
      return found;
    },
    async submit(attempt, payload, signal) {
      const own: Stages = { submit: performance.now() };
      stages.set(attempt.promptId, own);
      const receipt = await backend.submit(attempt, payload, signal);
      own.accepted = performance.now();
      return receipt;
    },
    follow(attempt, options) {
      const onEvent: typeof options.onEvent = (event) => {
        const own = stages.get(attempt.promptId);
        if (event.type === 'finished' && own !== undefined) own.finished = performance.now();
        options.onEvent(event);
      };
      backend.follow(attempt, { ...options, onEvent });
    },
    async fetch(file, signal) {
      const own = newest();
      if (own !== undefined) own.fetch = performance.now();
      return backend.fetch(file, signal);
    },
  };
}

function describe(batch: Batch): string {
  const sizes = Object.entries(batch).flatMap(([name, rows]) => {
    const count = (rows as readonly unknown[] | undefined)?.length ?? 0;
    return count === 0 ? [] : [`${name}:${count}`];
  });
  const events = (batch.events ?? []).map(({ body }) => ('status' in body ? `${body.type}=${body.status}` : body.type));
  const bytes = (batch.states ?? []).map(({ snapshot }) => snapshot?.length ?? 0);
  return `${sizes.join(' ')} [${events.join(', ')}] snapshot ${bytes.join('+')} B`;
}

async function countFileSyncs(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const original = Object.getOwnPropertyDescriptor(prototype, 'sync')?.value as () => Promise<void>;
  prototype.sync = function sync() {
    counted.fileSyncs += 1;
    return original.call(this);
  };
}

function bytesWritten(): number | undefined {
  try {
    return Number(/^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

/** Elsewhere than on Linux the processor time of all threads stands for that of the main one. */
function mainThread(): Pick<Counters, 'mainCpuMs' | 'waitedMs'> {
  try {
    const [worked, waited] = readFileSync(`/proc/self/task/${String(process.pid)}/schedstat`, 'utf8')
      .split(' ')
      .map(Number);
    return { mainCpuMs: (worked ?? 0) / 1e6, waitedMs: (waited ?? 0) / 1e6 };
  } catch {
    const { user, system } = process.cpuUsage();
    return { mainCpuMs: (user + system) / 1000, waitedMs: undefined };
  }
}

function counters(): Counters {
  const { user, system } = process.cpuUsage();
  return {
    ...counted,
    ...mainThread(),
    bytesWritten: bytesWritten(),
    cpuMs: (user + system) / 1000,
    rssMb: process.memoryUsage.rss() / 1024 / 1024,
    stages: takeStages(),
    trace: lines.splice(0),
  };
}

function takeStages(): readonly Stages[] {
  const taken = [...stages.values()];
  stages.clear();
  return taken;
}

mkdirSync(dir, { recursive: true });
await countFileSyncs(dir);
const environment = { CALLSHEET_RUNTIME_DIR: join(dir, 'runtime') };
const config = parseConfig(
  { data: join(dir, 'data'), out: join(dir, 'out'), backends: [`comfyui=${url}`], templates: [templates] },
  environment,
);
const daemon = await startDaemon(config, { openStore: countingStore, wrapBackend: timed });
serveParent(counters, () => daemon.close());
tell(daemon.endpoint);
