/** Puts the inspector together: the hub that machines are tapped into, its RPC side and its door. */
import { redactJson } from '#graph/secrets.ts';
import type { Store } from '#store/types.ts';
import type { Auth } from '../auth.ts';
import type { DoorLimits } from '../limits.ts';
import type { Logger } from '../log.ts';
import type { Refusals } from '../refusals.ts';
import { createInspectDoor, type InspectDoor } from './inspect-door.ts';
import { createInspectHub, type InspectHub } from './inspect-hub.ts';
import { createInspectService, type InspectService } from './inspect-service.ts';
import { createInspectTickets } from './tickets.ts';

/** Must stand before the first machine begins. */
export function openInspectHub(store: Pick<Store, 'run'>, log: Pick<Logger, 'error'>): InspectHub {
  return createInspectHub({
    // A parameter that is a secret by its name may stand in what a backend answered.
    secretsOf(runId) {
      const row = store.run(runId);
      return row === undefined ? undefined : redactJson(row.parameters).values;
    },
    onDefect: (error) => log.error({ err: error }, 'the inspector failed'),
  });
}

export function serveInspector(parts: {
  readonly hub: InspectHub;
  readonly store: Pick<Store, 'run'>;
  readonly auth: Auth;
  readonly refusals: Refusals;
  readonly limits: DoorLimits;
}): { readonly inspect: InspectService; readonly inspectDoor: InspectDoor } {
  const tickets = createInspectTickets();
  return { inspect: createInspectService({ ...parts, tickets }), inspectDoor: createInspectDoor({ ...parts, tickets }) };
}
