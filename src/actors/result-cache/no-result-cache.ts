/** The result cache of a daemon that keeps none. */
import type { OwnedResultCache } from './result-cache.ts';

export function noResultCache(): OwnedResultCache {
  return {
    look: async () => ({ kind: 'off' }),
    covers: async () => false,
    flight: () => undefined,
    began: () => undefined,
    shares: () => Promise.resolve(),
    took: () => undefined,
    doubted: () => undefined,
    ended: () => undefined,
    keep: () => undefined,
    whole: async () => ({ why: 'nothing is kept' }),
    used: () => undefined,
    drop: async () => undefined,
    use: () => ({ entries: 0, bytes: 0, limit: 0, hits: 0, misses: 0 }),
    clear: async () => ({ entries: 0, bytes: 0 }),
    settled: async () => undefined,
  };
}
