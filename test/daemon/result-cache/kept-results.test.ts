// The place of the result cache as a daemon opens it: within its limit, and swept.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { openKeptResults } from '#daemon/kept-results.ts';
import { sha256Hex } from '#graph/hash.ts';
import type { KeptOrigin, KeptResult } from '#store/result-index.ts';

const BYTES = 10_000;
const origin: KeptOrigin = {
  facts: { callsheet: '0.2.0', backend: { id: 'comfyui', kind: 'comfyui' }, inputs: [] },
  times: null,
  graph: sha256Hex('{}'),
  workflow: null,
  graphs: [{ hash: sha256Hex('{}'), content: '{}' }],
};

function openPlace() {
  const dir = mkdtempSync(join(tmpdir(), 'callsheet-kept-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const open = async (limit: number) => {
    const kept = await openKeptResults(dir, limit, pino({ level: 'silent' }));
    onTestFinished(kept.close);
    return kept;
  };
  return { dir, open };
}

/** Keeps a result of one file; where that lies. */
async function keep(
  { index, files }: Awaited<ReturnType<ReturnType<typeof openPlace>['open']>>,
  dir: string,
  key: string,
): Promise<string> {
  const text = key.padEnd(BYTES, '.');
  const sha256 = sha256Hex(text);
  writeFileSync(join(dir, key), text);
  await files.add(join(dir, key), sha256, BYTES);
  const result: KeptResult = {
    key,
    template: 'demo',
    step: 'base',
    request: 'r',
    runId: 'run',
    item: 0,
    backend: 'comfyui',
    createdAt: 1,
    seconds: null,
    files: [{ sha256, bytes: BYTES, node: 'n-1', artifactId: 'a' }],
    parts: {},
  };
  index.put(result, origin);
  return files.path(sha256);
}

it('holds no more than its limit when that was lowered, and keeps what was used last', async () => {
  const { dir, open } = openPlace();
  const first = await open(10 * BYTES);
  const paths = [await keep(first, dir, 'a'), await keep(first, dir, 'b'), await keep(first, dir, 'c')];
  first.index.touch('a');
  first.close();
  const limit = 2 * BYTES;
  const { index } = await open(limit);
  expect(index.use().bytes).toBeLessThanOrEqual(limit);
  expect(['a', 'b', 'c'].map((key) => index.has(key))).toEqual([true, false, false]);
  expect(paths.map((path) => existsSync(path))).toEqual([true, false, false]);
});

it('holds everything while its limit allows it, and nothing when that is 0', async () => {
  const { dir, open } = openPlace();
  const first = await open(10 * BYTES);
  const path = await keep(first, dir, 'a');
  first.close();
  const again = await open(10 * BYTES);
  expect([again.index.has('a'), existsSync(path)]).toEqual([true, true]);
  again.close();
  expect([(await open(0)).index.use().entries, existsSync(path)]).toEqual([0, false]);
});

it.each([
  ['the place of its files is a file', 'results', (path: string) => writeFileSync(path, 'in the way')],
  ['its index is a folder', 'results.db', (path: string) => mkdirSync(path)],
])('says why nothing can be kept where %s', async (_, name, damage) => {
  const { dir, open } = openPlace();
  mkdirSync(join(dir, 'cache'));
  const path = join(dir, 'cache', name);
  damage(path);
  const { index, trouble } = await open(10 * BYTES);
  expect(index.trouble() ?? trouble).toContain(path);
  rmSync(path, { recursive: true });
  const again = await open(10 * BYTES);
  expect([again.index.trouble(), again.trouble]).toEqual([undefined, undefined]);
});
