/** The page's way to the daemon: comes back by itself for as long as the page is open, and resumes subscriptions where they were. */
import { CallsheetError } from '../../src/protocol/errors.ts';
import type { RunEvent } from '../../src/protocol/events.ts';
import type { Cursor, SubscribeParams, SubscribeResult } from '../../src/protocol/methods/event.ts';
import type { NotificationName, Notifications } from '../../src/protocol/notifications.ts';
import type { MethodName, ParamsOf, ResultOf } from '../../src/protocol/methods/index.ts';
import type { InitializeResult } from '../../src/protocol/methods/system.ts';
import { type Link, openLink } from './link.ts';

/** `gone`: nobody answers. `locked`: somebody does, and does not know this browser (any more). */
export type ConnectionState = 'connecting' | 'open' | 'gone' | 'locked';

export interface EventHandlers {
  readonly onEvent: (event: RunEvent) => void;
  /** The log is another one: what is shown has to be read again; the subscription goes on from now. */
  readonly onGap: () => void;
}

export interface Session {
  /** Throws what the daemon answers, and CONNECTION_LOST. */
  call<M extends MethodName>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>>;
  /** For what changes something: sent again under the same key when the answer was lost with the connection. */
  wish<M extends MethodName>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>>;
  /** Events in order, each exactly once, also across connections. Returns how to stop. */
  subscribe(params: SubscribeParams, handlers: EventHandlers): () => void;
  on<N extends NotificationName>(name: N, listener: (params: Notifications[N]) => void): () => void;
  onState(listener: (state: ConnectionState) => void): void;
  /** What the daemon said of itself; waits for the connection. */
  server(): Promise<InitializeResult>;
  /** Tries at once instead of after the pause. */
  hurry(): void;
}

interface Subscription {
  readonly params: SubscribeParams;
  readonly handlers: EventHandlers;
  id: string | undefined;
  cursor: Cursor | undefined;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4000;
/** A session that has ended comes back only through `callsheet open`. */
const LOCKED_PAUSE_MS = 10_000;

export function createSession(): Session {
  const subscriptions = new Set<Subscription>();
  const listeners = new Map<string, Set<(params: never) => void>>();
  const watchers = new Set<(state: ConnectionState) => void>();
  let link: Link | undefined;
  let arrived = Promise.withResolvers<Link>();
  let skipPause = (): void => undefined;

  const tell = (state: ConnectionState): void => {
    for (const watcher of watchers) watcher(state);
  };

  function receive(name: string, params: unknown): void {
    if (name === 'event') {
      const event = params as Notifications['event'];
      for (const one of subscriptions) {
        if (one.id !== event.subscription) continue;
        one.cursor = { epoch: event.epoch, seq: one.params.runId === undefined ? event.position : event.seq };
        one.handlers.onEvent(event);
      }
    }
    for (const listener of listeners.get(name) ?? []) listener(params as never);
  }

  async function connectForEver(): Promise<never> {
    for (let pause = FIRST_PAUSE_MS; ;) {
      let wait = pause;
      let hasArrived = false;
      try {
        const down = Promise.withResolvers<void>();
        const fresh = await openLink({ onNotification: receive, onDown: down.resolve });
        link = fresh;
        await Promise.all([...subscriptions].map((one) => follow(one, fresh)));
        pause = FIRST_PAUSE_MS;
        wait = pause;
        arrived.resolve(fresh);
        hasArrived = true;
        tell('open');
        await down.promise;
        tell('gone');
      } catch (error) {
        const isLocked = error instanceof CallsheetError && error.code === 'UNAUTHORIZED';
        tell(isLocked ? 'locked' : 'gone');
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
        if (isLocked) wait = LOCKED_PAUSE_MS;
      }
      link?.close();
      link = undefined;
      for (const one of subscriptions) one.id = undefined;
      // Who waits since before a try that failed waits for the next one as well.
      if (hasArrived) arrived = Promise.withResolvers();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, wait);
        skipPause = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Of a lost connection the next one takes care; what passes is tried again; a run that was cleaned away has no events any more. */
  async function follow(one: Subscription, over: Link, pause = FIRST_PAUSE_MS): Promise<void> {
    // It goes on from now, and now is later than it was asked for: what came between is lost like in a gap.
    const isLate = pause > FIRST_PAUSE_MS && one.cursor === undefined && one.params.since === undefined;
    try {
      await begin(one, over);
      if (isLate) one.handlers.onGap();
    } catch (error) {
      if (error instanceof CallsheetError && error.code === 'CONNECTION_LOST') return;
      if (!(error instanceof CallsheetError) || !error.data.retryable) {
        subscriptions.delete(one);
        return;
      }
      setTimeout(() => {
        if (link === over && subscriptions.has(one)) void follow(one, over, Math.min(pause * 2, LONGEST_PAUSE_MS));
      }, pause);
    }
  }

  async function begin(one: Subscription, over: Link): Promise<void> {
    const since = one.cursor ?? one.params.since;
    const open = async (params: SubscribeParams): Promise<void> => {
      await over.call('event/subscribe', params, (result) => {
        const { subscription, epoch, seq } = result as SubscribeResult;
        one.id = subscription;
        if (params.since === undefined) one.cursor = { epoch, seq };
        else one.cursor ??= { epoch, seq };
        // Stopped while the question was under way.
        if (!subscriptions.has(one)) void over.call('event/unsubscribe', { subscription }).catch(() => undefined);
      });
    };
    const { since: _, ...fresh } = one.params;
    try {
      await open({ ...fresh, ...(since === undefined ? {} : { since }) });
    } catch (error) {
      if (!(error instanceof CallsheetError) || error.code !== 'EVENT_GAP') throw error;
      // The old cursor stays until this has an answer: tried again after a failure, it must find the gap again.
      await open(fresh);
      one.handlers.onGap();
    }
  }

  void connectForEver();

  const session: Session = {
    async call(method, params) {
      const over = link ?? (await arrived.promise);
      return (await over.call(method, params)) as never;
    },
    async wish(method, params) {
      const keyed = { ...(params as object), requestKey: crypto.randomUUID() } as typeof params;
      try {
        return await session.call(method, keyed);
      } catch (error) {
        if (!(error instanceof CallsheetError) || error.code !== 'CONNECTION_LOST') throw error;
        return await session.call(method, keyed);
      }
    },
    subscribe(params, handlers) {
      const one: Subscription = { params, handlers, id: undefined, cursor: undefined };
      subscriptions.add(one);
      if (link !== undefined) void follow(one, link);
      return () => {
        subscriptions.delete(one);
        if (one.id !== undefined) void link?.call('event/unsubscribe', { subscription: one.id }).catch(() => undefined);
      };
    },
    on(name, listener) {
      const own = listeners.get(name) ?? new Set();
      listeners.set(name, own);
      own.add(listener);
      return () => void own.delete(listener);
    },
    server: async () => (link ?? (await arrived.promise)).server,
    onState: (listener) => void watchers.add(listener),
    hurry: () => skipPause(),
  };
  return session;
}
