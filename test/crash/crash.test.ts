// kill -9 of the daemon at every commit and every side effect of a three-step run on a backend in another process.
// A sample with a printed seed by default; CALLSHEET_TEST_FULL=1 takes every point and many pairs.
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Played, play } from './crash-scenario.ts';
import { type Process, startProcess } from './processes.ts';
import { generator } from './random.ts';

const isFull = process.env['CALLSHEET_TEST_FULL'] === '1';
const seed = Number(process.env['CALLSHEET_SEED'] ?? Date.now() % 1_000_000);
const SAMPLED_POINTS = 10;
const PAIRS = isFull ? 40 : 3;
/** An unbroken run passes about this many points; the exact number varies with what falls into one transaction. */
const USUAL_POINTS = 36;
/** Points that every run passes before its end. */
const CERTAIN_POINTS = 20;

let backend: Process | undefined;
let dir: string;
let unbroken: Played;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'callsheet-crash-sandbox-'));
  backend = await startProcess('./sandbox-child.ts', { CALLSHEET_SANDBOX_DIR: dir });
  unbroken = await play(url(), []);
});
afterAll(async () => {
  await backend?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const url = () => String(backend?.ready['url']);

const random = generator(seed);
const all = Array.from({ length: USUAL_POINTS }, (_, index) => index + 1);
const points = isFull
  ? all
  : all
      .toSorted(() => random() - 0.5)
      .slice(0, SAMPLED_POINTS)
      .toSorted((a, b) => a - b);
const pairs = Array.from(
  { length: PAIRS },
  () => [1 + Math.floor(random() * USUAL_POINTS), 1 + Math.floor((random() * USUAL_POINTS) / 2)] as const,
);

/** One line for each run of the scenario, for the table of points tried. */
function note(deaths: readonly number[], played: Played): void {
  const names = deaths.map((at) => `${String(at)} ${played.points[at - 1] ?? 'not reached'}`).join(' + ');
  const file = process.env['CALLSHEET_CRASH_TABLE'];
  if (file !== undefined) appendFileSync(file, `${names}\t${String(played.kills)} kills\t${String(played.executions)} executions\n`);
}

describe(`a daemon that is killed (seed ${String(seed)}${isFull ? ', every point' : `, ${String(SAMPLED_POINTS)} of ${String(USUAL_POINTS)} points: CALLSHEET_TEST_FULL=1 for all`})`, () => {
  it('keeps every promise when nobody kills it', () => {
    expect(unbroken).toMatchObject({ kills: 0, executions: 3, broken: [] });
    expect(unbroken.points.length).toBeGreaterThan(20);
  });

  it.each(points)('executes each step exactly once when it dies at point %i', async (at) => {
    const played = await play(url(), [at]);
    note([at], played);
    expect({ broken: played.broken, executions: played.executions }).toEqual({ broken: [], executions: 3 });
    // A later point may lie beyond the run's end: then nobody was killed, and never more than once.
    expect(at <= CERTAIN_POINTS ? [1] : [0, 1]).toContain(played.kills);
  });

  it.each(pairs)(
    'executes each step exactly once when it dies at point %i and again at point %i of the recovery',
    async (first, second) => {
      const played = await play(url(), [first, second]);
      note([first, second], played);
      expect({ broken: played.broken, executions: played.executions }).toEqual({ broken: [], executions: 3 });
    },
  );
});
