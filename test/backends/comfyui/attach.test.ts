/** Looking an attempt up: by /api/jobs where it exists, else by queue and history, twice before absent (comfyui.md 2.5). */
import { describe, expect, it } from 'vitest';
import type { FakeOptions } from '../../fakes/fake-comfyui.ts';
import { connect, failure, newAttempt, PAYLOAD, record, startFake } from './harness.ts';

const SERVERS: readonly [string, FakeOptions][] = [
  ['0.3.64, without jobs', {}],
  ['0.26, with jobs', { jobs: true, cancelRoute: true, version: '0.26.0' }],
];

const queueItem = (number: number, id: string): string => `[${number}, "${id}", {}, {}, []]`;

describe.each(SERVERS)('attach on ComfyUI %s', (_name, options) => {
  it('finds an attempt queued, running, finished and failed', async () => {
    const fake = await startFake(options);
    const backend = connect(fake.url);
    fake.engine.plan = (item) => (item.number === 0 ? { holdAt: '1' } : { error: { node: '2', type: 'ValueError', message: 'no' } });
    const [first, second] = [newAttempt(), newAttempt()];
    await backend.submit(first, PAYLOAD);
    await backend.submit(second, PAYLOAD);
    await fake.engine.held();
    expect((await backend.attach(first)).state).toBe('running');
    expect((await backend.attach(second)).state).toBe('queued');
    const recorder = record(backend, second);
    fake.engine.release();
    await recorder.end;
    expect(await backend.attach(first)).toMatchObject({ state: 'finished', outputs: { files: [{ node: '2' }] } });
    expect(await backend.attach(second)).toMatchObject({ state: 'failed', error: { code: 'NODE_FAILED' } });
  });

  it('says absent only after two looks', async () => {
    const fake = await startFake(options);
    const attempt = newAttempt();
    expect(await connect(fake.url).attach(attempt)).toEqual({ state: 'absent' });
    const path = options.jobs === true ? `/jobs/${attempt.promptId}` : `/history/${attempt.promptId}`;
    expect(fake.requests.filter((request) => request.path === path)).toHaveLength(2);
  });
});

describe('attach', () => {
  it('waits for a POST that is on its way: what was not answered yet is not absent', async () => {
    const fake = await startFake();
    const backend = connect(fake.url);
    const attempt = newAttempt();
    fake.misbehave({ method: 'POST', path: /^\/prompt$/, mode: { kind: 'delay', ms: 400 } });
    fake.engine.plan = () => ({ holdAt: '1' });
    const sending = backend.submit(attempt, PAYLOAD);
    expect((await backend.attach(attempt)).state).not.toBe('absent');
    await sending;
    fake.engine.release();
  });

  it('finds a prompt that moves from the queue to the history between two reads', async () => {
    const fake = await startFake();
    const backend = connect(fake.url);
    const attempt = newAttempt();
    await backend.submit(attempt, PAYLOAD);
    await fake.until(() => fake.engine.history.size === 1);
    fake.misbehave({ path: /^\/history\//, times: 1, mode: { kind: 'reply', status: 200, type: 'application/json', body: '{}' } });
    expect((await backend.attach(attempt)).state).toBe('finished');
  });

  it('counts the place in the queue by priority: pending is a heap, not a list', async () => {
    const fake = await startFake();
    const attempt = newAttempt();
    const body = `{"queue_running": [], "queue_pending": [${queueItem(1, 'a')}, ${queueItem(9, attempt.promptId)}, ${queueItem(2, 'b')}, ${queueItem(12, 'c')}]}`;
    fake.misbehave({ path: /^\/queue$/, mode: { kind: 'reply', status: 200, type: 'application/json', body } });
    expect(await connect(fake.url).attach(attempt)).toEqual({ state: 'queued', position: 2 });
  });

  it('asks for jobs once on a server that has none, and again after a reconnect', async () => {
    const fake = await startFake();
    const backend = connect(fake.url);
    await backend.attach(newAttempt());
    await backend.attach(newAttempt());
    const probes = (): number => fake.requests.filter((request) => request.path.startsWith('/jobs/')).length;
    expect(probes()).toBe(1);
    await backend.submit(newAttempt(), PAYLOAD);
    await backend.attach(newAttempt());
    expect(probes()).toBe(2);
  });

  it('tries a GET again whose keep-alive connection the server had just closed', async () => {
    const fake = await startFake();
    const backend = connect(fake.url);
    await backend.describe();
    fake.misbehave({ path: /^\/jobs\//, times: 1, mode: { kind: 'reset' } });
    expect((await backend.attach(newAttempt())).state).toBe('absent');
  });

  it.each([
    ['a web page', 200, 'text/html', '<html></html>'],
    ['a list', 200, 'application/json', '[]'],
    ['half a JSON', 200, 'application/json', '{"queue_running": ['],
  ])('takes %s for something that is not ComfyUI, never for absent', async (_what, status, type, body) => {
    const fake = await startFake();
    fake.misbehave({ path: /^\/queue$/, mode: { kind: 'reply', status, type, body } });
    expect((await failure(connect(fake.url).attach(newAttempt()))).code).toBe('BACKEND_NOT_COMFYUI');
  });

  it('takes an error and a cut answer for no news, never for absent', async () => {
    const fake = await startFake();
    fake.misbehave({ path: /^\/queue$/, times: 1, mode: { kind: 'reply', status: 500, body: 'oops' } });
    expect((await failure(connect(fake.url).attach(newAttempt()))).code).toBe('BACKEND_HTTP');
    fake.misbehave({ path: /^\/queue$/, times: 1, mode: { kind: 'cut' } });
    expect((await failure(connect(fake.url).attach(newAttempt()))).code).toBe('BACKEND_UNREACHABLE');
  });

  it('takes the queue of a deep and hostile reply without falling over', async () => {
    const fake = await startFake();
    const deep = '['.repeat(20_000) + ']'.repeat(20_000);
    fake.misbehave({
      path: /^\/queue$/,
      mode: {
        kind: 'reply',
        status: 200,
        type: 'application/json',
        body: `{"queue_running": [${deep}], "queue_pending": [null, 5, "x", {}]}`,
      },
    });
    expect((await connect(fake.url).attach(newAttempt())).state).toBe('absent');
  });
});
