/** The supervisor: runs as a Map of machines. Admits, starts, resumes and cancels them, and tells what becomes of them. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { InspectionEvent } from 'xstate';
import { canonicalHashOf } from '#graph/hash.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { createActors } from '#actors/create-actors.ts';
import type { ActorDeps, StallPolicy } from '#actors/deps.ts';
import type { PhaseWatch } from '#actors/watch-phases.ts';
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
import { isWorking } from './at-rest.ts';
import { createBackendFacts } from './backend-facts.ts';
import { createCancel } from './cancel-run.ts';
import { createChoose } from './choose.ts';
import type { Contention } from './contention.ts';
import { createBackendMonitor } from './backend-monitor.ts';
import type { KeptResults } from './kept-results.ts';
import { openCache } from './open-cache.ts';
import { createNotices } from './notices.ts';
import type { Offers } from './offers.ts';
import { BACKEND_FORGET, createOutboxWorker, forgetAttempt } from './outbox-worker.ts';
import { RUN_RECORD, writeRecord } from './rebuild/record.ts';
import { createRequestKeys } from './request-keys.ts';
import { createRetry, isMadeAnew, picksOf } from './retry-run.ts';
import { countRuns } from './run-counts.ts';
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
  readonly contention: Contention;
  readonly library: TemplateLibrary;
  /** In order of preference; the first serves a run that names none. */
  readonly backends: readonly Backend[];
  /** Artifacts of a run go to `<outputDir>/<runId>/`. */
  readonly outputDir: string;
  /** Names the data directory in what is written beside results. */
  readonly storeId: string;
  readonly offers: Pick<Offers, 'ask' | 'known' | 'onChange'>;
  readonly pool?: PoolSettings;
  /** Where results are kept; absent: nothing is kept, nor taken. */
  readonly kept?: KeptResults;
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
  /** Measures how long the parts of runs take; absent: nobody does. */
  readonly watch?: PhaseWatch;
  readonly log: Logger;
  /** Hears what the machines do. Must not throw. */
  readonly inspect?: (runId: string, event: InspectionEvent) => void;
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
  const { store, contention, backends, log, pool = USUAL_POOL } = options;
  const memories = createRunMemories(store);
  /** Hashes of templates that stand in the database: their text is not printed and sent there again with every run. */
  const pinned = new Set<string>();
  const ends = createPace();
  const monitor = createBackendMonitor(backends, options.stall.askMs);
  const notices = createNotices();
  const facts = createBackendFacts({ ...options, monitor, directory: options.kept?.backends });
  const cache = openCache({ ...options, facts });

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
      for (const { promptId, endedAt, status } of rows.attempts ?? []) if (endedAt !== null && status !== 'finished') cache.ended(promptId);
    },
    cache,
    isMadeAnew: (runId, step) => isMadeAnew(allEvents(store, runId), step),
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
    storeId: options.storeId,
    onProgress: (key, value, node) => progress.report(key, value, node),
    learn: (key, lesson) => progress.learn(key, lesson),
    // Read through, since progress itself is made of these.
    timings: { of: (template, step, backend) => progress.timings.of(template, step, backend) },
    stall: options.stall,
    ...(options.watch === undefined ? {} : { watch: options.watch }),
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
    contention,
    machine: createRunMachine(createActors(deps), options.backOff),
    now: Date.now,
    ...(options.inspect === undefined ? {} : { inspect: options.inspect }),
    progressOf: (runId) => progress.store(runId),
    onCommitted(events) {
      for (const { runId, event } of events) {
        if (event.type !== 'choice.offered') continue;
        scheduler.asks(runId);
        if (!host.snapshot(runId)?.context.steps.some(isWorking)) storedRuns.rest(runId);
      }
      notices.events(events);
    },
    onEnded(runId, status) {
      log.info({ runId, status }, 'run ended');
      progress.drop(runId);
      memories.drop(runId);
      ends.note();
      scheduler.ended(runId);
      for (const outbox of outboxes) outbox.wake();
    },
    onStorageFailure: options.onStorageFailure,
    onDefect: (runId, error) => log.error({ runId, err: error }, 'a run machine failed'),
  });
  const forgets = createOutboxWorker({
    store,
    kind: BACKEND_FORGET,
    perform: (item) => forgetAttempt(item, (id) => backends.find((backend) => backend.id === id)),
  });
  const records = createOutboxWorker({ store, kind: RUN_RECORD, perform: ({ runId }) => writeRecord(store, options, runId) });
  const outboxes = [forgets, records];
  const keys = createRequestKeys(store, contention);
  const dispatch = createDispatch({
    ...options,
    settings: pool,
    monitor,
    keys,
    begin: (runId) => storedRuns.takeUp(runId),
    waits: {
      stepsOf: (runId) => host.snapshot(runId)?.context.steps ?? [],
      rests: (runId) => storedRuns.rest(runId),
      works: (runId) => storedRuns.hurry(runId),
    },
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
  const closing = new AbortController();
  const live = (runId: string) => (host.snapshot(runId) === undefined ? undefined : progress.live(runId));
  const rowOf = (runId: string) => {
    const row = store.run(runId);
    if (row === undefined) throw new CallsheetError('RUN_NOT_FOUND', `No run has the id '${runId}'.`, { hint: 'See `callsheet runs`.' });
    return row;
  };

  const storedRuns = createStoredRuns({ ...options, host, memories, progress, scheduler, addressOf, rowOf });
  const { held } = storedRuns;
  const cancel = createCancel({ store, host, scheduler, storedRuns, rowOf });
  const counts = () => countRuns(host, scheduler, storedRuns);

  async function accept(request: StartRequest, paramsHash: string): Promise<{ readonly runId: string }> {
    const { open } = counts();
    if (open >= pool.maxOpenRuns) throw queueFull(open, pool.maxOpenRuns, ends.msPerRun());
    const { run, template, params, batch } = await acceptRun({ ...options, isPinned: (hash) => pinned.has(hash) }, request, paramsHash);
    const { runId } = run;
    await host.accept(runId, batch);
    pinned.add(template.hash);
    log.info({ runId, template: template.id, version: template.version }, 'run accepted');
    // Read from the database again where it does not begin at once: thousands may wait.
    memories.add(run, template, params);
    scheduler.enqueue(run, true);
    if (scheduler.has(runId)) hasten(runId);
    return { runId };
  }

  /** What was made before needs no backend, so it waits for none. */
  function hasten(runId: string): void {
    const memory = memories.get(runId);
    memories.drop(runId);
    cache
      .covers(memory, (step) => dispatch.places.takers(memory, step), closing.signal)
      .then(
        (covered) => {
          if (covered) scheduler.hasten(runId);
        },
        // It begins in its turn, and is told then what is wrong.
        () => undefined,
      );
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
    closing.abort();
    facts.close();
    storedRuns.stop();
    for (const outbox of outboxes) outbox.close();
    monitor.close();
    dispatch.close();
    host.close();
  }

  const choose = createChoose({
    host,
    get,
    answerOf(key, paramsHash) {
      const row = store.requestKey(key);
      return row?.method === 'run/choose' && row.paramsHash === paramsHash ? row.answer : undefined;
    },
    problemOf: (runId) => held.get(runId)?.problem,
  });

  return {
    start(request) {
      const { requestKey, client: _client, ...rest } = request;
      // Only a request with a key is ever compared with another.
      const paramsHash = requestKey === undefined ? '' : canonicalHashOf(rest);
      return keys.once(requestKey, 'run/start', paramsHash, () => accept(request, paramsHash));
    },
    get,
    list: (query) => store.runs(query).map((row) => summaryOf(row, row.endedAt === null ? live(row.runId) : undefined)),
    cancel(runId, { requestKey, force = false } = {}) {
      return keys.once(
        requestKey,
        'run/cancel',
        canonicalHashOf({ runId, ...(force ? { force } : {}) }),
        () => cancel(runId, force),
        runId,
      );
    },
    retry(request) {
      const { requestKey, ...rest } = request;
      const paramsHash = canonicalHashOf(rest);
      return keys.once(requestKey, 'run/retry', paramsHash, () => retry(request, paramsHash));
    },
    choose(request) {
      const { requestKey, ...rest } = request;
      const paramsHash = canonicalHashOf(rest);
      return keys.once(requestKey, 'run/choose', paramsHash, () => {
        storedRuns.hurry(request.runId);
        return choose(request, paramsHash);
      });
    },
    queue: dispatch.queue,
    storage: () => contention.state(() => store.demandWritable()),
    isBusy: (runId) => isUnderWay(runId) || host.snapshot(runId) !== undefined || scheduler.has(runId) || held.has(runId),
    pinnedTemplates: () => pinned,
    once: (requestKey, method, params, work) => keys.once(requestKey, method, canonicalHashOf(params), work, null),
    onEvents: notices.onEvents,
    onProgress: notices.onProgress,
    onPreview: notices.onPreview,
    onBackend: (listener) => monitor.onChange(listener),
    counts,
    atWork: () => host.open().flatMap((runId) => (host.snapshot(runId)?.value === 'executing' ? [progress.now(runId)] : [])),
    resume() {
      storedRuns.takeUpAll();
      for (const outbox of outboxes) outbox.wake();
      scheduler.open();
      void monitor.ask();
    },
    setAside,
    cache: {
      use: () => cache.use(),
      clear: (requestKey) => keys.once(requestKey, 'cache/clear', canonicalHashOf({}), () => cache.clear(), null),
    },
    async close() {
      storedRuns.close();
      setAside();
      // A call to a backend may take as long as it likes; records of runs are a few small files.
      await Promise.all([records.workOff(), ...backends.map((backend) => backend.close())]);
      await cache.settled();
    },
  };
}
