/** The child process that looks into foreign files: what it finds, what it may not do, and what becomes of one that asks too much. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { childArguments, createInspector, INSPECTOR_LIMITS } from '#results/inspect/inspector.ts';
import type { InspectorLimits } from '#results/inspect/inspector.ts';
import { freshDirectory, pngChunk, pngWith } from '../samples.ts';

const GRAPH = '{"1":{"class_type":"A","inputs":{"seed":18446744073709551615}}}';
const text = (key: string, value: string): Buffer => pngChunk('tEXt', Buffer.from(`${key}\0${value}`, 'latin1'));

async function file(...chunks: readonly Buffer[]): Promise<string> {
  const path = join(freshDirectory(), 'a.png');
  writeFileSync(path, await pngWith(...chunks));
  return path;
}

function start(changes: Partial<InspectorLimits> = {}) {
  const inspector = createInspector({ ...INSPECTOR_LIMITS, ...changes });
  onTestFinished(() => inspector.close());
  return inspector;
}

const outcome = (inspection: Promise<unknown>): Promise<string> =>
  inspection.then(
    () => 'read',
    (error: { code?: string }) => error.code ?? 'other',
  );

/** Megabytes of a graph: reading it as JSON takes many times as much. */
const large = text('prompt', `{"1":{"class_type":"A","inputs":{${'"x":[1,2,3],'.repeat(300_000)}"y":2}}}`);

describe('the inspector', () => {
  it('tells texts, workflows exactly as they stand, and drafts', async () => {
    const path = await file(text('prompt', GRAPH), text('callsheet', '{"draft":true,"backend":"sandbox"}'));
    const found = await start().inspect(path);
    expect(found).toMatchObject({
      mediaType: 'image/png',
      isKnown: true,
      draft: true,
      leftOut: [],
      workflows: { api: { key: 'prompt', text: GRAPH } },
    });
    expect(found.texts.map(({ key }) => key)).toEqual(['prompt', 'callsheet']);
  });

  it('serves many files at once, one after the other, with one child or with a new one for each', async () => {
    const paths = await Promise.all(Array.from({ length: 12 }, (_, n) => file(text('n', String(n)))));
    for (const inspector of [start(), start({ files: 1 })]) {
      const found = await Promise.all(paths.map((path) => inspector.inspect(path)));
      expect(found.map(({ texts }) => texts[0]?.text)).toEqual(paths.map((_, n) => String(n)));
    }
  });

  it.each<[string, Partial<InspectorLimits>]>([
    ['more memory than its heap has', { heapMiB: 24 }],
    ['more memory than a process may have', { rss: 1024 * 1024 }],
    ['more time than there is', { timeMs: 1 }],
  ])('gives up a file that needs %s, and reads the next one', async (_, changes) => {
    const demanding = await file(large);
    const inspector = start(changes);
    expect(await outcome(inspector.inspect(demanding))).toBe('FILE_TOO_COMPLEX');
    const patient = start();
    expect(await outcome(patient.inspect(await file(text('a', 'b'))))).toBe('read');
  });

  it('goes on with a new child after one that died', async () => {
    const inspector = start({ heapMiB: 24 });
    const [demanding, easy] = [await file(large), await file(text('a', 'b'))];
    expect(await outcome(inspector.inspect(demanding))).toBe('FILE_TOO_COMPLEX');
    expect(await outcome(inspector.inspect(easy))).toBe('read');
  });

  it('says that a file is not there, and takes no more when it is closed', async () => {
    const inspector = start();
    expect(await outcome(inspector.inspect(join(freshDirectory(), 'gone.png')))).toBe('FILE_NOT_FOUND');
    inspector.close();
    expect(await outcome(inspector.inspect('/dev/null'))).toBe('CANCELLED');
  });

  it.each([
    ['read a file', "require('node:fs').readFileSync(process.execPath)"],
    ['list a folder', "require('node:fs').readdirSync('/')"],
    ['write', "require('node:fs').writeFileSync('x', 'x')"],
    ['start a program', "require('node:child_process').execSync('true')"],
    ['start a thread', "new (require('node:worker_threads').Worker)('', { eval: true })"],
  ])('may not %s', (_, code) => {
    const { stderr } = spawnSync(process.execPath, [...childArguments(64), '-e', code], { encoding: 'utf8' });
    expect(stderr).toContain('ERR_ACCESS_DENIED');
  });

  it('may not make code out of texts', () => {
    const { stderr } = spawnSync(process.execPath, [...childArguments(64), '-e', "new Function('return 1')"], { encoding: 'utf8' });
    expect(stderr).toContain('EvalError');
  });
});
