/** A real door on a real port with a real store in a fresh directory; only the supervisor and the library are faked. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { WebSocket } from 'ws';
import { createInspector } from '#results/inspect/inspector.ts';
import { createArtifactService } from '#daemon/artifact-service.ts';
import { createAuth } from '#daemon/auth.ts';
import { listEvents } from '#daemon/event-list.ts';
import { createInspectHub } from '#daemon/inspect/inspect-hub.ts';
import { serveInspector } from '#daemon/inspect/open-inspector.ts';
import { createBrowserRoutes } from '#daemon/browser/routes.ts';
import { createBrowserSessions } from '#daemon/browser/sessions.ts';
import { createEventHub, feedHub } from '#daemon/event-hub.ts';
import { openDoor } from '#daemon/http-server.ts';
import type { Route } from '#daemon/http-server.ts';
import { DOOR_LIMITS } from '#daemon/limits.ts';
import type { DoorLimits } from '#daemon/limits.ts';
import { createLogger } from '#daemon/log.ts';
import type { Handlers } from '#daemon/methods.ts';
import type { ExchangeService } from '#daemon/exchange/exchange-service.ts';
import { createMethods } from '#daemon/methods.ts';
import { createNodeWatch } from '#daemon/node-watch.ts';
import { createRunGraph } from '#daemon/run-graph.ts';
import { createRefusals } from '#daemon/refusals.ts';
import { createRunMemories } from '#daemon/run-memory.ts';
import type { RunService, StartRequest } from '#daemon/run-service.ts';
import type { TemplateService } from '#daemon/template-service.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { RunEvent, RunEventBody } from '#protocol/events.ts';
import type { TemplateChanged } from '#protocol/methods/event.ts';
import type { TemplateDetail } from '#protocol/methods/template.ts';
import { textOf } from '#protocol/frame-text.ts';
import { createValidator } from '#protocol/validate.ts';
import { openStore } from '#store/store.ts';

export interface DoorOptions {
  readonly limits?: Partial<DoorLimits>;
  readonly routes?: (parts: { readonly dir: string; readonly store: ReturnType<typeof openStore> }) => readonly Route[];
  readonly handlers?: Partial<Handlers>;
  /** Where the files of the dashboard lie: `www` in its directory when absent. */
  readonly dashboardDir?: string;
}

export type TestDoor = Awaited<ReturnType<typeof openTestDoor>>;

export async function openTestDoor(options: DoorOptions = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'callsheet-door-'));
  const store = openStore({ dir, synchronous: 'NORMAL' });
  const logged: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      logged.push(String(chunk));
      done();
    },
  });
  const log = createLogger(sink, 'trace');
  const sessions = createBrowserSessions('0123abcd-0000-4000-8000-000000000000');
  const auth = sessions.withTickets(createAuth());
  const refusals = createRefusals((reason, total) => log.warn({ reason, total }, 'refused a request'));
  const hub = createEventHub(store);
  const runs = createFakeRuns(store);
  const templates = createFakeTemplates();
  feedHub(hub, runs.service, templates.service);
  const inspectHub = createInspectHub();
  const limits = { ...DOOR_LIMITS, ...options.limits };
  const inspector = serveInspector({ hub: inspectHub, store, auth, refusals, limits });
  const stopped = Promise.withResolvers<void>();
  const startedAt = Date.now();
  const handlers = createMethods({
    version: '0.1.0',
    runs: runs.service,
    inspect: inspector.inspect,
    eventsOf: (query) => listEvents(store, query),
    templates: templates.service,
    exchange: fakeExchange,
    retention: { pin: () => undefined, clean: async () => ({ dryRun: true, runs: [], bytes: 0, kept: [], more: false }) },
    artifacts: createArtifactService({
      store,
      pinned: (hash) => createRunMemories(store).pinned(hash),
      inspector: createInspector(),
    }),
    graph: createRunGraph({ store, runs: runs.service, watch: createNodeWatch(), pinned: (hash) => createRunMemories(store).pinned(hash) }),
    consent: { shown: (view) => view, set: async (id) => ({ id, url: 'http://127.0.0.1:1', takesFiles: true }) },
    shutdown: () => stopped.resolve(),
    openBrowser: () => ({ url: `http://127.0.0.1:${door.port}/open#${sessions.issueCode()}` }),
    status: () => ({
      version: '0.1.0',
      protocol: 1,
      pid: process.pid,
      instance: 'test-instance',
      epoch: store.epoch,
      startedAt,
      uptimeSeconds: 0,
      dataDir: dir,
      outputDir: dir,
      templateDirs: [],
      roots: [],
      cache: runs.service.cache.use(),
      runs: runs.service.counts(),
      queue: runs.service.queue.status(),
      storage: runs.service.storage(),
      templates: { known: 0, runnable: 0, compiled: 0, compiledBytes: 0, compiledLimit: 0, sources: 0, sourceBytes: 0 },
      connections: door.connections,
      subscriptions: hub.subscriptions,
      refused: refusals.counts(),
      position: store.lastPosition(),
    }),
  });
  const door = await openDoor({
    port: 0,
    auth,
    hub,
    log,
    refusals,
    ...inspector,
    limits,
    validator: createValidator(),
    identity: { version: '0.1.0', instance: 'test-instance', epoch: store.epoch },
    handlers: { ...handlers, ...options.handlers },
    sessions,
    routes: [
      ...(options.routes?.({ dir, store }) ?? []),
      ...createBrowserRoutes({ sessions, dashboardDir: options.dashboardDir ?? join(dir, 'www') }),
    ],
  });
  const url = `ws://127.0.0.1:${door.port}/rpc`;
  return {
    dir,
    store,
    auth,
    sessions,
    hub,
    inspectHub,
    runs,
    templates,
    refusals,
    door,
    url,
    port: door.port,
    host: `127.0.0.1:${door.port}`,
    key: auth.keyOf('admin'),
    logged,
    stopped: stopped.promise,
    /** Cuts every connection without a word. */
    cutAll: () => door.cutAll(),
    async [Symbol.asyncDispose]() {
      sessions.close();
      await door.close();
      hub.close();
      store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A supervisor that stores what it is told and does nothing else. */
export function createFakeRuns(store: ReturnType<typeof openStore>) {
  const eventListeners = new Set<(events: readonly RunEvent[]) => void>();
  const progressListeners = new Set<Parameters<RunService['onProgress']>[0]>();
  const previewListeners = new Set<Parameters<RunService['onPreview']>[0]>();
  const backendListeners = new Set<Parameters<RunService['onBackend']>[0]>();
  const started: StartRequest[] = [];

  function emit(runId: string, ...bodies: readonly RunEventBody[]): readonly RunEvent[] {
    const events = store.commit({ events: bodies.map((body) => ({ runId, at: Date.now(), body })) });
    for (const listener of eventListeners) listener(events);
    return events;
  }

  function create(runId: string): void {
    const events = store.commit({
      templates: [{ hash: 'h', content: '{}' }],
      newRuns: [{ runId, template: 'hero', version: '1.0.0', templateHash: 'h', backend: null, parameters: '{}', createdAt: Date.now() }],
      states: [
        {
          runId,
          status: 'running',
          draft: false,
          progress: 0,
          machine: 'run',
          machineVersion: 1,
          snapshot: '{}',
          timers: null,
          error: null,
          endedAt: null,
        },
      ],
      events: [{ runId, at: Date.now(), body: { type: 'run.created', template: 'hero', version: '1.0.0' } }],
    });
    for (const listener of eventListeners) listener(events);
  }

  const queue = { paused: false, waitingRuns: 0, waitingItems: 0 };
  const sandbox = { id: 'sandbox', kind: 'sandbox', status: 'ready', draft: true } as const;
  const service: RunService = {
    async start(request) {
      started.push(request);
      const runId = `run-${started.length}`;
      create(runId);
      return { runId };
    },
    get(runId) {
      const row = store.run(runId);
      if (row === undefined) throw new CallsheetError('RUN_NOT_FOUND', 'No run has this id.');
      const { template, version, status, draft, progress, createdAt } = row;
      const told = { runId, template, version, status, draft, progress, createdAt };
      return { ...told, parameters: {}, options: { optimize: true, cache: true }, steps: [], artifacts: [], problems: [] };
    },
    list: (query) =>
      store.runs(query).map(({ runId, template, version, status, draft, progress, createdAt }) => ({
        runId,
        template,
        version,
        status,
        draft,
        progress,
        createdAt,
      })),
    async cancel(runId) {
      return { status: service.get(runId).status };
    },
    retry: async ({ runId }) => ({ runId, status: service.get(runId).status, again: [] }),
    choose: async ({ runId, into = 'picked', values = [] }) => ({ into, picked: values, status: service.get(runId).status }),
    onEvents: (listener) => subscribeTo(eventListeners, listener),
    onProgress: (listener) => subscribeTo(progressListeners, listener),
    onPreview: (listener) => subscribeTo(previewListeners, listener),
    onBackend: (listener) => subscribeTo(backendListeners, listener),
    atWork: () => [],
    counts: () => ({ open: 0, queued: 0, active: 0, held: 0, recovering: 0 }),
    storage: () => ({ status: 'ready' }),
    isBusy: () => false,
    pinnedTemplates: () => new Set(),
    once: (_key, _method, _params, work) => work(),
    queue: {
      status: () => queue,
      pause: async () => queue,
      resume: async () => queue,
      backends: () => [sandbox],
      backend: () => ({ backend: sandbox, attempts: [] }),
      free: async () => ({ asked: true }),
      assumeLost: async () => ({ attempts: 0 }),
    },
    cache: { use: () => ({ entries: 0, bytes: 0, limit: 0, hits: 0, misses: 0 }), clear: async () => ({ entries: 0, bytes: 0 }) },
    close: async () => {},
  };
  return {
    service,
    started,
    emit,
    create,
    progress: (notice: Parameters<Parameters<RunService['onProgress']>[0]>[0]) => progressListeners.forEach((listener) => listener(notice)),
    preview: (notice: Parameters<Parameters<RunService['onPreview']>[0]>[0]) => previewListeners.forEach((listener) => listener(notice)),
    backend: (view: Parameters<Parameters<RunService['onBackend']>[0]>[0]) => backendListeners.forEach((listener) => listener(view)),
  };
}

const HASH = 'a'.repeat(64);
const HANDED_OUT = {
  assetId: HASH,
  name: 'hero-1.0.0.callsheet',
  bytes: 1,
  template: { id: 'hero', version: '1.0.0', hash: HASH },
  problems: [],
};
const CONTENTS = { nodeClasses: [], newClasses: [], models: [], files: [], addresses: [], backends: ['comfyui'] };
const fakeExchange: ExchangeService = {
  import: async () => ({
    template: { id: 'hero', version: '1.0.0', title: 'Hero', hash: HASH, path: '/nowhere', approval: 'pending', contents: CONTENTS },
    existing: false,
    from: 'bundle',
    problems: [],
  }),
  approve: async () => ({ id: 'hero', version: '1.0.0', hash: HASH, approval: 'approved' }),
  exportTemplate: async () => HANDED_OUT,
  exportRun: async () => HANDED_OUT,
};

function createFakeTemplates() {
  const listeners = new Set<(change: TemplateChanged) => void>();
  const detail: TemplateDetail = {
    id: 'hero',
    version: '1.0.0',
    title: 'Hero',
    category: 'test',
    hash: 'h',
    path: '/nowhere',
    kind: 'folder',
    runnable: true,
    parameters: {},
    schema: {},
    steps: [{ id: 'base' }],
    problems: [],
  };
  const service: TemplateService = {
    list: () => [
      { id: 'hero', version: '1.0.0', title: 'Hero', category: 'test', steps: ['base'], parameters: 0, runnable: true, problems: 0 },
    ],
    async get({ id }) {
      if (id !== 'hero') throw new CallsheetError('TEMPLATE_NOT_FOUND', `No template is called '${id}'.`);
      return detail;
    },
    check: async () => ({ files: [{ path: '/nowhere', ok: true, problems: [] }] }),
    migrate: async ({ path }) => ({ path, folder: path, files: [], problems: [] }),
    adopt: async () => ({ workflow: '{}', converted: false, problems: [] }),
    render: async () => ({ template: 'hero', version: '1.0.0', steps: [], problems: [] }),
    onChange: (listener) => subscribeTo(listeners, listener),
  };
  return { service, change: (change: TemplateChanged) => listeners.forEach((listener) => listener(change)) };
}

function subscribeTo<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** Sends bytes as they are and gives back everything until the server closes, or until `enough` says so. */
export function raw(port: number, text: string, enough: (received: string) => boolean = () => false): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = dial(port, '127.0.0.1');
    let received = '';
    socket.on('connect', () => socket.write(text));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (enough(received)) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
  });
}

export function statusOf(response: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(response)?.[1]);
}

/** A WebSocket without any manners: frames are sent and collected as they are. */
export async function rawSocket(url: string, headers: Readonly<Record<string, string>> = {}) {
  const socket = new WebSocket(url, { headers, perMessageDeflate: false });
  const frames: string[] = [];
  const waiting: (() => void)[] = [];
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  socket.on('message', (data) => {
    frames.push(textOf(data));
    for (const wake of waiting.splice(0)) wake();
  });
  socket.on('close', (code, reason) => {
    closed.resolve({ code, reason: String(reason) });
    for (const wake of waiting.splice(0)) wake();
  });
  await new Promise<void>((resolve, reject) => {
    socket.on('open', () => resolve());
    socket.on('error', reject);
  });
  return {
    socket,
    frames,
    closed: closed.promise,
    send: (value: unknown) => socket.send(typeof value === 'string' ? value : JSON.stringify(value)),
    /** The first frame that fits, waiting for it. */
    async next(fits: (frame: string) => boolean = () => true): Promise<string> {
      for (;;) {
        const at = frames.findIndex((frame) => fits(frame));
        if (at >= 0) return frames.splice(at, 1)[0] ?? '';
        if (socket.readyState === socket.CLOSED) throw new Error('the socket closed before the frame came');
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
  };
}

/** Opens a socket with a key in the header and initializes it. */
export async function openSession(door: TestDoor, scope: 'read' | 'run' | 'admin' = 'admin') {
  const socket = await rawSocket(door.url, { Authorization: `Bearer ${door.auth.keyOf(scope)}` });
  socket.send({ jsonrpc: '2.0', id: 'init', method: 'initialize', params: { client: { name: 'test', version: '1' } } });
  await socket.next((frame) => frame.includes('"init"'));
  return socket;
}
