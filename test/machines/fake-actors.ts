/** Actors whose effects are promises held open by the test: each is found by its name and input, and settled when a path says so. */
import { fromCallback, fromPromise } from 'xstate';
import type { ExecuteEvent, RunActors } from '#actors/logic.ts';

interface Held {
  readonly key: string;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export interface FakeActors {
  readonly actors: RunActors;
  /** Settles the newest open effect with this key and lets everything that follows from it happen. */
  resolve(key: string, value: unknown): Promise<void>;
  reject(key: string, error: unknown): Promise<void>;
  /** Sends a backend event through the newest execute-step of `step/item`. */
  report(key: string, event: ExecuteEvent): Promise<void>;
}

export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

export function createFakeActors(): FakeActors {
  const held: Held[] = [];
  const executing = new Map<string, (event: ExecuteEvent) => void>();
  const hold = <T>(key: string) => new Promise<T>((resolve, reject) => held.push({ key, resolve, reject }));
  const newest = (key: string): Held => {
    const found = held.findLast((one) => one.key === key);
    if (found === undefined) throw new Error(`no effect '${key}' is open; open are: ${held.map((one) => one.key).join(', ')}`);
    return found;
  };
  const itemKey = (name: string, { step, item }: { readonly step: string; readonly item: number }) => `${name} ${step}/${String(item)}`;
  return {
    actors: {
      'load-template': fromPromise(() => hold('load')),
      'inject-parameters': fromPromise(() => hold('inject')),
      'plan-step': fromPromise(({ input }) => hold(`plan ${input.step}`)),
      'offer-choice': fromPromise(({ input }) => hold(`offer ${input.into}`)),
      'collect-results': fromPromise(() => hold('collect')),
      'release-attempts': fromPromise(() => hold('release')),
      'prepare-step': fromPromise(({ input }) => hold(itemKey('prepare', input))),
      'parse-results': fromPromise(({ input }) => hold(itemKey('parse', input))),
      'cancel-step': fromPromise(({ input }) => hold(itemKey('cancel', input))),
      'free-backend': fromPromise(({ input }) => hold(itemKey('free', input))),
      'execute-step': fromCallback(({ input, sendBack }) => {
        executing.set(`${input.step}/${String(input.item)}`, sendBack);
      }),
    },
    async resolve(key, value) {
      newest(key).resolve(value);
      await turn();
    },
    async reject(key, error) {
      newest(key).reject(error);
      await turn();
    },
    async report(key, event) {
      executing.get(key)?.(event);
      await turn();
    },
  };
}
