/** Prepare-step: takes the item's result where it was made before; else waits for a place on a backend, renders it and writes down the intent. */
import { fromPromise } from 'xstate';
import { toErrorData } from '#protocol/errors.ts';
import { sha256Hex } from '#graph/hash.ts';
import type { Backend } from '#backends/contract.ts';
import type { SavingsRow } from '#store/types.ts';
import { keepFacts } from './attempt-facts.ts';
import type { ActorDeps, RunMemory } from './deps.ts';
import { isRefused, withGrace } from './grace.ts';
import { promptIdOf } from './ids.ts';
import type { InFlight } from './in-flight.ts';
import type { PrepareInput, PrepareStep, ServedFromCache } from './logic.ts';
import { type FusedItem, type FusedPart, renderFused } from './fused/render-fused.ts';
import { type CachedItem, createCachedItem } from './result-cache/cached-item.ts';
import { keepSavings, savingsKey, savingsRows } from './savings.ts';

export function createPrepareStep(deps: ActorDeps, inFlight: InFlight): PrepareStep {
  return fromPromise(async ({ input, signal, emit }) => {
    const memory = deps.memory(input.runId);
    const promptId = promptIdOf(input);
    // Prepared before a crash: its backend is settled, and execute-step looks there before it sends anything.
    const known = memory.attempts.get(promptId);
    if (known !== undefined) return { promptId, backendId: known.backend };
    const onWait = (error: unknown) => {
      const message = `${toErrorData(error).message} Waiting for up to ${String(Math.round(deps.graceMs / 1000))} s.`;
      emit({ type: 'run.note', code: 'BACKEND_WAITED_FOR', message, step: input.step });
    };
    const { runId, step, item, attempt, profile } = input;
    const cached = createCachedItem(deps, memory, input, emit, signal);
    const found = await placed(deps, memory, input, signal, {
      cached,
      onWait,
      onQueued: (reason) => emit({ type: 'step.status', step, item, attempt, status: 'waiting', reason }),
    });
    if ('cached' in found) return found;
    const { backend, rendered } = found;
    const { savings, parts, ...payload } = rendered;
    for (const part of parts) await share(deps, memory, input, part, signal);
    const row = {
      promptId,
      runId,
      step,
      item,
      attempt,
      backend: backend.id,
      address: deps.addressOf(backend),
      payloadHash: sha256Hex(rendered.text),
      status: 'prepared',
      acknowledged: false,
      number: null,
      createdAt: deps.now(),
      endedAt: null,
      error: null,
      ...(profile === undefined ? {} : { profile }),
      ...(parts.length === 0 ? {} : { fused: parts.map(({ step: id, rounds }) => ({ step: id, rounds })) }),
    };
    memory.attempts.set(promptId, row);
    // Of a run from a backup this very attempt may have been sent after it was made: execute-step looks first.
    if (memory.restored !== true) memory.fresh.add(promptId);
    const rows = [
      ...savingsRows(deps, memory, input, backend.id, savings),
      ...parts.flatMap((part) => savingsRows(deps, memory, { runId, step: part.step, item: 0 }, backend.id, part.savings)),
      ...notTaken(memory, input),
    ];
    keepSavings(memory, rows);
    inFlight.keepPayload(promptId, payload);
    const facts = keepFacts(deps, memory, promptId, backend, payload);
    memory.provenance.set(promptId, facts.row);
    deps.stage(runId, { attempts: [row], graphs: facts.graphs, provenance: [facts.row], savings: rows });
    return { promptId, backendId: backend.id };
  });
}

/** In an earlier try of the run it was there without a prompt of its own; now it is made. */
function notTaken(memory: RunMemory, { runId, step, item }: PrepareInput): readonly SavingsRow[] {
  const rows = WITHOUT_PROMPT.map((pass): SavingsRow => ({ runId, step, item, pass, savings: [] }));
  return rows.filter((row) => memory.savings.has(savingsKey(row)));
}

const WITHOUT_PROMPT = ['result-cache', 'existing-outputs', 'fused-steps'] as const;

/** Its result is kept as well, if it is what the step would give by itself. */
async function share(deps: ActorDeps, memory: RunMemory, input: PrepareInput, { step, scope, rounds }: FusedPart, signal: AbortSignal) {
  const { runId, skipped, picks } = input;
  const part = { runId, skipped, step, item: 0, attempt: 1, ...(picks === undefined ? {} : { picks }) };
  if (rounds) await deps.cache.shares(promptIdOf(input), memory, { input: part, scope }, signal);
}

interface Told {
  readonly cached: CachedItem;
  readonly onWait: (error: unknown) => void;
  readonly onQueued: (reason: string) => void;
}

interface Placed {
  readonly backend: Backend;
  readonly rendered: FusedItem;
}

/**
 * A place, and the payload for it; or the result, when it was made before, or by somebody else while a place was waited for. A backend that
 * refuses connections is left when another one is up; else it is waited for.
 */
async function placed(
  deps: ActorDeps,
  memory: RunMemory,
  input: PrepareInput,
  signal: AbortSignal,
  { cached, onWait, onQueued }: Told,
): Promise<Placed | ServedFromCache> {
  const { places } = deps;
  for (;;) {
    const result = await cached.take();
    if (result !== undefined) return result;
    const backend = await places.acquire(memory, input, signal, onQueued);
    const leaves = (error: unknown) => isRefused(error) && places.leave(memory, input.step, backend.id);
    try {
      const underWay = cached.underWay(backend.id);
      if (underWay !== undefined) {
        // Whoever makes it already has a place; this one is somebody else's until then.
        places.release(promptIdOf(input));
        onQueued('The same result is being made by another item; it is taken from there.');
        await abortable(underWay, signal);
        continue;
      }
      // Before anything is waited for: of two that come now only one makes it.
      cached.began(backend.id);
      // Rendering uploads what it needs.
      const work = () =>
        places.send(
          backend.id,
          signal,
          ({ reason }) => onQueued(reason),
          () => renderFused(deps, memory, input, backend, signal),
        );
      const rendered = await withGrace({ ...deps, leaves }, signal, work, onWait);
      // Cancelled meanwhile: nobody would ever take what is kept from here on.
      signal.throwIfAborted();
      return { backend, rendered };
    } catch (error) {
      deps.cache.ended(promptIdOf(input));
      places.release(promptIdOf(input));
      if (signal.aborted || !leaves(error)) throw error;
    }
  }
}

async function abortable(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const stopped = Promise.withResolvers<never>();
  const stop = () => stopped.reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  await Promise.race([work, stopped.promise]).finally(() => signal.removeEventListener('abort', stop));
}
