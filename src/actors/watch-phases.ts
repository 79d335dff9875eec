/** Tells whoever measures how long each actor was at work. Nobody has to listen, and whoever does can change nothing. */
import type { EventObject, PromiseActorLogic } from 'xstate';
import { type ErrorData, toErrorData } from '#protocol/errors.ts';

/** Parts of a run that are measured where they are done; the others show in its log. */
export type WatchedPhase = 'load' | 'inject' | 'plan' | 'prepare' | 'parse' | 'fetch' | 'collect';

export interface PhaseSpan {
  readonly phase: WatchedPhase;
  readonly runId: string;
  readonly step?: string;
  readonly item?: number;
  readonly attempt?: number;
  /** Milliseconds since 1970, by the clock that does not jump in between. */
  readonly from: number;
  readonly until: number;
  /** Absent when it was finished, or stopped from outside. */
  readonly error?: ErrorData;
}

/** Called at the end of each phase. Must not throw. */
export type PhaseWatch = (span: PhaseSpan) => void;

type PhaseKey = Pick<PhaseSpan, 'runId' | 'step' | 'item' | 'attempt'>;

/** The same actor; `watch` hears of its end, of whatever kind. Without a watch it is the actor itself. */
export function watchActor<Output, Input extends PhaseKey, Emitted extends EventObject>(
  watch: PhaseWatch | undefined,
  phase: WatchedPhase,
  logic: PromiseActorLogic<Output, Input, Emitted>,
): PromiseActorLogic<Output, Input, Emitted> {
  if (watch === undefined) return logic;
  const begun = new WeakMap<object, (error?: unknown) => void>();
  return {
    ...logic,
    start(snapshot, scope) {
      if (snapshot.status === 'active' && snapshot.input !== undefined) begun.set(scope.self, begin(watch, phase, snapshot.input));
      logic.start?.(snapshot, scope);
    },
    transition(snapshot, event, scope) {
      const next = logic.transition(snapshot, event, scope);
      if (next.status === 'active') return next;
      begun.get(scope.self)?.(next.status === 'error' ? next.error : undefined);
      begun.delete(scope.self);
      return next;
    },
  };
}

/** `work`, and how long it took. */
export async function watchWork<T>(watch: PhaseWatch | undefined, phase: WatchedPhase, key: PhaseKey, work: () => Promise<T>): Promise<T> {
  if (watch === undefined) return work();
  const end = begin(watch, phase, key);
  try {
    const result = await work();
    end();
    return result;
  } catch (error) {
    end(error);
    throw error;
  }
}

// --- helpers ---

function begin(watch: PhaseWatch, phase: WatchedPhase, { runId, step, item, attempt }: PhaseKey): (error?: unknown) => void {
  const from = Date.now();
  const since = performance.now();
  return (error) =>
    watch({
      phase,
      runId,
      ...(step === undefined ? {} : { step }),
      ...(item === undefined ? {} : { item }),
      ...(attempt === undefined ? {} : { attempt }),
      from,
      until: from + (performance.now() - since),
      ...(error === undefined ? {} : { error: toErrorData(error) }),
    });
}
