/** Works off one kind of the outbox: side effects that are owed once a transaction stands and that do no harm when repeated or missed. */
import type { Attempt, Backend } from '#backends/contract.ts';
import type { OutboxItem, Store } from '#store/types.ts';

/** Items taken at a time, tries before one is given up, and the pause before a round, in milliseconds. */
const BATCH = 50;
const MAX_TRIES = 5;
const PAUSE_MS = 250;

export interface OutboxWorker {
  /** Says that there may be something to do. */
  wake(): void;
  /** Begins nothing more by itself. */
  close(): void;
  /** After that: resolves once what was begun is done, and what is owed then was tried once more, as far as a batch goes. */
  workOff(): Promise<void>;
}

export interface OutboxOptions {
  readonly store: Pick<Store, 'outbox' | 'outboxDone' | 'outboxTried'>;
  /** One that takes long holds up no other. */
  readonly kind: string;
  /** What it throws is tried again. */
  readonly perform: (item: OutboxItem) => Promise<void>;
}

export function createOutboxWorker({ store, kind, perform }: OutboxOptions): OutboxWorker {
  let timer: NodeJS.Timeout | undefined;
  let working = false;
  /** Woken while it worked: there may be more than it took. */
  let again = false;
  let closed = false;
  let begun: Promise<boolean> = Promise.resolve(true);

  const tryOne = (item: OutboxItem): Promise<boolean> =>
    perform(item).then(
      () => true,
      () => false,
    );
  const work = async () => {
    working = true;
    again = false;
    const items = store.outbox(BATCH, kind);
    for (const item of items) {
      if (closed) break;
      begun = tryOne(item);
      const isDone = await begun;
      if (closed) break;
      if (isDone || item.tries + 1 >= MAX_TRIES) store.outboxDone(item.id);
      else store.outboxTried(item.id);
    }
    working = false;
    if (again || items.length === BATCH) wake();
  };
  const wake = () => {
    again ||= working;
    if (closed || working || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      work().catch(() => {
        // What is owed stays stored; who writes next learns that nothing can be stored.
        working = false;
      });
    }, PAUSE_MS);
    timer.unref();
  };
  return {
    wake,
    close() {
      closed = true;
      clearTimeout(timer);
    },
    async workOff() {
      await begun;
      try {
        for (const item of store.outbox(BATCH, kind)) if (await tryOne(item)) store.outboxDone(item.id);
      } catch {
        // It stays owed: the next start works it off.
      }
    },
  };
}

/** Kind of the items that say that our entry may go from a backend's history. */
export const BACKEND_FORGET = 'backend.forget';

/** One of a backend that is not there any more is done. */
export async function forgetAttempt(item: OutboxItem, backend: (id: string) => Backend | undefined): Promise<void> {
  const attempt = JSON.parse(item.body) as Attempt;
  await backend(attempt.backendId)?.forget(attempt);
}
