/** Methods that show what the machines of runs do (docs/inspector.md). */
import { boolean, closed, described, integer, object, optional, pair, string } from '../schema.ts';
import { method } from './define.ts';

const onlyRun = optional(described(string({ minLength: 1, maxLength: 64 }), 'Id of a run; absent: every run.'));

// Machines hold what nobody has checked and worded for clients yet: errors of backends, texts that nodes gave. So a key that may only read is not
// enough for it. Secrets are taken out for everybody.
export const inspectSubscribe = method({
  name: 'inspect/subscribe',
  scope: 'run',
  mutation: false,
  description:
    'Sends `inspect` notifications: every actor that lives, parents first, with its definition and state, those that ended lately, and then what happens. Ends with the connection.',
  params: closed({ runId: onlyRun }),
  result: object({ subscription: string() }),
  errors: ['RUN_NOT_FOUND', 'TOO_MANY_REQUESTS'],
});

export const inspectUnsubscribe = method({
  name: 'inspect/unsubscribe',
  scope: 'run',
  mutation: false,
  description: 'Ends an inspection of this connection.',
  params: closed({ subscription: string({ minLength: 1, maxLength: 64 }) }),
  result: object({ removed: boolean() }),
  errors: [],
});

export const inspectTicket = method({
  name: 'inspect/ticket',
  scope: 'run',
  mutation: false,
  description:
    'Opens the WebSocket `/inspect` once, within 30 seconds, for clients that cannot send headers: pages offer `protocols` there, clients that take nothing but an address dial `path`.',
  params: closed({ runId: onlyRun }),
  result: object({
    path: string(),
    protocols: pair(string()),
    expiresAt: described(integer(), 'Milliseconds since 1970.'),
  }),
  errors: ['RUN_NOT_FOUND', 'TOO_MANY_REQUESTS'],
});
