/** Loss and contact: four cases of loss, and silence, which is none (DESIGN 4). */
import { describe, expect, it } from 'vitest';
import { DEFAULT_TIMEOUTS } from '#backends/comfyui/settings.ts';
import { connect, failure, newAttempt, PAYLOAD, record, startFake } from './harness.ts';

describe('loss', () => {
  it('is a restart when the connection was refused meanwhile and the id is gone', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '1' });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await fake.engine.held();
    await fake.stop();
    fake.engine.wipe();
    await recorder.saw('contact', 'lost');
    await failure(backend.describe());
    await fake.start();
    expect(await recorder.end).toEqual({ type: 'lost', cause: 'restarted' });
  });

  it('is a restart when a later prompt was given a smaller number', async () => {
    const fake = await startFake();
    fake.engine.plan = (item) => (item.number === 7 ? { holdAt: '1' } : {});
    fake.engine.counter = 7;
    const backend = connect(fake.url, { timeouts: { pollMs: 3_600_000 } });
    const lost = newAttempt();
    const recorder = record(backend, lost);
    await backend.submit(lost, PAYLOAD);
    await fake.engine.held();
    fake.engine.wipe();
    await backend.submit(newAttempt(), PAYLOAD);
    fake.dropSockets();
    expect(await recorder.end).toEqual({ type: 'lost', cause: 'restarted' });
  });

  it('is a restart when a later prompt was given a smaller number than the one stored by an earlier process', async () => {
    const fake = await startFake();
    const backend = connect(fake.url, { timeouts: { absentGapMs: 200 } });
    const recorder = record(backend, newAttempt(), { acknowledged: true, number: 41 });
    await backend.submit(newAttempt(), PAYLOAD);
    expect(await recorder.end).toEqual({ type: 'lost', cause: 'restarted' });
  });

  it('is a removal when an accepted prompt is absent twice and no restart was seen', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '1' });
    const backend = connect(fake.url);
    await backend.submit(newAttempt(), PAYLOAD);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    fake.engine.remove(attempt.promptId);
    expect(await recorder.end).toEqual({ type: 'lost', cause: 'removed' });
  });

  it('is a restart when the log of the server says that it was started since, and a removal when it says that it was not', async () => {
    const local = (ms: number) => new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().replace('Z', '');
    const now = Date.now();
    const causes: unknown[] = [];
    // A line of another print, no time, and the start before an earlier one: only the newest start counts.
    for (const log of [
      [`${local(now)}|Starting server\n`],
      [`${local(now - 60_000)}|Starting server\n`],
      ['nonsense|Starting server\n'],
      [`${local(now)}|got prompt\n`],
      [],
    ]) {
      const fake = await startFake();
      fake.log.push(...log);
      const recorder = record(connect(fake.url), newAttempt(), { acknowledged: true, sentAt: now - 1000 });
      causes.push(await recorder.end);
    }
    const [restarted, ...removed] = causes;
    expect(restarted).toEqual({ type: 'lost', cause: 'restarted' });
    expect(removed).toEqual(removed.map(() => ({ type: 'lost', cause: 'removed' })));
  });

  it('is a removal when the server was there before the prompt was, whatever its log says of other starts', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '1' });
    fake.log.push(
      `${new Date(Date.now() - 60_000 - new Date().getTimezoneOffset() * 60_000).toISOString().replace('Z', '')}|Starting server\n`,
    );
    const backend = connect(fake.url);
    await backend.submit(newAttempt(), PAYLOAD);
    const attempt = newAttempt();
    const recorder = record(backend, attempt, { sentAt: 0 });
    await backend.submit(attempt, PAYLOAD);
    fake.engine.remove(attempt.promptId);
    expect(await recorder.end).toEqual({ type: 'lost', cause: 'removed' });
  });

  it('is no restart when the answers to two prompts cross on their way', async () => {
    const fake = await startFake();
    fake.engine.plan = (item) => (item.number === 0 ? { holdAt: '1' } : {});
    fake.misbehave({ method: 'POST', path: /^\/prompt$/, times: 1, mode: { kind: 'late-reply', ms: 60 } });
    const backend = connect(fake.url);
    const early = backend.submit(newAttempt(), PAYLOAD);
    await fake.engine.held();
    const late = newAttempt();
    const recorder = record(backend, late);
    await backend.submit(late, PAYLOAD);
    await early;
    fake.engine.remove(late.promptId);
    expect(await recorder.end).toEqual({ type: 'lost', cause: 'removed' });
  });

  it('is never-accepted when the POST was never answered and the id is absent twice', async () => {
    const fake = await startFake();
    fake.misbehave({ method: 'POST', path: /^\/prompt$/, times: 1, mode: { kind: 'reset' } });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await failure(backend.submit(attempt, PAYLOAD));
    expect(await recorder.end).toEqual({ type: 'lost', cause: 'never-accepted' });
    expect(fake.engine.ledger).toEqual([]);
  });

  it('is none when only the answer to the POST was lost: the prompt runs, once', async () => {
    const fake = await startFake();
    fake.misbehave({ method: 'POST', path: /^\/prompt$/, times: 1, mode: { kind: 'lose-reply' } });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await failure(backend.submit(attempt, PAYLOAD));
    expect((await recorder.end).type).toBe('finished');
    expect(fake.engine.ledger).toHaveLength(1);
  });

  it('is none for an attempt that was followed and not sent yet', async () => {
    const fake = await startFake();
    const backend = connect(fake.url, { timeouts: { pollMs: 10 } });
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await fake.until(() => fake.sockets() === 1);
    expect((await backend.attach(attempt)).state).toBe('absent');
    await backend.submit(attempt, PAYLOAD);
    expect((await recorder.end).type).toBe('finished');
  });

  it('is none after a refused connection, which sent nothing: the attempt can be sent again', async () => {
    const fake = await startFake();
    await fake.stop();
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await failure(backend.submit(attempt, PAYLOAD));
    await fake.start();
    await fake.until(() => fake.sockets() === 1);
    await backend.submit(attempt, PAYLOAD);
    expect((await recorder.end).type).toBe('finished');
    expect(fake.engine.ledger).toHaveLength(1);
  });

  it('lets the listener follow the same attempt again from within the event', async () => {
    const fake = await startFake();
    fake.misbehave({ method: 'POST', path: /^\/prompt$/, times: 1, mode: { kind: 'reset' } });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const { promise, resolve } = Promise.withResolvers<string>();
    const signal = new AbortController().signal;
    backend.follow(attempt, {
      acknowledged: false,
      signal,
      onEvent(event) {
        if (event.type !== 'lost') return;
        backend.follow(attempt, { acknowledged: false, signal, onEvent: (again) => again.type === 'finished' && resolve(again.type) });
        void backend.submit(attempt, PAYLOAD);
      },
    });
    await failure(backend.submit(attempt, PAYLOAD));
    expect(await promise).toBe('finished');
  });
});

describe('contact', () => {
  it('is unresponsive, not lost, when the server answers nothing, and restored when it does again', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '1' });
    const backend = connect(fake.url, { timeouts: { pollMs: 20 } });
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await fake.engine.held();
    fake.misbehave({ path: /^\/(queue|history|prompt)/, times: 3, mode: { kind: 'delay', ms: 600 } });
    await recorder.saw('contact', 'unresponsive');
    await recorder.saw('contact', 'restored');
    fake.engine.release();
    expect((await recorder.end).type).toBe('finished');
    expect(recorder.events.some((event) => event.type === 'lost')).toBe(false);
  });

  it('is unresponsive when not even pings are answered, within 6 s by the real times', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '1' });
    const backend = connect(fake.url, { timeouts: { pollMs: 3_600_000, slowMs: 3_600_000 } });
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await fake.engine.held();
    fake.freeze();
    await recorder.saw('contact', 'unresponsive');
    fake.thaw();
    await recorder.saw('contact', 'restored');
    fake.engine.release();
    expect((await recorder.end).type).toBe('finished');
    expect(DEFAULT_TIMEOUTS.pingMs + DEFAULT_TIMEOUTS.silenceMs + DEFAULT_TIMEOUTS.probeMs).toBeLessThan(6_000);
    expect(DEFAULT_TIMEOUTS.slowMs + DEFAULT_TIMEOUTS.pollOfflineMs).toBeLessThanOrEqual(6_000);
  });

  it('is lost and restored around a broken connection', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '1' });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await fake.engine.held();
    await fake.stop();
    await recorder.saw('contact', 'lost');
    await fake.start();
    await recorder.saw('contact', 'restored');
    fake.engine.release();
    expect((await recorder.end).type).toBe('finished');
  });

  it('never turns a backend that stays away into a loss', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '1' });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await fake.stop();
    await recorder.saw('contact', 'lost');
    for (let round = 0; round < 5; round += 1) await failure(backend.attach(attempt));
    expect(recorder.events.some((event) => event.type === 'lost')).toBe(false);
  });
});
