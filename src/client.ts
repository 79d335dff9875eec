/**
 * What the package exports as `callsheet/client`: finds the running daemon, connects to it, and waits for runs (docs/client.md).
 * Everything here is for programs of others; the command line has a room of its own.
 */
import { connect } from '#protocol/client.ts';
import type { Client, ConnectOptions, Endpoint } from '#protocol/client.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { RunEvent } from '#protocol/events.ts';
import { RUN_ENDS } from '#protocol/views.ts';
import type { RunView } from '#protocol/views.ts';
import { findRuntime } from '#daemon/runtime-file.ts';

export { connect } from '#protocol/client.ts';
export type { CallOptions, Client, ConnectOptions, Endpoint, EventHandlers, OnNotification } from '#protocol/client.ts';
export { CallsheetError } from '#protocol/errors.ts';
export type { ErrorCode, ErrorData } from '#protocol/errors.ts';
export type { RunEvent, RunEventBody } from '#protocol/events.ts';
export type { Cursor, EventSnapshot, SubscribeParams } from '#protocol/methods/event.ts';
export type { MethodName, ParamsOf, ResultOf } from '#protocol/methods/index.ts';
export type { CallProgress, NotificationName, Notifications } from '#protocol/notifications.ts';
export type { Problem } from '#protocol/problem.ts';
export { RUN_ENDS } from '#protocol/views.ts';
export type { ArtifactView, BackendView, ChoiceView, RunStatus, RunSummary, RunView, StepView, TemplateSummary } from '#protocol/views.ts';

/** How long a daemon may be away, e.g. to be started again, before the client closes itself: milliseconds. */
const RECONNECT_MS = 60_000;

export interface DaemonOptions extends Omit<ConnectOptions, keyof Endpoint | 'relocate'> {
  /** The data directory of the daemon; that of the platform, or CALLSHEET_DATA, when absent. */
  readonly dataDir?: string;
}

/**
 * A client of the running daemon, which it finds by its runtime file and finds again after a restart; for a minute, unless `reconnectFor` says
 * otherwise. Throws DAEMON_NOT_RUNNING, DAEMON_UNTRUSTED, RUNTIME_DIR_UNSAFE, PROTOCOL_UNSUPPORTED.
 */
export async function connectToDaemon({ dataDir, ...options }: DaemonOptions = {}): Promise<Client> {
  const locate = (): Endpoint | undefined => {
    const info = findRuntime(dataDir === undefined ? {} : { dataDir });
    return info === undefined ? undefined : { url: info.url, key: info.key };
  };
  const endpoint = locate();
  if (endpoint === undefined) {
    throw new CallsheetError('DAEMON_NOT_RUNNING', 'No daemon runs for this data directory.', { hint: 'Start one: callsheet daemon' });
  }
  return connect({ reconnectFor: RECONNECT_MS, ...options, ...endpoint, relocate: () => Promise.resolve(locate()) });
}

export interface WaitOptions {
  /** Each event of the run from now on, once. */
  readonly onEvent?: (event: RunEvent) => void;
  /** Stops waiting; the run goes on. */
  readonly signal?: AbortSignal;
}

/**
 * The run once it has ended, whatever happens to the connection meanwhile, as long as the client comes back.
 * Throws RUN_NOT_FOUND, CONNECTION_LOST when the client is closed before the end, and the reason of `signal`.
 */
export async function waitForRun(client: Client, runId: string, { onEvent, signal }: WaitOptions = {}): Promise<RunView> {
  signal?.throwIfAborted();
  const ended = Promise.withResolvers<RunView>();
  const stop = () => ended.reject(signal?.reason);
  signal?.addEventListener('abort', stop, { once: true });
  void client.closed.then((error) => ended.reject(error ?? new CallsheetError('CONNECTION_LOST', 'The client was closed.')));
  const look = async () => {
    // What ended may have been an earlier try of the run: the run itself knows.
    const { run } = await client.call('run/get', { runId });
    if (RUN_ENDS.includes(run.status)) ended.resolve(run);
  };
  // Whoever stops waiting before the end must not hear of it as an error that nobody handled.
  ended.promise.catch(() => undefined);
  const subscription = await client.subscribe(
    { runId },
    {
      onSnapshot: ({ run }) => {
        if (run !== undefined && RUN_ENDS.includes(run.status)) ended.resolve(run);
      },
      onEvent: (event) => {
        onEvent?.(event);
        if (event.event.type === 'run.status' && RUN_ENDS.includes(event.event.status)) look().catch(ended.reject);
      },
      onGap: ended.reject,
    },
  );
  try {
    return await ended.promise;
  } finally {
    signal?.removeEventListener('abort', stop);
    await subscription.unsubscribe().catch(() => undefined);
  }
}
