import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RUN_ENDS, RUN_STATUSES } from '#protocol/views.ts';
import { openStore } from '#store/store.ts';
import type { Store } from '#store/types.ts';
import { freshDirectory } from './samples.ts';

const FIXTURES = join(import.meta.dirname, '..', 'fixtures');

function openCopy(name: string): Store {
  const directory = freshDirectory();
  cpSync(join(FIXTURES, name), directory, { recursive: true });
  const store = openStore({ dir: directory });
  onTestFinished(() => store.close());
  return store;
}

const RELEASES = readdirSync(FIXTURES).filter((name) => name.startsWith('data-'));

describe('[F23] data directories of every release', () => {
  it('are kept, from 0.1.0 on', () => expect(RELEASES).toContain('data-0.1.0'));

  for (const name of RELEASES) {
    it(`${name} opens, holds a run in every state, and reads whole`, () => {
      const store = openCopy(name);
      expect(store.recovery).toBeUndefined();
      const runs = store.runs({ limit: 1000 });
      expect(new Set(runs.map(({ status }) => status))).toEqual(new Set(RUN_STATUSES));
      expect(new Set(store.openRuns())).toEqual(new Set(runs.filter(({ status }) => !RUN_ENDS.includes(status)).map(({ runId }) => runId)));
      expect(store.events({ after: 0, limit: 10_000 }).map(({ position }) => position)).toEqual(
        Array.from({ length: store.lastPosition() }, (_, index) => index + 1),
      );
      expect(store.outbox(100)).toHaveLength(runs.length - 1);
      expect(store.asset('asset-1')).toMatchObject({ mediaType: 'image/png' });
    });

    it(`${name} gives every run its template, parameters, log, attempts and files`, () => {
      const store = openCopy(name);
      for (const run of store.runs({ limit: 1000 })) {
        expect(store.template(run.templateHash)).toContain('"manifest"');
        expect(JSON.parse(run.parameters)).toMatchObject({ seed: '18446744073709551615' });
        const hasWork = run.status !== 'queued';
        expect(store.events({ runId: run.runId, after: 0, limit: 100 }).map(({ seq }) => seq)).toEqual(
          Array.from({ length: hasWork ? 6 : 2 }, (_, index) => index + 1),
        );
        expect(store.attempts(run.runId)).toHaveLength(hasWork ? 1 : 0);
        const files = store.artifacts(run.runId);
        expect(files).toHaveLength(hasWork ? 1 : 0);
        // Rows from before artifacts knew either: by their media type, and the time of the run.
        for (const { kind, createdAt } of files)
          expect({ kind, createdAt: createdAt >= run.createdAt }).toEqual({ kind: 'image', createdAt: true });
        expect(run.snapshot === null).toBe(RUN_ENDS.includes(run.status));
        expect(run.error?.code ?? null).toBe(run.status === 'failed' ? 'NODE_FAILED' : null);
      }
      expect(store.requestKey('key-1')?.runId).toBe(store.runs({ limit: 1000 }).at(-2)?.runId);
    });

    it(`${name} takes new work`, () => {
      const store = openCopy(name);
      const [run] = store.runs({ status: ['running'] });
      const before = store.lastPosition();
      const note = { type: 'run.note', code: 'RESUMED', message: 'goes on' } as const;
      const events = store.commit({ events: [{ runId: run?.runId ?? '', at: 0, body: note }] });
      expect(events).toMatchObject([{ position: before + 1, seq: 7 }]);
    });
  }
});
