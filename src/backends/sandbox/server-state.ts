/** What the routes and the worker share. Created anew when the server "restarts". */
import { type CacheMode, createNodeCache, type NodeCache } from './cache.ts';
import type { Account } from './costs/account.ts';
import type { SandboxFaults } from './faults.ts';
import type { Ledger } from './ledger.ts';
import type { Catalogue } from './nodes/catalogue.ts';
import type { Environment } from './nodes/define.ts';
import { createQueue, type Queue } from './queue.ts';
import type { ResultMemo } from './options.ts';
import type { Sockets } from './sockets.ts';
import type { JsonRecord } from './json.ts';

export interface ServerState {
  readonly catalogue: Catalogue;
  readonly environment: Environment;
  readonly faults: SandboxFaults;
  readonly sockets: Sockets;
  readonly ledger: Ledger;
  /** Keeps the line for whoever reads the log over HTTP, and passes it on. */
  readonly log: (line: string) => void;
  /** The newest lines, as ComfyUI gives them. */
  readonly printed: Printed[];
  readonly queue: Queue;
  readonly cache: NodeCache;
  readonly interrupt: InterruptFlag;
  readonly free: { memory: boolean; models: boolean };
  /** What the work would cost on a machine with models. */
  readonly account?: Account;
  readonly memo?: ResultMemo;
  readonly previews?: boolean;
  readonly settings: JsonRecord;
  readonly startedAt: Date;
  /** Id of the node at work. */
  currentNode: string | undefined;
  /** Wakes the worker; set by it. */
  wake: () => void;
}

/** When, and what. */
export type Printed = { readonly t: string; readonly m: string };

export interface InterruptFlag {
  /** Milliseconds since the epoch, or undefined when nobody asked. */
  since: number | undefined;
}

/** As many as ComfyUI keeps. */
const PRINTED = 300;

export interface StateBase extends Pick<
  ServerState,
  'catalogue' | 'environment' | 'faults' | 'sockets' | 'ledger' | 'log' | 'account' | 'memo' | 'previews'
> {
  readonly cacheMode: CacheMode;
}

export function createState(base: StateBase): ServerState {
  const startedAt = new Date();
  const printed: Printed[] = [{ t: localTime(startedAt), m: 'Starting server\n' }];
  const state: ServerState = {
    ...base,
    printed,
    log(line) {
      printed.push({ t: localTime(new Date()), m: `${line}\n` });
      if (printed.length > PRINTED) printed.shift();
      base.log(line);
    },
    queue: createQueue(() => sendStatus(state)),
    cache: createNodeCache(base.cacheMode, (key) => base.account?.drop(key)),
    interrupt: { since: undefined },
    free: { memory: false, models: false },
    settings: {},
    startedAt,
    currentNode: undefined,
    wake: () => undefined,
  };
  return state;
}

/** As ComfyUI tells it: in local time, without a zone. */
function localTime(date: Date): string {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().replace('Z', '');
}

/** Told to everybody at enqueue, start, finish, delete and clear. */
export function sendStatus({ sockets, queue }: Pick<ServerState, 'sockets' | 'queue'>): void {
  sockets.send('status', { status: execInfo(queue) });
}

export function execInfo(queue: Queue): JsonRecord {
  return { exec_info: { queue_remaining: queue.remaining() } };
}
