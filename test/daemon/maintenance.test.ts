import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { keepMark } from '#store/mark.ts';
import { type MaintenanceOptions, startMaintenance } from '#daemon/maintenance.ts';
import type { RetentionPolicy } from '#daemon/retention/policy.ts';
import { partialPath } from '#results/durable.ts';
import { listBackups } from '#store/backups.ts';
import { openStore } from '#store/store.ts';
import type { Store } from '#store/types.ts';

let dir: string;
let store: Store;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'callsheet-maintenance-'));
  store = openStore({ dir });
});
afterEach(() => {
  store.close();
  rmSync(dir, { recursive: true, force: true });
});

const IDLE_RETENTION = {
  clean: async () => ({ dryRun: false, runs: [], bytes: 0, kept: [], more: false }),
  finish: async () => undefined,
  stop: () => undefined,
};

const start = (more: Partial<MaintenanceOptions> = {}) =>
  startMaintenance({
    store,
    mark: keepMark(dir, store),
    dataDir: dir,
    outputDir: join(dir, 'output'),
    isIdle: () => true,
    retention: IDLE_RETENTION,
    policies: [],
    log: pino({ level: 'silent' }),
    ...more,
  });

it('removes half-written files of a killed daemon and nothing else', async () => {
  const run = join(dir, 'output', 'run');
  mkdirSync(run, { recursive: true });
  const partial = partialPath(run);
  const picture = join(run, 'picture.png');
  for (const file of [partial, picture]) writeFileSync(file, 'x');
  const maintenance = await start();
  await maintenance.close();
  expect(existsSync(partial)).toBe(false);
  expect(existsSync(picture)).toBe(true);
});

it('makes one backup a day, however often the daemon starts', async () => {
  for (let starts = 0; starts < 3; starts += 1) await (await start()).close();
  expect(listBackups(dir)).toHaveLength(1);
});

it('applies the policies of the daemon a minute after its start and every hour, each until nothing is left for it', async () => {
  vi.useFakeTimers();
  try {
    const asked: RetentionPolicy[] = [];
    const runs = [{ runId: 'r', template: 't', status: 'failed', endedAt: 1, bytes: 1, files: [], left: [] }] as const;
    const clean = async (policy: RetentionPolicy) => {
      asked.push(policy);
      return { dryRun: false, runs, bytes: 1, kept: [], more: policy.keep === 1 && asked.length === 1 };
    };
    const policies = [{ keep: 1 }, { keep: 2, template: 'film' }];
    const maintenance = await start({ retention: { ...IDLE_RETENTION, clean }, policies });
    await vi.advanceTimersByTimeAsync(59_000);
    expect(asked).toEqual([]);
    await vi.advanceTimersByTimeAsync(2000);
    expect(asked).toEqual([policies[0], policies[0], policies[1]]);
    await vi.advanceTimersByTimeAsync(60 * 60 * 1000);
    expect(asked.slice(3)).toEqual(policies);
    await maintenance.close();
  } finally {
    vi.useRealTimers();
  }
});

it('goes on when a clean-up fails, and finishes at its start what a killed daemon began', async () => {
  let finished = 0;
  const retention = { ...IDLE_RETENTION, finish: () => Promise.reject(new Error(`no disk ${String((finished += 1))}`)) };
  await (await start({ retention })).close();
  expect(finished).toBe(1);
});
