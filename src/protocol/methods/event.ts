/** Methods that carry the event log to clients. */
import type { RunEvent } from '../events.ts';
import { runEventBody } from '../event-schema.ts';
import { array, boolean, closed, described, integer, object, optional, string } from '../schema.ts';
import type { Infer, Schema } from '../schema.ts';
import { method, runId } from './define.ts';
import { queueState } from './queue.ts';
import { backend, run, runSummary } from './views.ts';

const subscription = string({ minLength: 1, maxLength: 64 });

/** A place in a log. With a runId `seq` is the run's own number, else the position in the whole log. */
const cursor = closed({ epoch: string({ minLength: 1, maxLength: 100 }), seq: integer({ minimum: 0 }) });

/** The state at `seq` of the answer that it is part of, so that the events after it make it the state of each later moment. */
const snapshot = object({
  run: optional(described(run, 'With a `runId`: that run.')),
  runs: optional(described(array(runSummary), 'Of the whole log: the newest runs.')),
  more: optional(described(boolean(), 'True: there are older runs; `run/list` goes on before the last one.')),
  backends: optional(array(backend)),
  queue: optional(queueState),
});

export const eventSubscribe = method({
  name: 'event/subscribe',
  scope: 'read',
  mutation: false,
  description:
    'Sends `event` notifications: those after `since` first, then live ones, without gap or duplicate. With `snapshot` a place that can not be resumed is no error: the answer has the state as it is now.',
  params: closed({
    since: optional(described(cursor, 'Last event seen; absent means only what comes from now on.')),
    runId: optional(runId),
    previews: optional(described(boolean(), 'True sends `preview` notifications too.')),
    snapshot: optional(
      described(boolean(), 'True: where `since` is absent or can not be resumed, the answer has the state that the events go on from.'),
    ),
  }),
  result: object({
    subscription: string(),
    epoch: string(),
    seq: integer({ minimum: 0 }),
    gap: optional(described(boolean(), 'True: `since` could not be resumed; what was known before counts no more.')),
    snapshot: optional(snapshot),
  }),
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
  event: runEventBody,
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
export type EventSnapshot = Infer<typeof snapshot>;
export type SubscribeResult = Infer<typeof eventSubscribe.result>;

export type { Notifications, TemplateChanged } from '../notifications.ts';
