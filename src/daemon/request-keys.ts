/** Request keys: a repeated mutation gets the first answer again, also while the first is still under way and after a restart. */
import { CallsheetError } from '#protocol/errors.ts';
import type { Store } from '#store/types.ts';
import type { Contention } from './contention.ts';

export interface RequestKeys {
  /**
   * Runs `work` once per key. A method that makes a run stores the key in the run's own transaction; for others give `runId`, or null for what belongs to no run, and it is stored here.
   * Throws REQUEST_KEY_CONFLICT.
   */
  once<T extends object>(
    key: string | undefined,
    method: string,
    paramsHash: string,
    work: () => Promise<T>,
    runId?: string | null,
  ): Promise<T>;
}

export function createRequestKeys(store: Pick<Store, 'requestKey' | 'putRequestKey'>, contention: Pick<Contention, 'write'>): RequestKeys {
  const underWay = new Map<string, { readonly method: string; readonly paramsHash: string; readonly answer: Promise<object> }>();
  return {
    async once<T extends object>(
      key: string | undefined,
      method: string,
      paramsHash: string,
      work: () => Promise<T>,
      runId?: string | null,
    ): Promise<T> {
      if (key === undefined) return work();
      const first = underWay.get(key) ?? store.requestKey(key);
      if (first !== undefined) {
        if (first.method !== method || first.paramsHash !== paramsHash) {
          throw new CallsheetError(
            'REQUEST_KEY_CONFLICT',
            `The requestKey was used before for another ${first.method === method ? 'set of parameters' : 'method'}.`,
            {
              hint: 'Draw a new requestKey for a new request; repeat one only to repeat the same request.',
            },
          );
        }
        return (typeof first.answer === 'string' ? JSON.parse(first.answer) : await first.answer) as T;
      }
      const answer = work();
      underWay.set(key, { method, paramsHash, answer });
      try {
        const value = await answer;
        if (runId !== undefined) {
          const row = { key, method, paramsHash, runId, answer: JSON.stringify(value) };
          await contention.write(
            () => store.putRequestKey(row),
            'It is done, but its requestKey could not be stored: repeated, it is done again.',
          );
        }
        return value;
      } finally {
        underWay.delete(key);
      }
    },
  };
}
