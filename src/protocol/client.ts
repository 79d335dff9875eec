/**
 * The typed client of the daemon: proves the key without sending it, demands the daemon's own proof, comes back when the connection ends,
 * repeats what can be repeated safely and resumes subscriptions by number.
 */
import { randomUUID } from 'node:crypto';
import { CallsheetError } from './errors.ts';
import type { ErrorCode } from './errors.ts';
import { openLink } from './client-link.ts';
import type { Endpoint, Link } from './client-link.ts';
import type { CallOptions, Client, ConnectOptions, EventHandlers } from './client-types.ts';
import type { Cursor, SubscribeParams, SubscribeResult } from './methods/event.ts';
import { METHODS } from './methods/index.ts';
import type { MethodName, ParamsOf, ResultOf } from './methods/index.ts';
import type { CallProgress, Notifications } from './notifications.ts';

export type { Endpoint } from './client-link.ts';
export type { CallOptions, Client, ConnectOptions, EventHandlers, OnNotification } from './client-types.ts';

interface Subscription {
  readonly params: SubscribeParams;
  readonly handlers: EventHandlers;
  id: string | undefined;
  cursor: Cursor | undefined;
}

const USUAL_TIMEOUT_MS = 10_000;

/** Throws DAEMON_NOT_RUNNING, DAEMON_UNTRUSTED, UNAUTHORIZED, PROTOCOL_UNSUPPORTED, TOO_MANY_REQUESTS. */
export async function connect(options: ConnectOptions): Promise<Client> {
  const { reconnectFor = 0 } = options;
  const subscriptions = new Set<Subscription>();
  const reports = new Map<string, (value: CallProgress) => void>();
  const end = Promise.withResolvers<CallsheetError | undefined>();
  let closed = false;
  let comingBack = false;
  let link: Link = await openInTurn();
  let ready: Promise<void> = Promise.resolve();

  function open(endpoint: Endpoint): Promise<Link> {
    return openLink({
      endpoint,
      client: { name: options.name ?? 'callsheet', version: options.version ?? '0' },
      scope: options.scope ?? 'admin',
      timeout: options.timeout ?? USUAL_TIMEOUT_MS,
      onNotification: receive,
      onDown: () => {
        if (closed || comingBack) return;
        ready = comeBack();
        ready.catch((error: unknown) => finish(error instanceof CallsheetError ? error : undefined));
      },
    });
  }

  /** When many come at once the door is busy for a moment. */
  async function openInTurn(): Promise<Link> {
    const deadline = performance.now() + (options.timeout ?? USUAL_TIMEOUT_MS);
    for (;;) {
      try {
        return await open(options);
      } catch (error) {
        if (!isOneOf(error, ['TOO_MANY_REQUESTS']) || performance.now() > deadline) throw error;
        await pauseAbout(100);
      }
    }
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
    if (name === '$/progress') {
      const { token, value } = params as Notifications['$/progress'];
      reports.get(token)?.(value);
    }
    options.onNotification?.(name as 'event', params as Notifications['event']);
  }

  async function comeBack(): Promise<void> {
    comingBack = true;
    const deadline = performance.now() + reconnectFor;
    try {
      for (let pause = 50; ; pause = Math.min(pause * 2, 2000)) {
        if (closed || performance.now() + pause > deadline) throw connectionEnded();
        await pauseAbout(pause);
        if (await tryOnce()) return;
      }
    } finally {
      comingBack = false;
    }
  }

  /** False when the daemon is not there yet. Throws when trying again can not help. */
  async function tryOnce(): Promise<boolean> {
    let opened: Link | undefined;
    try {
      const endpoint = options.relocate === undefined ? options : await options.relocate();
      if (endpoint === undefined || closed) return false;
      for (const subscription of subscriptions) subscription.id = undefined;
      opened = await open(endpoint);
      if (!closed) {
        link = opened;
        for (const subscription of subscriptions) await resume(subscription);
      }
      if (!closed) return true;
    } catch (error) {
      if (!mayPass(error)) throw error;
    }
    // The client was closed meanwhile and knows nothing of this connection, or it is of no use.
    await opened?.close();
    return false;
  }

  async function resume(subscription: Subscription): Promise<void> {
    try {
      await begin(subscription);
    } catch (error) {
      // A daemon that has just started may be short of its database for a moment: the next attempt may have better luck.
      if (!(error instanceof CallsheetError) || mayPass(error)) throw error;
      if (subscriptions.delete(subscription)) subscription.handlers.onGap?.(error);
    }
  }

  async function begin(subscription: Subscription): Promise<void> {
    const { params, cursor, handlers } = subscription;
    const through = link;
    const onResult = (result: unknown) => {
      // Runs before the next frame is read: events follow the answer at once.
      const { subscription: id, epoch, seq, gap = false, snapshot } = result as SubscribeResult;
      if (!subscriptions.has(subscription)) {
        // Unsubscribed while the answer was on its way, by a caller who waits for nothing any more.
        endAt(through, id).catch(() => undefined);
        return;
      }
      subscription.id = id;
      subscription.cursor = { epoch, seq };
      if (snapshot !== undefined) handlers.onSnapshot?.(snapshot, { gap });
    };
    const wish = {
      ...params,
      ...(cursor === undefined ? {} : { since: cursor }),
      ...(handlers.onSnapshot === undefined ? {} : { snapshot: true }),
    };
    await through.call('event/subscribe', wish, { onResult });
  }

  async function callOnce<M extends MethodName>(
    method: M,
    given: ParamsOf<M> | undefined,
    { signal, onProgress }: CallOptions<M>,
  ): Promise<unknown> {
    await ready;
    if (onProgress === undefined) return link.call(method, given ?? {}, { signal });
    const progressToken = randomUUID();
    reports.set(progressToken, onProgress);
    try {
      return await link.call(method, { ...(given as object | undefined), progressToken }, { signal });
    } finally {
      reports.delete(progressToken);
    }
  }

  /** True when the connection is there again, or will be, and repeating the call does nothing twice. */
  function mayRepeat(error: unknown, method: MethodName, given: unknown): boolean {
    if (!(error instanceof CallsheetError) || error.code !== 'CONNECTION_LOST' || closed || reconnectFor === 0) return false;
    // A subscription belongs to the connection that it was made on.
    return METHODS[method].mutation
      ? (given as { readonly requestKey?: string } | undefined)?.requestKey !== undefined
      : !method.startsWith('event/');
  }

  function finish(error: CallsheetError | undefined): void {
    if (closed) return;
    closed = true;
    subscriptions.clear();
    options.onClose?.(error);
    end.resolve(error);
  }

  return {
    get server() {
      return link.server;
    },
    closed: end.promise,
    async call<M extends MethodName>(method: M, params?: ParamsOf<M>, callOptions: CallOptions<M> = {}): Promise<ResultOf<M>> {
      for (;;) {
        try {
          return (await callOnce(method, params, callOptions)) as ResultOf<M>;
        } catch (error) {
          if (!mayRepeat(error, method, params)) throw error;
          await link.gone;
        }
      }
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
          if (subscription.id !== undefined) await endAt(link, subscription.id);
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

/** A subscription ends with the connection that it was made on. */
async function endAt(link: Link, id: string): Promise<void> {
  try {
    await link.call('event/unsubscribe', { subscription: id });
  } catch (error) {
    if (!isOneOf(error, ['CONNECTION_LOST'])) throw error;
  }
}

/** Half of the pause is random, so that many clients do not come back in one beat. */
function pauseAbout(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds / 2 + (Math.random() * milliseconds) / 2));
}

function isOneOf(error: unknown, codes: readonly ErrorCode[]): boolean {
  return error instanceof CallsheetError && codes.includes(error.code);
}

function mayPass(error: unknown): boolean {
  return error instanceof CallsheetError && error.data.retryable;
}

function connectionEnded(): CallsheetError {
  return new CallsheetError('CONNECTION_LOST', 'The connection to the daemon ended.', {
    hint: 'Check that the daemon runs: callsheet doctor',
  });
}
