/** The composition root: everything is made here, in the order in which it depends on what stands already. */
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Backend } from '#backends/contract.ts';
import type { Endpoint } from '#protocol/client.ts';
import { PROTOCOL_VERSION } from '#protocol/methods/system.ts';
import { createValidator } from '#protocol/validate.ts';
import { lockDataDirectory } from '#store/lock.ts';
import { keepMark, readMark } from '#store/mark.ts';
import { openStore } from '#store/store.ts';
import { createLibrary } from '#templates/library.ts';
import { createArtifactService } from './artifact-service.ts';
import { type Auth, createAuth } from './auth.ts';
import { createBrowserRoutes } from './browser/routes.ts';
import { createBrowserSessions } from './browser/sessions.ts';
import { lockStore, openClassLocks } from './class-locks.ts';
import type { DaemonConfig } from './config.ts';
import { createConsentService } from './consent/consent-service.ts';
import { openConsents } from './consent/consents.ts';
import { guardUploads } from './consent/guard-uploads.ts';
import { createContention } from './contention.ts';
import { createEventHub, feedHub } from './event-hub.ts';
import { listEvents } from './event-list.ts';
import { openDoor } from './http-server.ts';
import { openApprovals } from './exchange/approvals.ts';
import { createExchangeService } from './exchange/exchange-service.ts';
import { gateLibrary } from './exchange/gate.ts';
import { sweepImports } from './exchange/imports.ts';
import { openKeptResults } from './kept-results.ts';
import { createLifecycle } from './lifecycle.ts';
import { openLibraryCache } from './library-cache.ts';
import { createLibraryService } from './library-service.ts';
import { socketPath } from './local-socket.ts';
import { createLog } from './log.ts';
import { startMaintenance } from './maintenance.ts';
import { writeKeyFile } from './metrics/key-file.ts';
import { createMediaResolver } from './media-resolver.ts';
import { createMethods } from './methods.ts';
import { createObjectInfoKeeper, keptObjectInfo } from './object-info-keeper.ts';
import { createOffers } from './offers.ts';
import { openInspectHub, serveInspector } from './inspect/open-inspector.ts';
import { makeDirectory } from './places.ts';
import { recoverRuns } from './rebuild/recover.ts';
import { createRunMemories } from './run-memory.ts';
import { createRefusals } from './refusals.ts';
import { createRetention } from './retention/retention.ts';
import { createRoots, isInside } from './roots.ts';
import { createRoutes } from './routes.ts';
import { demandSafePlace, redirectPath, removeRuntimeFile, writeRuntimeFile } from './runtime-file.ts';
import { createInspector } from '#results/inspect/inspector.ts';
import { createNodeWatch } from './node-watch.ts';
import { createRunGraph } from './run-graph.ts';
import { startBackends } from './start-backends.ts';
import { createStatus } from './status.ts';
import { guardStorage } from './storage-guard.ts';
import { createSupervisor } from './supervisor.ts';
import { createTelemetry } from './telemetry.ts';
import { watchTemplates } from './template-watcher.ts';
import { sweepUploads } from './uploads.ts';
import { VERSION } from './version.ts';

export interface Daemon {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly runtimeFile: string;
  /** For a client in this process. */
  readonly endpoint: Endpoint;
  /** The same with the key of scope run. */
  readonly runEndpoint: Endpoint;
  /** Graceful: takes no new work, writes everything down, leaves jobs on backends running. */
  close(): Promise<void>;
  /** For errors that nobody caught: logs and writes the log down. Nothing else is touched; the process must end. */
  crash(error: unknown): Promise<void>;
  /** Resolves once everything is closed; with the error when the daemon had to stop by itself. */
  readonly stopped: Promise<unknown>;
}

/** What tests put in between. */
export interface DaemonParts {
  readonly openStore?: typeof openStore;
  readonly wrapBackend?: (backend: Backend) => Backend;
  readonly settleMs?: number;
  /** For keys of every scope: the runtime file has that of an admin alone. */
  readonly auth?: Auth;
}

/** How long the first client waits for the backends to say what they have, so that it sees what can run. In milliseconds. */
const FIRST_JUDGEMENT_MS = 1000;

/** Throws STORAGE_LOCKED, STORAGE_NEWER, STORAGE_FAILED, RUNTIME_DIR_UNSAFE, PORT_UNAVAILABLE. */
export async function startDaemon(config: DaemonConfig, parts: DaemonParts = {}): Promise<Daemon> {
  const { dataDir, outputDir, templateDirs, runtimeFile, limits, graceMs, restartGraceMs, retryMs, stall } = config;
  const identity = { version: VERSION, instance: randomUUID(), startedAt: Date.now() };
  // Undone in reverse order: at the end, and when a later part can not be made.
  await using made = new AsyncDisposableStack();

  made.adopt(lockDataDirectory(dataDir), (lock) => lock.release());
  demandSafePlace(runtimeFile);
  for (const dir of [outputDir, join(dataDir, 'templates'), join(dataDir, 'log')]) makeDirectory(dir);
  const logFile = made.adopt(
    await createLog({ dataDir, level: config.logLevel, terminal: config.logToTerminal, bytes: config.logBytes }),
    (one) => one.close(),
  );
  const { log } = logFile;
  const lifecycle = createLifecycle(log);
  const telemetry = made.adopt(createTelemetry({ config, identity, log }), (one) => one.close());
  const known = readMark(dataDir);
  const opened = made.adopt((parts.openStore ?? openStore)({ dir: dataDir, ...(known === undefined ? {} : { mark: known }) }), (one) =>
    one.close(),
  );
  const store = telemetry.watchStore(opened);
  const mark = keepMark(dataDir, store);

  const assetDir = join(dataDir, 'assets');
  await sweepUploads(assetDir);
  const roots = createRoots({ roots: config.roots, asset: (id) => store.asset(id) });
  const objectInfoFile = keptObjectInfo(dataDir);
  const cache = made.adopt(openLibraryCache(dataDir, log), (one) => one.close());
  // A daemon that only reads another's imports leaves them as they are.
  if (isInside(dataDir, config.importDir)) await sweepImports(config.importDir);
  const approvals = openApprovals(config.approvalsFile, log);
  const library = gateLibrary(createLibrary(templateDirs, { cache, objectInfoFile }), {
    importDir: config.importDir,
    isApproved: (hash) => approvals.has(hash),
  });
  made.defer(() => library.flush());
  await library.refresh();
  const isOwn = isInside(dataDir, outputDir);
  const recovered =
    store.recovery &&
    (await recoverRuns({ store, recovery: store.recovery, library, outputDir, storeId: mark.id, isOwn, now: Date.now, log }));
  // From here on a database that is behind this one is not the one that was here. A rebuild that was cut short comes again.
  mark.write();
  made.defer(() => mark.write());
  const resolveMedia = createMediaResolver(roots, library);

  const contention = createContention(log);
  const kept = made.adopt(await openKeptResults(dataDir, config.cacheBytes, log), (one) => one.close());
  const started = made.adopt(await startBackends(config.backends, dataDir, log), (one) => one.close());
  const consents = openConsents(join(dataDir, 'consents.json'), log);
  const backends = started.backends.map((backend) => guardUploads(parts.wrapBackend?.(backend) ?? backend, consents, log));
  const consent = createConsentService({ backends, consents, decided: (id) => offers.decided(id) });
  const offers = made.adopt(createOffers(backends, log, consent.takesFiles), (one) => one.close());
  const judged = offers.begin(FIRST_JUDGEMENT_MS);
  const inspectHub = made.adopt(openInspectHub(store, log), (one) => one.close());
  const supervisor = made.adopt(
    guardStorage({
      store,
      log,
      onLastFailure: (error) => lifecycle.stop(error),
      make: (onStorageFailure) =>
        createSupervisor({
          store,
          contention,
          library,
          backends,
          offers,
          outputDir,
          storeId: mark.id,
          resolveMedia,
          resolveDirectory: (path) => roots.resolvePath(path),
          graceMs,
          restartGraceMs,
          retryMs,
          stall,
          pool: config.pool,
          kept,
          watch: telemetry.watch,
          log,
          inspect: (runId, event) => inspectHub.tap(runId, event),
          ...(parts.settleMs === undefined ? {} : { settleMs: parts.settleMs }),
          onStorageFailure,
        }),
    }),
    (one) => one.close(),
  );

  const locks = made.adopt(openClassLocks(lockStore(dataDir), log), (one) => one.close());
  const templates = createLibraryService({ library, offers, locks, roots, resolveMedia, backends, templateDirs, objectInfoFile });
  supervisor.onBackend((view) => offers.heard(view));
  const memories = createRunMemories(store);
  const pinned = (hash: string) => memories.pinned(hash);
  const inspector = made.adopt(createInspector(), (one) => one.close());
  const exchange = createExchangeService({
    importDir: config.importDir,
    assetDir,
    library,
    approvals,
    roots,
    backends,
    offers,
    locks,
    store,
    contention,
    inspector,
    pinned,
    refresh: (paths) => templates.refresh(paths),
    announce: (id, version) => templates.announce(id, version),
  });
  const isIdle = () => {
    const { open, held } = supervisor.counts();
    return open === held;
  };
  const retention = createRetention({
    store,
    outputDir,
    isBusy: (runId) => supervisor.isBusy(runId),
    keepTemplates: () => supervisor.pinnedTemplates(),
    onRemoved: (runIds) => hub.announce('run/removed', { runIds }),
    log,
    now: Date.now,
  });
  const policies = config.retention;
  made.adopt(await startMaintenance({ store, mark, dataDir, outputDir, isIdle, retention, policies, log }), (one) => one.close());

  const hub = made.adopt(createEventHub(store), (one) => one.close());
  feedHub(hub, supervisor, templates);
  telemetry.follow(supervisor);
  const watch = createNodeWatch();
  supervisor.onProgress((notice) => watch.progress(notice));
  supervisor.onEvents((events) => watch.events(events));
  const checking = new AbortController();
  made.defer(() => checking.abort());
  recovered?.check((runId, body) => hub.publish(store.commit({ events: [{ runId, at: Date.now(), body }] })), checking.signal);
  const refresh = (paths: readonly string[]) => templates.refresh(paths);
  const keeper = made.adopt(createObjectInfoKeeper({ file: objectInfoFile, backends, library, refresh, log }), (one) => one.close());
  templates.onChange(() => keeper.look());
  await keeper.begin();
  made.adopt(await watchTemplates({ dirs: templateDirs, log, refresh: (paths) => templates.refresh(paths) }), (one) => one.close());

  const sessions = createBrowserSessions(identity.instance);
  made.defer(() => sessions.close());
  const auth = sessions.withTickets(parts.auth ?? createAuth());
  const refusals = createRefusals((reason, total) => log.warn({ reason, total }, 'refused at the door'));
  const { inspect, inspectDoor } = serveInspector({ hub: inspectHub, store, auth, refusals, limits });
  const status = createStatus({
    config,
    identity,
    recovery: recovered?.report,
    store,
    supervisor,
    library,
    hub,
    refusals,
    connections: () => door.connections,
  });
  const handlers = createMethods({
    version: VERSION,
    runs: supervisor,
    inspect,
    eventsOf: (query) => listEvents(store, query),
    templates,
    exchange,
    artifacts: createArtifactService({ store, pinned, inspector }),
    graph: createRunGraph({ store, runs: supervisor, watch, pinned }),
    retention,
    consent,
    status,
    shutdown: () => lifecycle.stop(),
    openBrowser: () => ({ url: `http://127.0.0.1:${door.port}/open#${sessions.issueCode()}` }),
  });
  const metrics = telemetry.route({ status, backends: () => supervisor.queue.backends() });
  const routes = createRoutes({
    assetDir,
    store,
    contention,
    storage: () => supervisor.storage(),
    cap: limits.upload,
    stall: limits.uploadStall,
  });
  const validator = createValidator();
  supervisor.resume();
  await judged;
  const door = made.adopt(
    await openDoor({
      port: config.port,
      auth,
      hub,
      inspect,
      inspectDoor,
      log,
      refusals,
      limits,
      validator,
      handlers,
      routes: [...routes, ...createBrowserRoutes({ sessions }), metrics],
      sessions,
      socket: socketPath(runtimeFile),
      identity: { ...identity, epoch: store.epoch },
    }),
    (one) => one.close(),
  );

  const { port, socket } = door;
  const endpoint = { url: `ws://127.0.0.1:${port}/rpc`, ...(socket === undefined ? {} : { socket }), key: auth.keyOf('admin') };
  const runKey = auth.keyOf('run');
  const { ofCommand = false } = config;
  writeRuntimeFile(runtimeFile, {
    protocol: PROTOCOL_VERSION,
    ...identity,
    pid: process.pid,
    port,
    ...endpoint,
    runKey,
    dataDir,
    ofCommand,
  });
  made.defer(() => {
    removeRuntimeFile(runtimeFile, identity.instance);
    rmSync(redirectPath(runtimeFile), { force: true });
  });
  if (config.metricsKeyFile !== undefined) made.defer(writeKeyFile(config.metricsKeyFile, auth.keyOf('read')));
  log.info({ port, dataDir, version: VERSION, backends: backends.map(({ id }) => id) }, 'ready');

  lifecycle.own(made.move());
  return {
    url: endpoint.url,
    port,
    pid: process.pid,
    runtimeFile,
    endpoint,
    runEndpoint: { url: endpoint.url, key: runKey },
    stopped: lifecycle.stopped,
    close: () => lifecycle.close(),
    async crash(error) {
      log.fatal({ err: error }, 'a defect; the process ends');
      removeRuntimeFile(runtimeFile, identity.instance);
      await logFile.close();
    },
  };
}
