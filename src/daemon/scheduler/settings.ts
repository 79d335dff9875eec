/** What can be set about the pool, for each backend and for all. */

export interface BackendSettings {
  /** How many attempts may be on their way to it at once: one at work and the next, unless it says otherwise. */
  readonly ahead?: number;
  /** Name of a graphics card that it shares with other backends of the same name here. */
  readonly gpu?: string;
  /** Milliseconds of silence after which its attempts are given up without proof; never when absent (DESIGN 4, loss). */
  readonly assumeLostAfterMs?: number;
}

export interface PoolSettings {
  readonly backends: Readonly<Record<string, BackendSettings>>;
  /** Runs that have not ended; a start beyond it is refused with a time to come again. */
  readonly maxOpenRuns: number;
}

/** A backend works on one prompt at a time; the second is there when the first ends, and few are where a cancel or a better backend cannot reach them. */
export const USUAL_AHEAD = 2;

export const USUAL_POOL: PoolSettings = { backends: {}, maxOpenRuns: 20_000 };
