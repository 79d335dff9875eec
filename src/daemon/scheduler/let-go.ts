/** Makes one engine let go of a graphics card, and knows when it has: idle by its own queue, told to unload, and unloaded. */
import { setTimeout as pause } from 'node:timers/promises';
import { CallsheetError } from '#protocol/errors.ts';
import { isRefused } from '#actors/grace.ts';
import type { Backend } from '#backends/contract.ts';

/** A process that has unloaded keeps no more than this of the card. */
const SMALL_BYTES = 256 * 1024 * 1024;
/** What it still keeps after so many looks at which it was the same, it will not let go of. */
const SETTLED_LOOKS = 5;
/** Refusing so often, with a pause between, it has no process there that could hold anything. */
const PROOF = 2;
/** An answer that takes longer is none, as for the monitor. In milliseconds. */
const SILENCE_MS = 3000;

export interface LetGoOptions {
  readonly backend: Pick<Backend, 'id' | 'describe' | 'free'>;
  /** Milliseconds between two looks. */
  readonly lookMs: number;
  readonly signal: AbortSignal;
  /** True once a person or a policy has decided that it is gone. */
  readonly isGivenUp: () => boolean;
  /** Why the card is not free yet, in words that follow the name of the backend. */
  readonly onWait: (why: string) => void;
  /** It took the request to unload. */
  readonly onFreed: () => void;
  /** It does not take the request to unload, as a server in front of it may do: nothing more can be done. */
  readonly onRefusal: (error: unknown) => void;
}

/** Resolves once it holds nothing any more as far as can be known, or the signal says that nobody wants to know. Silence is waited out. */
export async function letGoOf(options: LetGoOptions): Promise<void> {
  const { backend, lookMs, signal, isGivenUp, onWait } = options;
  let isFreed = false;
  let refusals = 0;
  let kept = Number.POSITIVE_INFINITY;
  let looks = 0;
  while (!signal.aborted && !isGivenUp()) {
    const patience = AbortSignal.timeout(SILENCE_MS);
    try {
      const { queueRemaining, reserved = 0 } = await backend.describe(AbortSignal.any([signal, patience]));
      refusals = 0;
      if (queueRemaining > 0) {
        // Somebody else may give it work after it was told: what that loads has to go too.
        isFreed = false;
        onWait(`has ${String(queueRemaining)} in its queue`);
      } else if (!isFreed) {
        await backend.free();
        isFreed = true;
        looks = 0;
        options.onFreed();
      } else {
        looks = reserved < kept ? 0 : looks + 1;
        kept = reserved;
        if (reserved < SMALL_BYTES || looks >= SETTLED_LOOKS) return;
        onWait('unloads its models');
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!patience.aborted && !(error instanceof CallsheetError && error.code === 'BACKEND_UNREACHABLE')) {
        options.onRefusal(error);
        return;
      }
      refusals = isRefused(error) ? refusals + 1 : 0;
      if (refusals >= PROOF) return;
      if (refusals === 0)
        onWait(`does not answer, so nobody knows whether it holds the card; if it is gone: callsheet backends lost ${backend.id}`);
    }
    await pause(lookMs, undefined, { signal }).catch(() => undefined);
  }
}
