/** A token bucket: so many each second, so many at once. */

export interface TokenBucket {
  /** Takes one token and answers 0, or answers the milliseconds until there is one. */
  take(): number;
}

export function createTokenBucket(perSecond: number, burst: number, now: () => number = () => performance.now()): TokenBucket {
  // Counted in milliseconds and not in tokens: sums of fractions would drift.
  const price = 1000 / perSecond;
  let saved = burst * price;
  let at = now();
  return {
    take() {
      const time = now();
      saved = Math.min(burst * price, saved + time - at);
      at = time;
      if (saved < price) return Math.ceil(price - saved);
      saved -= price;
      return 0;
    },
  };
}
