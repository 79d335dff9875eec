/** The result cache over its index and its files: looks results up, keeps new ones, and never hands out what was changed on disk. */
import { inWords, differences, nearest } from '#graph/result-key/differences.ts';
import { toErrorData } from '#protocol/errors.ts';
import type { CacheUse } from '#protocol/methods/system.ts';
import type { Backend } from '#backends/contract.ts';
import { planStep } from '#templates/render.ts';
import type { Scope } from '#templates/types.ts';
import type { RunMemory } from '../deps.ts';
import type { PrepareInput } from '../logic.ts';
import { scopeOf } from '../scope.ts';
import type { CachedResult, KeyedItem, Look, MadePart, ResultCache } from './contract.ts';
import { type Keyed, type KeyMaker, keyOf } from './item-key.ts';
import { keptOrigin } from './kept-origin.ts';
import { createKeptStore, type KeptStoreOptions, type Made, requestOf } from './kept-store.ts';

/** So many of the results of a step are looked through for the one that differs least. */
const NEAR = 24;
/** So many items of a step are looked up before its run's turn: they are all that begin at once. */
const FIRST_ITEMS = 16;
export interface ResultCacheOptions extends KeyMaker, KeptStoreOptions {
  /** A stored graph by its hash. */
  readonly graph: (hash: string) => string | undefined;
  readonly onTrouble: (error: unknown, what: string) => void;
}

export interface OwnedResultCache extends ResultCache {
  use(): CacheUse;
  /** Drops everything; what that was. */
  clear(): Promise<{ readonly entries: number; readonly bytes: number }>;
  /** Resolves when nothing is being kept any more. */
  settled(): Promise<void>;
}

interface Flight {
  readonly promptId: string;
  readonly keyed: KeyedItem;
  readonly over: PromiseWithResolvers<void>;
  seconds: number | undefined;
  /** Steps that share the prompt. */
  readonly parts: Map<string, FlightPart>;
}

type Storing = Pick<Made, 'memory' | 'input' | 'files' | 'origin'>;

interface FlightPart {
  readonly scope: Scope;
  /** Its key while it was not there yet what it takes: only tells whether the server is still what it was. */
  readonly probe: KeyedItem;
  seconds: number | undefined;
}

export function createResultCache(options: ResultCacheOptions): OwnedResultCache {
  const { index, files, limit, onTrouble } = options;
  const byPrompt = new Map<string, Flight>();
  const byKey = new Map<string, Flight>();
  /** By template and step, what is being kept of steps that shared a prompt: nobody knew its key while it was made. */
  const storingPart = new Map<string, Promise<void>>();
  const counts = { hits: 0, misses: 0 };
  let working: Promise<unknown> = Promise.resolve();
  const kept = createKeptStore(options);

  const keyed = (memory: RunMemory, input: PrepareInput, backend: Backend, signal: AbortSignal, scope?: Scope) =>
    keyOf(options, memory, input, backend, signal, scope);

  function doubt(promptId: string): void {
    const flight = byPrompt.get(promptId);
    if (flight === undefined) return;
    if (byKey.get(flight.keyed.key) === flight) byKey.delete(flight.keyed.key);
    flight.over.resolve();
  }
  function end(promptId: string): void {
    doubt(promptId);
    byPrompt.delete(promptId);
  }

  async function lookAt(
    memory: RunMemory,
    input: PrepareInput,
    backends: readonly Backend[],
    signal: AbortSignal,
    anew: boolean,
  ): Promise<Look> {
    const keys = new Map<string, KeyedItem>();
    let why: string | undefined;
    for (const backend of backends) {
      const found = await keyed(memory, input, backend, signal);
      if ('why' in found) why ??= found.why;
      else {
        keys.set(backend.id, found.keyed);
        const result = index.get(found.keyed.key) as CachedResult | undefined;
        if (result !== undefined && !anew) return { kind: 'hit', keyed: found.keyed, result, reason: hitReason(result, found.keyed) };
      }
    }
    const [first] = keys.values();
    if (anew) return { kind: 'anew', keys };
    if (first === undefined) return { kind: 'off', reason: why ?? 'No backend takes it.' };
    return { kind: 'miss', keys, reason: missReason(memory, input.step, first) };
  }

  function missReason(memory: RunMemory, step: string, now: KeyedItem): string {
    const candidates = index.near(memory.template.id, step, NEAR) as readonly CachedResult[];
    const near = nearest(now, candidates);
    if (near === undefined) return 'No result of this step is kept.';
    const found = differences(now, near.parts);
    return found.length === 0
      ? `The nearest result that is kept, of run ${near.runId}, is of other outputs.`
      : `The nearest result that is kept, of run ${near.runId}, is of something else: ${inWords(found)}.`;
  }

  async function store({ memory, input, files: made, origin }: Storing, flight: Flight, shared: readonly MadePart[]) {
    const { keyed: before } = flight;
    // A server that was changed while it worked made the result of neither state.
    const signal = AbortSignal.timeout(RECHECK_MS);
    if (!isSame(before, await keyed(memory, input, before.backend, signal))) return;
    await kept.put({ memory, input, item: before, seconds: flight.seconds, files: made, origin });
    for (const { input: partInput, files: itsOwn } of shared) {
      const part = flight.parts.get(partInput.step);
      if (part === undefined) continue;
      if (!isSame(part.probe, await keyed(memory, partInput, before.backend, signal, part.scope))) continue;
      const now = await keyed(memory, partInput, before.backend, signal);
      if ('keyed' in now) await kept.put({ memory, input: partInput, item: now.keyed, seconds: part.seconds, files: itsOwn, origin });
    }
  }

  /** One after the other: the disk is the run's own first of all. */
  function later(work: () => Promise<void>, what: string): Promise<void> {
    const done = working.then(work).catch((error: unknown) => onTrouble(error, what));
    working = done;
    return done;
  }

  return {
    async look(memory, input, backends, signal, anew = false) {
      const step = memory.template.steps.find(({ id }) => id === input.step);
      if (limit === 0 || step === undefined || step.cache === false || step.backend === 'wan2gp') return { kind: 'off' };
      try {
        const lookOnce = () => lookAt(memory, input, backends, signal, anew || !memory.options.cache);
        let found = await lookOnce();
        const storing = found.kind === 'miss' ? storingPart.get(partOf(memory, input.step)) : undefined;
        if (storing !== undefined) {
          await storing;
          found = await lookOnce();
        }
        if (found.kind === 'miss') counts.misses += 1;
        return found;
      } catch (error) {
        signal.throwIfAborted();
        // Whatever is wrong with the item is told where it is prepared.
        return { kind: 'off', reason: toErrorData(error).message };
      }
    },
    async covers(memory, takers, signal) {
      // Most runs are asked for once only: whether it pays to look closer is known at once.
      if (limit === 0 || !memory.options.cache || !index.isKeptOf(requestOf(memory))) return false;
      const roots = memory.template.steps.filter(({ waits }) => waits.length === 0);
      for (const { id: step, cache } of roots) {
        const backends = takers(step);
        const [first] = backends;
        if (cache === false || first === undefined) return false;
        const plan = planStep(memory.template, step, scopeOf(memory, { runId: memory.runId, skipped: [] }, first)).value;
        if (plan === undefined) return false;
        if ('skip' in plan) continue;
        for (const item of plan.items.slice(0, FIRST_ITEMS).keys()) {
          const input = { runId: memory.runId, step, item, skipped: [], attempt: 1 };
          const { kind } = await lookAt(memory, input, backends, signal, false).catch(() => ({ kind: 'off' }));
          if (kind !== 'hit') return false;
        }
      }
      return roots.length > 0;
    },
    flight: (key) => byKey.get(key)?.over.promise ?? (index.get(key) === undefined ? undefined : Promise.resolve()),
    began(promptId, item) {
      if (byPrompt.has(promptId)) return;
      const flight: Flight = { promptId, keyed: item, over: Promise.withResolvers<void>(), seconds: undefined, parts: new Map() };
      byPrompt.set(promptId, flight);
      if (!byKey.has(item.key)) byKey.set(item.key, flight);
    },
    async shares(promptId, memory, { input, scope }, signal) {
      const flight = byPrompt.get(promptId);
      const step = memory.template.steps.find(({ id }) => id === input.step);
      if (flight === undefined || step?.cache === false) return;
      try {
        const found = await keyed(memory, input, flight.keyed.backend, signal, scope);
        if ('keyed' in found) flight.parts.set(input.step, { scope, probe: found.keyed, seconds: undefined });
      } catch {
        signal.throwIfAborted();
      }
    },
    took(promptId, seconds, step) {
      const flight = byPrompt.get(promptId);
      const part = step === undefined ? flight : flight?.parts.get(step);
      if (part !== undefined) part.seconds = seconds;
    },
    doubted: doubt,
    ended: end,
    keep(memory, input, promptId, made, shared = []) {
      const flight = byPrompt.get(promptId);
      if (flight === undefined) return;
      // Read now: the run may be cleaned away before its turn comes.
      const origin = keptOrigin(memory.provenance.get(promptId), options.graph);
      if (origin === undefined) return end(promptId);
      const storing = { memory, input, files: made, origin };
      const done = later(() => store(storing, flight, shared), 'a result could not be kept').then(() => end(promptId));
      for (const part of shared) {
        const name = partOf(memory, part.input.step);
        storingPart.set(name, done);
        void done.then(() => storingPart.get(name) === done && storingPart.delete(name));
      }
    },
    async whole(result) {
      const paths: string[] = [];
      for (const { sha256, bytes: size } of result.files) {
        const state = await files.state(sha256, size).catch(() => 'changed' as const);
        if (state !== 'whole') return { why: state === 'gone' ? 'a file of it is gone' : 'a file of it is not what it was any more' };
        paths.push(files.path(sha256));
      }
      const origin = index.origin(result.key);
      return origin === undefined ? { why: 'what made it is not known any more' } : { paths, origin };
    },
    used(key) {
      counts.hits += 1;
      index.touch(key);
    },
    drop: (result) => kept.drop(result),
    use() {
      const trouble = kept.trouble();
      return { ...kept.use(), limit, ...counts, ...(trouble === undefined ? {} : { trouble }) };
    },
    async clear() {
      const { entries, bytes } = kept.use();
      await later(() => kept.clear(), 'the result cache could not be cleared');
      return { entries, bytes };
    },
    settled: async () => void (await working),
  };
}

// --- helpers ---

/** How long a backend is asked whether it is still what it was, in milliseconds. */
const RECHECK_MS = 10_000;

function hitReason({ runId, createdAt, backend }: CachedResult, { saidAt, backend: now }: KeyedItem): string {
  const made = `Made by run ${runId} on '${backend}' at ${timeOf(createdAt)}, from the same graph, files and models.`;
  return saidAt === undefined ? made : `${made} '${now.id}' does not answer now; this holds by what it said at ${timeOf(saidAt)}.`;
}

/** What was said by a server that did not answer is no ground to keep anything. */
function isSame(before: KeyedItem, now: Keyed): boolean {
  return 'keyed' in now && now.keyed.key === before.key && now.keyed.saidAt === undefined;
}

const partOf = ({ template }: RunMemory, step: string): string => `${template.id}\n${step}`;

const timeOf = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
