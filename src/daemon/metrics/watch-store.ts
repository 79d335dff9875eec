/** The same store; how long its transactions take, and what stands in them, is told. */
import type { Store } from '#store/types.ts';
import type { Counters } from './counters.ts';

/** Nothing that goes wrong in counting reaches whoever writes. */
export function watchStore(store: Store, counters: Pick<Counters, 'committed' | 'commitFailed'>, guard: (work: () => void) => void): Store {
  return {
    ...store,
    commit(batch) {
      const since = performance.now();
      try {
        const events = store.commit(batch);
        const took = (performance.now() - since) / 1000;
        guard(() => counters.committed(batch, took));
        return events;
      } catch (error) {
        guard(() => counters.commitFailed(error));
        throw error;
      }
    },
  };
}
