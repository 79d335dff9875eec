/**
 * The run host: keeps machines alive and on disk. Everything that happened since the last flush, of all runs, goes into ONE transaction:
 * snapshots, timers, events, attempts, artifacts, outbox, savings. Effects wait at the gate (`committed`) until what led to them is written.
 */
import { type Actor, type AnyActorRef, createActor, type InspectionEvent, type SnapshotFrom } from 'xstate';
import { CallsheetError, type ErrorData, toErrorData } from '#protocol/errors.ts';
import type { RunEvent, RunEventBody } from '#protocol/events.ts';
import type { RunStatus } from '#protocol/views.ts';
import type { RunContext, RunMachine } from '#machines/run-machine.ts';
import { RUN_MACHINE_VERSION } from '#machines/run-machine.ts';
import { choiceOf, isWaiting } from '#machines/run-steps.ts';
import type { StagedRows } from '#actors/deps.ts';
import type { Batch, RunRow, RunState, Store } from '#store/types.ts';
import { type Contention, isHeld, NOTHING } from './contention.ts';
import { emptyBatch, isEmpty, joined } from './pending-batch.ts';
import { RUN_RECORD } from './rebuild/record.ts';
import { stopTree } from './stop-tree.ts';
import { armTimers, mustFit, snapshotText, type StoredTimer, timersOf } from './snapshots.ts';

/** How long a change that nobody waits for may stay in memory, in milliseconds. */
const LAZY_FLUSH_MS = 20;
/** How long a daemon that ends waits for another program that holds the database, in milliseconds. */
const LAST_TRY_MS = 3000;
/** To a client whose wish has been taken in already. */
const LATER = 'It is done, and written down when that is possible again.';

export type RunActor = Actor<RunMachine>;
export type RunSnapshot = SnapshotFrom<RunMachine>;

export interface RunHostOptions {
  readonly store: Store;
  readonly machine: RunMachine;
  readonly contention: Contention;
  now(): number;
  /** 0..1, for the stored row. */
  progressOf(runId: string): number;
  /** After each commit, in order of position. */
  onCommitted(events: readonly RunEvent[]): void;
  /** After the commit that wrote the run's end. */
  onEnded(runId: string, status: RunStatus): void;
  /** A commit failed: its outcome is unknown, so the process must reread from disk. */
  onStorageFailure(error: unknown): void;
  onDefect(runId: string, error: unknown): void;
  /** Who looks at machines from outside hears everything that XState says of them. Must not throw: it would surface in whoever sent the event. */
  inspect?(runId: string, event: InspectionEvent): void;
}

export interface RunHost {
  /** Writes a new run down; it begins with `resume`. Resolves when it is on disk. Throws STORAGE_BUSY, and then nothing of it is written. */
  accept(runId: string, first: Batch): Promise<void>;
  /** Boots a stored run, from its snapshot when it has begun before. Throws SNAPSHOT_REFUSED. */
  resume(row: RunRow): void;
  /** Ends a run from outside its machine, which is stopped or was never resumed, with its reason. */
  refuse(runId: string, error: ErrorData | null, status?: 'failed' | 'lost' | 'cancelled'): void;
  /** Adds a line to a run's log. */
  append(runId: string, body: RunEventBody): void;
  cancel(runId: string): boolean;
  /** False when the run does not wait for this choice. */
  choose(runId: string, into: string, picked: readonly string[]): boolean;
  /** The gate of effects: waits as long as it takes. */
  committed(runId: string): Promise<void>;
  /** The same for a client, who is told when it takes longer. Throws STORAGE_BUSY: it is written later; `whether` says what that means for the client. */
  stored(runId: string, whether?: string): Promise<void>;
  stage(runId: string, rows: StagedRows): void;
  /** Has the run's row written soon, for what changed outside of its machine. */
  touch(runId: string): void;
  snapshot(runId: string): RunSnapshot | undefined;
  open(): readonly string[];
  /** Writes down what there is and then stops the machines, whose effects would else go on beside those of the next daemon. */
  close(): void;
}

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
  /** Of a client who does not wait for ever: since when, of `performance.now()`. */
  readonly since?: number;
  /** Rows that are written only as long as it waits. */
  readonly rows?: Batch;
  /** What it is told when it waits no longer. */
  readonly whether?: string;
}

export function createRunHost(options: RunHostOptions): RunHost {
  const { store, machine, contention } = options;
  const actors = new Map<string, RunActor>();
  const dirty = new Set<string>();
  const ends = new Map<string, RunState>();
  let pending = emptyBatch();
  let waiters: Waiter[] = [];
  /** `later`: another program holds the database, and the next try has its time. */
  let scheduled: 'no' | 'lazily' | 'now' | 'later' = 'no';
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const schedule = (when: 'lazily' | 'now') => {
    if (closed || scheduled === 'now' || scheduled === 'later' || scheduled === when) return;
    clearTimeout(timer);
    scheduled = when;
    if (when === 'now') setImmediate(flush);
    else timer = setTimeout(flush, LAZY_FLUSH_MS);
  };
  const mark = (runId: string) => {
    dirty.add(runId);
    schedule('lazily');
  };
  const append = (runId: string, body: RunEventBody) => {
    pending.events.push({ runId, at: options.now(), body });
    mark(runId);
  };

  function flush(): void {
    if (closed) return;
    scheduled = 'no';
    clearTimeout(timer);
    const states = [...dirty].flatMap((runId) => stateOf(runId) ?? []);
    // What a run was is owed to its files once it has ended.
    const records = states.flatMap(({ runId, endedAt }) => (endedAt === null ? [] : [{ runId, kind: RUN_RECORD, body: '{}' }]));
    const batch: Batch = { ...joined([...waiters.flatMap(({ rows }) => rows ?? []), pending, { outbox: records }]), states };
    let events: readonly RunEvent[] = [];
    try {
      if (!isEmpty(batch)) {
        events = store.commit(batch);
        contention.free();
      }
    } catch (error) {
      if (isHeld(error)) putOff(contention.putOff(error));
      else fail(error);
      return;
    }
    const waiting = waiters;
    dirty.clear();
    pending = emptyBatch();
    waiters = [];
    for (const waiter of waiting) waiter.resolve();
    if (events.length > 0) options.onCommitted(events);
    for (const state of states) {
      if (state.endedAt === null) continue;
      actors.delete(state.runId);
      ends.delete(state.runId);
      options.onEnded(state.runId, state.status);
    }
  }

  /** Nothing was written, and everything is still here. */
  function putOff(pauseMs: number): void {
    clearTimeout(timer);
    scheduled = 'later';
    timer = setTimeout(flush, pauseMs);
    const gone = waiters.filter(({ since }) => since !== undefined && contention.isTooLong(since));
    if (gone.length === 0) return;
    waiters = waiters.filter((waiter) => !gone.includes(waiter));
    for (const waiter of gone) waiter.reject(contention.refusal(waiter.whether ?? NOTHING));
  }

  function fail(error: unknown): void {
    closed = true;
    for (const waiter of waiters) waiter.reject(error);
    options.onStorageFailure(error);
  }

  function stateOf(runId: string): RunState | undefined {
    const ended = ends.get(runId);
    if (ended !== undefined) return ended;
    const actor = actors.get(runId);
    if (actor === undefined) return undefined;
    try {
      const state = rowOf(runId, actor, options);
      if (state.endedAt !== null) ends.set(runId, state);
      return state;
    } catch (error) {
      // A run that cannot be written down is ended alone; the others go on.
      options.onDefect(runId, error);
      stopTree(actor);
      const data = toErrorData(error);
      pending.events.push({ runId, at: options.now(), body: { type: 'run.status', status: 'failed', error: data } });
      const state = endedState(runId, data, options);
      ends.set(runId, state);
      return state;
    }
  }

  function boot(runId: string, restore?: { readonly snapshot: RunSnapshot }): RunActor {
    const inspect = (event: InspectionEvent) => {
      // Must not throw: it would surface in whoever sent the event.
      options.inspect?.(runId, event);
      if (event.type === '@xstate.actor') {
        const child = event.actorRef as AnyActorRef;
        child.on?.('*', (emitted: unknown) => append(runId, emitted as RunEventBody));
        mark(runId);
      } else if (event.type === '@xstate.snapshot') mark(runId);
    };
    const actor = createActor(machine, { id: runId, input: { runId }, inspect, ...restore });
    actors.set(runId, actor);
    actor.subscribe({
      error: (error) => {
        options.onDefect(runId, error);
        stopTree(actor);
        append(runId, { type: 'run.status', status: 'failed', error: toErrorData(error) });
      },
      complete: () => schedule('now'),
    });
    return actor;
  }

  return {
    accept(runId, first) {
      return gate(runId, { since: performance.now(), rows: first });
    },
    resume(row) {
      if (closed) return;
      const snapshot: unknown = JSON.parse(row.snapshot ?? 'null');
      if (snapshot !== null) mustFit(machine, snapshot);
      const actor = boot(row.runId, snapshot === null ? undefined : { snapshot: snapshot as RunSnapshot });
      actor.start();
      armTimers(actor, JSON.parse(row.timers ?? '[]') as StoredTimer[], options.now());
    },
    refuse(runId, error, status = 'failed') {
      ends.set(runId, endedState(runId, error, options, status));
      actors.get(runId)?.stop();
      append(runId, { type: 'run.status', status, ...(error === null ? {} : { error }) });
      schedule('now');
    },
    append,
    cancel(runId) {
      const actor = actors.get(runId);
      if (actor === undefined || actor.getSnapshot().status !== 'active') return false;
      actor.send({ type: 'run.cancel' });
      return true;
    },
    choose(runId, into, picked) {
      const actor = actors.get(runId);
      if (actor === undefined || !awaits(actor, into)) return false;
      actor.send({ type: 'run.choose', into, picked });
      return !awaits(actor, into);
    },
    committed: (runId) => gate(runId),
    stored: (runId, whether = LATER) => gate(runId, { since: performance.now(), whether }),
    stage(
      runId,
      { attempts = [], graphs = [], provenance = [], artifacts = [], outbox = [], requestKeys = [], timings = [], savings = [] },
    ) {
      pending.attempts.push(...attempts);
      pending.graphs.push(...graphs);
      pending.provenance.push(...provenance);
      pending.artifacts.push(...artifacts);
      pending.outbox.push(...outbox.map((item) => ({ ...item, runId })));
      pending.timings.push(...timings);
      pending.savings.push(...savings.map((row) => ({ ...row, runId })));
      pending.requestKeys.push(...requestKeys.map((row) => ({ ...row, runId })));
      mark(runId);
    },
    touch: mark,
    snapshot: (runId) => actors.get(runId)?.getSnapshot(),
    open: () => [...actors.keys()],
    close() {
      // Nobody is served any more, so it may stand still for a while.
      const until = performance.now() + LAST_TRY_MS;
      do flush();
      while (scheduled === 'later' && performance.now() < until);
      // From here on nothing is written, so that stopping a machine does not end its run.
      closed = true;
      clearTimeout(timer);
      for (const waiter of waiters) waiter.reject(contention.refusal('The daemon ends; whatever was not written has not happened.'));
      for (const actor of actors.values()) actor.stop();
    },
  };

  /** Every change before this call is in the next flush, so one waiter list serves all runs. */
  function gate(runId: string, client: Pick<Waiter, 'since' | 'rows' | 'whether'> = {}): Promise<void> {
    if (closed)
      return Promise.reject(
        new CallsheetError('STORAGE_FAILED', 'The daemon is stopping; nothing more is written.', { hint: 'Start it again.' }),
      );
    dirty.add(runId);
    schedule('now');
    return new Promise((resolve, reject) => waiters.push({ resolve, reject, ...client }));
  }
}

// --- helpers ---

function rowOf(runId: string, actor: RunActor, options: RunHostOptions): RunState {
  const snapshot = actor.getSnapshot();
  const status = statusOf(snapshot);
  const isOver = snapshot.status !== 'active';
  const context: RunContext = snapshot.context;
  const timers = isOver ? [] : timersOf(actor);
  return {
    runId,
    status,
    draft: context.draft,
    progress: status === 'succeeded' ? 1 : options.progressOf(runId),
    machine: options.machine.id,
    machineVersion: RUN_MACHINE_VERSION,
    snapshot: isOver ? null : snapshotText(actor.getPersistedSnapshot()),
    timers: timers.length === 0 ? null : JSON.stringify(timers),
    error: snapshot.status === 'error' ? toErrorData(snapshot.error) : context.error,
    endedAt: isOver ? options.now() : null,
  };
}

function endedState(runId: string, error: ErrorData | null, options: RunHostOptions, status: RunStatus = 'failed'): RunState {
  return {
    runId,
    status,
    draft: false,
    // One that was never taken up stands where it was stored.
    progress: Math.max(options.progressOf(runId), options.store.run(runId)?.progress ?? 0),
    machine: options.machine.id,
    machineVersion: RUN_MACHINE_VERSION,
    snapshot: null,
    timers: null,
    error,
    endedAt: options.now(),
  };
}

function awaits(actor: RunActor, into: string): boolean {
  const { status, context } = actor.getSnapshot();
  return status === 'active' && context.steps.some((step) => choiceOf(step.id) === into && step.status === 'waiting');
}

/** The machine's states as clients know them. */
export function statusOf(snapshot: RunSnapshot): RunStatus {
  if (snapshot.status === 'error') return 'failed';
  switch (snapshot.value) {
    case 'loading':
    case 'injecting':
      return 'queued';
    case 'executing':
      return isWaiting(snapshot.context.steps) ? 'waiting' : 'running';
    case 'collecting':
      return 'running';
    case 'releasing':
      return 'cancelling';
    default:
      return snapshot.value;
  }
}
