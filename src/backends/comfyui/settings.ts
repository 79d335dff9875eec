/** What the comfyui backend can be told, and the times it keeps. All times are milliseconds. */
import { CallsheetError } from '#protocol/errors.ts';
import type { Attempt } from '../contract.ts';

export interface Timeouts {
  /** Until a GET is given up. ComfyUI's event loop starves for up to a minute while a model loads. */
  readonly getMs: number;
  /** Until a GET that is still without an answer makes the backend `unresponsive`. */
  readonly slowMs: number;
  /** Until POST /prompt is given up: its validation hashes files. */
  readonly promptMs: number;
  /** Until an upload or a download that moves no byte is given up. */
  readonly transferMs: number;
  /** Between two reads before `absent` is said (comfyui.md 2.5: at least a second). */
  readonly absentGapMs: number;
  /** Safety poll while the socket is up, and while it is down. */
  readonly pollMs: number;
  readonly pollOfflineMs: number;
  /** Reads of the history after an event that looks like an end: `execution_success` precedes the history write (ComfyUI#11540). */
  readonly historyBackoffMs: readonly number[];
  /** How long submit waits for the socket before it sends without one. */
  readonly socketReadyMs: number;
  readonly pingMs: number;
  /** Silence on the socket after which the server is asked over HTTP, and how long that may take: together below 6 s. */
  readonly silenceMs: number;
  readonly probeMs: number;
  /** Reconnect back-off, before jitter. */
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
  /** Progress frames that arrive within this time are read as one. */
  readonly progressMs: number;
  /** Between two looks while a cancel is being proven, and until its caller hears that it is not proven yet. */
  readonly cancelStepMs: number;
  readonly cancelMs: number;
  /** Between two interrupts of a prompt that goes on: one that lands between dequeue and start is erased (comfyui.md 2.4). */
  readonly interruptRepeatMs: number;
}

export const DEFAULT_TIMEOUTS: Timeouts = {
  getMs: 60_000,
  slowMs: 5_000,
  promptMs: 300_000,
  transferMs: 120_000,
  absentGapMs: 1_000,
  pollMs: 10_000,
  pollOfflineMs: 1_000,
  historyBackoffMs: [0, 100, 300, 1_000],
  socketReadyMs: 5_000,
  pingMs: 750,
  silenceMs: 2_000,
  probeMs: 2_500,
  reconnectMinMs: 250,
  reconnectMaxMs: 10_000,
  progressMs: 40,
  cancelStepMs: 250,
  cancelMs: 15_000,
  interruptRepeatMs: 2_000,
};

/** Monotonic time and timers; tests bring their own. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls once after `ms`; returns how to take it back. */
  after(ms: number, call: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
};

export interface BackendLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** The same log, whose lines say which attempt they are about. */
export function logOf(log: BackendLog, { runId, step, item, attempt, promptId }: Attempt): BackendLog {
  const ids = { runId, step, item, attempt, promptId };
  return {
    debug: (fields, message) => log.debug({ ...ids, ...fields }, message),
    warn: (fields, message) => log.warn({ ...ids, ...fields }, message),
  };
}

export const silentLog: BackendLog = { debug: () => undefined, warn: () => undefined };

export interface ComfyUIOptions {
  readonly id: string;
  readonly kind?: 'comfyui' | 'sandbox';
  /** http or https, no user name: `http://127.0.0.1:8188`, with a base path behind a proxy. */
  readonly url: string;
  /** Sent with every request and with the socket's handshake: Authorization, X-API-Key … */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as `?token=` with the socket's handshake, for proxies that want it there. */
  readonly token?: string;
  readonly clock?: Clock;
  readonly timeouts?: Partial<Timeouts>;
  readonly log?: BackendLog;
}

/** Waits, unless the signal says otherwise first: then it throws CANCELLED. */
export function wait(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(aborted());
      return;
    }
    const give = (): void => {
      cancel();
      reject(aborted());
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', give);
      resolve();
    });
    signal?.addEventListener('abort', give, { once: true });
  });
}

export function aborted(): CallsheetError {
  return new CallsheetError('CANCELLED', 'The call to the backend was given up by its caller.');
}
