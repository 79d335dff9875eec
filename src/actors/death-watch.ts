/** Watches over a backend that is out of contact while an attempt is on it: silence is waited out, only a refused connection is death. */
import { type ErrorData, toErrorData } from '#protocol/errors.ts';
import type { Backend } from '#backends/contract.ts';
import { isRefused } from './grace.ts';

/** After the grace only a refused connection ends the attempt: a server that is merely silent may be loading a model. */
export async function deathOf(backend: Backend, waitedMs: number, signal: AbortSignal): Promise<ErrorData | undefined> {
  try {
    await backend.describe(signal);
    return undefined;
  } catch (error) {
    if (!isRefused(error)) return undefined;
    return {
      ...toErrorData(error),
      details: { waitedMs },
      message: `The backend at ${backend.url} died while the attempt was running and did not come back.`,
      hint: 'Start it again, look into its log for the reason, then: callsheet runs retry ID.',
    };
  }
}

/** Asks `isDead` every `graceMs` while contact is out, until it says yes or contact is back. */
export function createDeathWatch(graceMs: number, isDead: () => Promise<boolean>): { start(): void; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const start = () => {
    timer ??= setTimeout(() => {
      const own = timer;
      void isDead().then((dead) => {
        if (dead || timer !== own) return;
        timer = undefined;
        start();
      });
    }, graceMs);
  };
  const stop = () => {
    clearTimeout(timer);
    timer = undefined;
  };
  return { start, stop };
}
