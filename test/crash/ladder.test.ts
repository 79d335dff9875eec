// kill -9 of the daemon at the commits and side effects of a run that climbs down the memory ladder: no rung is skipped, none is taken twice.
// A sample with a printed seed by default; CALLSHEET_TEST_FULL=1 takes every point and more pairs.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { play } from './crash-scenario.ts';
import { startProcess } from './processes.ts';
import { generator } from './random.ts';

const isFull = process.env['CALLSHEET_TEST_FULL'] === '1';
const seed = Number(process.env['CALLSHEET_SEED'] ?? Date.now() % 1_000_000);
/** An unbroken run passes about this many points; the exact number varies with what falls into one transaction. */
const USUAL_POINTS = 36;
const random = generator(seed);
const all = Array.from({ length: USUAL_POINTS }, (_, index) => index + 1);
const points = isFull ? all : all.toSorted(() => random() - 0.5).slice(0, 4);
const pairs = Array.from(
  { length: isFull ? 20 : 1 },
  () => [1 + Math.floor(random() * USUAL_POINTS), 1 + Math.floor((random() * USUAL_POINTS) / 2)] as const,
);

/** On a backend of its own, whose first two prompts run out of memory. */
async function playing(...deaths: number[]) {
  const dir = mkdtempSync(join(tmpdir(), 'callsheet-crash-sandbox-'));
  const faults = JSON.stringify({ outOfMemory: 2 });
  const backend = await startProcess('./sandbox-child.ts', { CALLSHEET_SANDBOX_DIR: dir, CALLSHEET_SANDBOX_FAULTS: faults });
  try {
    return await play(String(backend?.ready['url']), deaths, 'killed', 'low-memory');
  } finally {
    await backend?.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

describe(`a daemon that is killed on the memory ladder (seed ${String(seed)}${isFull ? '' : ', a sample: CALLSHEET_TEST_FULL=1 for all'})`, () => {
  it('keeps every promise when nobody kills it', async () => {
    const { kills, executions, broken } = await playing();
    expect({ kills, executions, broken }).toEqual({ kills: 0, executions: 4, broken: [] });
  });

  it.each(points)('takes each rung exactly once when it dies at point %i', async (at) => {
    const { broken, executions } = await playing(at);
    expect({ broken, executions }).toEqual({ broken: [], executions: 4 });
  });

  it.each(pairs)('does so when it dies at point %i and again at point %i of the recovery', async (first, second) => {
    const { broken, executions } = await playing(first, second);
    expect({ broken, executions }).toEqual({ broken: [], executions: 4 });
  });
});
