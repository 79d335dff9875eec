/** The typed client of the daemon: proves the key without sending it, demands the daemon's own proof, and resumes subscriptions by number. */
import { CallsheetError } from './errors.ts';
import type { RunEvent } from './events.ts';
import { openLink } from './client-link.ts';
import type { Endpoint, Link } from './client-link.ts';
import type { Cursor, NotificationName, Notifications, SubscribeParams, SubscribeResult } from './methods/event.ts';
import type { MethodName, ParamsOf, ResultOf } from './methods/index.ts';
import type { MethodScope } from './methods/define.ts';
import type { InitializeResult } from './methods/system.ts';

export type { Endpoint } from './client-link.ts';

export type OnNotification = <N extends NotificationName>(name: N, params: Notifications[N]) => void;

export interface ConnectOptions extends Endpoint {
  readonly name?: string;
  readonly version?: string;
  /** Scope of the key; the runtime file holds an admin key. */
  readonly scope?: MethodScope;
  readonly onNotification?: OnNotification;
  /** Where the daemon is now, asked before each new attempt: a restarted daemon has another port and key. Absent keeps url and key. */
  readonly relocate?: () => Promise<Endpoint | undefined>;
  /** Milliseconds without a connection after which the client closes itself; 0 (default) never reconnects. */
  readonly reconnectFor?: number;
  /** Milliseconds for connecting and for the handshake; default 10 000. */
  readonly timeout?: number;
  /** Called once, when the client is closed for good. */
  readonly onClose?: (error: CallsheetError | undefined) => void;
}

export interface EventHandlers {
  readonly onEvent: (event: RunEvent) => void;
  /** The log changed while the connection was down and can not be resumed: read the state again, then subscribe anew. */
  readonly onGap?: (error: CallsheetError) => void;
}

export interface Client {
  /** What the daemon said of itself, newest connection. */
  readonly server: InitializeResult;
  /** Throws what the daemon answers, and CONNECTION_LOST when the connection ended first: with a `requestKey` the call can be repeated safely. */
  call<M extends MethodName>(method: M, params?: ParamsOf<M>): Promise<ResultOf<M>>;
  /** Events in order, each exactly once, also across reconnects. */
  subscribe(params: SubscribeParams, handlers: EventHandlers): Promise<{ unsubscribe(): Promise<void> }>;
  close(): Promise<void>;
}

interface Subscription {
  readonly params: SubscribeParams;
  readonly handlers: EventHandlers;
  id: string | undefined;
  cursor: Cursor | undefined;
}

/** Throws DAEMON_NOT_RUNNING, DAEMON_UNTRUSTED, UNAUTHORIZED, PROTOCOL_UNSUPPORTED. */
export async function connect(options: ConnectOptions): Promise<Client> {
  const { reconnectFor = 0 } = options;
  const subscriptions = new Set<Subscription>();
  let closed = false;
  let comingBack = false;
  let link: Link = await open(options);
  let ready: Promise<void> = Promise.resolve();

  function open(endpoint: Endpoint): Promise<Link> {
    return openLink({
      endpoint,
      client: { name: options.name ?? 'callsheet', version: options.version ?? '0' },
      scope: options.scope ?? 'admin',
      timeout: options.timeout ?? 10_000,
      onNotification: receive,
      onDown: () => {
        if (closed || comingBack) return;
        ready = comeBack();
        ready.catch((error: unknown) => finish(error instanceof CallsheetError ? error : undefined));
      },
    });
  }

  function receive(name: string, params: unknown): void {
    if (name === 'event') {
      const event = params as Notifications['event'];
      for (const subscription of subscriptions) {
        if (subscription.id !== event.subscription) continue;
        subscription.cursor = { epoch: event.epoch, seq: subscription.params.runId === undefined ? event.position : event.seq };
        subscription.handlers.onEvent(event);
      }
    }
    options.onNotification?.(name as 'event', params as Notifications['event']);
  }

  async function comeBack(): Promise<void> {
    comingBack = true;
    const deadline = performance.now() + reconnectFor;
    try {
      for (let pause = 50; ; pause = Math.min(pause * 2, 2000)) {
        if (closed || performance.now() + pause > deadline) throw connectionEnded();
        // Half of the pause is random, so that many clients do not come back in one beat.
        await new Promise((resolve) => setTimeout(resolve, pause / 2 + (Math.random() * pause) / 2));
        if (await tryOnce()) return;
      }
    } finally {
      comingBack = false;
    }
  }

  /** False when the daemon is not there yet. Throws when trying again can not help. */
  async function tryOnce(): Promise<boolean> {
    try {
      const endpoint = options.relocate === undefined ? options : await options.relocate();
      if (endpoint === undefined || closed) return false;
      for (const subscription of subscriptions) subscription.id = undefined;
      link = await open(endpoint);
      for (const subscription of subscriptions) await resume(subscription);
      return true;
    } catch (error) {
      if (error instanceof CallsheetError && (error.code === 'DAEMON_NOT_RUNNING' || error.code === 'CONNECTION_LOST')) return false;
      throw error;
    }
  }

  async function resume(subscription: Subscription): Promise<void> {
    try {
      await begin(subscription);
    } catch (error) {
      if (!(error instanceof CallsheetError) || error.code === 'CONNECTION_LOST') throw error;
      subscriptions.delete(subscription);
      subscription.handlers.onGap?.(error);
    }
  }

  async function begin(subscription: Subscription): Promise<void> {
    const { params, cursor } = subscription;
    await link.call('event/subscribe', cursor === undefined ? params : { ...params, since: cursor }, (result) => {
      // Runs before the next frame is read: events follow the answer at once.
      const { subscription: id, epoch, seq } = result as SubscribeResult;
      subscription.id = id;
      subscription.cursor = { epoch, seq };
    });
  }

  function finish(error: CallsheetError | undefined): void {
    if (closed) return;
    closed = true;
    options.onClose?.(error);
  }

  return {
    get server() {
      return link.server;
    },
    async call<M extends MethodName>(method: M, params?: ParamsOf<M>): Promise<ResultOf<M>> {
      await ready;
      return (await link.call(method, params ?? {})) as ResultOf<M>;
    },
    async subscribe(params, handlers) {
      await ready;
      const subscription: Subscription = { params, handlers, id: undefined, cursor: params.since };
      subscriptions.add(subscription);
      try {
        await begin(subscription);
      } catch (error) {
        subscriptions.delete(subscription);
        throw error;
      }
      return {
        async unsubscribe() {
          subscriptions.delete(subscription);
          if (subscription.id !== undefined) await link.call('event/unsubscribe', { subscription: subscription.id });
        },
      };
    },
    async close() {
      finish(undefined);
      await link.close();
    },
  };
}

// --- helpers ---

function connectionEnded(): CallsheetError {
  return new CallsheetError('CONNECTION_LOST', 'The connection to the daemon ended.', {
    hint: 'Check that the daemon runs: callsheet doctor',
  });
}
