/** Kills the daemon of a scenario at point after point, and again during the recovery, several plays at once since most of each is waiting. */
import { join } from 'node:path';
import { inLanes, type Kept } from '../kept.ts';
import { play } from './play.ts';
import type { Scenario } from './scenarios.ts';

/** Plays between two words about how far it is. */
const TOLD_EVERY = 25;

export interface Play {
  readonly scenario: string;
  /** Points after which one daemon after another was killed. */
  readonly deaths: readonly number[];
  /** Their names. */
  readonly at: readonly string[];
  /** Points that each daemon passed. */
  readonly lives: readonly number[];
  readonly kills: number;
  readonly executions: number;
  readonly broken: readonly string[];
}

export interface Sweep {
  readonly scenario: Scenario;
  readonly evidence: Kept<Play>;
  /** Plays at once. */
  readonly jobs: number;
  readonly random: () => number;
}

/** A play in which every death came that was ordered: runs are not alike in every point, so a late one may be missed. */
export function isMet({ deaths, kills }: Play): boolean {
  return kills >= deaths.length;
}

/** So many points that are chosen by chance, or every one: until a run ends before the next. */
export async function sweepSingles(sweep: Sweep, size: number | 'all', points: number): Promise<readonly Play[]> {
  if (size !== 'all') {
    const chosen = shuffled(range(points), sweep.random).slice(0, size);
    return playAll(sweep, chosen.map(alone), size);
  }
  const singles = [...(await playAll(sweep, range(points).map(alone), points))];
  for (let at = points + 1; singles.some(({ deaths: [last], kills }) => last === at - 1 && kills > 0); at += 1) {
    singles.push(...(await playAll(sweep, [alone(at)], 1)));
  }
  return singles;
}

/** So many pairs by chance, each within the recovery that was seen after the first death; or every one. */
export async function sweepPairs(sweep: Sweep, size: number | 'all', singles: readonly Play[]): Promise<readonly Play[]> {
  const all = singles.flatMap(({ deaths: [first = 0], lives: [, second = 0] }) => range(second).map((at) => [first, at]));
  const wanted = size === 'all' ? all.length : size;
  return playAll(sweep, shuffled(all, sweep.random), wanted);
}

/** Plays until so many are met, counting those that stand in the evidence, or until there are no more. */
async function playAll(
  { scenario, evidence, jobs }: Sweep,
  order: readonly (readonly number[])[],
  wanted: number,
): Promise<readonly Play[]> {
  const planned = new Set(order.map(String));
  const deaths = order[0]?.length ?? 0;
  const done = evidence.rows.filter(
    (one) => one.scenario === scenario.name && one.deaths.length === deaths && planned.has(String(one.deaths)),
  );
  const tried = new Set(done.map((one) => String(one.deaths)));
  let atWork = 0;
  function* wantedStill(): Iterable<readonly number[]> {
    for (const plan of order) {
      if (done.filter(isMet).length + atWork >= wanted) return;
      if (!tried.has(String(plan))) yield plan;
    }
  }
  const work = async (plan: readonly number[]): Promise<void> => {
    tried.add(String(plan));
    atWork += 1;
    const played = await playOne(scenario, plan, evidence).finally(() => (atWork -= 1));
    evidence.add(played);
    done.push(played);
    if (done.length % TOLD_EVERY === 0)
      console.log(`${scenario.name}: ${String(done.length)} of ${String(wanted)} plays, ${String(deaths)} deaths each`);
  };
  // Those that are not met make room for others.
  for (let before = -1; before < done.length;) {
    before = done.length;
    await inLanes(jobs, wantedStill(), work);
  }
  return done;
}

async function playOne(scenario: Scenario, deaths: readonly number[], evidence: Kept<Play>): Promise<Play> {
  const about = { scenario: scenario.name, deaths };
  const keepIn = join(evidence.folder, `${scenario.name.replaceAll(/\W+/g, '-')}-${deaths.join('-')}`);
  try {
    const { lives, kills, executions, broken } = await play(scenario, deaths, { keepIn });
    const at = deaths.map((death, life) => lives[life]?.[death - 1] ?? '');
    return { ...about, at, lives: lives.map(({ length }) => length), kills, executions, broken };
  } catch (error) {
    // What went wrong on the way is for people to look at, as a broken promise is.
    return { ...about, at: [], lives: [], kills: 0, executions: 0, broken: [String(error)] };
  }
}

function alone(at: number): readonly number[] {
  return [at];
}

function range(most: number): readonly number[] {
  return Array.from({ length: most }, (_, index) => index + 1);
}

function shuffled<T>(all: readonly T[], random: () => number): readonly T[] {
  return all
    .map((value) => ({ value, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ value }) => value);
}
