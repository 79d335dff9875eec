// kill -9 of the daemon at the commits and side effects of a run whose items go to two backends at once: each is found again where it was sent.
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
const points = isFull ? all : all.toSorted(() => random() - 0.5).slice(0, 2);
const pairs = Array.from(
  { length: isFull ? 20 : 1 },
  () => [1 + Math.floor(random() * USUAL_POINTS), 1 + Math.floor((random() * USUAL_POINTS) / 2)] as const,
);

const started: { readonly backend: Process | undefined; readonly dir: string }[] = [];
beforeAll(async () => {
  for (const name of ['a', 'b']) {
    const dir = mkdtempSync(join(tmpdir(), `callsheet-crash-sandbox-${name}-`));
    started.push({ dir, backend: await startProcess('./sandbox-child.ts', { CALLSHEET_SANDBOX_DIR: dir }) });
  }
});
afterAll(async () => {
  for (const { backend, dir } of started) {
    await backend?.stop();
    rmSync(dir, { recursive: true, force: true });
  }
});
const playing = (...deaths: number[]) => {
  const [first = '', ...others] = started.map(({ backend }) => String(backend?.ready['url']));
  return play(first, deaths, 'killed', 'with-choice', others);
};
const executionsOn = async (index: number): Promise<number> => {
  const response = await fetch(`${String(started[index]?.backend?.ready['url'])}/sandbox/ledger`);
  return ((await response.json()) as { readonly executions: readonly unknown[] }).executions.length;
};

describe(`a daemon over two backends that is killed (seed ${String(seed)}${isFull ? '' : ', a sample: CALLSHEET_TEST_FULL=1 for all'})`, () => {
  it('keeps every promise when nobody kills it, and uses both', async () => {
    const { kills, executions, broken } = await playing();
    expect({ kills, executions, broken }).toEqual({ kills: 0, executions: 3, broken: [] });
    expect(Math.min(await executionsOn(0), await executionsOn(1))).toBeGreaterThan(0);
  });

  it.each(points)('executes each item exactly once, on either of them, when it dies at point %i', async (at) => {
    const { broken, executions } = await playing(at);
    expect({ broken, executions }).toEqual({ broken: [], executions: 3 });
  });

  it.each(pairs)('does so when it dies at point %i and again at point %i of the recovery', async (first, second) => {
    const { broken, executions } = await playing(first, second);
    expect({ broken, executions }).toEqual({ broken: [], executions: 3 });
  });
});
