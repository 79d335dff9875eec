/** A token bucket: so many each second, so many at once. */

export interface TokenBucket {
  /** Takes one token and answers 0, or answers the milliseconds until there is one. */
  take(): number;
}

export function createTokenBucket(perSecond: number, burst: number, now: () => number = () => performance.now()): TokenBucket {
  let tokens = burst;
  let at = now();
  return {
    take() {
      const time = now();
      tokens = Math.min(burst, tokens + ((time - at) / 1000) * perSecond);
      at = time;
      if (tokens >= 1) {
        tokens -= 1;
        return 0;
      }
      return Math.ceil(((1 - tokens) / perSecond) * 1000);
    },
  };
}
