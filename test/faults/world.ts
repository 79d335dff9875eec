/**
 * A daemon in a process of its own, a client that comes back to it wherever it is, the sandbox, and a fault proxy between daemon and sandbox.
 * What is asked of it here is what befalls a studio: processes die, connections drop, somebody clears the queue.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Timeouts } from '#backends/comfyui/settings.ts';
import { startSandbox } from '#backends/sandbox/server.ts';
import type { Sandbox } from '#backends/sandbox/options.ts';
import { type Client, connect, type Endpoint } from '#protocol/client.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { RunEvent } from '#protocol/events.ts';
import { RUN_ENDS } from '#protocol/views.ts';
import { readRuntimeFile } from '#daemon/runtime-file.ts';
import { openStore } from '#store/store.ts';
import { type Process, startProcess } from '../crash/processes.ts';
import { type FaultProxy, startFaultProxy } from '../fakes/fault-proxy.ts';
import { brokenPromises } from './promises.ts';

const TEMPLATES = fileURLToPath(new URL('../fixtures/templates', import.meta.url));

export interface WorldOptions {
  /** A directory of templates instead of the fixtures. */
  readonly templates?: string;
  /** Of the sandbox, per node. */
  readonly latencyMs?: number;
  /** Other times of the comfyui backend than the real ones. */
  readonly timeouts?: Partial<Timeouts>;
  readonly env?: Readonly<Record<string, string>>;
  /** Point of `crash-child` at which the first daemon is killed. */
  readonly dieBefore?: string;
  /** The daemon's log level; warnings of faults that are meant would fill the terminal of a benchmark. */
  readonly quiet?: boolean;
}

export interface World {
  /** The daemon's data directory. */
  readonly data: string;
  readonly sandbox: Sandbox;
  readonly proxy: FaultProxy;
  readonly seen: readonly RunEvent[];
  readonly acknowledged: readonly string[];
  /** A run whose start was answered otherwise than through `start`. */
  acknowledge(runId: string): void;
  /** A daemon over the same data, while no other is there, that is killed after so many points; true when it came that far. */
  dieStarting(dieAt: number): Promise<boolean>;
  /** Of the daemon at work. */
  runtimeFile(): string;
  pid(): number;
  /** Repeats a call whose connection was lost until it is answered: give it a `requestKey` when it changes something. */
  call: Client['call'];
  /** Starts a run of a template of the fixtures under a key of its own. */
  start(template: string, parameters: Readonly<Record<string, unknown>>): Promise<string>;
  /** Resolves with its status once the run has ended. */
  ended(runId: string): Promise<string>;
  /** Resolves when the daemon has died by itself. */
  died(): Promise<void>;
  /** SIGKILL, and a new daemon over the same data; `meanwhile` happens in between. */
  killDaemon(meanwhile?: () => void | Promise<void>): Promise<void>;
  /** SIGTERM, and a new daemon over the same data; `meanwhile` happens in between. */
  stopDaemon(meanwhile?: () => void | Promise<void>): Promise<void>;
  /** The backend is a dead process for so long, and knows nothing of before when it is back. */
  restartBackend(downMs: number): Promise<void>;
  /** Somebody else clears the backend's queue, or its history. */
  clear(what: 'queue' | 'history'): Promise<void>;
  /** The client's connection breaks; it resumes by itself. */
  dropClient(): Promise<void>;
  /** Every promise that does not hold. The daemon is stopped for it and stays so. */
  broken(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const dir = mkdtempSync(join(tmpdir(), 'callsheet-world-'));
  const data = join(dir, 'data');
  const sandbox = await startSandbox({ dir: join(dir, 'sandbox'), latencyMs: options.latencyMs ?? 1 });
  const proxy = await startFaultProxy(sandbox.url);
  const seen: RunEvent[] = [];
  const acknowledged: string[] = [];
  const ends = new Map<string, string>();
  const waiting = new Map<string, PromiseWithResolvers<string>>();
  let isFirst = true;
  let daemon: Process = await startDaemonProcess();
  let client: Client = await openClient();
  let keys = 0;

  async function startDaemonProcess(): Promise<Process> {
    const started = await startOne(0);
    if (started === undefined) throw new Error('the daemon did not start');
    return started;
  }

  function startOne(dieAt: number): Promise<Process | undefined> {
    const headers = { Host: new URL(sandbox.url).host };
    const { timeouts = {} } = options;
    const orders = {
      data,
      templates: options.templates ?? TEMPLATES,
      backends: [proxy.url],
      headers,
      timeouts,
      root: dir,
      record: '',
      dieAt,
      fate: 'killed',
      ...(isFirst && options.dieBefore !== undefined ? { dieBefore: options.dieBefore } : {}),
    };
    isFirst = false;
    return startProcess('./crash-child.ts', {
      ...options.env,
      ...(options.quiet === true ? { CALLSHEET_LOG_LEVEL: 'silent' } : {}),
      CALLSHEET_CRASH_ORDERS: JSON.stringify(orders),
    });
  }

  function where(): Endpoint | undefined {
    const info = readRuntimeFile(String(daemon.ready['runtimeFile']));
    return info === undefined ? undefined : { url: info.url, key: info.key };
  }

  async function openClient(): Promise<Client> {
    const endpoint = where();
    if (endpoint === undefined) throw new Error('the daemon left no runtime file');
    const made = await connect({ ...endpoint, reconnectFor: 600_000, relocate: () => Promise.resolve(where()) });
    // Another log than before: the database was replaced.
    if (seen.at(-1)?.epoch !== made.server.epoch) seen.length = 0;
    const since = { epoch: made.server.epoch, seq: seen.at(-1)?.position ?? 0 };
    await made.subscribe({ since }, { onEvent: note });
    return made;
  }

  function note({ runId, seq, position, epoch, at, event }: RunEvent): void {
    seen.push({ runId, seq, position, epoch, at, event });
    if (event.type === 'run.retried') {
      ends.delete(runId);
      waiting.delete(runId);
    }
    if (event.type !== 'run.status' || !RUN_ENDS.includes(event.status)) return;
    ends.set(runId, event.status);
    waiting.get(runId)?.resolve(event.status);
  }

  const call: Client['call'] = async (method, params) => {
    for (;;) {
      try {
        return await client.call(method, params);
      } catch (error) {
        if (!(error instanceof CallsheetError) || !['CONNECTION_LOST', 'DAEMON_NOT_RUNNING'].includes(error.code)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  };

  let robbed = false;
  return {
    data,
    sandbox,
    proxy,
    seen,
    acknowledged,
    acknowledge: (runId) => void acknowledged.push(runId),
    async dieStarting(dieAt) {
      const started = await startOne(dieAt);
      await started?.stop('SIGKILL');
      return started === undefined;
    },
    runtimeFile: () => String(daemon.ready['runtimeFile']),
    pid: () => daemon.child.pid ?? 0,
    call,
    async start(template, parameters) {
      keys += 1;
      const { runId } = await call('run/start', { template, parameters, requestKey: `world-${String(keys)}` });
      acknowledged.push(runId);
      return runId;
    },
    ended(runId) {
      const end = ends.get(runId);
      if (end !== undefined) return Promise.resolve(end);
      const waiter = waiting.get(runId) ?? Promise.withResolvers<string>();
      waiting.set(runId, waiter);
      return waiter.promise;
    },
    died: async () => void (await daemon.ended),
    async killDaemon(meanwhile) {
      await daemon.stop('SIGKILL');
      await meanwhile?.();
      daemon = await startDaemonProcess();
    },
    async stopDaemon(meanwhile) {
      await daemon.stop('SIGTERM');
      await meanwhile?.();
      daemon = await startDaemonProcess();
    },
    async restartBackend(downMs) {
      await proxy.refuse();
      await sandbox.restart({ downMs });
      await proxy.listen();
    },
    async clear(what) {
      robbed ||= what === 'history';
      const body = JSON.stringify({ clear: true });
      await fetch(`${sandbox.url}/${what}`, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
    },
    async dropClient() {
      await client.close();
      client = await openClient();
    },
    async broken() {
      // The log that the client sees is whole once its last line has come.
      const { run } = await call('run/get', { runId: acknowledged.at(-1) ?? '' }).catch(() => ({ run: undefined }));
      if (run !== undefined) await call('ping');
      await daemon.stop('SIGTERM');
      const store = openStore({ dir: data });
      try {
        const evidence = { store, outputDir: join(data, 'output'), executions: sandbox.ledger(), acknowledged, seen, robbed };
        return await brokenPromises(evidence);
      } finally {
        store.close();
      }
    },
    async close() {
      await client.close().catch(() => undefined);
      await daemon.stop('SIGKILL');
      await proxy.close();
      await sandbox.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
