/** The connection of a command to its daemon: the running one of the data directory, else one started in this process. */
import { CallsheetError } from '#protocol/errors.ts';
import { type Client, connect, type Endpoint, type OnNotification } from '#protocol/client.ts';
import type { ProgressNotice } from '#protocol/events.ts';
import type { Notifications } from '#protocol/methods/event.ts';
import { findRuntime, type RuntimeInfo } from '#daemon/runtime-file.ts';
import type { Io } from './io.ts';
import { VERSION } from '#daemon/version.ts';

/** How long a daemon may be away, e.g. to be started again, before a command gives up: milliseconds. */
const RECONNECT_MS = 60_000;

export interface Session {
  readonly client: Client;
  /** The newest address and key. */
  readonly endpoint: Endpoint;
  /** True when the daemon lives in this process and ends with the session. */
  readonly own: boolean;
  /** True when the daemon was started to stay: by `callsheet daemon`, not in the process of a command. */
  readonly lasting: boolean;
  /** Resolves when the connection is lost for good. */
  readonly closed: Promise<CallsheetError | undefined>;
  onProgress(listener: (notice: ProgressNotice) => void): () => void;
  close(): Promise<void>;
}

/** A daemon in this process, as the daemon room hands it out. */
export interface OwnDaemon {
  readonly endpoint: Endpoint;
  close(): Promise<void>;
}

export interface ConnectionOptions {
  /** As the daemon's log names the client; `callsheet-cli` when absent. */
  readonly name?: string;
  /** `run`: may do nothing that needs the scope admin, which is the usual one. */
  readonly scope?: 'run';
  /** Milliseconds that a daemon may be away before the session closes; a minute when absent. */
  readonly reconnectFor?: number;
  readonly onNotification?: OnNotification;
  /** The connection ended and a daemon was found again, perhaps another one; calls wait until it is connected. */
  readonly onFound?: () => void;
}

/** Undefined when no daemon runs for the data directory. Throws when one is there but can not be used. */
export async function connectToRunning(dataDir: string, io: Io, options: ConnectionOptions = {}): Promise<Session | undefined> {
  let lasting = true;
  let isFirst = true;
  const locate = (): Endpoint | undefined => {
    const info = findRuntime({ dataDir, env: io.env });
    if (info !== undefined) lasting = info.ofCommand !== true;
    if (info !== undefined && !isFirst) options.onFound?.();
    isFirst = false;
    if (info === undefined) return undefined;
    const { url, socket } = info;
    return { url, key: options.scope === 'run' ? demandRunKey(info) : info.key, ...(socket === undefined ? {} : { socket }) };
  };
  const endpoint = locate();
  if (endpoint === undefined) return undefined;
  try {
    return await openSession(endpoint, {
      ...options,
      own: false,
      lasting: () => lasting,
      relocate: locate,
      onClosed: () => Promise.resolve(),
    });
  } catch (error) {
    // A file that a killed daemon left behind, its process id taken by another program since.
    if (error instanceof CallsheetError && error.code === 'DAEMON_NOT_RUNNING') return undefined;
    throw error;
  }
}

/** Throws DAEMON_NOT_RUNNING. */
export async function demandRunning(dataDir: string, io: Io, options: ConnectionOptions = {}): Promise<Session> {
  const session = await connectToRunning(dataDir, io, options);
  if (session !== undefined) return session;
  throw new CallsheetError('DAEMON_NOT_RUNNING', `No daemon runs for the data directory ${dataDir}.`, {
    hint: 'Start one: callsheet daemon. If it has another data directory, name it: --data DIR',
  });
}

/** The session owns the daemon: closing the one stops the other. */
export async function connectToOwn(daemon: OwnDaemon, options: ConnectionOptions = {}): Promise<Session> {
  try {
    return await openSession(daemon.endpoint, {
      ...options,
      own: true,
      lasting: () => false,
      relocate: undefined,
      onClosed: () => daemon.close(),
    });
  } catch (error) {
    await daemon.close();
    throw error;
  }
}

// --- helpers ---

function demandRunKey({ runKey, version }: RuntimeInfo): string {
  if (runKey !== undefined) return runKey;
  throw new CallsheetError('PROTOCOL_UNSUPPORTED', `The running daemon (${version}) hands out no key of scope run.`, {
    hint: 'Stop it and start the daemon of this version: callsheet daemon',
  });
}

interface SessionOptions extends ConnectionOptions {
  readonly own: boolean;
  readonly lasting: () => boolean;
  readonly relocate: (() => Endpoint | undefined) | undefined;
  readonly onClosed: () => Promise<void>;
}

async function openSession(first: Endpoint, { own, lasting, relocate, onClosed, ...options }: SessionOptions): Promise<Session> {
  const listeners = new Set<(notice: ProgressNotice) => void>();
  const closed = Promise.withResolvers<CallsheetError | undefined>();
  let endpoint = first;
  const client = await connect({
    ...first,
    name: options.name ?? 'callsheet-cli',
    version: VERSION,
    ...(options.scope === undefined ? {} : { scope: options.scope }),
    onNotification: (name, params) => {
      options.onNotification?.(name, params);
      if (name !== 'progress') return;
      for (const listener of listeners) listener(params as Notifications['progress']);
    },
    onClose: closed.resolve,
    ...(relocate === undefined
      ? {}
      : {
          reconnectFor: options.reconnectFor ?? RECONNECT_MS,
          relocate: () => {
            const found = relocate();
            if (found !== undefined) endpoint = found;
            return Promise.resolve(found);
          },
        }),
  });
  return {
    client,
    own,
    closed: closed.promise,
    get lasting() {
      return lasting();
    },
    get endpoint() {
      return endpoint;
    },
    onProgress(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      await client.close();
      await onClosed();
    },
  };
}
