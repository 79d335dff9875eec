/** One item and the result cache: whether its result is there, is being made by somebody else, or will be made by this one. */
import type { RunEventBody } from '#protocol/events.ts';
import type { ActorDeps, RunMemory } from '../deps.ts';
import { promptIdOf } from '../ids.ts';
import type { PrepareInput, ServedFromCache } from '../logic.ts';
import type { Look } from './contract.ts';
import { serveResult } from './serve-result.ts';

export interface CachedItem {
  /** Looks for the result and takes it. The first time says what it found, later only when it takes something. */
  take(): Promise<ServedFromCache | undefined>;
  /** Resolves when the attempt that makes this result on this backend now has ended; undefined when none does. */
  underWay(backendId: string): Promise<void> | undefined;
  /** The item's own attempt is going to make it there, unless its place is given up. */
  began(backendId: string): void;
}

export function createCachedItem(
  deps: ActorDeps,
  memory: RunMemory,
  input: PrepareInput,
  emit: (event: RunEventBody) => void,
  signal: AbortSignal,
): CachedItem {
  const { cache } = deps;
  const { runId, step, item, attempt } = input;
  let look: Look | undefined;

  /** All files of an item are written down at once: those that are there without an attempt were taken, and then the daemon died. */
  const takenBefore = (): ServedFromCache | undefined => {
    const isOf = (one: { readonly step: string; readonly item: number }) => one.step === step && one.item === item;
    const own = memory.artifacts.filter((one) => isOf(one) && one.partial !== true);
    if (own.length === 0 || [...memory.attempts.values()].some(isOf)) return undefined;
    return { cached: true, draft: own.some(({ draft }) => draft) };
  };
  return {
    async take() {
      const before = takenBefore();
      if (before !== undefined) return before;
      const isFirst = look === undefined;
      const lookOnce = (anew = false) => cache.look(memory, input, deps.places.takers(memory, step), signal, anew);
      look = await lookOnce();
      if (look.kind === 'hit' && deps.isMadeAnew(runId, step)) look = await lookOnce(true);
      if (look.kind === 'hit') {
        const served = await serveResult(deps, memory, input, look, emit, signal);
        if (served !== undefined) return served;
        look = await lookOnce();
        return undefined;
      }
      if (isFirst && look.kind !== 'anew' && look.reason !== undefined)
        emit({ type: 'step.cache', step, item, attempt, result: look.kind, reason: look.reason });
      return undefined;
    },
    underWay(backendId) {
      const keyed = look?.kind === 'miss' ? look.keys.get(backendId) : undefined;
      return keyed === undefined ? undefined : cache.flight(keyed.key);
    },
    began(backendId) {
      const keyed = look?.kind === 'miss' || look?.kind === 'anew' ? look.keys.get(backendId) : undefined;
      if (keyed !== undefined) cache.began(promptIdOf(input), keyed);
    },
  };
}
