// Sequences of a run that is cleaned away: all of their pictures go, or none, and their note with them.
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createRetention } from '#daemon/retention/retention.ts';
import { type RunFiles, takeAway, withPictures } from '#daemon/retention/run-files.ts';
import { sha256Hex } from '#graph/hash.ts';
import { sidecarPath } from '#results/sidecar.ts';
import type { RemovalRow, RunRow, RunSize } from '#store/types.ts';

const NAMES = ['a_1.png', 'a_2.png', 'a_3.png'];

function sequence() {
  const output = realpathSync(mkdtempSync(join(tmpdir(), 'callsheet-sequence-')));
  onTestFinished(() => rmSync(output, { recursive: true, force: true }));
  const directory = join(output, 'run');
  const folder = join(directory, 'a');
  mkdirSync(join(folder, '.callsheet'), { recursive: true });
  const paths = NAMES.map((name) => join(folder, name));
  for (const path of paths) writeFileSync(path, path);
  const sha256 = sha256Hex(paths.map(sha256Hex).join(''));
  const [path = ''] = paths;
  const note = sidecarPath(path);
  const provenance = { artifactId: 'x', runId: 'run', template: 'demo' };
  const sequenceView = { count: NAMES.length, first: 1, pattern: 'a_#.png', bytes: 1, sha256 };
  writeFileSync(note, JSON.stringify({ format: 2, file: NAMES[0], bytes: 1, sha256, sequence: sequenceView, provenance }));
  const files: RunFiles = { runId: 'run', files: [], sequences: [{ path, names: NAMES, sha256 }] };
  const store = { runsOfTemplate: () => [], run: () => undefined };
  const take = (what = files) => takeAway(what, { store, outputDir: output, gone: new Set() }, directory, false);
  /** As it stands in the database from then on. */
  const decide = async () => JSON.parse(JSON.stringify(await withPictures(files, output))) as RunFiles;
  return { output, paths, path, note, directory, take, decide };
}

it('takes all pictures with their note', async () => {
  const { paths, note, directory, take } = sequence();
  const { files, left } = await take();
  expect([files.map(({ path }) => path), left, existsSync(directory)]).toEqual([[...paths, note], [], false]);
});

it('leaves all that is there where somebody deleted one of them, and names it', async () => {
  const { paths, path, note, take } = sequence();
  rmSync(paths[1] ?? '');
  expect(await take()).toMatchObject({ files: [], left: [{ path, why: 'one of its pictures is gone' }] });
  expect([paths[0], paths[2], note].every((one) => existsSync(one ?? ''))).toBe(true);
});

it('takes the note where somebody deleted them all', async () => {
  const { paths, note, take } = sequence();
  for (const path of paths) rmSync(path);
  const { files, left } = await take();
  expect([files.map(({ path }) => path), left]).toEqual([[note], []]);
});

it.each([1, 2, 3])('is taken to the end when the daemon was killed after %i of its three pictures', async (gone) => {
  const { paths, note, directory, take, decide } = sequence();
  const decided = await decide();
  for (const path of paths.slice(0, gone)) rmSync(path);
  const { files, left } = await take(decided);
  expect([files.map(({ path }) => path), left, existsSync(directory)]).toEqual([[...paths.slice(gone), note], [], false]);
});

it('leaves a picture that somebody changed while the daemon was dead, with the note', async () => {
  const { paths, note, take, decide } = sequence();
  const decided = await decide();
  const [first = '', second = '', third = ''] = paths;
  rmSync(first);
  writeFileSync(second, 'painted over');
  const { files, left } = await take(decided);
  expect([files.map(({ path }) => path), left]).toEqual([[third], [{ path: second, why: 'it was changed since' }]]);
  expect(existsSync(note)).toBe(true);
});

it('is not taken apart where one picture was gone before it was decided', async () => {
  const { paths, path, take, decide } = sequence();
  rmSync(paths[1] ?? '');
  expect(await take(await decide())).toMatchObject({ files: [], left: [{ path, why: 'one of its pictures is gone' }] });
});

it('is finished by the next start when the daemon was killed among its pictures', async () => {
  const { output, paths, directory } = sequence();
  const pending: RemovalRow[] = [];
  const size: RunSize = {
    runId: 'run',
    template: 'demo',
    status: 'succeeded',
    createdAt: 1,
    endedAt: 2,
    bytes: 3,
    pinned: false,
    doubtful: false,
  };
  const killed = new Error('killed');
  const daemon = (die: boolean) =>
    createRetention({
      store: {
        runSizes: () => [size],
        run: () => ({ runId: 'run', endedAt: 2, pinned: false }) as RunRow,
        runs: () => [],
        runsOfTemplate: () => [],
        openRuns: () => [],
        artifacts: () => [],
        pin: () => undefined,
        removeRuns(rows) {
          pending.push(...rows);
          if (die) throw killed;
        },
        pendingRemovals: () => pending,
        removalDone: () => void pending.pop(),
      },
      outputDir: output,
      isBusy: () => false,
      keepTemplates: () => new Set(),
      onRemoved: () => undefined,
      log: { info: () => undefined, warn: () => undefined },
      now: () => 3,
    });
  await expect(daemon(true).clean({ keep: 0 })).rejects.toBe(killed);
  rmSync(paths[0] ?? '');
  await daemon(false).finish();
  expect([existsSync(directory), pending]).toEqual([false, []]);
});
