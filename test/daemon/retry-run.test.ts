// Run/retry: the same run goes on where it ended, what is finished is kept, and nothing is generated twice.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '#protocol/events.ts';
import { RUN_ENDS } from '#protocol/views.ts';
import { failure } from '../backends/comfyui/harness.ts';
import { closeChecked } from '../faults/engine-promises.ts';
import { type Engine, type EngineOptions, startEngine } from './supervisor-harness.ts';

let engine: Engine;
afterEach(() => closeChecked(engine));

const BOOM = { type: 'RuntimeError', message: 'boom' };
const request = { template: 'three-steps', parameters: {} };
/** What was executed, by the class of node that tells the steps apart. */
const CLASSES = { ImageInvert: 'invert', ImageScale: 'grow' } as const;
const executed = (id?: string) =>
  (id === undefined ? engine.fake : engine.fakeOf(id)).engine.ledger.map(
    ({ prompt }) => Object.entries(CLASSES).find(([name]) => Object.values(prompt).some((node) => node.class_type === name))?.[1] ?? 'base',
  );
const ofRun = (runId: string): readonly RunEvent[] => engine.store.events({ runId, after: 0, limit: 10_000 });
const attemptsOf = (runId: string) =>
  engine.supervisor
    .get(runId)
    .steps.map(({ id, attempts }) => [id, ...attempts.map(({ attempt, status }) => `${String(attempt)} ${status}`)]);

/** A run that failed in one of its three steps. */
async function failedAt(step: 'base' | 'invert' | 'grow', options: EngineOptions = {}, more: object = {}): Promise<string> {
  engine = await startEngine(options);
  const at = { base: 'EmptyImage', invert: 'ImageInvert', grow: 'ImageScale' }[step];
  engine.fake.engine.plan = ({ prompt }) => {
    const node = Object.entries(prompt).find(([, { class_type: name }]) => name === at)?.[0];
    return node === undefined ? {} : { error: { node, ...BOOM } };
  };
  const { runId } = await engine.supervisor.start({ ...request, ...more });
  expect(await engine.ended(runId)).toMatchObject({ status: 'failed', error: { code: 'NODE_FAILED', step } });
  engine.fake.engine.plan = () => ({});
  return runId;
}

/** Every try has one end, the log has no gap, and what clients were told is what stands in it. */
function checkLog(runId: string, tries: number): void {
  const stored = ofRun(runId);
  expect(stored.map(({ seq }) => seq)).toEqual(stored.map((_, index) => index + 1));
  expect(engine.events.filter((event) => event.runId === runId)).toEqual(stored);
  const marks = stored.flatMap(({ event }) => {
    if (event.type === 'run.retried') return ['retried'];
    return event.type === 'run.status' && RUN_ENDS.includes(event.status) ? ['end'] : [];
  });
  expect(marks).toEqual(['end', ...Array.from({ length: tries - 1 }, () => ['retried', 'end']).flat()]);
}

describe('a failed run', () => {
  it('shows the artifacts of its finished steps, whole and usable', async () => {
    const runId = await failedAt('grow');
    const { artifacts, steps } = engine.supervisor.get(runId);
    expect(steps.map(({ status }) => status)).toEqual(['done', 'done', 'failed']);
    expect(artifacts.map(({ step }) => step)).toEqual(['base', 'invert']);
    for (const { path, bytes } of artifacts) expect(readFileSync(path)).toHaveLength(bytes);
  });

  it('goes on from the failed step and keeps what is finished', async () => {
    const runId = await failedAt('grow');
    const before = engine.supervisor.get(runId).artifacts;
    expect(await engine.supervisor.retry({ runId })).toEqual({ runId, status: 'queued', again: ['grow'] });
    const run = await engine.ended(runId);
    expect(run).toMatchObject({ runId, status: 'succeeded', progress: 1, tries: 2, problems: [] });
    expect(run.error).toBeUndefined();
    expect(run.steps.map(({ status, items, itemsDone, error }) => [status, items, itemsDone, error])).toEqual([
      ['done', 1, 1, undefined],
      ['done', 1, 1, undefined],
      ['done', 1, 1, undefined],
    ]);
    expect(executed()).toEqual(['base', 'invert', 'grow', 'grow']);
    expect(attemptsOf(runId)).toEqual([
      ['base', '1 finished'],
      ['invert', '1 finished'],
      ['grow', '1 failed', '2 finished'],
    ]);
    expect(run.artifacts.slice(0, 2)).toEqual(before);
    expect(run.artifacts.at(-1)).toMatchObject({ step: 'grow', outputs: ['result'] });
    expect(new Set(engine.fake.engine.ledger.map(({ promptId }) => promptId)).size).toBe(4);
    checkLog(runId, 2);
  });

  it('is done again from an earlier step when that is asked for', async () => {
    const runId = await failedAt('grow');
    const [base, invert] = engine.supervisor.get(runId).artifacts;
    expect(await engine.supervisor.retry({ runId, from: 'invert' })).toMatchObject({ again: ['invert', 'grow'] });
    expect(engine.supervisor.get(runId).artifacts).toEqual([base]);
    const run = await engine.ended(runId);
    expect(run.status).toBe('succeeded');
    expect(executed()).toEqual(['base', 'invert', 'grow', 'invert', 'grow']);
    expect(ofRun(runId).find(({ event }) => event.type === 'run.retried')?.event).toEqual({
      type: 'run.retried',
      nth: 2,
      again: ['invert', 'grow'],
      dropped: [invert?.artifactId],
      from: 'invert',
    });
    // The file of before stays for whoever uses it.
    expect(readFileSync(invert?.path ?? '')).toHaveLength(invert?.bytes ?? 0);
    checkLog(runId, 2);
  });

  it('still says of what is done again that it had finished before', async () => {
    const runId = await failedAt('grow');
    await engine.supervisor.retry({ runId, from: 'base' });
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(attemptsOf(runId)).toEqual([
      ['base', '1 finished', '2 finished'],
      ['invert', '1 finished', '2 finished'],
      ['grow', '1 failed', '2 finished'],
    ]);
  });

  it('is done again also by a third try, when the second ended before it came to that', async () => {
    const runId = await failedAt('grow');
    await engine.fake.close();
    await engine.supervisor.retry({ runId, from: 'base' });
    await engine.supervisor.cancel(runId);
    expect((await engine.ended(runId)).status).toBe('cancelled');
    expect(engine.supervisor.get(runId).steps[0]?.attempts).toMatchObject([{ attempt: 1, status: 'finished' }]);
    expect((await engine.supervisor.retry({ runId })).again).toEqual(['base', 'invert', 'grow']);
    expect(engine.store.attempts(runId).filter(({ endedAt }) => endedAt === null)).toEqual([]);
    await engine.supervisor.cancel(runId);
    await engine.ended(runId);
  });

  it('can be tried again and again', async () => {
    const runId = await failedAt('base');
    engine.fake.engine.plan = () => ({ error: { node: '1', ...BOOM } });
    for (const tries of [2, 3]) {
      await engine.supervisor.retry({ runId });
      expect(await engine.ended(runId)).toMatchObject({ status: 'failed', tries });
    }
    engine.fake.engine.plan = () => ({});
    await engine.supervisor.retry({ runId });
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(attemptsOf(runId)[0]).toEqual(['base', '1 failed', '2 failed', '3 failed', '4 finished']);
    checkLog(runId, 4);
  });

  it('goes on after a restart of the daemon, before and in the middle of the new try', async () => {
    const runId = await failedAt('grow');
    await engine.restart();
    engine.fake.engine.plan = () => ({ holdAt: '2' });
    await engine.supervisor.retry({ runId });
    await engine.fake.engine.held();
    await engine.restart();
    engine.fake.engine.release();
    expect(await engine.ended(runId)).toMatchObject({ status: 'succeeded', tries: 2 });
    expect(executed()).toEqual(['base', 'invert', 'grow', 'grow']);
    checkLog(runId, 2);
  });

  it('goes on with another backend, which gets the files of finished steps', async () => {
    const runId = await failedAt('grow', { backends: ['comfyui', 'farm'] });
    await engine.supervisor.retry({ runId, backend: 'farm' });
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect([executed(), executed('farm')]).toEqual([['base', 'invert', 'grow'], ['grow']]);
    expect(engine.supervisor.get(runId).steps[2]?.attempts.map(({ backend }) => backend)).toEqual(['comfyui', 'farm']);
  });

  it('goes on with the other backend by a daemon that no longer has the first', async () => {
    const runId = await failedAt('grow', { backends: ['comfyui', 'farm'] });
    engine.fakeOf('farm').engine.plan = () => ({ holdAt: '2' });
    await engine.supervisor.retry({ runId, backend: 'farm' });
    await engine.fakeOf('farm').engine.held();
    await engine.restart(['farm']);
    engine.fakeOf('farm').engine.release();
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(executed('farm')).toEqual(['grow']);
  });
});

describe('a run of many items', () => {
  const colours = [5, 6, 7, 8];
  const colour = (prompt: Readonly<Record<string, { readonly inputs: Readonly<Record<string, unknown>> }>>) => prompt['1']?.inputs['color'];

  it('does only those again that failed', async () => {
    engine = await startEngine();
    engine.fake.engine.plan = ({ prompt }) => (Number(colour(prompt)) % 2 === 0 ? { error: { node: '1', ...BOOM } } : {});
    const { runId } = await engine.supervisor.start({ template: 'many', parameters: { colours } });
    expect(await engine.ended(runId)).toMatchObject({ status: 'failed', steps: [{ items: 4, itemsDone: 2 }] });
    const before = engine.supervisor.get(runId).artifacts;
    engine.fake.engine.plan = () => ({});
    await engine.supervisor.retry({ runId });
    const run = await engine.ended(runId);
    expect(run).toMatchObject({ status: 'succeeded', steps: [{ status: 'done', items: 4, itemsDone: 4 }] });
    expect(engine.fake.engine.ledger.slice(4).map(({ prompt }) => colour(prompt))).toEqual([6, 8]);
    expect(run.artifacts.map(({ item }) => item)).toEqual([0, 1, 2, 3]);
    expect(run.artifacts.filter(({ item }) => item % 2 === 0).map(({ artifactId }) => artifactId)).toEqual(
      before.map(({ artifactId }) => artifactId),
    );
  });

  it('does all of them again when its step is named', async () => {
    engine = await startEngine();
    engine.fake.engine.plan = ({ prompt }) => (colour(prompt) === 8 ? { error: { node: '1', ...BOOM } } : {});
    const { runId } = await engine.supervisor.start({ template: 'many', parameters: { colours } });
    await engine.ended(runId);
    engine.fake.engine.plan = () => ({});
    await engine.supervisor.retry({ runId, from: 'paint' });
    expect(await engine.ended(runId)).toMatchObject({ status: 'succeeded', steps: [{ items: 4, itemsDone: 4 }] });
    expect(engine.fake.engine.ledger).toHaveLength(8);
  });
});

describe('a cancelled run', () => {
  it('goes on with what was not done', async () => {
    engine = await startEngine();
    engine.fake.engine.plan = ({ prompt }) => (prompt['2']?.class_type === 'ImageInvert' ? { holdAt: '2' } : {});
    const { runId } = await engine.supervisor.start(request);
    await engine.fake.engine.held();
    await engine.supervisor.cancel(runId);
    expect((await engine.ended(runId)).status).toBe('cancelled');
    engine.fake.engine.plan = () => ({});
    expect((await engine.supervisor.retry({ runId })).again).toEqual(['invert', 'grow']);
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(executed()).toEqual(['base', 'invert', 'invert', 'grow']);
    checkLog(runId, 2);
  });
});

describe('attempts of which nobody knows what became', () => {
  /** A run that gave up waiting for its backend, on which its prompt lies held. */
  async function unknown(): Promise<string> {
    engine = await startEngine({ graceMs: 150, backends: ['comfyui', 'farm'] });
    engine.fake.engine.plan = () => (engine.fake.engine.ledger.length === 0 ? { holdAt: '1' } : {});
    const { runId } = await engine.supervisor.start({ ...request, backend: 'comfyui' });
    await expect.poll(() => engine.supervisor.get(runId).steps[0]?.status).toBe('running');
    await engine.fake.stop();
    await engine.restart();
    expect(await engine.ended(runId)).toMatchObject({ status: 'failed', error: { code: 'BACKEND_UNREACHABLE' } });
    expect(attemptsOf(runId)[0]).toEqual(['base', '1 unknown']);
    return runId;
  }

  it('are found again on their backend, and not sent a second time', async () => {
    const runId = await unknown();
    await engine.fake.start();
    engine.fake.engine.release();
    await engine.supervisor.retry({ runId });
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(executed()).toEqual(['base', 'invert', 'grow']);
    expect(attemptsOf(runId)[0]).toEqual(['base', '1 finished']);
  });

  it('are followed by the next one when they are gone: the retry is the word of a person', async () => {
    const runId = await unknown();
    engine.fake.engine.wipe();
    await engine.fake.start();
    await engine.supervisor.retry({ runId });
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(attemptsOf(runId)[0]?.slice(2)).toEqual(['2 finished']);
  });

  it('are taken off their backend when the next try is cancelled before it has taken them up', async () => {
    const runId = await unknown();
    await engine.fake.start();
    expect(engine.fake.engine.remaining()).toBe(1);
    await engine.supervisor.retry({ runId });
    await engine.supervisor.cancel(runId);
    expect((await engine.ended(runId)).status).toBe('cancelled');
    expect(engine.fake.engine.remaining()).toBe(0);
    expect(attemptsOf(runId)[0]).toEqual(['base', '1 cancelled']);
  });

  it('stay unknown when the run goes on with another backend', async () => {
    const runId = await unknown();
    await engine.supervisor.retry({ runId, backend: 'farm' });
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect([executed(), executed('farm')]).toEqual([['base'], ['base', 'invert', 'grow']]);
    expect(attemptsOf(runId)[0]).toEqual(['base', '1 unknown', '2 finished']);
  });
});

describe('files', () => {
  it('that were generated and could not be fetched are fetched by the next try, and not generated again', async () => {
    engine = await startEngine({ restartGraceMs: 60 });
    engine.fake.misbehave({ path: /^\/view$/, mode: { kind: 'reply', status: 500, body: 'x' } });
    const { runId } = await engine.supervisor.start(request);
    expect(await engine.ended(runId)).toMatchObject({ status: 'failed', error: { code: 'BACKEND_HTTP' } });
    engine.fake.behave();
    await engine.supervisor.retry({ runId });
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(executed()).toEqual(['base', 'invert', 'grow']);
    expect(attemptsOf(runId)[0]).toEqual(['base', '1 finished']);
  });

  it.each([
    ['is gone', (path: string) => rmSync(path)],
    ['holds something else', (path: string) => writeFileSync(path, 'not a picture')],
  ])('whose content %s are brought home again where they still lie, and what was made of them is made again', async (_, spoil) => {
    const runId = await failedAt('grow');
    const [base] = engine.supervisor.get(runId).artifacts;
    spoil(base?.path ?? '');
    expect((await engine.supervisor.retry({ runId })).again).toEqual(['base', 'invert', 'grow']);
    const run = await engine.ended(runId);
    expect(run.status).toBe('succeeded');
    expect(executed()).toEqual(['base', 'invert', 'grow', 'invert', 'grow']);
    expect(attemptsOf(runId)[0]).toEqual(['base', '1 finished']);
    for (const { path, bytes } of run.artifacts) expect(readFileSync(path)).toHaveLength(bytes);
    expect(
      ofRun(runId)
        .filter(({ event }) => event.type === 'run.note' && event.code === 'ARTIFACT_GONE')
        .map(({ event }) => event),
    ).toEqual([expect.objectContaining({ code: 'ARTIFACT_GONE', step: 'base', message: expect.stringContaining(base?.path ?? '-') })]);
  });

  it('of a later step alone leave the earlier ones as they are', async () => {
    const runId = await failedAt('grow');
    rmSync(engine.supervisor.get(runId).artifacts[1]?.path ?? '');
    expect((await engine.supervisor.retry({ runId })).again).toEqual(['invert', 'grow']);
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(executed()).toEqual(['base', 'invert', 'grow', 'grow']);
  });
});

describe('choices', () => {
  it('that were made stand: nobody is asked again', async () => {
    engine = await startEngine();
    const { runId } = await engine.supervisor.start({ template: 'with-choice', parameters: {} });
    await expect.poll(() => engine.supervisor.get(runId).status).toBe('waiting');
    engine.fake.engine.plan = ({ prompt }) => ({ error: { node: Object.keys(prompt)[0] ?? '', ...BOOM } });
    const into = engine.supervisor.get(runId).choices?.[0]?.into ?? '';
    const { picked } = await engine.supervisor.choose({ runId, into, indices: [0] });
    expect((await engine.ended(runId)).status).toBe('failed');
    engine.fake.engine.plan = () => ({});
    await engine.supervisor.retry({ runId });
    expect(await engine.ended(runId)).toMatchObject({ status: 'succeeded', choices: [{ status: 'made', picked }] });
    expect(ofRun(runId).filter(({ event }) => event.type === 'choice.offered')).toHaveLength(1);
  });
});

describe('a retry is refused', () => {
  const refusal = async (change: object) => (await failure(engine.supervisor.retry({ runId: '', ...change }))).data;

  it.each([
    ['an unknown run', { runId: 'nothing' }, 'RUN_NOT_FOUND', 'callsheet runs'],
    ['an unknown step', { from: 'invrt' }, 'STEP_NOT_FOUND', 'invert'],
    ['a step that was not reached', { from: 'grow' }, 'RUN_NOT_RETRYABLE', "'invert'"],
    ['an unknown backend', { backend: 'moon' }, 'BACKEND_NOT_FOUND', 'comfyui'],
  ])('for %s, and the run stays as it is', async (_, change, code, hint) => {
    const runId = await failedAt('invert');
    const before = engine.supervisor.get(runId);
    const error = await refusal({ runId, ...change });
    expect(error.code).toBe(code);
    expect(error.hint).toContain(hint);
    expect(engine.supervisor.get(runId)).toEqual(before);
  });

  it('for a run that has not ended', async () => {
    engine = await startEngine();
    engine.fake.engine.plan = () => ({ holdAt: '1' });
    const { runId } = await engine.supervisor.start(request);
    await engine.fake.engine.held();
    expect(await refusal({ runId })).toMatchObject({ code: 'RUN_NOT_RETRYABLE', hint: expect.stringContaining('runs cancel') });
  });

  it('for a run that succeeded', async () => {
    engine = await startEngine();
    const { runId } = await engine.supervisor.start(request);
    await engine.ended(runId);
    expect(await refusal({ runId, from: 'grow' })).toMatchObject({ code: 'RUN_NOT_RETRYABLE' });
  });

  it('for the second of two at once', async () => {
    const runId = await failedAt('grow');
    const both = await Promise.allSettled([engine.supervisor.retry({ runId }), engine.supervisor.retry({ runId })]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect((await engine.ended(runId)).status).toBe('succeeded');
    checkLog(runId, 2);
  });
});

describe('what a run may save', () => {
  const off = { optimize: false, cache: false };

  it('stands in run/get, everything unless something else was asked for', async () => {
    engine = await startEngine();
    const usual = await engine.supervisor.start(request);
    const strict = await engine.supervisor.start({ ...request, optimize: false });
    expect(await engine.ended(usual.runId)).toMatchObject({ options: { optimize: true, cache: true }, optimiser: { enabled: true } });
    expect(await engine.ended(strict.runId)).toMatchObject({
      options: { optimize: false, cache: true },
      optimiser: { enabled: false, savings: [] },
    });
  });

  it('is kept by a new try and a new daemon', async () => {
    const runId = await failedAt('grow', {}, off);
    await engine.restart();
    await engine.supervisor.retry({ runId });
    expect(await engine.ended(runId)).toMatchObject({ status: 'succeeded', options: off });
  });

  it('belongs to the request that a key stands for', async () => {
    engine = await startEngine();
    await engine.supervisor.start({ ...request, requestKey: 'k', cache: false });
    await expect(engine.supervisor.start({ ...request, requestKey: 'k' })).rejects.toMatchObject({ code: 'REQUEST_KEY_CONFLICT' });
  });
});

describe('request keys', () => {
  it('give the first answer of a retry again, across restarts and after its end', async () => {
    const runId = await failedAt('grow');
    const wish = { runId, from: 'invert', requestKey: 'again' };
    const [first, second] = await Promise.all([engine.supervisor.retry(wish), engine.supervisor.retry(wish)]);
    expect(second).toEqual(first);
    await engine.restart();
    expect(await engine.supervisor.retry(wish)).toEqual(first);
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(await engine.supervisor.retry(wish)).toEqual(first);
    expect(executed()).toEqual(['base', 'invert', 'grow', 'invert', 'grow']);
    checkLog(runId, 2);
  });

  it.each(['run/retry', 'run/cancel', 'run/start', 'run/choose'] as const)(
    'name the conflict when one is used again (%s)',
    async (method) => {
      const runId = await failedAt('grow');
      await engine.supervisor.retry({ runId, requestKey: 'key' });
      await engine.ended(runId);
      const calls = {
        'run/retry': () => engine.supervisor.retry({ runId, from: 'base', requestKey: 'key' }),
        'run/cancel': () => engine.supervisor.cancel(runId, { requestKey: 'key' }),
        'run/start': () => engine.supervisor.start({ ...request, requestKey: 'key' }),
        'run/choose': () => engine.supervisor.choose({ runId, requestKey: 'key' }),
      };
      const { code, message } = await failure(calls[method]());
      expect(code).toBe('REQUEST_KEY_CONFLICT');
      expect(message).toContain(method === 'run/retry' ? 'another set of parameters' : 'another method');
    },
  );

  it('give the first answer of a cancel again, after a restart and after a retry of the run', async () => {
    engine = await startEngine();
    engine.fake.engine.plan = () => ({ holdAt: '1' });
    const { runId } = await engine.supervisor.start(request);
    await engine.fake.engine.held();
    const first = await engine.supervisor.cancel(runId, { requestKey: 'stop' });
    await engine.ended(runId);
    await engine.restart();
    engine.fake.engine.plan = () => ({});
    await engine.supervisor.retry({ runId });
    expect(await engine.supervisor.cancel(runId, { requestKey: 'stop' })).toEqual(first);
    expect((await engine.ended(runId)).status).toBe('succeeded');
  });
});
