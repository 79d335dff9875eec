/** What a client is asked for and gives (client.ts): options, handlers, and the client itself. */
import type { Endpoint } from './client-link.ts';
import type { CallsheetError } from './errors.ts';
import type { RunEvent } from './events.ts';
import type { MethodScope } from './methods/define.ts';
import type { EventSnapshot, SubscribeParams } from './methods/event.ts';
import type { MethodName, ParamsOf, ResultOf } from './methods/index.ts';
import type { InitializeResult } from './methods/system.ts';
import type { CallProgress, NotificationName, Notifications } from './notifications.ts';

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
  /**
   * The state that the events after it go on from: at the beginning, unless `since` was given, and again when the log could not be resumed
   * (`gap`: forget what was known). With it the subscription goes on over gaps, and `onGap` is left with what can not be helped.
   */
  readonly onSnapshot?: (snapshot: EventSnapshot, facts: { readonly gap: boolean }) => void;
  /** The subscription has ended: without `onSnapshot` because the log can not be resumed, else because its run is gone. */
  readonly onGap?: (error: CallsheetError) => void;
}

export interface CallOptions<M extends MethodName> {
  /** Takes the call back when it aborts: it settles with its result all the same, or with REQUEST_CANCELLED. */
  readonly signal?: AbortSignal;
  /** For methods that take a `progressToken`, which the client then makes. */
  readonly onProgress?: 'progressToken' extends keyof ParamsOf<M> ? (value: CallProgress) => void : never;
}

export interface Client {
  /** What the daemon said of itself, newest connection. */
  readonly server: InitializeResult;
  /**
   * Throws what the daemon answers. A client that reconnects repeats a call whose answer was lost with the connection, if it changes nothing or
   * has a `requestKey`; every other such call throws CONNECTION_LOST.
   */
  call<M extends MethodName>(method: M, params?: ParamsOf<M>, options?: CallOptions<M>): Promise<ResultOf<M>>;
  /** Events in order, each exactly once, also across reconnects. */
  subscribe(params: SubscribeParams, handlers: EventHandlers): Promise<{ unsubscribe(): Promise<void> }>;
  /** Resolves once, when the client is closed for good: with the error, unless it was asked to. */
  readonly closed: Promise<CallsheetError | undefined>;
  close(): Promise<void>;
}
