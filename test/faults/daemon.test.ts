// What befalls the daemon's own process in the middle of a run, at a sample of its points (CALLSHEET_TEST_FULL=1: at every one).
// Numbers are those of the list in docs/reliability.md. Every promise is checked after each (../crash/play.ts).
import { describe, expect, it } from 'vitest';
import { play } from '../crash/play.ts';
import { DEADLY, type Fate } from '../crash/fates.ts';
import { SCENARIOS } from '../crash/scenarios.ts';

const isFull = process.env['CALLSHEET_TEST_FULL'] === '1';
/** Two lives of a real process each, which may share two cores with much else. */
const GUARD_MS = 120_000;
/** Points that every run passes before its end. */
const POINTS = isFull ? Array.from({ length: 20 }, (_, index) => index + 1) : [2, 7, 13];

const scenario = SCENARIOS.find(({ template }) => template === 'three-steps');
if (scenario === undefined) throw new Error('the scenario of three steps is gone');

const cases: readonly (readonly [string, Fate])[] = [
  ['[F2] that is told to stop', 'told-to-stop'],
  ['[F8] whose clock jumps a year back', 'clock-back'],
  ['[F8] whose clock jumps a year ahead', 'clock-ahead'],
  ['[F20] that stands still for a while', 'standing-still'],
  ['[F29] that meets an error nobody caught', 'throwing'],
];

describe.each(cases)('a daemon %s', { timeout: GUARD_MS }, (_, fate) => {
  it.each(POINTS)('at point %i keeps every promise', async (at) => {
    const played = await play(scenario, [at], { fate });
    expect({ broken: played.broken, executions: played.executions, ends: played.kills }).toEqual({
      broken: [],
      executions: 3,
      ends: DEADLY.has(fate) ? 1 : 0,
    });
  });
});
