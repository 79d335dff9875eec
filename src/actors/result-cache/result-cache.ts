/** The result cache over its index and its files: looks results up, keeps new ones, and never hands out what was changed on disk. */
import { inWords, differences, nearest } from '#graph/result-key/differences.ts';
import { sha256Hex } from '#graph/hash.ts';
import { toErrorData } from '#protocol/errors.ts';
import type { Backend } from '#backends/contract.ts';
import type { KeptFiles } from '#results/kept-files.ts';
import type { KeptFile, ResultIndex } from '#store/result-index.ts';
import { planStep } from '#templates/render.ts';
import type { RunMemory } from '../deps.ts';
import type { PrepareInput } from '../logic.ts';
import { scopeOf } from '../scope.ts';
import type { CachedResult, KeyedItem, Look, MadeFile, ResultCache } from './contract.ts';
import { type KeyMaker, keyOf } from './item-key.ts';

/** So many of the results of a step are looked through for the one that differs least. */
const NEAR = 24;
/** So many items of a step are looked up before its run's turn: they are all that begin at once. */
const FIRST_ITEMS = 16;
/** When the limit is passed, it is left by so much, so that not every new result drops an old one. */
const LEFT = 0.9;

export interface ResultCacheOptions extends KeyMaker {
  readonly index: ResultIndex;
  readonly files: KeptFiles;
  /** Bytes; 0 keeps nothing and takes nothing. */
  readonly limit: number;
  readonly now: () => number;
  readonly onTrouble: (error: unknown, what: string) => void;
}

export interface OwnedResultCache extends ResultCache {
  use(): { readonly entries: number; readonly bytes: number; readonly limit: number; readonly hits: number; readonly misses: number };
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
}

export function createResultCache(options: ResultCacheOptions): OwnedResultCache {
  const { index, files, limit, onTrouble } = options;
  const byPrompt = new Map<string, Flight>();
  const byKey = new Map<string, Flight>();
  const counts = { hits: 0, misses: 0 };
  let working: Promise<unknown> = Promise.resolve();
  let bytes = index.use().bytes;

  const keyed = (memory: RunMemory, input: PrepareInput, backend: Backend, signal: AbortSignal) =>
    keyOf(options, memory, input, backend, signal);

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
    const kept = index.near(memory.template.id, step, NEAR) as readonly CachedResult[];
    const near = nearest(now, kept);
    if (near === undefined) return 'No result of this step is kept.';
    const found = differences(now, near.parts);
    return found.length === 0
      ? `The nearest result that is kept, of run ${near.runId}, is of other outputs.`
      : `The nearest result that is kept, of run ${near.runId}, is of something else: ${inWords(found)}.`;
  }

  async function store(memory: RunMemory, input: PrepareInput, flight: Flight, made: readonly MadeFile[]) {
    const { keyed: before } = flight;
    const kept = made.flatMap(({ sha256, bytes: size, nodes, artifactId, remote }): KeptFile[] => {
      const [name] = nodes.flatMap((node) => before.names.get(node) ?? []);
      if (name === undefined) return [];
      const { key, filename, type, draft = false } = remote ?? {};
      const from =
        key === undefined || filename === undefined || type === undefined
          ? {}
          : { remote: { key, filename, type, ...(draft ? { draft } : {}) } };
      return [{ sha256, bytes: size, node: name, artifactId, ...from }];
    });
    const size = kept.reduce((sum, file) => sum + file.bytes, 0);
    // Something of it cannot be named, or it would push everything else out.
    if (kept.length < made.length || kept.length === 0 || size > limit / 2) return;
    // A server that was changed while it worked made the result of neither state.
    const after = await keyed(memory, input, before.backend, AbortSignal.timeout(RECHECK_MS));
    if (!('keyed' in after) || after.keyed.key !== before.key || after.keyed.saidAt !== undefined) return;
    for (const { path, sha256, bytes: each } of made) await files.add(path, sha256, each);
    const added = index.put({
      key: before.key,
      template: memory.template.id,
      step: input.step,
      request: requestOf(memory),
      runId: input.runId,
      item: input.item,
      backend: before.backend.id,
      createdAt: options.now(),
      seconds: flight.seconds ?? null,
      files: kept,
      parts: before.parts,
    });
    if (added === undefined) return;
    bytes += added;
    if (bytes > limit) await shrink();
  }

  async function shrink(): Promise<void> {
    const { files: gone } = index.shrink(limit * LEFT);
    await files.remove(gone);
    bytes = index.use().bytes;
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
        const found = await lookAt(memory, input, backends, signal, anew || !memory.options.cache);
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
      const flight: Flight = { promptId, keyed: item, over: Promise.withResolvers<void>(), seconds: undefined };
      byPrompt.set(promptId, flight);
      if (!byKey.has(item.key)) byKey.set(item.key, flight);
    },
    took(promptId, seconds) {
      const flight = byPrompt.get(promptId);
      if (flight !== undefined) flight.seconds = seconds;
    },
    doubted: doubt,
    ended: end,
    keep(memory, input, promptId, made) {
      const flight = byPrompt.get(promptId);
      if (flight === undefined) return;
      void later(() => store(memory, input, flight, made), 'a result could not be kept').then(() => end(promptId));
    },
    async whole(result) {
      const paths: string[] = [];
      for (const { sha256, bytes: size } of result.files) {
        const state = await files.state(sha256, size).catch(() => 'changed' as const);
        if (state !== 'whole') return { why: state === 'gone' ? 'a file of it is gone' : 'a file of it is not what it was any more' };
        paths.push(files.path(sha256));
      }
      return { paths };
    },
    used(key) {
      counts.hits += 1;
      index.touch(key);
    },
    async drop(result) {
      index.drop(result.key);
      await files.remove(result.files.map(({ sha256 }) => sha256));
      bytes = index.use().bytes;
    },
    use: () => ({ ...index.use(), limit, ...counts }),
    async clear() {
      const { entries, bytes: size } = index.use();
      await later(async () => {
        await files.remove(index.shrink(0).files);
        bytes = 0;
      }, 'the result cache could not be cleared');
      return { entries, bytes: size };
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

/** Equal for runs that ask for the same, in most cases: nothing is taken by it. */
function requestOf({ template, params, backend }: RunMemory): string {
  return sha256Hex(JSON.stringify([template.id, params, backend]));
}

const timeOf = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
