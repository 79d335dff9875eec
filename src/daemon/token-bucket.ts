/** A token bucket: so many each second, so many at once. */

export interface TokenBucket {
  /** Takes one token and answers 0, or answers the milliseconds until there is one. */
  take(): number;
  /** The milliseconds until there is one; takes none. */
  wait(): number;
}

export function createTokenBucket(perSecond: number, burst: number, now: () => number = () => performance.now()): TokenBucket {
  // Counted in milliseconds and not in tokens: sums of fractions would drift.
  const price = 1000 / perSecond;
  let saved = burst * price;
  let at = now();
  function wait(): number {
    const time = now();
    saved = Math.min(burst * price, saved + time - at);
    at = time;
    return saved < price ? Math.ceil(price - saved) : 0;
  }

  return {
    wait,
    take() {
      const left = wait();
      if (left === 0) saved -= price;
      return left;
    },
  };
}
