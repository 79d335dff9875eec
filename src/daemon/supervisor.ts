/** The supervisor: runs as a Map of machines. Admits, starts, resumes and cancels them, and tells what becomes of them. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { canonicalHash } from '#graph/hash.ts';
import { CallsheetError, toErrorData } from '#protocol/errors.ts';
import type { PreviewNotice, ProgressNotice, RunEvent } from '#protocol/events.ts';
import { createActors } from '#actors/create-actors.ts';
import type { ActorDeps, StallPolicy } from '#actors/deps.ts';
import { newRunId } from '#actors/ids.ts';
import type { Backend } from '#backends/contract.ts';
import type { BackOffOptions } from '#machines/back-off.ts';
import { createRunMachine } from '#machines/run-machine.ts';
import { choiceOf, isWaiting } from '#machines/run-steps.ts';
import type { Batch, Store } from '#store/types.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';
import type { TemplateLibrary } from '#templates/library.ts';
import { type ParameterTools, storeParameters } from '#templates/parameters.ts';
import { createChoose } from './choose.ts';
import { createBackendMonitor } from './backend-monitor.ts';
import { givenUp, type HeldRun, heldNote, heldRun } from './held-runs.ts';
import type { Offers } from './offers.ts';
import { createOutboxWorker } from './outbox-worker.ts';
import { createRequestKeys } from './request-keys.ts';
import { admit } from './run-door.ts';
import { createRunHost } from './run-host.ts';
import { createRunMemories } from './run-memory.ts';
import { createRunProgress } from './run-progress.ts';
import type { RunService, StartRequest } from './run-service.ts';
import { takersOf } from './takers.ts';
import { allEvents, summaryOf, viewOf } from './run-view.ts';

export interface SupervisorOptions {
  readonly store: Store;
  readonly library: TemplateLibrary;
  /** In order of preference; the first serves a run that names none. */
  readonly backends: readonly Backend[];
  /** Artifacts of a run go to `<outputDir>/<runId>/`. */
  readonly outputDir: string;
  readonly offers: Pick<Offers, 'ask'>;
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
  readonly log: Logger;
  /** A commit failed; the process must stop and reread. */
  readonly onStorageFailure: (error: unknown) => void;
}

export interface Supervisor extends RunService {
  /** Takes up every run that had not ended, but for those whose backend this daemon lacks: they wait. Call once, before clients are let in. */
  resume(): void;
}

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { store, library, backends, log } = options;
  const memories = createRunMemories(store);
  /** Hashes of templates that stand in the database: their text is not printed and sent there again with every run. */
  const pinned = new Set<string>();
  const monitor = createBackendMonitor(backends);
  const listeners = {
    events: new Set<(events: readonly RunEvent[]) => void>(),
    progress: new Set<(notice: ProgressNotice) => void>(),
    preview: new Set<(notice: PreviewNotice) => void>(),
  };

  // The embedded sandbox is another one with every start, at whatever port.
  const instance = randomUUID();
  const addressOf = (backend: Backend) => (backend.kind === 'sandbox' ? `sandbox ${instance}` : backend.url);

  const deps: ActorDeps = {
    memory: (runId) => memories.get(runId),
    committed: (runId) => host.committed(runId),
    stage: (runId, rows) => host.stage(runId, rows),
    backend: (id) => backendById(backends, id),
    addressOf,
    chooseBackend: (memory, kind) => chooseBackend(backends, memory.backend ?? undefined, kind),
    artifactDirectory: (runId) => join(options.outputDir, runId),
    onProgress: (key, value, node) => progress.report(key, value, node),
    learn: (key, lesson) => progress.learn(key, lesson),
    // Read through, since progress itself is made of these.
    timings: { of: (template, step, backend) => progress.timings.of(template, step, backend) },
    stall: options.stall,
    onPreview({ runId, step, item }, mediaType, bytes) {
      if (listeners.preview.size === 0) return;
      const notice = { runId, step, item, mediaType, data: Buffer.from(bytes).toString('base64') };
      for (const listener of listeners.preview) listener(notice);
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
      for (const listener of listeners.events) listener(events);
    },
    onEnded(runId, status) {
      log.info({ runId, status }, 'run ended');
      progress.drop(runId);
      memories.drop(runId);
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
  const held = new Map<string, HeldRun>();
  const stepsOf = (runId: string) => (host.snapshot(runId)?.context.steps ?? []).filter(({ id }) => choiceOf(id) === undefined);
  const progress = createRunProgress({
    store,
    memory: (runId) => memories.get(runId),
    stepsOf,
    isWaiting: (runId) => isWaiting(host.snapshot(runId)?.context.steps ?? []),
    stage: (runId, rows) => host.stage(runId, rows),
    touch: (runId) => host.touch(runId),
    tell(notice) {
      for (const listener of listeners.progress) listener(notice);
    },
  });
  const live = (runId: string) => (host.snapshot(runId) === undefined ? undefined : progress.live(runId));
  const rowOf = (runId: string) => {
    const row = store.run(runId);
    if (row === undefined) throw new CallsheetError('RUN_NOT_FOUND', `No run has the id '${runId}'.`, { hint: 'See `callsheet runs`.' });
    return row;
  };

  function hold(runId: string, run: HeldRun): void {
    held.set(runId, run);
    const note = heldNote(run);
    const last = allEvents(store, runId).at(-1)?.event;
    // Short-lived daemons come and go: each saying the same would fill the log.
    if (last?.type !== 'run.note' || last.code !== run.problem.code) host.append(runId, note);
    log.warn({ runId, missing: [...run.missing] }, 'a run waits for a backend that this daemon was started without');
  }

  function takeUp(runId: string): void {
    try {
      const { attempts } = memories.get(runId);
      const row = rowOf(runId);
      progress.resume(runId, row.progress, attempts.size > 0);
      host.resume(row);
      log.info({ runId }, 'run resumed');
    } catch (error) {
      log.error({ runId, err: error }, 'a stored run cannot be resumed');
      host.refuse(runId, toErrorData(error));
    }
  }

  /** A person ends a cancel that nobody can prove: the run is lost, and the doubt is written down with each of its attempts. */
  function giveUp(runId: string): void {
    const { error, attempts, events } = givenUp(store.attempts(runId), Date.now());
    host.stage(runId, { attempts });
    for (const event of events) host.append(runId, event);
    host.refuse(runId, error, 'lost');
  }

  async function begin(request: StartRequest, paramsHash: string): Promise<{ readonly runId: string }> {
    if (request.backend !== undefined) backendById(backends, request.backend);
    const door = {
      library,
      resolveMedia: options.resolveMedia,
      resolveDirectory: options.resolveDirectory,
      chooseBackend: (asked: string | undefined, kind: Backend['kind']) => chooseBackend(backends, asked, kind),
      takers: (asked: string | undefined, kind: Backend['kind']) => takersOf(backends, asked, kind).slice(0, 1),
      offers: options.offers,
    };
    const { template, params } = await admit(door, request);
    const runId = newRunId();
    // Settled now: a daemon that is started without it later must not send the run elsewhere, least of all to the sandbox.
    const kind = template.steps.find((step) => step.backend !== 'wan2gp')?.backend;
    const backend = request.backend ?? (kind === undefined ? null : chooseBackend(backends, undefined, kind).id);
    const first: Batch = {
      ...(pinned.has(template.hash) ? {} : { templates: [{ hash: template.hash, content: JSON.stringify(template.source) }] }),
      newRuns: [
        {
          runId,
          template: template.id,
          version: template.version,
          templateHash: template.hash,
          backend,
          parameters: storeParameters(params),
          createdAt: Date.now(),
        },
      ],
      ...(request.requestKey === undefined
        ? {}
        : { requestKeys: [{ key: request.requestKey, method: 'run/start', paramsHash, runId, answer: JSON.stringify({ runId }) }] }),
      events: [{ runId, at: Date.now(), body: { type: 'run.created', template: template.id, version: template.version } }],
    };
    memories.add({ runId, template, params, backend });
    await host.start(runId, first);
    pinned.add(template.hash);
    log.info({ runId, template: template.id, version: template.version }, 'run accepted');
    return { runId };
  }

  const get = (runId: string) => {
    const row = rowOf(runId);
    return viewOf(row, store, memories.pinned(row.templateHash), row.endedAt === null ? live(runId) : undefined, held.get(runId));
  };

  const choose = createChoose({ host, get, problemOf: (runId) => held.get(runId)?.problem });

  return {
    start(request) {
      const { requestKey, ...rest } = request;
      const paramsHash = canonicalHash(JSON.stringify(rest));
      return keys.once(requestKey, 'run/start', paramsHash, () => begin(request, paramsHash));
    },
    get,
    list: (query) => store.runs(query).map((row) => summaryOf(row, row.endedAt === null ? live(row.runId) : undefined)),
    cancel(runId, { requestKey, force = false } = {}) {
      return keys.once(
        requestKey,
        'run/cancel',
        canonicalHash(JSON.stringify({ runId, ...(force ? { force } : {}) })),
        async () => {
          // Its machine says what it waits for: without the backend nobody can prove that its jobs are gone.
          if (rowOf(runId).endedAt === null && held.delete(runId)) takeUp(runId);
          if (force && host.snapshot(runId)?.value === 'cancelling') giveUp(runId);
          else if (!host.cancel(runId)) return { status: rowOf(runId).status };
          await host.committed(runId);
          return { status: rowOf(runId).status };
        },
        runId,
      );
    },
    choose(request) {
      const { requestKey, ...rest } = request;
      const paramsHash = canonicalHash(JSON.stringify(rest));
      return keys.once(requestKey, 'run/choose', paramsHash, () => choose(request, paramsHash));
    },
    backends: () => monitor.views(),
    onEvents: (listener) => subscribe(listeners.events, listener),
    onProgress: (listener) => subscribe(listeners.progress, listener),
    onPreview: (listener) => subscribe(listeners.preview, listener),
    onBackend: (listener) => monitor.onChange(listener),
    counts: () => ({
      open: host.open().length + held.size,
      active: host.open().filter((runId) => host.snapshot(runId)?.value === 'executing').length,
      held: held.size,
    }),
    resume() {
      for (const runId of store.openRuns()) {
        try {
          const row = rowOf(runId);
          // One that is being cancelled says itself what its proof waits for.
          const waiting = row.status === 'cancelling' ? undefined : heldRun(row, store.attempts(runId), backends, addressOf);
          if (waiting === undefined) takeUp(runId);
          else hold(runId, waiting);
        } catch (error) {
          log.error({ runId, err: error }, 'a stored run cannot be judged');
          host.refuse(runId, toErrorData(error));
        }
      }
      outbox.wake();
      void monitor.ask();
    },
    async close() {
      outbox.close();
      monitor.close();
      host.close();
      await Promise.all(backends.map((backend) => backend.close()));
    },
  };
}

// --- helpers ---

function subscribe<T>(set: Set<T>, listener: T): () => void {
  set.add(listener);
  return () => void set.delete(listener);
}

function backendById(backends: readonly Backend[], id: string): Backend {
  const backend = backends.find((one) => one.id === id);
  if (backend !== undefined) return backend;
  const known = backends.map((one) => `'${one.id}'`).join(', ');
  throw new CallsheetError('BACKEND_NOT_FOUND', `No backend has the id '${id}'.`, {
    hint: `Known backends: ${known}. Add one with --backend when the daemon starts.`,
  });
}

/**
 * The backend that was asked for, when it takes this kind of step; else the first that does. ComfyUI graphs run on comfyui backends,
 * and on the sandbox where it was asked for or nothing else is configured: it never stands in for a real one (DESIGN 4).
 */
function chooseBackend(backends: readonly Backend[], asked: string | undefined, kind: Backend['kind']): Backend {
  const takes = (backend: Backend) => backend.kind === kind || (kind === 'comfyui' && backend.kind === 'sandbox');
  const named = asked === undefined ? undefined : backendById(backends, asked);
  if (named !== undefined && takes(named)) return named;
  const isMixed = named !== undefined && kind === 'comfyui';
  const fits = isMixed ? undefined : (backends.find((backend) => backend.kind === kind) ?? backends.find(takes));
  if (fits !== undefined) return fits;
  const asFor = named === undefined ? '' : ` Backend '${named.id}' does not take it.`;
  throw new CallsheetError('BACKEND_NOT_FOUND', `A step needs a backend of kind '${kind}', and none is configured.${asFor}`, {
    hint: `Start the daemon with --backend ${kind === 'sandbox' ? 'sandbox' : `${kind}=…`}.`,
  });
}
