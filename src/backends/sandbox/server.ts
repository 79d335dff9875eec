/** Starts the sandbox: a ComfyUI-compatible server in this process, on loopback only. */
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_CACHE } from './cache.ts';
import { createAccount } from './costs/account.ts';
import { checkFaults, type SandboxFaults } from './faults.ts';
import { createGate, type Gate } from './gates.ts';
import { createLedger } from './ledger.ts';
import { createModelLists } from './models.ts';
import { CATALOGUE } from './nodes/catalogue.ts';
import { DEFAULT_LATENCY_MS, type Sandbox, type SandboxOptions } from './options.ts';
import { createSandboxServer } from './http-server.ts';
import { createState, type ServerState, type StateBase } from './server-state.ts';
import { createSockets } from './sockets.ts';
import { createStorage } from './storage.ts';
import { runWorker } from './worker.ts';

const LOOPBACK = '127.0.0.1';

/** Before it listens and while it stops nobody is let in. */
const shut: Gate = () => false;

interface Life {
  readonly state: ServerState;
  /** Ends the worker where it stands. */
  end(): Promise<void>;
}

/**
 * Throws what listening throws (a port in use: EADDRINUSE) and CallsheetError INVALID_PARAMS for an unknown fault.
 * The event loop of this process does the pixel work: a picture of 4096² takes seconds.
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const faults: SandboxFaults = checkFaults(options.faults ?? {});
  const windows = (): boolean => faults.windowsSeparators === true;
  mkdirSync(options.dir, { recursive: true });
  const storage = createStorage(options.dir, windows);
  const base: StateBase = {
    catalogue: CATALOGUE,
    environment: { models: createModelLists(options.models ?? {}, windows), storage },
    faults,
    sockets: createSockets(faults),
    ledger: createLedger(path.join(storage.dir, 'ledger.jsonl')),
    log: options.log ?? (() => undefined),
    cacheMode: options.cache ?? (options.prices === undefined ? DEFAULT_CACHE : { kind: 'ram', bytes: options.prices.ramBytes }),
    ...(options.prices === undefined ? {} : { account: createAccount(options.prices, options.pageCache) }),
    ...(options.memo === undefined ? {} : { memo: options.memo }),
    ...(options.previews === undefined ? {} : { previews: options.previews }),
  };
  const latencyMs = options.latencyMs ?? DEFAULT_LATENCY_MS;

  let life = begin(base, latencyMs);
  let gate: Gate = shut;
  const server = createSandboxServer(
    () => life.state,
    () => gate,
  );
  const listen = async (port: number): Promise<number> => {
    server.listen(port, LOOPBACK);
    await once(server, 'listening');
    const address = server.address();
    const given = typeof address === 'object' && address !== null ? address.port : port;
    gate = createGate(given, options);
    return given;
  };
  const stop = async (): Promise<void> => {
    gate = shut;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    base.sockets.cut();
    await life.end();
    await closed;
  };
  storage.wipeTemp();
  const port = await listen(options.port ?? 0).catch(async (error: unknown) => {
    await life.end();
    throw error;
  });
  const url = `http://${LOOPBACK}:${port}`;
  base.log(`sandbox listens on ${url}`);

  let open = true;
  return {
    url,
    port,
    faults,
    ledger: () => base.ledger.entries(),
    async restart({ downMs = 0 } = {}) {
      await stop();
      storage.wipeTemp();
      if (downMs > 0) await sleep(downMs);
      base.account?.restart();
      life = begin(base, latencyMs);
      await listen(port);
    },
    async close() {
      if (!open) return;
      open = false;
      await stop();
      storage.wipeTemp();
    },
  };
}

function begin(base: StateBase, latencyMs: number): Life {
  const state = createState(base);
  const stopping = new AbortController();
  const worker = runWorker(state, latencyMs, stopping.signal).catch((error: unknown) => {
    if (!stopping.signal.aborted) state.log(`the worker died: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  });
  return {
    state,
    async end() {
      stopping.abort();
      await worker;
    },
  };
}
