/** Puts the result cache together from what is kept and what backends say. */
import type { BackendFacts } from '#actors/result-cache/contract.ts';
import { noResultCache } from '#actors/result-cache/no-result-cache.ts';
import { createResultCache, type OwnedResultCache } from '#actors/result-cache/result-cache.ts';
import type { Store } from '#store/types.ts';
import type { KeptResults } from './kept-results.ts';
import type { Logger } from './log.ts';
import { VERSION } from './version.ts';

export interface CacheParts {
  readonly kept?: KeptResults;
  readonly facts: BackendFacts;
  readonly store: Pick<Store, 'graph'>;
  readonly log: Pick<Logger, 'warn'>;
}

export function openCache({ kept, facts, store, log }: CacheParts): OwnedResultCache {
  if (kept === undefined || kept.limit === 0) return noResultCache();
  return createResultCache({
    ...kept,
    facts,
    version: VERSION,
    graph: (hash) => store.graph(hash),
    now: Date.now,
    onTrouble: (error, what) => log.warn({ err: error }, what),
  });
}
