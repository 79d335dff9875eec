// A long step goes on while the daemon dies: whoever watches sees its bar move on from where it was, with the time that is left, as if nobody had died.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readRuntimeFile } from '#daemon/runtime-file.ts';
import { connect } from '#protocol/client.ts';
import type { ProgressNotice } from '#protocol/events.ts';
import { openWorld, type World } from './world.ts';

const STEPS = 120;
const PACE_MS = 40;
const WORKFLOW = {
  1: { class_type: 'EmptyImage', inputs: { width: 32, height: 32, batch_size: 1, color: 0 } },
  2: { class_type: 'SandboxSleep', inputs: { value: ['1', 0], steps: STEPS } },
  3: { class_type: 'SaveImage', inputs: { filename_prefix: 'long', images: ['2', 0] } },
};
const TEMPLATE = {
  format: 1,
  id: 'long',
  version: '1.0.0',
  title: 'One long step',
  parameters: { colour: { type: 'integer', default: 0 } },
  steps: [{ id: 'sleep', workflow: 'sleep.json', set: { '1.color': '{colour}' }, outputs: { picture: '3' } }],
  outputs: { result: { from: '{steps.sleep.picture}' } },
};

let templates: string;
let world: World;
beforeEach(async () => {
  templates = mkdtempSync(join(tmpdir(), 'callsheet-long-'));
  mkdirSync(join(templates, 'long'));
  writeFileSync(join(templates, 'long', 'template.json'), JSON.stringify(TEMPLATE));
  writeFileSync(join(templates, 'long', 'sleep.json'), JSON.stringify(WORKFLOW));
  world = await openWorld({ templates, latencyMs: PACE_MS });
});
afterEach(async () => {
  await world.close();
  rmSync(templates, { recursive: true, force: true });
});

it('[F1] progress and the time left go on after the death of the daemon in the middle of a step', { timeout: 120_000 }, async () => {
  await world.ended(await world.start('long', { colour: 1 }));

  const where = () => {
    const info = readRuntimeFile(world.runtimeFile());
    return Promise.resolve(info === undefined ? undefined : { url: info.url, key: info.key });
  };
  const endpoint = await where();
  if (endpoint === undefined) throw new Error('the daemon left no runtime file');
  const told: ProgressNotice[] = [];
  const watcher = await connect({
    ...endpoint,
    reconnectFor: 60_000,
    relocate: where,
    onNotification: (name, params) => {
      if (name === 'progress') told.push(params as ProgressNotice);
    },
  });
  await watcher.subscribe({}, { onEvent: () => undefined });
  const runId = await world.start('long', { colour: 2 });
  await expect.poll(() => told.at(-1)?.progress ?? 0, { timeout: 30_000, interval: 20 }).toBeGreaterThan(0.3);
  await world.killDaemon();
  const before = told.length;
  const highest = told.at(-1)?.progress ?? 0;
  expect(await world.ended(runId)).toBe('succeeded');
  await watcher.close();

  const after = told.slice(before).filter((notice) => notice.runId === runId);
  const values = told.filter((notice) => notice.runId === runId).map(({ progress }) => progress);
  expect(values).toEqual(values.toSorted((a, b) => a - b));
  // Of one and the same step, of which nothing but its own progress could be told.
  expect(new Set(after.map(({ progress }) => progress)).size).toBeGreaterThan(5);
  expect(after.filter(({ progress }) => progress > highest).length).toBeGreaterThan(5);
  // The first word after the death says how long it will still take.
  expect(after[0]?.etaSeconds).toBeTypeOf('number');
  expect(world.sandbox.ledger()).toHaveLength(2);
  expect(await world.broken()).toEqual([]);
});
