/** The node cache in the modes that ComfyUI has: which results of earlier prompts are kept. */
import { isLink, type JsonRecord } from './json.ts';
import type { NodeResult } from './nodes/define.ts';
import { inputsOf } from './prompt-nodes.ts';
import { sizeOf } from './values.ts';

/**
 * `classic` keeps what the latest prompt has a node for; `lru` whole prompts, newest first, while there are more than `entries`; `none` keeps a
 * result until the last node that depends on it has run; `ram` keeps everything until `bytes` are held.
 */
export type CacheMode =
  | { readonly kind: 'classic' }
  | { readonly kind: 'none' }
  | { readonly kind: 'lru'; readonly entries: number }
  | { readonly kind: 'ram'; readonly bytes: number };

export const DEFAULT_CACHE: CacheMode = { kind: 'ram', bytes: 512 * 1024 * 1024 };

/** Words of the command line and of options. */
export function parseCacheMode(text: string): CacheMode | undefined {
  if (text === 'classic' || text === 'none') return { kind: text };
  if (text === 'ram') return DEFAULT_CACHE;
  const entries = /^lru:(\d{1,6})$/.exec(text)?.[1];
  return entries === undefined || Number(entries) === 0 ? undefined : { kind: 'lru', entries: Number(entries) };
}

export interface PromptCache {
  get(id: string): NodeResult | undefined;
  /** `bytes`: what the result holds in memory besides pixels. */
  put(id: string, result: NodeResult, bytes?: number): void;
}

export interface NodeCache {
  /** A prompt begins: what the mode keeps no longer goes now, before the prompt is told what is cached. */
  begin(prompt: JsonRecord, keys: ReadonlyMap<string, string>): PromptCache;
  clear(): void;
}

interface Entry {
  readonly result: NodeResult;
  readonly bytes: number;
  /** Holds a model: under pressure those of older prompts go first. */
  readonly model: boolean;
}

/** `onDrop` hears the key of each result that is let go. */
export function createNodeCache(mode: CacheMode = DEFAULT_CACHE, onDrop: (key: string) => void = () => undefined): NodeCache {
  const entries = new Map<string, Entry>();
  /** Key → number of the last prompt that had a node for it. */
  const used = new Map<string, number>();
  let generation = 0;
  let oldest = 0;
  const drop = (key: string): void => {
    used.delete(key);
    if (entries.delete(key)) onDrop(key);
  };

  const clean = (keys: ReadonlySet<string>): void => {
    if (mode.kind === 'none') for (const key of entries.keys()) drop(key);
    if (mode.kind === 'classic') for (const key of entries.keys()) if (!keys.has(key)) drop(key);
    // Whole prompts go, oldest first; what the present one uses stays, however much it is.
    while (mode.kind === 'lru' && entries.size > mode.entries && oldest < generation) {
      oldest += 1;
      for (const key of entries.keys()) if ((used.get(key) ?? 0) < oldest) drop(key);
    }
  };
  const relieve = (budget: number, fresh: string): void => {
    let total = 0;
    for (const { bytes } of entries.values()) total += bytes;
    while (total > budget) {
      const key = worst(entries, used, generation, fresh);
      if (key === undefined) return;
      total -= entries.get(key)?.bytes ?? 0;
      drop(key);
    }
  };

  return {
    begin(prompt, keys) {
      generation += 1;
      for (const key of keys.values()) used.set(key, generation);
      clean(new Set(keys.values()));
      const released = mode.kind === 'none' ? releaseAfterUse(prompt, (id) => drop(keys.get(id) ?? '')) : undefined;
      return {
        get(id) {
          const key = keys.get(id) ?? '';
          const entry = entries.get(key);
          if (entry === undefined) return undefined;
          entries.delete(key);
          entries.set(key, entry);
          return entry.result;
        },
        put(id, result, bytes = 0) {
          const key = keys.get(id) ?? '';
          const pixels = result.outputs.reduce<number>((sum, value) => sum + sizeOf(value), 0);
          entries.delete(key);
          entries.set(key, { result, bytes: pixels + bytes, model: bytes > 0 });
          released?.(id);
          if (mode.kind === 'ram') relieve(mode.bytes, key);
        },
      };
    },
    clear() {
      for (const key of entries.keys()) drop(key);
      used.clear();
    },
  };
}

/**
 * Under pressure ComfyUI lets go first of models that only older prompts used, then of what is large and old; results of the running prompt go
 * last. Weights a third more for every prompt since. Undefined when only `fresh` is left.
 */
function worst(
  entries: ReadonlyMap<string, Entry>,
  used: ReadonlyMap<string, number>,
  generation: number,
  fresh: string,
): string | undefined {
  let found: string | undefined;
  let most = -1;
  for (const [key, { bytes, model }] of entries) {
    if (key === fresh) continue;
    const age = generation - (used.get(key) ?? 0);
    const weight = age === 0 ? 0 : 1.3 ** age * (model ? 1e30 : bytes + 0.05);
    if (weight <= most) continue;
    most = weight;
    found = key;
  }
  return found;
}

/** Mode `none`: once every node that has a link to a node has run, the node's result is let go. */
function releaseAfterUse(prompt: JsonRecord, release: (id: string) => void): (done: string) => void {
  const origins = new Map<string, Set<string>>();
  const dependants = new Map<string, Set<string>>();
  for (const id of Object.keys(prompt)) {
    for (const value of Object.values(inputsOf(prompt, id))) {
      if (!isLink(value)) continue;
      origins.set(id, (origins.get(id) ?? new Set()).add(value[0]));
      dependants.set(value[0], (dependants.get(value[0]) ?? new Set()).add(id));
    }
  }
  const executed = new Set<string>();
  return (done) => {
    executed.add(done);
    for (const origin of origins.get(done) ?? []) {
      const waits = [...(dependants.get(origin) ?? [])].some((id) => !executed.has(id));
      if (executed.has(origin) && !waits) release(origin);
    }
  };
}
