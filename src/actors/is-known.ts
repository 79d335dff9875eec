/** Whether a backend knows an attempt that was sent before: asked until it says so. */
import { setTimeout as pause } from 'node:timers/promises';
import { CallsheetError } from '#protocol/errors.ts';
import type { Attempt, Backend } from '#backends/contract.ts';
import type { ActorDeps, RunMemory } from './deps.ts';
import { isRefused, waitedFor } from './grace.ts';
import type { ExecuteEvent } from './logic.ts';

/**
 * Looks the attempt up after a restart: what the backend holds decides. Silence and nonsense are waited out for as long as it takes;
 * a backend that refuses connections is dead, and after the grace that ends the attempt.
 */
export async function isKnown(
  deps: ActorDeps,
  backend: Backend,
  attempt: Attempt,
  memory: RunMemory,
  report: (event: ExecuteEvent) => void,
  signal: AbortSignal,
): Promise<boolean> {
  let refusedSince: number | undefined;
  for (;;) {
    try {
      const { state } = await backend.attach(attempt, signal);
      report({ type: 'backend.contact', status: 'restored' });
      return state !== 'absent' || (memory.attempts.get(attempt.promptId)?.acknowledged ?? false);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof CallsheetError)) throw error;
      // Only a refused connection says anything about the prompt: an answer that makes no sense leaves it as unknown as silence does.
      refusedSince = isRefused(error) ? (refusedSince ?? performance.now()) : undefined;
      if (refusedSince !== undefined && performance.now() - refusedSince > deps.restartGraceMs) throw waitedFor(error, deps.restartGraceMs);
      report({ type: 'backend.contact', status: refusedSince === undefined ? 'unresponsive' : 'lost' });
    }
    await pause(deps.retryMs, undefined, { signal });
  }
}
