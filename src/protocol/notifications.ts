/** The table of notifications: everything that the daemon sends unasked, and what a client may send without an answer. */
import { previewNotice, progressNotice, runEventBody } from './event-schema.ts';
import { inspectMessage } from './inspect-schema.ts';
import { backend, problem } from './methods/views.ts';
import { array, boolean, described, integer, object, optional, string, stringOrInteger } from './schema.ts';
import type { Infer, Schema } from './schema.ts';

export interface Notification<Params> {
  readonly description: string;
  readonly params: Schema<Params>;
  /** True when it may be dropped for a client that reads slowly, or merged with the one after it. */
  readonly droppable: boolean;
}

const notification = <P>(definition: Notification<P>): Notification<P> => definition;

/** From the daemon. */
export const NOTIFICATIONS = {
  challenge: notification({
    description: 'The first word of the daemon on a connection whose upgrade carried no key.',
    droppable: false,
    params: object({ nonce: string() }),
  }),
  event: notification({
    description: 'One line of the log, to each subscription that it belongs to: in order, each exactly once.',
    droppable: false,
    params: object({
      subscription: string(),
      runId: string(),
      seq: described(integer({ minimum: 1 }), "Number within the run's log, without a gap."),
      position: described(integer({ minimum: 1 }), 'Number within the whole log of this epoch.'),
      epoch: string(),
      at: described(integer({ minimum: 0 }), 'Milliseconds since 1970; for people, never for ordering.'),
      event: runEventBody,
    }),
  }),
  progress: notification({
    description: 'How far a run is; at most ten a second to each client, the newest of each run.',
    droppable: true,
    params: progressNotice,
  }),
  preview: notification({
    description: 'A picture in the making, `data` in base64; only with `previews: true`.',
    droppable: true,
    params: previewNotice,
  }),
  'run/removed': notification({
    description: 'Runs that were cleaned away; to subscriptions of the whole log.',
    droppable: true,
    params: object({ runIds: array(string()) }),
  }),
  'template/changed': notification({
    description: 'How a template stands now; to subscriptions of the whole log.',
    droppable: true,
    params: object({
      id: string(),
      version: string(),
      runnable: boolean(),
      problems: array(problem),
      removed: optional(described(boolean(), 'True when the last file that claimed this id and version is gone.')),
    }),
  }),
  'backend/changed': notification({
    description: 'A backend as in `backend/list`; to subscriptions of the whole log.',
    droppable: true,
    params: backend,
  }),
  inspect: notification({
    description:
      'What machines do, to who asked with `inspect/subscribe`; left out, and counted, where it is too much ([inspector.md](inspector.md)).',
    droppable: true,
    params: object({ subscription: string(), message: inspectMessage }),
  }),
  '$/progress': notification({
    description: 'How far a call is that was given a `progressToken`; at most ten a second for each call, and none after its answer.',
    droppable: true,
    params: object({
      token: string(),
      value: object({
        done: integer({ minimum: 0 }),
        total: described(optional(integer({ minimum: 0 })), 'Absent while it is not known.'),
        message: optional(string()),
      }),
    }),
  }),
} as const;

/** From a client. Others are dropped. */
export const CLIENT_NOTIFICATIONS = {
  '$/cancelRequest': notification({
    description:
      'Takes back a call of this connection that is still at work. It is answered all the same: with its result, or with `REQUEST_CANCELLED`.',
    droppable: false,
    params: object({ id: described(stringOrInteger(), 'The id of the call.') }),
  }),
} as const;

export type NotificationName = keyof typeof NOTIFICATIONS;
export type Notifications = { readonly [N in NotificationName]: Infer<(typeof NOTIFICATIONS)[N]['params']> };
export type TemplateChanged = Notifications['template/changed'];
export type CallProgress = Notifications['$/progress']['value'];
