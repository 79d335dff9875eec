/** Methods and notifications that carry the event log to clients. */
import type { PreviewNotice, ProgressNotice, RunEvent, RunEventBody } from '../events.ts';
import type { Problem } from '../problem.ts';
import { array, boolean, closed, described, integer, json, object, optional, string } from '../schema.ts';
import type { Infer, Schema } from '../schema.ts';
import type { BackendView } from '../views.ts';
import { method, runId } from './define.ts';
import type { InspectNotice } from './inspect.ts';

const subscription = string({ minLength: 1, maxLength: 64 });

/** A place in a log. With a runId `seq` is the run's own number, else the position in the whole log. */
const cursor = closed({ epoch: string({ minLength: 1, maxLength: 100 }), seq: integer({ minimum: 0 }) });

export const eventSubscribe = method({
  name: 'event/subscribe',
  scope: 'read',
  mutation: false,
  description: 'Sends `event` notifications: those after `since` first, then live ones, without gap or duplicate.',
  params: closed({
    since: optional(described(cursor, 'Last event seen; absent means only what comes from now on.')),
    runId: optional(runId),
    previews: optional(described(boolean(), 'True sends `preview` notifications too.')),
  }),
  result: object({ subscription: string(), epoch: string(), seq: integer({ minimum: 0 }) }),
  errors: ['EVENT_GAP', 'RUN_NOT_FOUND', 'TOO_MANY_REQUESTS'],
});

export const eventUnsubscribe = method({
  name: 'event/unsubscribe',
  scope: 'read',
  mutation: false,
  description: 'Ends a subscription of this connection.',
  params: closed({ subscription }),
  result: object({ removed: boolean() }),
  errors: [],
});

const loggedEvent: Schema<RunEvent, false> = object({
  runId: string(),
  seq: integer({ minimum: 1 }),
  position: integer({ minimum: 1 }),
  epoch: string(),
  at: integer({ minimum: 0 }),
  event: json() as Schema<RunEventBody, false>,
});

export const eventList = method({
  name: 'event/list',
  scope: 'read',
  mutation: false,
  description:
    'Events of one run as they stand in its log, oldest first, page by page: `after` is the `seq` of the last event that is known.',
  params: closed({
    runId,
    after: optional(described(integer({ minimum: 0 }), 'Default 0: from the beginning.')),
    limit: optional(described(integer({ minimum: 1, maximum: 1000 }), 'Default 500.')),
  }),
  result: object({ epoch: string(), events: array(loggedEvent), more: boolean() }),
  errors: ['RUN_NOT_FOUND'],
});

export type Cursor = Infer<typeof cursor>;
export type SubscribeParams = Infer<typeof eventSubscribe.params>;
export type SubscribeResult = Infer<typeof eventSubscribe.result>;

export interface TemplateChanged {
  readonly id: string;
  readonly version: string;
  readonly runnable: boolean;
  readonly problems: readonly Problem[];
  /** True when the last file that claimed this id and version is gone. */
  readonly removed?: boolean;
}

/** Everything that a daemon sends unasked. `progress`, `preview`, `template/changed`, `backend/changed` and `run/removed` may be dropped; `event` never is. */
export interface Notifications {
  readonly challenge: { readonly nonce: string };
  readonly event: RunEvent & { readonly subscription: string };
  readonly progress: ProgressNotice;
  readonly preview: PreviewNotice;
  readonly 'template/changed': TemplateChanged;
  readonly 'backend/changed': BackendView;
  /** Cleaned away: nothing of them is listed any more. */
  readonly 'run/removed': { readonly runIds: readonly string[] };
  /** What machines do, to who asked with `inspect/subscribe`; may be left out, and says so. */
  readonly inspect: InspectNotice;
}

export type NotificationName = keyof Notifications;
