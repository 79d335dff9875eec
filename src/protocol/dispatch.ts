/**
 * Answers one frame: every call exactly once, a batch with one frame, a notification never. Transport-neutral.
 * A call that is taken back with `$/cancelRequest` is answered all the same: its handler is told and decides.
 */
import { CallsheetError, toErrorData } from './errors.ts';
import type { ErrorData } from './errors.ts';
import { FRAME_LIMITS, formatError, formatResult, parseFrame } from './rpc.ts';
import type { FrameLimits, Message, RawId } from './rpc.ts';

export interface DispatchOptions<Context> {
  /**
   * Runs a method. What it throws becomes the error; what is not ours becomes INTERNAL. `signal` aborts when the call is taken back:
   * to stop, throw its reason; whoever can not stop, or has done it already, answers as if nothing had been said.
   */
  readonly handle: (method: string, params: unknown, context: Context, signal: AbortSignal) => unknown;
  /** A notification can not be answered: this is where it ends. */
  readonly onNotification?: (method: string, params: unknown) => void;
  /** Sees every error before it is sent, with the cause that stays behind. */
  readonly onError?: (method: string | undefined, data: ErrorData, cause: unknown) => void;
  /** Calls that may be at work at once. */
  readonly maxInFlight?: number;
  readonly limits?: FrameLimits;
}

export interface Dispatcher<Context> {
  /** The text to send back, or undefined when there is nothing to say. `context` is handed to every call of the frame. Never rejects. */
  receive(text: string, context: Context): Promise<string | undefined>;
  /** Takes back every call at work whose method `which` says so of: nobody waits for its answer any more. */
  abandon(which: (method: string) => boolean): void;
  readonly inFlight: number;
}

interface Working {
  readonly method: string;
  readonly stop: AbortController;
}

export function createDispatcher<Context = undefined>(options: DispatchOptions<Context>): Dispatcher<Context> {
  const { handle, onNotification, onError, maxInFlight = 64, limits = FRAME_LIMITS } = options;
  // By what the id says and not by how it is spelled: "A" and "\u0041" are one id.
  const working = new Map<unknown, Working>();

  async function call(id: RawId, method: string, params: unknown, context: Context): Promise<string> {
    const key: unknown = JSON.parse(id);
    if (working.has(key)) {
      return formatError(id, { code: 'INVALID_REQUEST', message: 'A call with this id is still at work.', retryable: false });
    }
    if (working.size >= maxInFlight) {
      return formatError(id, {
        code: 'TOO_MANY_REQUESTS',
        message: `More than ${maxInFlight} calls are at work on this connection.`,
        hint: 'Wait for answers before you send more.',
        retryable: true,
        details: { retryAfterMs: 100 },
      });
    }
    const stop = new AbortController();
    working.set(key, { method, stop });
    try {
      return formatResult(id, await handle(method, params, context, stop.signal));
    } catch (error) {
      const data = toErrorData(error);
      onError?.(method, data, error);
      return formatError(id, data);
    } finally {
      working.delete(key);
    }
  }

  /** False when there is no such call: it was answered already, or never made. */
  function cancel(params: unknown): boolean {
    const id = typeof params === 'object' && params !== null && 'id' in params ? params.id : undefined;
    const found = working.get(id);
    found?.stop.abort(cancelled());
    return found !== undefined;
  }

  async function answer(message: Message, context: Context): Promise<string | undefined> {
    switch (message.kind) {
      case 'call':
        return call(message.id, message.method, message.params, context);
      case 'notification':
        if (message.method !== '$/cancelRequest' || !cancel(message.params)) onNotification?.(message.method, message.params);
        return undefined;
      case 'answer':
        return undefined;
      case 'invalid':
        break;
    }
    onError?.(undefined, message.error, undefined);
    return formatError(message.id, message.error);
  }

  return {
    async receive(text, context) {
      const { batch, messages } = parseFrame(text, limits);
      const answers = (await Promise.all(messages.map((message) => answer(message, context)))).filter((part) => part !== undefined);
      if (answers.length === 0) return undefined;
      return batch ? `[${answers.join(',')}]` : answers[0];
    },
    abandon(which) {
      for (const { method, stop } of working.values()) if (which(method)) stop.abort(cancelled());
    },
    get inFlight() {
      return working.size;
    },
  };
}

// --- helpers ---

function cancelled(): CallsheetError {
  return new CallsheetError('REQUEST_CANCELLED', 'The call was taken back before it was done.');
}
