/**
 * Brings the event log to subscribers. Events are never queued in memory: a subscription is a place in the log,
 * and whoever reads slowly is served from the store later. So there is no gap, no duplicate and no growth.
 */
import { randomUUID } from 'node:crypto';
import { CallsheetError } from '#protocol/errors.ts';
import type { PreviewNotice, ProgressNotice, RunEvent } from '#protocol/events.ts';
import type { Notifications, SubscribeParams, SubscribeResult } from '#protocol/methods/event.ts';
import { formatNotification } from '#protocol/rpc.ts';
import { RUN_ENDS } from '#protocol/views.ts';
import type { Store } from '#store/types.ts';
import type { Outbound } from './outbound.ts';
import type { RunService } from './run-service.ts';
import type { TemplateService } from './template-service.ts';

type EventSource = Pick<Store, 'epoch' | 'events' | 'lastPosition' | 'run'>;

export interface EventHub {
  /** One per connection. */
  attach(outbound: Outbound): Subscriber;
  /** Events of one commit, in order of position. */
  publish(events: readonly RunEvent[]): void;
  progress(notice: ProgressNotice): void;
  /** Asked with each new subscription: where runs stand that are at work, since their next notice may be long in coming. */
  greetWith(atWork: () => readonly ProgressNotice[]): void;
  preview(notice: PreviewNotice): void;
  /** To every connection that subscribed to the whole log. */
  announce<N extends 'template/changed' | 'backend/changed' | 'run/removed'>(name: N, params: Notifications[N]): void;
  readonly subscriptions: number;
  close(): void;
}

export interface Subscriber {
  /** `deliver` is called after the answer has been sent. Throws EVENT_GAP, RUN_NOT_FOUND, TOO_MANY_REQUESTS. */
  subscribe(params: SubscribeParams): { readonly result: SubscribeResult; readonly deliver: () => void };
  unsubscribe(id: string): boolean;
  detach(): void;
}

interface Subscription {
  readonly id: string;
  readonly runId: string | undefined;
  readonly previews: boolean;
  readonly outbound: Outbound;
  /** Last number sent: `seq` with a runId, else `position`. */
  cursor: number;
  /** True while it is served from the store and not by `publish`. */
  reading: boolean;
  open: boolean;
}

interface Connection {
  readonly outbound: Outbound;
  readonly subscriptions: Map<string, Subscription>;
  /** Newest notice of each kind and run, oldest wish first, until its beat. */
  readonly notices: Map<string, { readonly name: 'progress' | 'preview'; readonly params: ProgressNotice | PreviewNotice }>;
}

const PAGE = 500;
/** Until the log is read again that could not be, in milliseconds. */
const AGAIN_MS = 250;
const MAX_SUBSCRIPTIONS = 64;
/** Ten notices of progress a second at most for each client, and ten previews; runs take turns. */
const BEAT_MS = 100;
const KINDS = ['progress', 'preview'] as const;

export function createEventHub(source: EventSource): EventHub {
  const connections = new Set<Connection>();
  let beat: NodeJS.Timeout | undefined;
  let atWork: () => readonly ProgressNotice[] = () => [];

  /** Reads on from the cursor, one page each turn of the event loop, until the log's end is reached. */
  function read(subscription: Subscription): void {
    if (!subscription.open) return;
    if (subscription.outbound.full) {
      subscription.outbound.onceFree(() => read(subscription));
      return;
    }
    const page = pageOf(subscription);
    if (page === undefined) {
      setTimeout(() => read(subscription), AGAIN_MS).unref();
      return;
    }
    subscription.outbound.together(() => {
      for (const event of page) sendEvent(subscription, event);
    });
    if (page.length < PAGE) subscription.reading = false;
    else setImmediate(() => read(subscription));
  }

  /** Undefined when the log cannot be read at the moment: nobody loses his place by that. */
  function pageOf({ runId, cursor }: Subscription): readonly RunEvent[] | undefined {
    try {
      return source.events({ ...(runId === undefined ? {} : { runId }), after: cursor, limit: PAGE });
    } catch (error) {
      if (error instanceof CallsheetError && error.data.retryable) return undefined;
      throw error;
    }
  }

  /** What a subscription is to have of the events of one commit. */
  function give(subscription: Subscription, events: readonly RunEvent[]): void {
    for (const event of events) {
      if (subscription.reading) break;
      if (subscription.runId !== undefined && subscription.runId !== event.runId) continue;
      if (numberOf(subscription, event) <= subscription.cursor) continue;
      if (subscription.outbound.full) {
        subscription.reading = true;
        read(subscription);
      } else sendEvent(subscription, event);
    }
  }

  function startOver(): { readonly details: Record<string, unknown>; readonly hint: string } {
    return {
      details: { epoch: source.epoch, seq: source.lastPosition() },
      hint: 'Subscribe without `since`, then read the state again with run/list and run/get.',
    };
  }

  function startOf({ since, runId }: SubscribeParams): number {
    if (runId !== undefined && source.run(runId) === undefined) {
      throw new CallsheetError('RUN_NOT_FOUND', 'No run has this id.', { hint: 'List runs: run/list' });
    }
    const end = runId === undefined ? source.lastPosition() : lastSeq(source, runId);
    if (since === undefined) return end;
    if (since.epoch !== source.epoch)
      throw new CallsheetError('EVENT_GAP', 'The event log is another one than `since` speaks of.', startOver());
    if (since.seq > end) throw new CallsheetError('EVENT_GAP', 'The event log ends before `since`.', startOver());
    return since.seq;
  }

  function keep(runId: string, key: string, name: 'progress' | 'preview', params: ProgressNotice | PreviewNotice): void {
    for (const connection of connections) {
      const wanted = [...connection.subscriptions.values()].some(
        (one) => (one.runId === undefined || one.runId === runId) && (name === 'progress' || one.previews),
      );
      if (wanted) connection.notices.set(key, { name, params });
    }
    beat ??= setTimeout(sendNotices, BEAT_MS).unref();
  }

  function sendNotices(): void {
    beat = undefined;
    for (const { outbound, notices } of connections) {
      for (const kind of KINDS) {
        const next = [...notices].find(([, { name }]) => name === kind);
        if (next === undefined) continue;
        notices.delete(next[0]);
        outbound.sendIfFree(formatNotification(kind, next[1].params));
      }
      if (notices.size > 0) beat ??= setTimeout(sendNotices, BEAT_MS).unref();
    }
  }

  return {
    attach(outbound) {
      const connection: Connection = { outbound, subscriptions: new Map(), notices: new Map() };
      connections.add(connection);
      return {
        subscribe(params) {
          if (connection.subscriptions.size >= MAX_SUBSCRIPTIONS) {
            throw new CallsheetError('TOO_MANY_REQUESTS', `A connection can hold ${MAX_SUBSCRIPTIONS} subscriptions.`, {
              hint: 'End some with event/unsubscribe, or subscribe once without a runId.',
            });
          }
          const { runId, previews = false } = params;
          const subscription: Subscription = {
            id: randomUUID(),
            runId,
            previews,
            outbound,
            cursor: startOf(params),
            reading: true,
            open: true,
          };
          connection.subscriptions.set(subscription.id, subscription);
          return {
            result: { subscription: subscription.id, epoch: source.epoch, seq: subscription.cursor },
            deliver() {
              read(subscription);
              for (const notice of atWork()) {
                const key = progressKey(notice);
                if ((runId === undefined || runId === notice.runId) && !connection.notices.has(key))
                  connection.notices.set(key, { name: 'progress', params: notice });
              }
              beat ??= setTimeout(sendNotices, BEAT_MS).unref();
            },
          };
        },
        unsubscribe(id) {
          const subscription = connection.subscriptions.get(id);
          if (subscription === undefined) return false;
          subscription.open = false;
          return connection.subscriptions.delete(id);
        },
        detach() {
          for (const subscription of connection.subscriptions.values()) subscription.open = false;
          connections.delete(connection);
        },
      };
    },

    publish(events) {
      const over = new Set(events.flatMap(({ runId, event }) => (isEnd(event) ? [runId] : [])));
      for (const { outbound, subscriptions, notices } of connections) {
        // What is still waiting of a run that has ended would be told after its end.
        if (over.size > 0) for (const [key, { params }] of notices) if (over.has(params.runId)) notices.delete(key);
        outbound.together(() => {
          for (const subscription of subscriptions.values()) give(subscription, events);
        });
      }
    },

    progress: (notice) => keep(notice.runId, progressKey(notice), 'progress', notice),
    greetWith: (given) => void (atWork = given),
    preview: (notice) => keep(notice.runId, `preview ${notice.runId} ${notice.step} ${notice.item}`, 'preview', notice),

    announce(name, params) {
      const text = formatNotification(name, params);
      for (const { outbound, subscriptions } of connections) {
        if ([...subscriptions.values()].some(({ runId }) => runId === undefined)) outbound.sendIfFree(text);
      }
    },

    get subscriptions() {
      return [...connections].reduce((sum, { subscriptions }) => sum + subscriptions.size, 0);
    },

    close() {
      clearTimeout(beat);
      // One that still reads would read on from a store that is closed by then.
      for (const { subscriptions } of connections) for (const subscription of subscriptions.values()) subscription.open = false;
      connections.clear();
    },
  };
}

/** Everything that is told to clients unasked goes through here. */
export function feedHub(hub: EventHub, runs: RunService, templates: TemplateService): void {
  runs.onEvents((events) => hub.publish(events));
  hub.greetWith(() => runs.atWork());
  runs.onProgress((notice) => hub.progress(notice));
  runs.onPreview((notice) => hub.preview(notice));
  runs.onBackend((view) => hub.announce('backend/changed', view));
  templates.onChange((change) => hub.announce('template/changed', change));
}

// --- helpers ---

function progressKey({ runId }: ProgressNotice): string {
  return `progress ${runId}`;
}

function isEnd(event: RunEvent['event']): boolean {
  return event.type === 'run.status' && RUN_ENDS.includes(event.status);
}

function sendEvent(subscription: Subscription, event: RunEvent): void {
  subscription.cursor = numberOf(subscription, event);
  const params: Notifications['event'] = { subscription: subscription.id, ...event };
  subscription.outbound.send(formatNotification('event', params));
}

function numberOf({ runId }: Subscription, event: RunEvent): number {
  return runId === undefined ? event.position : event.seq;
}

/** A run's numbers have no gap, so its last one is found by halving: the store needs no query of its own for it. */
function lastSeq(source: EventSource, runId: string): number {
  const has = (seq: number): boolean => source.events({ runId, after: seq - 1, limit: 1 }).length > 0;
  let low = 0;
  let high = 1;
  while (has(high)) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (has(middle)) low = middle;
    else high = middle;
  }
  return low;
}
