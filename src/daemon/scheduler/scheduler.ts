/**
 * The scheduler: which run begins, and which item goes to which backend when. Knows runs and backends by name only; everything that it
 * holds can be made again from the store. It hands out places and starts nothing itself.
 */
import type { RunMemory } from '#actors/deps.ts';
import { promptIdOf } from '#actors/ids.ts';
import type { PrepareInput } from '#actors/logic.ts';
import type { Backend } from '#backends/contract.ts';
import { takersOf } from '../takers.ts';
import { createCards } from './cards.ts';
import type { Scheduler, SchedulerOptions } from './contract.ts';
import { demandOf, namesBackend } from './needs.ts';
import { createPool, type PlaceRequest } from './pool.ts';
import type { Health } from './routing.ts';
import { createRunHeads } from './run-heads.ts';
import { USUAL_AHEAD } from './settings.ts';
import { createReasons } from './reasons.ts';
import { createSending } from './sending.ts';
import { createSlots } from './slots.ts';
import { createWaitingRuns } from './waiting-runs.ts';

export function createScheduler(options: SchedulerOptions): Scheduler {
  const { backends, settings, offers, monitor, log } = options;
  const slots = createSlots();
  const heads = createRunHeads();
  /** Backends that took steps of a template, once it was asked for one; before that, all may. */
  const takersOfTemplate = new Map<string, Set<string>>();
  /** Prompts of others, as of the last answer. */
  const foreign = new Map<string, number>();
  const refusing = new Set<string>();
  let opened = false;
  let heardAll = false;

  const viewOf = (id: string) => monitor.views().find((view) => view.id === id);
  const health = (id: string): Health => {
    const status = viewOf(id)?.status;
    if (refusing.has(id) || status === 'unreachable' || status === 'not-comfyui') return 'away';
    if (status === 'worker-dead') return 'stuck';
    return status === 'unresponsive' ? 'silent' : 'up';
  };
  const settingOf = (id: string) => settings.backends[id];
  // With several to choose from, the first look at all of them is waited for: else a dead one may be chosen.
  const isOpen = () => opened && !sending.isPaused && (heardAll || backends.length < 2);

  const sending = createSending({
    ...options,
    obstacleFor: (id) => (cards.isWith(id) ? undefined : reasons.ofCard(id)),
    onChange() {
      reasons.retell();
      pool.wake();
    },
  });
  const cards = createCards({
    backends,
    gpuOf: (id) => settingOf(id)?.gpu,
    // What waits at the last gate has its place and is on no card; one that refuses connections has no process there, whatever it had.
    isBusy: (id) => slots.on(id).length > sending.waitingFor(id) && health(id) !== 'away',
    slots,
    health,
    lookMs: options.lookMs,
    log,
    onHanded() {
      sending.wake();
      pool.wake();
    },
    onDoubt: () => reasons.retell(),
  });
  const pool = createPool({
    slots,
    cards,
    health,
    foreign: (id) => foreign.get(id) ?? 0,
    ahead: (id) => settingOf(id)?.ahead ?? USUAL_AHEAD,
    isOpen,
    waitsForCard: (id) => sending.waitingFor(id) > 0,
    onPumped: () => look(),
  });
  const reasons = createReasons(pool, { isPaused: () => sending.isPaused, cards, viewOf, isUp: (id) => health(id) === 'up' });
  const waiting = createWaitingRuns({
    takers: ({ backend, templateHash }) => {
      if (backend !== null) return [backend];
      const known = takersOfTemplate.get(templateHash);
      return known === undefined ? backends.map(({ id }) => id) : [...known];
    },
    isUp: (id) => health(id) === 'up',
    room: (id) => pool.room(id),
    share: (id, models) => slots.share(id, models),
    asking: () =>
      [...pool.requests()].map((request) => ({
        ...request,
        takers: pool.candidates(request),
        isEarly: heads.isEarly(request.runId),
      })),
    wake: options.begin,
  });
  const look = (fresh?: string) => {
    if (isOpen()) waiting.look(fresh);
  };

  const stops = [
    offers.onChange(() => {
      // One that lacked something may have it now.
      takersOfTemplate.clear();
      pool.wake();
    }),
    monitor.onHeard((view) => {
      cards.heard(view);
      refusing.delete(view.id);
      if (health(view.id) === 'away') slots.emptied(view.id);
      foreign.set(view.id, Math.max(0, (view.queueRemaining ?? 0) - slots.on(view.id).length));
      reasons.heard(view);
      heardAll ||= monitor.views().every(({ status }) => status !== 'unknown');
      pool.wake();
    }),
  ];

  function takers(memory: RunMemory, step: string): readonly Backend[] {
    const kind = memory.template.steps.find(({ id }) => id === step)?.backend ?? 'comfyui';
    const all = takersOf(backends, memory.backend ?? undefined, kind);
    return all.length === 0 || namesBackend(memory.template, step) ? [options.demandTaker(memory, kind)] : all;
  }

  function hasOther(memory: RunMemory, step: string, backendId: string): boolean {
    const { fit } = demandOf(memory.template, step, memory.params, (id) => offers.known(id));
    return takers(memory, step).some(({ id }) => id !== backendId && health(id) === 'up' && fit(id) !== 'lacks');
  }

  const places: Scheduler['places'] = {
    async acquire(memory, input: PrepareInput, signal, onWait) {
      const able = takers(memory, input.step);
      const { client = '', priority = 0, order: place, runId, backend: asked, templateHash } = heads.of(memory);
      const { models, fit } = demandOf(memory.template, input.step, memory.params, (id) => offers.known(id));
      const granted = Promise.withResolvers<string>();
      const request: PlaceRequest = {
        promptId: promptIdOf(input),
        runId,
        client,
        priority,
        order: place,
        lane: [asked ?? '', templateHash, input.step, ...models].join('\n'),
        takers: able.map(({ id }) => id),
        fit,
        models,
        grant(id, wasLoaded) {
          heads.placed(runId, request.promptId, models, wasLoaded);
          granted.resolve(id);
        },
        onWait,
      };
      const known = takersOfTemplate.get(templateHash) ?? new Set<string>();
      takersOfTemplate.set(templateHash, known);
      for (const id of pool.candidates(request)) known.add(id);
      waiting.settled(runId);
      if (!pool.ask(request)) {
        const stop = () => {
          pool.withdraw(request);
          granted.reject(signal.reason);
        };
        signal.addEventListener('abort', stop, { once: true });
        void granted.promise.finally(() => signal.removeEventListener('abort', stop)).catch(() => undefined);
        if (signal.aborted) stop();
        reasons.tell(request);
      }
      const id = await granted.promise;
      const backend = backends.find((one) => one.id === id);
      return backend ?? options.demandTaker(memory, 'comfyui');
    },
    send: (id, signal, onWait, work) => sending.send(id, signal, onWait, work),
    freed: (backendId) => slots.emptied(backendId),
    release(promptId) {
      heads.left(promptId);
      if (slots.release(promptId)) pool.wake();
    },
    loadOf: (promptId) => heads.loadOf(promptId),
    takers(memory, step) {
      const { fit } = demandOf(memory.template, step, memory.params, (id) => offers.known(id));
      const able = takers(memory, step);
      const fitting = able.filter(({ id }) => fit(id) !== 'lacks');
      const likely = fitting.length > 0 ? fitting : able;
      return [...likely.filter(({ id }) => health(id) === 'up'), ...likely.filter(({ id }) => health(id) !== 'up')];
    },
    mayLose: (runId, backendId, models) => (foreign.get(backendId) ?? 0) > 0 || heads.bringsOthers(runId, backendId, models),
    hasOther,
    leave(memory, step, backendId) {
      refusing.add(backendId);
      slots.emptied(backendId);
      return hasOther(memory, step, backendId);
    },
  };

  return {
    places,
    enqueue(run, isNew = false) {
      const { order } = heads.arrive(run);
      waiting.add({ ...run, client: run.client ?? '', priority: run.priority ?? 0, models: run.models ?? [], order });
      look(isNew ? run.runId : undefined);
    },
    know(run, attempts) {
      heads.arrive(run, true);
      for (const { promptId, runId, backend, endedAt } of attempts) {
        if (endedAt === null) slots.occupy({ promptId, runId, backendId: backend });
      }
    },
    withdraw(runId) {
      if (!waiting.remove(runId)) return false;
      heads.drop(runId);
      return true;
    },
    hasten(runId) {
      if (!opened || sending.isPaused || !heads.has(runId) || !waiting.has(runId)) return;
      heads.hasten(runId);
      waiting.begin(runId);
    },
    has: (runId) => waiting.has(runId),
    note(rows) {
      let isFreed = false;
      for (const { promptId, runId, backend, endedAt, status, error } of rows) {
        // A process that died had its models in it, and ComfyUI drops its own when a node runs out of memory.
        if (status === 'lost' || error?.code === 'OUT_OF_MEMORY') slots.emptied(backend);
        if (endedAt === null) slots.occupy({ promptId, runId, backendId: backend });
        else {
          heads.left(promptId);
          isFreed = slots.release(promptId) || isFreed;
        }
      }
      if (isFreed) pool.wake();
    },
    asks(runId) {
      waiting.settled(runId);
      look();
    },
    ended(runId) {
      heads.drop(runId);
      waiting.settled(runId);
      slots.releaseRun(runId);
      pool.wake();
    },
    open() {
      opened = true;
      pool.wake();
    },
    pause: () => sending.pause(),
    resume: () => sending.resume(),
    status: () => ({ paused: sending.isPaused, waitingRuns: waiting.size, waitingItems: pool.waiting }),
    givenUp(backendId) {
      cards.givenUp(backendId);
      pool.wake();
    },
    on: (backendId) => slots.on(backendId),
    loadOf(id) {
      const gpu = settingOf(id)?.gpu;
      const models = slots.modelsOn(id);
      return {
        inFlight: slots.on(id).length,
        ahead: settingOf(id)?.ahead ?? USUAL_AHEAD,
        ...(gpu === undefined ? {} : { gpu }),
        ...(models.length === 0 ? {} : { models }),
      };
    },
    close() {
      opened = false;
      for (const stop of stops) stop();
      pool.close();
      cards.close();
    },
  };
}
