/** The lasting connection of an MCP server to its daemon: opened when first needed, found again after a restart, calls repeated where that is safe. */
import { setTimeout as pause } from 'node:timers/promises';
import { CallsheetError } from '#protocol/errors.ts';
import type { Client, OnNotification } from '#protocol/client.ts';
import type { ProgressNotice, RunEvent, RunEventBody } from '#protocol/events.ts';
import type { MethodName, ParamsOf, ResultOf } from '#protocol/methods/index.ts';
import type { ConnectionOptions, Session } from '../session.ts';

/** How often a daemon that stayed away is looked for, in milliseconds. */
const LOOK_MS = 2000;

/** How long after a refusal its events are asked for again, in milliseconds. */
const FOLLOW_MS = 500;

export interface LinkEvents {
  /** Something that is listed may be another one now. */
  readonly listed: (what: 'templates' | 'artifacts') => void;
  /** An event of a run; without `body` anything may have happened to any run. */
  readonly run: (runId: string | undefined, body: RunEventBody | undefined) => void;
  readonly progress: (notice: ProgressNotice) => void;
}

export interface DaemonLink {
  /** Throws what the daemon answers, and DAEMON_NOT_RUNNING when it stays away. Mutations need a `requestKey`: they are repeated when the answer was lost. */
  call<M extends MethodName>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>>;
  /** The bytes of an artifact. Throws FILE_TOO_LARGE, FILE_NOT_FOUND, DAEMON_NOT_RUNNING. */
  artifactBytes(artifactId: string, maxBytes: number): Promise<Buffer>;
  listen(events: Partial<LinkEvents>): () => void;
  /** Stops a daemon that this process started. */
  close(): Promise<void>;
}

export interface DaemonLinkOptions {
  /** Connects to the running daemon, or starts one in this process when `mayStart`. */
  readonly open: (connection: ConnectionOptions, mayStart: boolean) => Promise<Session>;
  /** How long calls wait for a daemon that is away, in milliseconds. */
  readonly awayMs: number;
  /** One line for the log. */
  readonly say: (text: string) => void;
}

export function createDaemonLink({ open, awayMs, say }: DaemonLinkOptions): DaemonLink {
  const listeners = new Set<Partial<LinkEvents>>();
  const ending = new AbortController();
  let current: Promise<Session> | undefined;
  /** A daemon that somebody started to stay has backends and roots that one of ours would lack: it is waited for, never replaced. */
  let mayStart = true;
  let looking = false;

  const tell = <K extends keyof LinkEvents>(kind: K, ...values: Parameters<LinkEvents[K]>) => {
    for (const one of listeners) (one[kind] as ((...all: Parameters<LinkEvents[K]>) => void) | undefined)?.(...values);
  };
  const anything = () => {
    tell('listed', 'templates');
    tell('listed', 'artifacts');
    tell('run', undefined, undefined);
  };
  const onNotification: OnNotification = (name, params) => {
    if (name === 'progress') tell('progress', params as ProgressNotice);
    if (name === 'template/changed') tell('listed', 'templates');
    if (name === 'run/removed') tell('listed', 'artifacts');
  };

  const session = async (): Promise<Session> => {
    ending.signal.throwIfAborted();
    if (current === undefined) {
      const opening = connect();
      current = opening;
      opening.catch(() => forget(opening));
    }
    return current;
  };

  function forget(opening: Promise<Session>): void {
    if (current === opening) current = undefined;
  }

  async function connect(): Promise<Session> {
    // What changed while it was away was told to nobody.
    const opened = await open({ name: 'callsheet-mcp', scope: 'run', reconnectFor: awayMs, onNotification, onFound: anything }, mayStart);
    const opening = current;
    say(opened.own ? 'Started a daemon in this process; it ends with it.' : 'Connected to the running daemon.');
    void opened.closed.then(async (error) => {
      if (opening !== undefined) forget(opening);
      if (ending.signal.aborted) return;
      say(`The daemon is away: ${error?.message ?? 'the connection ended.'}`);
      // Whoever stopped the one of this process wants to start another.
      mayStart = !opened.own && !opened.lasting;
      if (opened.own) await opened.close();
      anything();
      await lookAgain();
    });
    try {
      await follow(opened.client);
    } catch (error) {
      await opened.close();
      throw error;
    }
    anything();
    return opened;
  }

  /** One subscription of the whole log tells of every run, template and artifact. */
  async function follow(client: Client): Promise<void> {
    const onEvent = ({ runId, event }: RunEvent) => {
      if (event.type === 'artifact.created') tell('listed', 'artifacts');
      tell('run', runId, event);
    };
    const onGap = () => {
      anything();
      void followAgain(client);
    };
    await client.subscribe({}, { onEvent, onGap });
  }

  /** Until it is followed, or its connection has ended for good, which is told of elsewhere. */
  async function followAgain(client: Client): Promise<void> {
    const over = client.closed.then(() => true);
    for (;;) {
      try {
        await follow(client);
        // What happened since the gap was told to nobody.
        return anything();
      } catch {
        const ended = pause(FOLLOW_MS, false, { signal: ending.signal }).catch(() => true);
        if (await Promise.race([over, ended])) return;
      }
    }
  }

  /** So that lists are told anew when the daemon is back, though nobody calls. */
  async function lookAgain(): Promise<void> {
    if (looking) return;
    looking = true;
    let found = false;
    while (!found && !ending.signal.aborted) {
      // Cut short when the server ends.
      await pause(LOOK_MS, undefined, { signal: ending.signal }).catch(() => undefined);
      found = await session().then(
        () => true,
        () => false,
      );
    }
    looking = false;
  }

  async function call<M extends MethodName>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>> {
    const { client, closed } = await session();
    const gone = closed.then(() => true);
    for (;;) {
      try {
        return await client.call(method, params);
      } catch (error) {
        if (!(error instanceof CallsheetError) || error.code !== 'CONNECTION_LOST') throw error;
        // The client comes back by itself, or closes for good once it was away too long.
        if (await Promise.race([gone, pause(50, false)])) throw away(error);
      }
    }
  }

  async function fetchArtifact(artifactId: string): Promise<Response> {
    const { endpoint } = await session();
    const address = new URL(`/artifacts/${encodeURIComponent(artifactId)}`, endpoint.url.replace(/^ws/, 'http'));
    try {
      return await fetch(address, { headers: { authorization: `Bearer ${endpoint.key}` }, redirect: 'error' });
    } catch (error) {
      throw away(error);
    }
  }

  async function artifactBytes(artifactId: string, maxBytes: number): Promise<Buffer> {
    let response = await fetchArtifact(artifactId);
    if (response.status === 401) {
      await response.body?.cancel();
      // Another daemon has come to the same port, with another key: it is known once a call has been answered.
      await call('ping', {});
      response = await fetchArtifact(artifactId);
    }
    const length = Number(response.headers.get('content-length'));
    if (!response.ok || length > maxBytes) {
      await response.body?.cancel();
      if (response.ok) throw new CallsheetError('FILE_TOO_LARGE', `The file has ${length} bytes; at most ${maxBytes} are handed over.`);
      if (response.status !== 404) throw away(new Error(`The daemon answered with HTTP ${response.status}.`));
      throw new CallsheetError('FILE_NOT_FOUND', 'The file of this artifact is gone.', {
        hint: 'Somebody moved or deleted it; run again.',
      });
    }
    try {
      return Buffer.from(await response.arrayBuffer());
    } catch (error) {
      throw away(error);
    }
  }

  return {
    call,
    artifactBytes,
    listen(events) {
      listeners.add(events);
      return () => listeners.delete(events);
    },
    async close() {
      ending.abort(away(undefined));
      await (await current?.catch(() => undefined))?.close();
    },
  };
}

// --- helpers ---

function away(cause: unknown): CallsheetError {
  return new CallsheetError('DAEMON_NOT_RUNNING', 'The daemon is away and did not come back.', {
    hint: 'Start it again: callsheet daemon. Runs that were started go on then.',
    cause,
  });
}
