/** One question for all who ask before it is sent: the answer that each gets was true after it asked. For answers that are large and many want. */
import type { Clock } from './settings.ts';
import { aborted } from './settings.ts';

/** `patienceMs`: a question that is not answered for so long holds up no other. Throws what `ask` does, and CANCELLED for a caller that gives up. */
export function createSharedLook<T>(ask: () => Promise<T>, clock: Clock, patienceMs: number): (signal?: AbortSignal) => Promise<T> {
  /** Not sent yet. */
  let next: Promise<T> | undefined;
  let sent: Promise<unknown> | undefined;

  const send = (): Promise<T> => {
    next = undefined;
    const answer = ask();
    const settled = answer.then(
      () => undefined,
      () => undefined,
    );
    sent = settled;
    void settled.then(() => {
      if (sent === settled) sent = undefined;
    });
    return answer;
  };
  /** Resolves once the question before is answered, or has taken too long. */
  const turn = (): Promise<void> =>
    new Promise((resolve) => {
      if (sent === undefined) {
        resolve();
        return;
      }
      const cancel = clock.after(patienceMs, resolve);
      void sent.then(() => {
        cancel();
        resolve();
      });
    });

  return (signal) => {
    next ??= turn().then(send);
    const answer = next;
    if (signal === undefined) return answer;
    return new Promise((resolve, reject) => {
      const giveUp = (): void => reject(aborted());
      if (signal.aborted) giveUp();
      signal.addEventListener('abort', giveUp, { once: true });
      answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
    });
  };
}
