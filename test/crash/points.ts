/** The points of a daemon's work: before and after every transaction of its store, every side effect, and every file that gets its name. */
import filesSync from 'node:fs';
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import type { Backend } from '#backends/contract.ts';
import type { Store } from '#store/types.ts';

export type Point = (name: string) => void;

/** What writes in the database; test/crash/points.test.ts holds it against what does. `outboxDone` is only remembered, for the next of these. */
export function watchedStore(store: Store, point: Point): Store {
  const watched =
    <Args extends readonly unknown[], Result>(name: string, call: (...args: Args) => Result) =>
    (...args: Args): Result => {
      point(`${name}.before`);
      const result = call(...args);
      point(`${name}.after`);
      return result;
    };
  return {
    ...store,
    commit: watched('commit', (batch) => store.commit(batch)),
    putRequestKey: watched('request-key', (row) => store.putRequestKey(row)),
    putSetting: watched('setting', (name, value) => store.putSetting(name, value)),
    putAsset: watched('asset', (row) => store.putAsset(row)),
    outboxTried: watched('outbox-tried', (id) => store.outboxTried(id)),
    pin: watched('pin', (runId, pinned) => store.pin(runId, pinned)),
    removeRuns: watched('remove-runs', (runs, keep) => store.removeRuns(runs, keep)),
    removalDone: watched('removal-done', (runId) => store.removalDone(runId)),
    checkpoint: watched('checkpoint', () => store.checkpoint()),
    close: watched('close', () => store.close()),
  };
}

/** A result gets its name by a link, a small file by a rename. */
export function watchFiles(point: Point): void {
  const { link, rename } = files;
  files.link = watchedCall('link', link, point);
  files.rename = watchedCall('rename', rename, point);
  const { renameSync } = filesSync;
  filesSync.renameSync = (from, to) => {
    point('rename.before');
    renameSync(from, to);
    point('rename.after');
  };
  syncBuiltinESMExports();
}

/** What reaches outside; looking something up changes nothing. */
export function watchedBackend(backend: Backend, point: Point, touched: (step: string) => void): Backend {
  const watched = <Args extends readonly unknown[], Result>(name: string, call: (...args: Args) => Promise<Result>) =>
    watchedCall(name, call, point);
  return {
    ...backend,
    attach(attempt, signal) {
      touched(attempt.step);
      return backend.attach(attempt, signal);
    },
    upload: watched('upload', (file, signal) => backend.upload(file, signal)),
    submit: watched('submit', (attempt, payload, signal) => {
      touched(attempt.step);
      return backend.submit(attempt, payload, signal);
    }),
    fetch: watched('fetch', (file, signal) => backend.fetch(file, signal)),
    cancel: watched('cancel', (attempt, signal) => backend.cancel(attempt, signal)),
    forget: watched('forget', (attempt) => backend.forget(attempt)),
    free: watched('free', () => backend.free()),
  };
}

function watchedCall<Args extends readonly unknown[], Result>(name: string, call: (...args: Args) => Promise<Result>, point: Point) {
  return async (...args: Args): Promise<Result> => {
    point(`${name}.before`);
    const result = await call(...args);
    point(`${name}.after`);
    return result;
  };
}
