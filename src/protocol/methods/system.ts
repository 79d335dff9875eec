/** Methods about the connection and the daemon itself. */
import { array, boolean, closed, described, integer, json, number, object, oneOf, optional, record, string } from '../schema.ts';
import type { Infer } from '../schema.ts';
import { SCOPES, method, requestKey } from './define.ts';
import { RUN_STATUSES } from '../views.ts';
import { queueState } from './queue.ts';

/** The one protocol version of this release (docs/protocol.md, Versions). */
export const PROTOCOL_VERSION = 1;

const party = closed({ name: string({ minLength: 1, maxLength: 100 }), version: string({ maxLength: 100 }) });

export const initialize = method({
  name: 'initialize',
  scope: 'read',
  mutation: false,
  description:
    'Opens the session: who is calling, which protocol, and proof of the key when the upgrade carried none. Comes first and once.',
  params: closed({
    client: party,
    protocol: optional(closed({ min: integer({ minimum: 1 }), max: integer({ minimum: 1 }) })),
    capabilities: optional(record(json())),
    auth: optional(
      closed({
        scope: oneOf(SCOPES),
        nonce: string({ minLength: 22, maxLength: 128 }),
        proof: string({ minLength: 43, maxLength: 43 }),
      }),
    ),
  }),
  result: object({
    server: object({ name: string(), version: string() }),
    protocol: integer({ minimum: 1 }),
    /** Names this process; a new one after each start. */
    instance: string(),
    /** Names the event log. */
    epoch: string(),
    scope: oneOf(SCOPES),
    capabilities: record(json()),
    /** The server's own proof over the client's nonce; present when the client sent `auth`. */
    proof: optional(string()),
  }),
  errors: ['UNAUTHORIZED', 'PROTOCOL_UNSUPPORTED'],
});

export const ping = method({
  name: 'ping',
  scope: 'read',
  mutation: false,
  description: 'Answers at once: the event loop is alive.',
  params: closed({}),
  result: object({ ok: boolean() }),
  errors: [],
});

export const discover = method({
  name: 'rpc.discover',
  scope: 'read',
  mutation: false,
  description: 'The OpenRPC document of this daemon, made from the table that validates the calls.',
  params: closed({}),
  result: record(json()),
  errors: [],
});

/** `busy`: another program holds the database, for so many seconds now. `failed`: the disk is full or fails. Both pass by themselves. */
const storageState = object({
  status: oneOf(['ready', 'busy', 'failed']),
  seconds: optional(number({ minimum: 0 })),
  message: optional(string()),
  hint: optional(string()),
});

const cacheUse = object({
  entries: integer({ minimum: 0 }),
  bytes: integer({ minimum: 0 }),
  limit: integer({ minimum: 0 }),
  hits: integer({ minimum: 0 }),
  misses: integer({ minimum: 0 }),
  trouble: optional(described(string(), 'Why nothing is kept now: its place cannot be used. Runs go on. Absent while all is well.')),
});

export type CacheUse = Infer<typeof cacheUse>;

export const daemonStatus = method({
  name: 'daemon/status',
  scope: 'read',
  mutation: false,
  description:
    'Version, uptime, counts, whether the database can be written, what the result cache holds and why it does not work, how many requests were refused at the gates and why, and what was lost when the start found the database damaged.',
  params: closed({}),
  result: object({
    version: string(),
    protocol: integer({ minimum: 1 }),
    pid: integer(),
    instance: string(),
    epoch: string(),
    /** Milliseconds since 1970. */
    startedAt: integer(),
    uptimeSeconds: integer({ minimum: 0 }),
    dataDir: string(),
    outputDir: string(),
    templateDirs: array(string()),
    roots: array(string()),
    /**
     * Of the open ones: `queued` have not begun, `held` wait for a daemon with their backend, `recovering` are taken up one group after
     * another, since daemons died in whose hands they were.
     */
    runs: object({
      open: integer({ minimum: 0 }),
      queued: integer({ minimum: 0 }),
      active: integer({ minimum: 0 }),
      held: integer({ minimum: 0 }),
      recovering: integer({ minimum: 0 }),
    }),
    queue: queueState,
    /** Whether what happens can be written down. */
    storage: storageState,
    /** Results that are kept, in bytes of at most `limit` (0: the cache is off), and how often one was taken, or looked for in vain, since the start. */
    cache: cacheUse,
    /** `compiled` are in memory, about `compiledBytes` of at most `compiledLimit`; `sources` are there because no file of ours has them. */
    templates: object({
      known: integer({ minimum: 0 }),
      runnable: integer({ minimum: 0 }),
      compiled: integer({ minimum: 0 }),
      compiledBytes: integer({ minimum: 0 }),
      compiledLimit: integer({ minimum: 0 }),
      sources: integer({ minimum: 0 }),
      sourceBytes: integer({ minimum: 0 }),
    }),
    connections: integer({ minimum: 0 }),
    subscriptions: integer({ minimum: 0 }),
    /** Reason → count since the start. */
    refused: record(integer({ minimum: 0 })),
    /** Highest position in the event log. */
    position: integer({ minimum: 0 }),
    /**
     * The database was damaged, gone or an older one when the daemon started: what was wrong, where the damaged file lies, which backup took its
     * place and since when changes are lost (milliseconds since 1970; absent: all of them). `rebuilt` runs were made again of their files, the
     * first thousand of them are `runs`: their files that are whole, and those that are not. `leftOut`: folders of files that became no run.
     * `open` runs go on from where the backup has them.
     */
    recovery: optional(
      object({
        reason: string(),
        movedTo: optional(string()),
        restoredFrom: optional(string()),
        lostSince: optional(integer()),
        open: integer({ minimum: 0 }),
        rebuilt: integer({ minimum: 0 }),
        runs: array(
          object({
            runId: string(),
            template: string(),
            status: oneOf(RUN_STATUSES),
            files: array(string()),
            missing: array(string()),
            damaged: array(string()),
          }),
        ),
        leftOut: array(object({ runId: string(), files: array(string()), why: string() })),
      }),
    ),
  }),
  errors: [],
});

export const cacheClear = method({
  name: 'cache/clear',
  scope: 'run',
  mutation: true,
  description: 'Drops every result that is kept. Files of runs stay where they are.',
  params: closed({ requestKey }),
  result: object({ entries: integer({ minimum: 0 }), bytes: integer({ minimum: 0 }) }),
  errors: ['REQUEST_KEY_CONFLICT', 'STORAGE_FAILED'],
});

export const daemonShutdown = method({
  name: 'daemon/shutdown',
  scope: 'admin',
  mutation: true,
  description: 'Stops the daemon gracefully. Jobs on backends go on and are picked up by the next start.',
  params: closed({ requestKey }),
  result: object({ stopping: boolean() }),
  errors: [],
});

export const sessionOpen = method({
  name: 'session/open',
  scope: 'admin',
  mutation: true,
  description:
    'An address that opens the dashboard in a browser. The code in its fragment is good once and for 60 seconds, so that the same `requestKey` gives a new one.',
  params: closed({ requestKey }),
  result: object({ url: string() }),
  errors: [],
});

export type InitializeParams = Infer<typeof initialize.params>;
export type InitializeResult = Infer<typeof initialize.result>;
export type StorageState = Infer<typeof storageState>;
export type DaemonStatus = Infer<typeof daemonStatus.result>;
