/**
 * Which backends answer and execute nothing any more, because the one thread that works off their queue has died (ComfyUI#11513). Believed by
 * proof alone: their own word is asked for when a queue does not get shorter. It holds until the queue does, or another process answers.
 */
import type { Backend } from '#backends/contract.ts';

export interface WorkerWatch {
  /** After each answer, with what it said of its queue. Resolves with a clause for a person that says by what it is proven. */
  look(backend: Pick<Backend, 'id' | 'diagnose'>, queueRemaining: number, signal: AbortSignal): Promise<string | undefined>;
  /** Somebody who follows an attempt there has the proof. */
  proven(id: string, proof: string): void;
  /** Nothing answers there, or something else does. */
  gone(id: string): void;
}

interface Standing {
  readonly remaining: number;
  /** When its queue last got shorter, and when it was last asked. */
  readonly movedAt: number;
  readonly askedAt: number;
  readonly proof: string | undefined;
}

/** `askMs`: how long a queue stands still before the backend is asked, and between two such questions. `now` is monotonic. */
export function createWorkerWatch(askMs: number, now: () => number = () => performance.now()): WorkerWatch {
  const standings = new Map<string, Standing>();
  const fresh = (remaining: number): Standing => ({ remaining, movedAt: now(), askedAt: now(), proof: undefined });
  return {
    async look({ id, diagnose }, remaining, signal) {
      const before = standings.get(id);
      const isMoving = before === undefined || remaining === 0 || remaining < before.remaining;
      const standing = isMoving ? fresh(remaining) : { ...before, remaining };
      standings.set(id, standing);
      const { proof, movedAt, askedAt } = standing;
      if (proof !== undefined || now() - Math.max(movedAt, askedAt) < askMs || diagnose === undefined) return proof;
      standings.set(id, { ...standing, askedAt: now() });
      const found = await diagnose(undefined, signal).catch(() => undefined);
      if (found !== undefined) this.proven(id, found);
      return standings.get(id)?.proof;
    },
    proven(id, proof) {
      standings.set(id, { ...(standings.get(id) ?? fresh(0)), proof });
    },
    gone: (id) => void standings.delete(id),
  };
}
