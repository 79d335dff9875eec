/** Answers one frame: every call exactly once, a batch with one frame, a notification never. Transport-neutral. */
import { toErrorData } from './errors.ts';
import type { ErrorData } from './errors.ts';
import { FRAME_LIMITS, formatError, formatResult, parseFrame } from './rpc.ts';
import type { FrameLimits, Message, RawId } from './rpc.ts';

export interface DispatchOptions<Context> {
  /** Runs a method. What it throws becomes the error; what is not ours becomes INTERNAL. */
  readonly handle: (method: string, params: unknown, context: Context) => unknown;
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
  readonly inFlight: number;
}

export function createDispatcher<Context = undefined>(options: DispatchOptions<Context>): Dispatcher<Context> {
  const { handle, onNotification, onError, maxInFlight = 64, limits = FRAME_LIMITS } = options;
  const working = new Set<RawId>();

  async function call(id: RawId, method: string, params: unknown, context: Context): Promise<string> {
    if (working.has(id)) {
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
    working.add(id);
    try {
      return formatResult(id, await handle(method, params, context));
    } catch (error) {
      const data = toErrorData(error);
      onError?.(method, data, error);
      return formatError(id, data);
    } finally {
      working.delete(id);
    }
  }

  async function answer(message: Message, context: Context): Promise<string | undefined> {
    switch (message.kind) {
      case 'call':
        return call(message.id, message.method, message.params, context);
      case 'notification':
        onNotification?.(message.method, message.params);
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
    get inFlight() {
      return working.size;
    },
  };
}
