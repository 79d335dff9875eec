/** The RPC side of the inspector: what a connection looks at, for as long as it lasts, and the tickets that it may hand on. */
import { randomUUID } from 'node:crypto';
import { CallsheetError } from '#protocol/errors.ts';
import type { Store } from '#store/types.ts';
import type { Outbound } from '../outbound.ts';
import { INSPECT_PROTOCOL, TICKET_PREFIX } from './inspect-door.ts';
import type { InspectHub } from './inspect-hub.ts';
import type { InspectTickets } from './tickets.ts';

/** One per connection. */
export interface Watcher {
  /** `deliver` is called after the answer has been sent. Throws RUN_NOT_FOUND, TOO_MANY_REQUESTS. */
  subscribe(runId: string | undefined): { readonly result: { readonly subscription: string }; readonly deliver: () => void };
  unsubscribe(id: string): boolean;
  detach(): void;
}

export interface InspectService {
  attach(outbound: Pick<Outbound, 'sendIfFree'>): Watcher;
  /** `ended`: of the browser session that asks. Throws RUN_NOT_FOUND, TOO_MANY_REQUESTS. */
  ticket(
    runId: string | undefined,
    ended?: AbortSignal,
  ): { readonly path: string; readonly protocols: readonly [string, string]; readonly expiresAt: number };
}

const MAX_SUBSCRIPTIONS = 8;

export function createInspectService(parts: {
  readonly hub: InspectHub;
  readonly tickets: InspectTickets;
  readonly store: Pick<Store, 'run'>;
}): InspectService {
  const { hub, tickets, store } = parts;

  function demandRun(runId: string | undefined): void {
    if (runId !== undefined && store.run(runId) === undefined) {
      throw new CallsheetError('RUN_NOT_FOUND', 'No run has this id.', { hint: 'List runs: run/list' });
    }
  }

  return {
    attach(outbound) {
      const ends = new Map<string, () => void>();
      return {
        subscribe(runId) {
          demandRun(runId);
          if (ends.size >= MAX_SUBSCRIPTIONS) {
            throw new CallsheetError('TOO_MANY_REQUESTS', `A connection can hold ${String(MAX_SUBSCRIPTIONS)} inspections.`, {
              hint: 'End some with inspect/unsubscribe, or inspect every run at once.',
            });
          }
          const id = randomUUID();
          // The message is text already; it is not read again to be put into its envelope.
          const head = `{"jsonrpc":"2.0","method":"inspect","params":{"subscription":${JSON.stringify(id)},"message":`;
          ends.set(id, () => undefined);
          return {
            result: { subscription: id },
            deliver() {
              if (!ends.has(id)) return;
              const send = (text: string) => outbound.sendIfFree(`${head}${text}}}`);
              ends.set(id, hub.look({ ...(runId === undefined ? {} : { runId }), send, wants: () => true }));
            },
          };
        },
        unsubscribe(id) {
          ends.get(id)?.();
          return ends.delete(id);
        },
        detach() {
          for (const end of ends.values()) end();
          ends.clear();
        },
      };
    },
    ticket(runId, ended) {
      demandRun(runId);
      const { ticket, expiresAt } = tickets.issue({ ...(runId === undefined ? {} : { runId }), ...(ended === undefined ? {} : { ended }) });
      return { path: `/inspect/${ticket}`, protocols: [INSPECT_PROTOCOL, `${TICKET_PREFIX}${ticket}`], expiresAt };
    },
  };
}
