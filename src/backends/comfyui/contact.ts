/** Whether the server can be reached, as far as anybody noticed: one state for the whole backend, told to everyone who follows an attempt. */

export type ContactStatus = 'lost' | 'restored' | 'unresponsive';

export interface Contact {
  /** Something answered, over HTTP or the socket. */
  heard(): void;
  /** A connection broke or could not be made; `refused` proves that no server runs there now. */
  lost(refused: boolean): void;
  unresponsive(): void;
  /** `ok` until something else is known. */
  readonly status: 'ok' | 'lost' | 'unresponsive';
  /** Counts refused connections: whoever compares two readings knows whether the server was away in between. */
  readonly refusals: number;
  /** Returns how to stop listening. */
  listen(listener: (status: ContactStatus) => void): () => void;
}

export function createContact(): Contact {
  let status: 'ok' | 'lost' | 'unresponsive' = 'ok';
  let refusals = 0;
  const listeners = new Set<(status: ContactStatus) => void>();
  const become = (next: typeof status): void => {
    if (next === status) return;
    status = next;
    for (const listener of listeners) listener(next === 'ok' ? 'restored' : next);
  };
  return {
    heard: () => become('ok'),
    lost(refused) {
      if (refused) refusals += 1;
      become('lost');
    },
    unresponsive() {
      if (status === 'ok') become('unresponsive');
    },
    get status() {
      return status;
    },
    get refusals() {
      return refusals;
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
