// kill -9 of the daemon at the commits and side effects of a run that waits for a choice: asked again under the same ids, picked once, kept.
// A sample with a printed seed by default; CALLSHEET_TEST_FULL=1 takes every point and more pairs.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { play } from './crash-scenario.ts';
import { type Process, startProcess } from './processes.ts';
import { generator } from './random.ts';

const isFull = process.env['CALLSHEET_TEST_FULL'] === '1';
const seed = Number(process.env['CALLSHEET_SEED'] ?? Date.now() % 1_000_000);
/** An unbroken run passes about this many points; the exact number varies with what falls into one transaction. */
const USUAL_POINTS = 36;
const random = generator(seed);
const all = Array.from({ length: USUAL_POINTS }, (_, index) => index + 1);
const points = isFull ? all : all.toSorted(() => random() - 0.5).slice(0, 5);
const pairs = Array.from(
  { length: isFull ? 20 : 2 },
  () => [1 + Math.floor(random() * USUAL_POINTS), 1 + Math.floor((random() * USUAL_POINTS) / 2)] as const,
);

let backend: Process | undefined;
let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'callsheet-crash-sandbox-'));
  backend = await startProcess('./sandbox-child.ts', { CALLSHEET_SANDBOX_DIR: dir });
});
afterAll(async () => {
  await backend?.stop();
  rmSync(dir, { recursive: true, force: true });
});
const playing = (...deaths: number[]) => play(String(backend?.ready['url']), deaths, 'killed', 'with-choice');

describe(`a daemon that is killed around a choice (seed ${String(seed)}${isFull ? '' : ', a sample: CALLSHEET_TEST_FULL=1 for all'})`, () => {
  it('keeps every promise when nobody kills it', async () => {
    const { kills, executions, broken, points: passed } = await playing();
    expect({ kills, executions, broken }).toEqual({ kills: 0, executions: 3, broken: [] });
    expect(passed.length).toBeGreaterThan(20);
  });

  it.each(points)('asks again, takes the pick once and executes each step exactly once when it dies at point %i', async (at) => {
    const { broken, executions } = await playing(at);
    expect({ broken, executions }).toEqual({ broken: [], executions: 3 });
  });

  it.each(pairs)('does so when it dies at point %i and again at point %i of the recovery', async (first, second) => {
    const { broken, executions } = await playing(first, second);
    expect({ broken, executions }).toEqual({ broken: [], executions: 3 });
  });
});
