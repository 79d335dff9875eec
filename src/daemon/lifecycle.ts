/** The end of a daemon: asked for or forced, it comes once, in reverse order of the making. */
import type { Logger } from './log.ts';

export interface Lifecycle {
  /** Begins the end and does not wait for it. An error says that the daemon had to stop by itself. */
  stop(error?: unknown): void;
  /** Begins the end if need be; resolves once everything is closed. */
  close(): Promise<void>;
  /** Resolves with the error, or with undefined after an end that was asked for. */
  readonly stopped: Promise<unknown>;
}

/** `made` is disposed at the end; it may be handed over later than the first `stop`, which then takes hold at once. */
export function createLifecycle(log: Logger): Lifecycle & { own(made: AsyncDisposableStack): void } {
  const owned = Promise.withResolvers<AsyncDisposableStack>();
  const stopped = Promise.withResolvers<unknown>();
  let ending: Promise<void> | undefined;

  async function end(error: unknown): Promise<void> {
    if (error !== undefined) log.fatal({ err: error }, 'the daemon must stop');
    try {
      const made = await owned.promise;
      await made.disposeAsync();
      stopped.resolve(error);
    } catch (failure) {
      stopped.resolve(error ?? failure);
    }
  }

  return {
    own: (made) => owned.resolve(made),
    stop(error) {
      ending ??= end(error);
    },
    async close() {
      await (ending ??= end(undefined));
    },
    stopped: stopped.promise,
  };
}
