// Sequences of a run that is cleaned away: all of their pictures go, or none, and their note with them.
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { takeAway } from '#daemon/retention/run-files.ts';
import { sha256Hex } from '#graph/hash.ts';
import { sidecarPath } from '#results/sidecar.ts';

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
  writeFileSync(note, JSON.stringify({ format: 2, file: NAMES[0], bytes: 1, sha256, provenance }));
  const take = () => takeAway({ runId: 'run', files: [], sequences: [{ path, names: NAMES, sha256 }] }, output, directory, false);
  return { paths, path, note, directory, take };
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
