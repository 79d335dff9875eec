/** The supervisor: runs as a Map of machines. Admits, starts, resumes and cancels them, and tells what becomes of them. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { canonicalHash } from '#graph/hash.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { createActors } from '#actors/create-actors.ts';
import type { ActorDeps, StallPolicy } from '#actors/deps.ts';
import { knownInfoHash } from '#actors/render-item.ts';
import type { Backend } from '#backends/contract.ts';
import type { BackOffOptions } from '#machines/back-off.ts';
import { createRunMachine } from '#machines/run-machine.ts';
import { choiceOf, isWaiting } from '#machines/run-steps.ts';
import type { Store } from '#store/types.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';
import type { TemplateLibrary } from '#templates/library.ts';
import type { ParameterTools } from '#templates/parameters.ts';
import { acceptRun, queueFull } from './accept-run.ts';
import { createChoose } from './choose.ts';
import { createBackendMonitor } from './backend-monitor.ts';
import { givenUp } from './held-runs.ts';
import { createNotices } from './notices.ts';
import type { Offers } from './offers.ts';
import { createOutboxWorker } from './outbox-worker.ts';
import { createRequestKeys } from './request-keys.ts';
import { createRetry, picksOf } from './retry-run.ts';
import { createRunHost } from './run-host.ts';
import { createRunMemories } from './run-memory.ts';
import { createRunProgress } from './run-progress.ts';
import { createPace } from './scheduler/pace.ts';
import { createDispatch } from './scheduler/dispatch.ts';
import { type PoolSettings, USUAL_POOL } from './scheduler/settings.ts';
import type { RunService, StartRequest } from './run-service.ts';
import { backendById, firstTaker } from './takers.ts';
import { createStoredRuns } from './stored-runs.ts';
import { allEvents, summaryOf, viewOf } from './run-view.ts';
import { VERSION } from './version.ts';

export interface SupervisorOptions {
  readonly store: Store;
  readonly library: TemplateLibrary;
  /** In order of preference; the first serves a run that names none. */
  readonly backends: readonly Backend[];
  /** Artifacts of a run go to `<outputDir>/<runId>/`. */
  readonly outputDir: string;
  readonly offers: Pick<Offers, 'ask' | 'known' | 'onChange'>;
  readonly pool?: PoolSettings;
  readonly resolveMedia: (template: CompiledTemplate) => ParameterTools['resolveMedia'];
  readonly resolveDirectory: ParameterTools['resolveDirectory'];
  /** How long a backend that refuses connections is waited for: before anything was sent, and with work on it. In milliseconds. */
  readonly graceMs: number;
  readonly restartGraceMs: number;
  /** Pause between tries to reach a backend, in milliseconds. */
  readonly retryMs: number;
  /** When an attempt that does not move is said to be stalled, and what is done. */
  readonly stall: StallPolicy;
  /** Pauses before further attempts; the usual ones when absent. */
  readonly backOff?: BackOffOptions;
  /** How long the daemon lives with a run before it is no longer suspected of having killed the one before; the usual time when absent. */
  readonly settleMs?: number;
  readonly log: Logger;
  /** A commit failed; the process must stop and reread. */
  readonly onStorageFailure: (error: unknown) => void;
}

export interface Supervisor extends RunService {
  /** Takes up every run that had not ended, but for those whose backend this daemon lacks: they wait. Call once, before clients are let in. */
  resume(): void;
  /** Drops every machine where it stands, as a killed process would; backends go on. What is stored can still be read. */
  setAside(): void;
}

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { store, backends, log, pool = USUAL_POOL } = options;
  const memories = createRunMemories(store);
  /** Hashes of templates that stand in the database: their text is not printed and sent there again with every run. */
  const pinned = new Set<string>();
  const ends = createPace();
  const monitor = createBackendMonitor(backends);
  const notices = createNotices();

  // The embedded sandbox is another one with every start, at whatever port.
  const instance = randomUUID();
  const addressOf = (backend: Backend) => (backend.kind === 'sandbox' ? `sandbox ${instance}` : backend.url);

  const deps: ActorDeps = {
    memory: (runId) => memories.get(runId),
    picksOf: (runId) => picksOf(allEvents(store, runId)),
    committed: (runId) => host.committed(runId),
    stage(runId, rows) {
      host.stage(runId, rows);
      scheduler.note(rows.attempts ?? []);
    },
    backend: (id) => backendById(backends, id),
    addressOf,
    software(backend) {
      const { version } = options.offers.known(backend.id);
      const objectInfo = knownInfoHash(backend);
      return { callsheet: VERSION, ...(version === undefined ? {} : { version }), ...(objectInfo === undefined ? {} : { objectInfo }) };
    },
    graph: (hash) => store.graph(hash),
    chooseBackend: (memory, kind) => firstTaker(backends, memory.backend ?? undefined, kind),
    get places() {
      return dispatch.places;
    },
    artifactDirectory: (runId) => join(options.outputDir, runId),
    onProgress: (key, value, node) => progress.report(key, value, node),
    learn: (key, lesson) => progress.learn(key, lesson),
    // Read through, since progress itself is made of these.
    timings: { of: (template, step, backend) => progress.timings.of(template, step, backend) },
    stall: options.stall,
    onPreview({ runId, step, item }, mediaType, bytes) {
      notices.preview(() => ({ runId, step, item, mediaType, data: Buffer.from(bytes).toString('base64') }));
    },
    now: Date.now,
    graceMs: options.graceMs,
    restartGraceMs: options.restartGraceMs,
    retryMs: options.retryMs,
  };
  const host = createRunHost({
    store,
    machine: createRunMachine(createActors(deps), options.backOff),
    now: Date.now,
    progressOf: (runId) => progress.store(runId),
    onCommitted(events) {
      for (const { runId, event } of events) if (event.type === 'choice.offered') scheduler.asks(runId);
      notices.events(events);
    },
    onEnded(runId, status) {
      log.info({ runId, status }, 'run ended');
      progress.drop(runId);
      memories.drop(runId);
      ends.note();
      scheduler.ended(runId);
      outbox.wake();
    },
    onStorageFailure: options.onStorageFailure,
    onDefect: (runId, error) => log.error({ runId, err: error }, 'a run machine failed'),
  });
  const outbox = createOutboxWorker({
    store,
    backend: (id) => backends.find((backend) => backend.id === id),
  });
  const keys = createRequestKeys(store);
  const dispatch = createDispatch({
    ...options,
    settings: pool,
    monitor,
    keys,
    begin: (runId) => storedRuns.takeUp(runId),
    record(row, event) {
      host.stage(row.runId, { attempts: [row] });
      host.append(row.runId, event);
    },
  });
  const { scheduler } = dispatch;
  const stepsOf = (runId: string) => (host.snapshot(runId)?.context.steps ?? []).filter(({ id }) => choiceOf(id) === undefined);
  const progress = createRunProgress({
    store,
    memory: (runId) => memories.get(runId),
    stepsOf,
    isWaiting: (runId) => isWaiting(host.snapshot(runId)?.context.steps ?? []),
    stage: (runId, rows) => host.stage(runId, rows),
    touch: (runId) => host.touch(runId),
    tell: (notice) => notices.progress(notice),
  });
  const isCancelling = (runId: string) => ['cancelling', 'releasing'].includes(String(host.snapshot(runId)?.value));
  const live = (runId: string) => (host.snapshot(runId) === undefined ? undefined : progress.live(runId));
  const rowOf = (runId: string) => {
    const row = store.run(runId);
    if (row === undefined) throw new CallsheetError('RUN_NOT_FOUND', `No run has the id '${runId}'.`, { hint: 'See `callsheet runs`.' });
    return row;
  };

  const storedRuns = createStoredRuns({ ...options, host, memories, progress, scheduler, addressOf, rowOf });
  const { held } = storedRuns;

  /** A person ends a cancel that nobody can prove: the run is lost, and the doubt is written down with each of its attempts. */
  function giveUp(runId: string): void {
    const { error, attempts, events } = givenUp(store.attempts(runId), Date.now());
    host.stage(runId, { attempts });
    for (const event of events) host.append(runId, event);
    host.refuse(runId, error, 'lost');
  }

  async function accept(request: StartRequest, paramsHash: string): Promise<{ readonly runId: string }> {
    const open = host.open().length + held.size + scheduler.status().waitingRuns;
    if (open >= pool.maxOpenRuns) throw queueFull(open, pool.maxOpenRuns, ends.msPerRun());
    const { run, template, params, batch } = await acceptRun({ ...options, isPinned: (hash) => pinned.has(hash) }, request, paramsHash);
    const { runId } = run;
    await host.accept(runId, batch);
    pinned.add(template.hash);
    log.info({ runId, template: template.id, version: template.version }, 'run accepted');
    // Read from the database again where it does not begin at once: thousands may wait.
    memories.add(run, template, params);
    scheduler.enqueue(run, true);
    if (scheduler.has(runId)) memories.drop(runId);
    return { runId };
  }

  const get = (runId: string) => {
    const row = rowOf(runId);
    return viewOf(row, store, memories.pinned(row.templateHash), row.endedAt === null ? live(runId) : undefined, held.get(runId));
  };

  const { retry, isUnderWay } = createRetry({
    store,
    host,
    memories,
    rowOf,
    get,
    backend: (id) => backendById(backends, id),
    addressOf,
    begin(run, open) {
      if (open.length === 0) return scheduler.enqueue(run, true);
      scheduler.know(run, open);
      storedRuns.takeUp(run.runId);
    },
    now: Date.now,
  });
  function setAside(): void {
    storedRuns.stop();
    outbox.close();
    monitor.close();
    dispatch.close();
    host.close();
  }

  const choose = createChoose({ host, get, problemOf: (runId) => held.get(runId)?.problem });

  return {
    start(request) {
      const { requestKey, client: _client, ...rest } = request;
      const paramsHash = canonicalHash(JSON.stringify(rest));
      return keys.once(requestKey, 'run/start', paramsHash, () => accept(request, paramsHash));
    },
    get,
    list: (query) => store.runs(query).map((row) => summaryOf(row, row.endedAt === null ? live(row.runId) : undefined)),
    cancel(runId, { requestKey, force = false } = {}) {
      return keys.once(
        requestKey,
        'run/cancel',
        canonicalHash(JSON.stringify({ runId, ...(force ? { force } : {}) })),
        async () => {
          // Nothing of it was ever sent.
          const isOver = scheduler.withdraw(runId);
          if (isOver) host.refuse(runId, null, 'cancelled');
          // Its machine says what it waits for: without the backend nobody can prove that its jobs are gone.
          if (rowOf(runId).endedAt === null && held.delete(runId)) storedRuns.takeUp(runId);
          else storedRuns.hurry(runId);
          if (force && isCancelling(runId)) giveUp(runId);
          else if (!isOver && !host.cancel(runId)) return { status: rowOf(runId).status };
          await host.committed(runId);
          return { status: rowOf(runId).status };
        },
        runId,
      );
    },
    retry(request) {
      const { requestKey, ...rest } = request;
      const paramsHash = canonicalHash(JSON.stringify(rest));
      return keys.once(requestKey, 'run/retry', paramsHash, () => retry(request, paramsHash));
    },
    choose(request) {
      const { requestKey, ...rest } = request;
      const paramsHash = canonicalHash(JSON.stringify(rest));
      return keys.once(requestKey, 'run/choose', paramsHash, () => {
        storedRuns.hurry(request.runId);
        return choose(request, paramsHash);
      });
    },
    queue: dispatch.queue,
    isBusy: (runId) => isUnderWay(runId) || host.snapshot(runId) !== undefined || scheduler.has(runId) || held.has(runId),
    pinnedTemplates: () => pinned,
    once: (requestKey, method, params, work) => keys.once(requestKey, method, canonicalHash(JSON.stringify(params)), work, null),
    onEvents: notices.onEvents,
    onProgress: notices.onProgress,
    onPreview: notices.onPreview,
    onBackend: (listener) => monitor.onChange(listener),
    counts: () => ({
      open: host.open().length + held.size + scheduler.status().waitingRuns,
      queued: scheduler.status().waitingRuns,
      active: host.open().filter((runId) => host.snapshot(runId)?.value === 'executing').length,
      held: held.size,
    }),
    resume() {
      storedRuns.takeUpAll();
      outbox.wake();
      scheduler.open();
      void monitor.ask();
    },
    setAside,
    async close() {
      storedRuns.close();
      setAside();
      await Promise.all(backends.map((backend) => backend.close()));
    },
  };
}
