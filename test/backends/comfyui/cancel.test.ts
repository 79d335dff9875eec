/** Cancelling: exactly ours, and proven (comfyui.md 2.4 and 2.5). */
import { describe, expect, it } from 'vitest';
import type { FakeOptions } from '../../fakes/fake-comfyui.ts';
import { connect, failure, newAttempt, PAYLOAD, record, startFake } from './harness.ts';

const SERVERS: readonly [string, FakeOptions][] = [
  ['0.3.64', {}],
  ['0.6, with jobs and without their cancel route', { jobs: true, version: '0.6.0' }],
  ['0.26, with the cancel route', { jobs: true, cancelRoute: true, version: '0.26.0' }],
  ['0.3.50, where interrupt is global', { version: '0.3.50' }],
];

describe.each(SERVERS)('cancel on ComfyUI %s', (_name, options) => {
  it('takes a queued prompt out and leaves the running one alone (ComfyUI#2566)', async () => {
    const fake = await startFake(options);
    fake.engine.plan = (item) => (item.number === 0 ? { holdAt: '1' } : {});
    const backend = connect(fake.url);
    const [running, queued] = [newAttempt(), newAttempt()];
    await backend.submit(running, PAYLOAD);
    await backend.submit(queued, PAYLOAD);
    const recorder = record(backend, queued);
    await fake.engine.held();
    expect(await backend.cancel(queued)).toEqual({ result: 'gone' });
    expect(await recorder.end).toEqual({ type: 'interrupted' });
    expect(fake.engine.running()?.promptId).toBe(running.promptId);
  });

  it('interrupts a running prompt and says gone only when it is', async () => {
    const fake = await startFake(options);
    fake.engine.plan = () => ({ holdAt: '1' });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await fake.engine.held();
    expect(await backend.cancel(attempt)).toEqual({ result: 'gone' });
    expect(fake.engine.running()).toBeUndefined();
    expect(await recorder.end).toEqual({ type: 'interrupted' });
  });

  it('says finished when the prompt had ended before', async () => {
    const fake = await startFake(options);
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await recorder.end;
    expect(await backend.cancel(attempt)).toEqual({ result: 'finished' });
  });

  it('says gone for a prompt that never arrived', async () => {
    const fake = await startFake(options);
    expect(await connect(fake.url).cancel(newAttempt())).toEqual({ result: 'gone' });
  });
});

describe('cancel', () => {
  it.each([{}, { jobs: true, cancelRoute: true }])(
    'repeats an interrupt that was erased between dequeue and start (%j)',
    async (options) => {
      const fake = await startFake(options);
      fake.engine.plan = () => ({ holdAt: '1', deafTo: 2 });
      const backend = connect(fake.url);
      const attempt = newAttempt();
      await backend.submit(attempt, PAYLOAD);
      await fake.engine.held();
      expect(await backend.cancel(attempt)).toEqual({ result: 'gone' });
    },
  );

  it.each([{}, { version: '0.3.50' }])('takes away a prompt that starts between the look and the delete (%j)', async (options) => {
    const fake = await startFake(options);
    fake.engine.plan = () => ({ holdAt: '1' });
    const backend = connect(fake.url);
    const [first, ours] = [newAttempt(), newAttempt()];
    await backend.submit(first, PAYLOAD);
    await fake.engine.held();
    await backend.submit(ours, PAYLOAD);
    // The delete is carried out only once ours is the one that runs, so that it finds nothing.
    const when = () => {
      fake.engine.release();
      return true;
    };
    fake.misbehave({ method: 'POST', path: /^\/queue$/, times: 1, when, mode: { kind: 'delay', ms: 60 } });
    expect(await backend.cancel(ours)).toEqual({ result: 'gone' });
    expect(fake.engine.running()).toBeUndefined();
    expect((await backend.attach(first)).state).toBe('finished');
  });

  it('hurts nobody when ours ends between the look and the interrupt, and says finished', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '1' });
    const backend = connect(fake.url);
    const [ours, other] = [newAttempt(), newAttempt()];
    await backend.submit(ours, PAYLOAD);
    await fake.engine.held();
    await backend.submit(other, PAYLOAD);
    const when = () => {
      fake.engine.release();
      return true;
    };
    fake.misbehave({ method: 'POST', path: /^\/interrupt$/, times: 1, when, mode: { kind: 'delay', ms: 60 } });
    expect(await backend.cancel(ours)).toEqual({ result: 'finished' });
    await fake.until(() => fake.engine.running()?.promptId === other.promptId);
    fake.engine.release();
    await expect.poll(async () => (await backend.attach(other)).state).toBe('finished');
  });

  it('sends no global interrupt when ours ends while the version is being asked', async () => {
    const fake = await startFake({ version: '0.3.50' });
    fake.engine.plan = () => ({ holdAt: '1' });
    const backend = connect(fake.url);
    const [ours, other] = [newAttempt(), newAttempt()];
    await backend.submit(ours, PAYLOAD);
    await fake.engine.held();
    await backend.submit(other, PAYLOAD);
    const when = () => {
      fake.engine.release();
      return true;
    };
    fake.misbehave({ path: /^\/system_stats$/, times: 1, when, mode: { kind: 'delay', ms: 60 } });
    expect(await backend.cancel(ours)).toEqual({ result: 'finished' });
    expect(fake.requests.some(({ path }) => path === '/interrupt')).toBe(false);
    expect(fake.engine.running()?.promptId).toBe(other.promptId);
  });

  it('gives up after its time without proof, so that its caller can say so and ask again', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '1', deafTo: 1000 });
    const backend = connect(fake.url, { timeouts: { cancelMs: 80 } });
    const attempt = newAttempt();
    await backend.submit(attempt, PAYLOAD);
    await fake.engine.held();
    const error = await failure(backend.cancel(attempt));
    expect(error.data).toMatchObject({ retryable: true, message: expect.stringContaining('has not stopped the prompt') as unknown });
    expect(fake.engine.running()?.promptId).toBe(attempt.promptId);
  });

  it('sends no interrupt for a prompt that does not run', async () => {
    const fake = await startFake({ version: '0.3.50' });
    await connect(fake.url).cancel(newAttempt());
    expect(fake.requests.some((request) => request.path === '/interrupt')).toBe(false);
  });

  it('reports the race that remains where interrupt is global', async () => {
    const fake = await startFake({ version: '0.3.50' });
    fake.engine.plan = () => ({ holdAt: '1' });
    const warnings: string[] = [];
    const backend = connect(fake.url, { log: { debug: () => undefined, warn: (_fields, message) => warnings.push(message) } });
    const attempt = newAttempt();
    await backend.submit(attempt, PAYLOAD);
    await fake.engine.held();
    await backend.cancel(attempt);
    expect(warnings.join()).toContain('0.3.57');
  });

  it('never clears the queue or the history of other people', async () => {
    const fake = await startFake();
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await recorder.end;
    await backend.cancel(attempt);
    await backend.forget(attempt);
    const bodies = fake.requests.filter((request) => request.method === 'POST').map((request) => request.body.toString());
    expect(bodies.some((body) => body.includes('"clear"'))).toBe(false);
    expect(fake.engine.history.size).toBe(0);
  });
});
