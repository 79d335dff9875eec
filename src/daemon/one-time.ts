/** Secrets that are good for one use within a short time: the code in the address of `callsheet open`, the tickets of its pages and of the inspector. */
import { createHash, randomBytes } from 'node:crypto';

export interface OneTime<T> {
  /** As many are out as may be: the next one takes the place of the oldest. */
  readonly isFull: boolean;
  /** 32 random bytes as 43 characters base64url. */
  issue(value: T): string;
  /** What it was issued for, once; undefined when it is wrong, used or too old. */
  take(secret: string): T | undefined;
  /** The same, for the first secret that fits. */
  takeBy(fits: (secret: string) => boolean): T | undefined;
  /** Forgets those that were issued for something that fits. */
  drop(fits: (value: T) => boolean): void;
}

interface Held<T> {
  readonly secret: string;
  readonly value: T;
  readonly endsAt: number;
}

/** `life` in milliseconds. Of more than `most` at a time the oldest is forgotten, so that memory is bounded. */
export function createOneTime<T>(life: number, most: number, now: () => number): OneTime<T> {
  // By digest: looking one up takes no time that tells of another.
  const held = new Map<string, Held<T>>();

  function sweep(): void {
    // In the order in which they were issued, which is the order in which they end.
    for (const [digest, { endsAt }] of held) {
      if (endsAt > now()) return;
      held.delete(digest);
    }
  }

  return {
    get isFull() {
      sweep();
      return held.size >= most;
    },
    issue(value) {
      sweep();
      const oldest = held.size >= most ? held.keys().next().value : undefined;
      if (oldest !== undefined) held.delete(oldest);
      const secret = randomBytes(32).toString('base64url');
      held.set(digestOf(secret), { secret, value, endsAt: now() + life });
      return secret;
    },
    take(secret) {
      sweep();
      const digest = digestOf(secret);
      const found = held.get(digest);
      held.delete(digest);
      return found?.value;
    },
    takeBy(fits) {
      sweep();
      for (const [digest, { secret, value }] of held) {
        if (!fits(secret)) continue;
        held.delete(digest);
        return value;
      }
      return undefined;
    },
    drop(fits) {
      for (const [digest, { value }] of held) if (fits(value)) held.delete(digest);
    },
  };
}

export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
