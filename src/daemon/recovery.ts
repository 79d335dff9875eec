/** Takes up runs after a start so that one that takes the daemon down each time is found and set aside. The count is on disk before a run is touched. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { ErrorData } from '#protocol/errors.ts';
import type { Problem } from '#protocol/problem.ts';
import type { Store } from '#store/types.ts';
import { type Contention, isHeld } from './contention.ts';
import { MOST_DEATHS, planRecovery, type Standing } from './recovery-plan.ts';

const SETTING = 'recovery';
/** Tells this process from the one that died: a supervisor made anew in the same one blames nobody. */
const PROCESS = randomUUID();

/** How long a daemon has to live with a run before the run is no longer suspected, in milliseconds. */
export const USUAL_SETTLE_MS = 3000;

export interface RecoveryOptions {
  readonly store: Pick<Store, 'setting' | 'putSetting'>;
  readonly contention: Pick<Contention, 'putOff'>;
  readonly takeUp: (runId: string) => void;
  readonly setAside: (runId: string, error: ErrorData) => void;
  readonly settleMs: number;
  readonly log: Pick<Logger, 'warn'>;
}

export interface Recovery {
  /** Runs that have begun and not ended; `atRest` are those among them for which nothing is being done. */
  begin(runs: readonly string[], atRest?: ReadonlySet<string>): void;
  /** Takes a run up that still waits for its turn; one that is at rest is counted from here on, since somebody has it go on. */
  hurry(runId: string): void;
  /** All of a run that was taken up waits for a place: until it has one (`hurry`) it is not at work. */
  rest(runId: string): void;
  /** How many wait for their turn. */
  waiting(): number;
  /** Takes up nothing more. */
  stop(): void;
  /** A daemon that ends by itself blames nobody. */
  close(): void;
}

interface Stored {
  /** The process that works on them, which is still named after its death; null when it ended by itself. */
  readonly process: string | null;
  readonly runs: Readonly<Record<string, Standing>>;
}

export function createRecovery({ store, contention, takeUp, setAside, settleMs, log }: RecoveryOptions): Recovery {
  let standing = new Map<string, Standing>();
  let waiting: (readonly string[])[] = [];
  /** The group at its turn, while the count cannot be written. */
  let held: readonly string[] = [];
  /** Those that the daemon has to live with for a while now. */
  let trial: readonly string[] = [];
  /** Taken up and not counted: nothing is being done for them. */
  const resting = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const write = (process: string | null) => {
    store.putSetting(SETTING, JSON.stringify({ process, runs: Object.fromEntries(standing) } satisfies Stored));
  };
  const touch = (runs: readonly string[], alone: boolean) => {
    for (const runId of runs) standing.set(runId, { deaths: standing.get(runId)?.deaths ?? 0, touched: true, alone });
    try {
      write(PROCESS);
    } catch (error) {
      if (!isHeld(error)) throw error;
      // Another program holds the database, and none of them is touched before the count stands.
      held = runs;
      waiting = waiting.filter((group) => group !== runs);
      clearTimeout(timer);
      const pauseMs = contention.putOff(error);
      if (!stopped) timer = setTimeout(() => touchHeld(alone), pauseMs);
      return;
    }
    held = [];
    trial = runs;
    waiting = waiting.filter((group) => group !== runs);
    for (const runId of runs) takeUp(runId);
    settle();
  };
  const touchHeld = (alone: boolean) => {
    try {
      touch(held, alone);
    } catch (error) {
      log.warn({ err: error }, 'runs could not be taken up: what they did before cannot be counted');
      waiting = [held, ...waiting];
      held = [];
      settle();
    }
  };
  const settle = () => {
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(() => {
      try {
        next();
      } catch (error) {
        // Nobody is cleared, and nobody forgotten who still waits for his turn.
        if (!isHeld(error)) log.warn({ err: error }, 'runs that were taken up could not be cleared of suspicion');
        settle();
      }
    }, settleMs);
    timer.unref();
  };
  /** The daemon has lived with those at work for a while. */
  const next = () => {
    for (const runId of trial) standing.delete(runId);
    trial = [];
    const [group] = waiting;
    if (group === undefined) write(PROCESS);
    else touch(group, group.length === 1);
  };

  return {
    begin(runs, atRest) {
      const before = read(store.setting(SETTING));
      const plan = planRecovery(runs, new Map(Object.entries(before.runs)), before.process !== null && before.process !== PROCESS, atRest);
      standing = new Map(plan.standing);
      waiting = [...plan.groups];
      for (const runId of plan.poisoned) {
        standing.delete(runId);
        setAside(runId, poisoned());
      }
      if (plan.together.length === 0 && waiting.length > 0) next();
      else touch(plan.together, false);
      for (const runId of plan.resting) {
        resting.add(runId);
        takeUp(runId);
      }
    },
    hurry(runId) {
      const isUp = resting.delete(runId);
      if (!isUp && ![held, ...waiting].some((group) => group.includes(runId))) return;
      const others = (group: readonly string[]) => group.filter((one) => one !== runId);
      held = others(held);
      waiting = waiting.map(others).filter((group) => group.length > 0);
      // Where the daemon dies now, each of these may be the reason.
      trial = [...trial, runId];
      for (const one of trial) standing.set(one, { deaths: standing.get(one)?.deaths ?? 0, touched: true, alone: trial.length === 1 });
      try {
        write(PROCESS);
      } catch (error) {
        // It stands with the next count. A person waits for this one, and its effects wait for the database anyway.
        if (!isHeld(error)) throw error;
      }
      if (!isUp) takeUp(runId);
      if (held.length === 0) settle();
    },
    rest(runId) {
      if (!trial.includes(runId)) return;
      trial = trial.filter((one) => one !== runId);
      resting.add(runId);
      standing.set(runId, { deaths: standing.get(runId)?.deaths ?? 0, touched: false, alone: false });
      try {
        write(PROCESS);
      } catch (error) {
        // It stands with the next count; until then the run is counted.
        if (!isHeld(error)) log.warn({ runId, err: error }, 'a run that only waits is still counted as being worked on');
      }
    },
    waiting: () => [held, ...waiting].reduce((total, group) => total + group.length, 0),
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
    close() {
      clearTimeout(timer);
      standing = new Map([...standing].filter(([, { touched }]) => !touched));
      try {
        write(null);
      } catch {
        // The disk is why the daemon ends: it then counts as one that died.
      }
    },
  };
}

// --- helpers ---

function read(text: string | undefined): Stored {
  return text === undefined ? { process: null, runs: {} } : (JSON.parse(text) as Stored);
}

function poisoned(): ErrorData {
  const message = `The daemon died ${String(MOST_DEATHS)} times while it worked on this run, the last time on nothing else: the run is set aside, and the others go on.`;
  const hint = 'Look into the log of the daemon for what it did last, and into the files of the run; then: callsheet runs retry ID.';
  const problem: Problem = { code: 'RUN_SET_ASIDE', severity: 'error', message, hint };
  return { code: 'RUN_SET_ASIDE', message, hint, retryable: false, problems: [problem] };
}
