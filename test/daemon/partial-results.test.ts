/** What an item did give before it failed for what it did not: listed with the failed run, and never taken for a result. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { Backend } from '#backends/contract.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { RunView } from '#protocol/views.ts';
import { closeChecked } from '../faults/engine-promises.ts';
import type { Plan } from '../fakes/fake-comfyui.ts';
import { type Engine, startEngine } from './supervisor-harness.ts';

let engine: Engine;
const templates = mkdtempSync(join(tmpdir(), 'callsheet-partial-'));
afterEach(() => closeChecked(engine));
afterAll(() => rmSync(templates, { recursive: true, force: true }));

const save = (prefix: string) => ({ class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: prefix } });
const PAIR = {
  '1': { class_type: 'EmptyImage', inputs: { width: 8, height: 8, batch_size: 1, color: 255 } },
  '2': save('good'),
  // No saver: one that reports nothing would be asked for the names that it usually gives.
  '4': { class_type: 'PreviewImage', inputs: { images: ['1', 0] } },
};
const NEXT = { '1': { class_type: 'LoadImage', inputs: { image: 'x.png' } }, '2': save('next') };

function put(id: string, manifest: object): void {
  const folder = join(templates, id);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'pair.json'), JSON.stringify(PAIR));
  writeFileSync(join(folder, 'next.json'), JSON.stringify(NEXT));
  writeFileSync(join(folder, 'template.json'), JSON.stringify({ format: 1, id, version: '1.0.0', optimize: false, ...manifest }));
}
const both = { id: 'both', workflow: 'pair.json', outputs: { good: '2', bad: '4' } };
put('pair-of-files', {
  steps: [both, { id: 'next', workflow: 'next.json', set: { '1.image': '{steps.both.good}' }, outputs: { out: '2' } }],
  outputs: { pictures: { from: '{steps.both.good}', asset: { kind: 'image', name: 'seen' } } },
});
put('pairs-of-files', {
  parameters: { colours: { type: 'list', of: 'integer', default: [1, 2] } },
  steps: [
    { ...both, each: '{colours}', set: { '1.color': '{each}' } },
    { id: 'next', workflow: 'next.json', set: { '1.image': '{choices.one}' }, outputs: { out: '2' } },
  ],
  choices: [{ after: 'both', from: '{steps.both.good}', into: 'one' }],
});

interface Sent {
  readonly prompt: Readonly<Record<string, { readonly inputs: Readonly<Record<string, unknown>> }>>;
}

/** Node 4 gives a file only where `isWhole`. */
const giving =
  (isWhole: (colour: unknown) => boolean) =>
  ({ prompt }: Sent): Plan => {
    if (prompt['4'] === undefined) return {};
    const [subfolder] = String(prompt['2']?.inputs['filename_prefix']).split('/good');
    const file = (name: string) => ({ images: [{ filename: `${name}_00001_.png`, subfolder, type: 'output' }] });
    return { outputs: { 2: file('good'), ...(isWhole(prompt['1']?.inputs['color']) ? { 4: file('bad') } : {}) } };
  };
const half = giving(() => false);
const whole = giving(() => true);

const listed = ({ artifacts }: RunView) => artifacts.map(({ step, item, output, partial }) => [step, item, output, partial ?? false]);
const statuses = ({ steps }: RunView) => steps.map(({ status }) => status);

async function failed(template: string): Promise<RunView> {
  const { runId } = await engine.supervisor.start({ template, parameters: {} });
  return engine.ended(runId);
}

async function again({ runId }: RunView): Promise<RunView> {
  await engine.supervisor.retry({ runId });
  return engine.ended(runId);
}

describe('what came of a step of which a declared output is missing', () => {
  it('is listed with the failed run, and told from a result', async () => {
    engine = await startEngine({ templates });
    engine.fake.engine.plan = half;
    const run = await failed('pair-of-files');
    expect(run).toMatchObject({ status: 'failed', error: { code: 'OUTPUT_MISSING', step: 'both' } });
    expect(statuses(run)).toEqual(['failed', 'blocked']);
    expect(listed(run)).toEqual([['both', 0, 'good', true]]);
    const [artifact] = run.artifacts;
    expect(artifact).toMatchObject({ outputs: ['pictures'], asset: { kind: 'image', name: 'seen' } });
    expect(readFileSync(artifact?.path ?? '')).toHaveLength(artifact?.bytes ?? 0);
    expect(engine.store.listArtifacts({ runId: run.runId })?.artifacts).toEqual([artifact]);
    expect(run.steps[0]).toMatchObject({ itemsDone: 0 });
  });

  it('makes room for the whole once a new try made it, also after a restart', async () => {
    engine = await startEngine({ templates });
    engine.fake.engine.plan = half;
    const run = await failed('pair-of-files');
    await engine.restart();
    engine.fake.engine.plan = whole;
    const done = await again(run);
    expect([done.status, ...statuses(done)]).toEqual(['succeeded', 'done', 'done']);
    expect(listed(done)).toEqual([
      ['both', 0, 'bad', false],
      ['both', 0, 'good', false],
      ['next', 0, 'out', false],
    ]);
    expect(engine.fake.engine.ledger).toHaveLength(3);
  });

  it('stays listed when the new try fails the same way', async () => {
    engine = await startEngine({ templates });
    engine.fake.engine.plan = half;
    const run = await again(await failed('pair-of-files'));
    expect([run.status, ...listed(run)]).toEqual(['failed', ['both', 0, 'good', true]]);
    expect(engine.fake.engine.ledger).toHaveLength(2);
  });

  it('is not among what a person chooses from, and its item alone is made again', async () => {
    engine = await startEngine({ templates });
    engine.fake.engine.plan = giving((colour) => colour === 1);
    const { runId } = await engine.supervisor.start({ template: 'pairs-of-files', parameters: {} });
    await expect.poll(() => engine.supervisor.get(runId).status).toBe('waiting');
    const asked = engine.supervisor.get(runId);
    expect(listed(asked)).toEqual([
      ['both', 0, 'bad', false],
      ['both', 0, 'good', false],
      ['both', 1, 'good', true],
    ]);
    const offered = asked.choices?.[0]?.candidates.map(({ artifactId }) => artifactId);
    expect(offered).toEqual(
      asked.artifacts.filter(({ item, output }) => item === 0 && output === 'good').map(({ artifactId }) => artifactId),
    );
    await engine.supervisor.choose({ runId, indices: [0] });
    const run = await engine.ended(runId);
    expect(run.status).toBe('failed');
    engine.fake.engine.plan = whole;
    const before = engine.fake.engine.ledger.length;
    expect((await again(run)).status).toBe('succeeded');
    expect(engine.fake.engine.ledger).toHaveLength(before + 1);
  });
});

describe('what came of a step of which one file can not be had', () => {
  const broken = { is: true };
  /** Hands nothing out of the second saver while `broken`. */
  const wrap = (backend: Backend): Backend => ({
    ...backend,
    fetch: (file, signal) =>
      broken.is && file.node === '4'
        ? Promise.reject(new CallsheetError('OUTPUT_INVALID', 'It is broken.', { retryable: false }))
        : backend.fetch(file, signal),
  });

  it('is listed with the failed run, and what is missing is fetched by the next try, not made', async () => {
    broken.is = true;
    engine = await startEngine({ templates, wrap });
    engine.fake.engine.plan = whole;
    const run = await failed('pair-of-files');
    expect(run).toMatchObject({ status: 'failed', error: { code: 'OUTPUT_INVALID', node: '4' } });
    expect(listed(run)).toEqual([['both', 0, 'good', true]]);
    const still = await again(run);
    expect(listed(still)).toEqual([['both', 0, 'good', true]]);
    broken.is = false;
    const done = await again(still);
    expect([done.status, ...listed(done)]).toEqual([
      'succeeded',
      ['both', 0, 'bad', false],
      ['both', 0, 'good', false],
      ['next', 0, 'out', false],
    ]);
    expect(existsSync(done.artifacts[1]?.path ?? '')).toBe(true);
    expect(done.artifacts[1]?.path).toBe(run.artifacts[0]?.path);
    // Both steps once.
    expect(engine.fake.engine.ledger).toHaveLength(2);
  });
});
