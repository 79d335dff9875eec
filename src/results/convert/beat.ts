/** Frames that stand for different times, told as pictures at one steady rate: each as often as the longest beat fits into its time. Pure. */

/** Of a moving picture that is taken apart. */
export const MOST_FRAMES = 10_000;
/** In seconds; a common measure below is none that anybody meant. */
const SHORTEST_BEAT = 0.008;

export interface Rhythm {
  /** How often each frame is shown: at least once. */
  readonly times: readonly number[];
  /** Pictures a second, where the delays tell. */
  readonly fps?: number;
}

/** `delays` in parts of a second, of which there are `perSecond`. */
export function rhythmOf(delays: readonly number[], perSecond: number): Rhythm {
  const beat = delays.reduce(greatestCommon, 0);
  const times = delays.map((delay) => (beat < SHORTEST_BEAT * perSecond ? 1 : Math.max(1, delay / beat)));
  const seconds = delays.reduce((sum, one) => sum + one, 0) / perSecond;
  if (seconds <= 0) return { times };
  const shown = times.reduce((sum, one) => sum + one, 0);
  return { times, fps: Math.round((shown * 100) / seconds) / 100 };
}

export function leastMultiple(a: number, b: number): number {
  return (a / greatestCommon(a, b)) * b;
}

// --- helpers ---

function greatestCommon(a: number, b: number): number {
  return b === 0 ? a : greatestCommon(b, a % b);
}
