/** The connection of a command to its daemon: the running one of the data directory, else one started in this process. */
import { CallsheetError } from '#protocol/errors.ts';
import { type Client, connect, type Endpoint } from '#protocol/client.ts';
import type { ProgressNotice } from '#protocol/events.ts';
import type { Notifications } from '#protocol/methods/event.ts';
import { findRuntime } from '#daemon/runtime-file.ts';
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

/** Undefined when no daemon runs for the data directory. Throws when one is there but can not be used. */
export async function connectToRunning(dataDir: string, io: Io): Promise<Session | undefined> {
  const locate = (): Endpoint | undefined => {
    const info = findRuntime({ dataDir, env: io.env });
    return info === undefined ? undefined : { url: info.url, key: info.key, ...(info.socket === undefined ? {} : { socket: info.socket }) };
  };
  const endpoint = locate();
  if (endpoint === undefined) return undefined;
  try {
    return await openSession(endpoint, { own: false, relocate: locate, onClosed: () => Promise.resolve() });
  } catch (error) {
    // A file that a killed daemon left behind, its process id taken by another program since.
    if (error instanceof CallsheetError && error.code === 'DAEMON_NOT_RUNNING') return undefined;
    throw error;
  }
}

/** Throws DAEMON_NOT_RUNNING. */
export async function demandRunning(dataDir: string, io: Io): Promise<Session> {
  const session = await connectToRunning(dataDir, io);
  if (session !== undefined) return session;
  throw new CallsheetError('DAEMON_NOT_RUNNING', `No daemon runs for the data directory ${dataDir}.`, {
    hint: 'Start one: callsheet daemon. If it has another data directory, name it: --data DIR',
  });
}

/** The session owns the daemon: closing the one stops the other. */
export async function connectToOwn(daemon: OwnDaemon): Promise<Session> {
  try {
    return await openSession(daemon.endpoint, { own: true, relocate: undefined, onClosed: () => daemon.close() });
  } catch (error) {
    await daemon.close();
    throw error;
  }
}

// --- helpers ---

interface SessionOptions {
  readonly own: boolean;
  readonly relocate: (() => Endpoint | undefined) | undefined;
  readonly onClosed: () => Promise<void>;
}

async function openSession(first: Endpoint, { own, relocate, onClosed }: SessionOptions): Promise<Session> {
  const listeners = new Set<(notice: ProgressNotice) => void>();
  const closed = Promise.withResolvers<CallsheetError | undefined>();
  let endpoint = first;
  const client = await connect({
    ...first,
    name: 'callsheet-cli',
    version: VERSION,
    onNotification: (name, params) => {
      if (name !== 'progress') return;
      for (const listener of listeners) listener(params as Notifications['progress']);
    },
    onClose: closed.resolve,
    ...(relocate === undefined
      ? {}
      : {
          reconnectFor: RECONNECT_MS,
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
