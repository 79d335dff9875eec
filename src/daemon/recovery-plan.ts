/** Which of the runs that a dead daemon left are taken up together, which one after another, and which one is set aside. Pure. */

/** A run that was at work in so many daemons that died, the last time with no other run to blame, is set aside. */
export const MOST_DEATHS = 3;
/** From here on a run is taken up among few others, in the end alone, so that the guilty one is found and no innocent one is blamed. */
const SUSPECT_AFTER = 2;
/** Into so many groups suspects of equal standing are cut. */
const GROUPS = 8;

export interface Standing {
  /** Daemons that died while the run was at work in them, since it last lived in one for a while. */
  readonly deaths: number;
  /** It was taken up by the daemon of this entry. */
  readonly touched: boolean;
  /** And no other run that had not proven itself. */
  readonly alone: boolean;
}

export interface RecoveryPlan {
  readonly together: readonly string[];
  /** One group after another, each once the one before has lived for a while. */
  readonly groups: readonly (readonly string[])[];
  readonly poisoned: readonly string[];
  /** Nothing is being done for these: they are taken up at once, and are suspected of nothing by that. */
  readonly resting: readonly string[];
  /** As of the start, before any is taken up. */
  readonly standing: ReadonlyMap<string, Standing>;
}

/**
 * `runs` have begun and not ended; `atRest` are those among them for which nothing is being done. `before` is what the last daemon wrote down;
 * `died`: it did not end by itself.
 */
export function planRecovery(
  runs: readonly string[],
  before: ReadonlyMap<string, Standing>,
  died: boolean,
  atRest: ReadonlySet<string> = new Set(),
): RecoveryPlan {
  const standing = new Map<string, Standing>();
  const together: string[] = [];
  const poisoned: string[] = [];
  const resting: string[] = [];
  const suspects = new Map<number, string[]>();
  for (const runId of runs) {
    const { deaths: known, touched, alone } = before.get(runId) ?? { deaths: 0, touched: !atRest.has(runId), alone: false };
    const deaths = touched ? (died ? known + 1 : 0) : known;
    if (deaths >= MOST_DEATHS && touched && alone) poisoned.push(runId);
    else if (atRest.has(runId)) resting.push(runId);
    else if (deaths >= SUSPECT_AFTER) suspects.set(deaths, [...(suspects.get(deaths) ?? []), runId]);
    else together.push(runId);
    if (deaths > 0 || !atRest.has(runId)) standing.set(runId, { deaths, touched: false, alone: false });
  }
  // Those that died most often are the narrowest circle: they come first, so that the circle narrows with every death.
  const groups = [...suspects].toSorted(([a], [b]) => b - a).flatMap(([, equals]) => cut(equals));
  return { together, groups, poisoned, resting, standing };
}

function cut(runs: readonly string[]): readonly (readonly string[])[] {
  const size = Math.ceil(runs.length / GROUPS);
  return Array.from({ length: Math.ceil(runs.length / size) }, (_, nth) => runs.slice(nth * size, (nth + 1) * size));
}
