import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startMaintenance } from '#daemon/maintenance.ts';
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

const start = () =>
  startMaintenance({
    store,
    dataDir: dir,
    outputDir: join(dir, 'output'),
    isIdle: () => true,
    retention: IDLE_RETENTION,
    policies: [],
    log: pino({ level: 'silent' }),
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
