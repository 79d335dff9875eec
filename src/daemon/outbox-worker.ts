/** Works off the outbox: side effects that are owed once a transaction stands and that do no harm when repeated or missed. */
import type { Attempt, Backend } from '#backends/contract.ts';
import type { OutboxItem, Store } from '#store/types.ts';

/** Items taken at a time, tries before one is given up, and the pause before a round, in milliseconds. */
const BATCH = 50;
const MAX_TRIES = 5;
const PAUSE_MS = 250;

export interface OutboxWorker {
  /** Says that there may be something to do. */
  wake(): void;
  close(): void;
}

export interface OutboxOptions {
  readonly store: Pick<Store, 'outbox' | 'outboxDone' | 'outboxTried'>;
  readonly backend: (id: string) => Backend | undefined;
}

export function createOutboxWorker({ store, backend }: OutboxOptions): OutboxWorker {
  let timer: NodeJS.Timeout | undefined;
  let working = false;
  let closed = false;

  const work = async () => {
    working = true;
    const items = store.outbox(BATCH);
    for (const item of items) {
      if (closed) break;
      const isDone = await perform(item, backend);
      if (closed) break;
      if (isDone || item.tries + 1 >= MAX_TRIES) store.outboxDone(item.id);
      else store.outboxTried(item.id);
    }
    working = false;
    if (items.length === BATCH) wake();
  };
  const wake = () => {
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
  };
}

async function perform(item: OutboxItem, backend: OutboxOptions['backend']): Promise<boolean> {
  if (item.kind !== 'backend.forget') return true;
  const attempt = JSON.parse(item.body) as Attempt;
  try {
    await backend(attempt.backendId)?.forget(attempt);
    return true;
  } catch {
    return false;
  }
}
