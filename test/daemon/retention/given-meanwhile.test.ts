// A clean-up takes its time, and runs begin meanwhile.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { createRetention } from '#daemon/retention/retention.ts';
import { openStore } from '#store/store.ts';

it('a run whose file is given to another one after the clean-up began stays', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'callsheet-given-'));
  const store = openStore({ dir });
  onTestFinished(() => {
    store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const add = (runId: string, ended: boolean, parameters = '{}'): void => {
    const status = ended ? ('succeeded' as const) : ('running' as const);
    store.commit({
      templates: [{ hash: 't', content: '{}' }],
      newRuns: [{ runId, template: 'card', version: '1.0.0', templateHash: 't', backend: null, parameters, createdAt: 1 }],
      states: [
        {
          runId,
          status,
          draft: false,
          progress: 1,
          machine: 'run',
          machineVersion: 1,
          snapshot: null,
          timers: null,
          error: null,
          endedAt: ended ? 2 : null,
        },
      ],
    });
  };
  for (const runId of ['run-1', 'run-2', 'run-3']) add(runId, true);
  const retention = createRetention({
    store,
    outputDir: join(dir, 'output'),
    isBusy: () => false,
    keepTemplates: () => new Set(['t']),
    onRemoved: () => undefined,
    log: pino({ level: 'silent' }),
    now: Date.now,
  });
  const left: string[] = [];
  await retention.clean(
    { keep: 0 },
    {
      report({ done }) {
        // Before the second of three goes, the third is asked for.
        if (done === 1) {
          left.push(...store.runs({}).map(({ runId }) => runId));
          add('user', false, JSON.stringify({ picture: `/output/${left.includes('run-3') ? 'run-3' : 'run-1'}/out.png` }));
        }
      },
    },
  );
  const used = left.includes('run-3') ? 'run-3' : 'run-1';
  expect(
    store
      .runs({})
      .map(({ runId }) => runId)
      .toSorted(),
  ).toEqual([used, 'user']);
});
