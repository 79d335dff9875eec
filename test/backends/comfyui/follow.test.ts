/** Following an attempt: the socket is an accelerator and lies in many ways; queue and history are the truth (comfyui.md 2). */
import { describe, expect, it } from 'vitest';
import { systemClock } from '#backends/comfyui/settings.ts';
import type { Clock } from '#backends/comfyui/settings.ts';
import { connect, newAttempt, PAYLOAD, record, startFake } from './harness.ts';

const FRAME = (event: number, second: number, ...rest: Buffer[]): Buffer => {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(event, 0);
  head.writeUInt32BE(second, 4);
  return Buffer.concat([head, ...rest]);
};

describe('following by the socket', () => {
  it('reports queued, started and one end, and asks for the bare history never', async () => {
    const fake = await startFake();
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await recorder.end;
    expect(recorder.types()).toEqual(['queued', 'started', 'finished']);
    expect(fake.requests.filter((request) => request.method === 'GET' && request.path === '/history')).toEqual([]);
  });

  it('sends its feature flags as the first frame of every connection', async () => {
    const fake = await startFake();
    const backend = connect(fake.url);
    const attempt = newAttempt();
    fake.engine.plan = () => ({ holdAt: '1' });
    record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await fake.until(() => fake.received.length === 1);
    fake.dropSockets();
    await fake.until(() => fake.received.length === 2);
    expect(fake.received.map((frame) => JSON.parse(frame) as unknown)).toEqual([
      { type: 'feature_flags', data: { supports_preview_metadata: true } },
      { type: 'feature_flags', data: { supports_preview_metadata: true } },
    ]);
  });

  it('keeps events that arrive before the POST is answered, and tells them after', async () => {
    const fake = await startFake();
    const backend = connect(fake.url);
    const attempt = newAttempt();
    fake.engine.plan = () => ({ ticks: 3 });
    fake.misbehave({ method: 'POST', path: /^\/prompt$/, times: 1, mode: { kind: 'late-reply', ms: 100 } });
    const recorder = record(backend, attempt);
    const submitted = backend.submit(attempt, PAYLOAD);
    await fake.until(() => fake.engine.history.size === 1);
    expect(recorder.types()).toEqual([]);
    await submitted;
    await recorder.end;
    expect(recorder.types()).toEqual(['queued', 'started', 'finished']);
  });

  it('reads nothing but the history when the socket tells all there is to tell', async () => {
    const fake = await startFake();
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await recorder.end;
    expect(new Set(fake.requests.map((request) => request.path))).toEqual(new Set(['/prompt', `/history/${attempt.promptId}`]));
  });

  it('waits for the history although execution_success comes first (ComfyUI#11540)', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ historyDelayMs: 25 });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    const end = await recorder.end;
    expect(end.type === 'finished' && end.outputs.files.length).toBe(1);
  });

  it('finishes a prompt that was served wholly from the cache', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ cached: ['1', '2'] });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    const end = await recorder.end;
    expect(end.type === 'finished' && end.outputs.cachedNodes).toEqual(['1', '2']);
  });

  it('finishes a prompt that succeeded without any output', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ outputs: {} });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    expect(await recorder.end).toMatchObject({ type: 'finished', outputs: { files: [], texts: [], cachedNodes: [] } });
  });

  it('goes on after an ExecutionBlocked error, which ends nothing', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ blocked: '1' });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    expect((await recorder.end).type).toBe('finished');
  });

  it('names node, class and message of a node that failed', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ error: { node: '2', type: 'ValueError', message: 'the sky is green' } });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    const end = await recorder.end;
    expect(end).toMatchObject({
      type: 'failed',
      error: { code: 'NODE_FAILED', node: '2', message: 'Node 2 (SaveImage) failed: the sky is green' },
    });
    expect(end.type === 'failed' && end.error.hint).toContain('pack/nodes.py:12');
  });

  it.each(['torch.OutOfMemoryError', 'torch.cuda.OutOfMemoryError', 'RuntimeError'])('calls %s out of memory when it is', async (type) => {
    const fake = await startFake();
    fake.engine.plan = () => ({
      error: { node: '1', type, message: 'CUDA error: out of memory\n\nThis error means you ran out of memory on your GPU.' },
    });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    expect(await recorder.end).toMatchObject({ type: 'failed', error: { code: 'OUT_OF_MEMORY', node: '1' } });
  });

  it('tells an interrupted prompt from a failed one although its status is error', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '1' });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await fake.engine.held();
    fake.engine.interrupt();
    expect(await recorder.end).toEqual({ type: 'interrupted' });
  });

  it('[F30] ignores unknown events, broken frames and the events of other prompts', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '2' });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt, { previews: true });
    await backend.submit(attempt, PAYLOAD);
    await fake.engine.held();
    fake.send({ type: 'crystools.monitor', data: { cpu: 1 } });
    fake.send('{"type": "executing", "data": {');
    fake.send('[]');
    fake.send({ type: 'execution_error', data: { prompt_id: 'somebody-else', exception_message: 'no' } });
    fake.send({ type: 'progress_state', data: { prompt_id: 'somebody-else', nodes: {} } });
    fake.send(FRAME(3, 1, Buffer.from('9text for everybody')));
    fake.send(FRAME(10, 0, Buffer.from('another pack')));
    fake.send(Buffer.from([0, 0, 0, 1]));
    fake.engine.release();
    await recorder.end;
    expect(recorder.types()).toEqual(['queued', 'started', 'finished']);
  });

  it('reads progress over the whole graph, rising and below 1 until the end', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ ticks: 4, cached: [] });
    const backend = connect(fake.url, { timeouts: { progressMs: 0 } });
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await recorder.end;
    const values = recorder.events.flatMap((event) => (event.type === 'progress' ? [event.value] : []));
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    expect(Math.max(...values)).toBeLessThan(1);
  });

  it('passes previews on when they are wanted: event 1 of the prompt at work, event 4 of the prompt it names', async () => {
    const fake = await startFake();
    const attempt = newAttempt();
    const meta = Buffer.from(JSON.stringify({ prompt_id: attempt.promptId, node_id: '1', image_type: 'image/png' }));
    fake.engine.plan = () => ({ holdAt: '2' });
    const backend = connect(fake.url);
    const recorder = record(backend, attempt, { previews: true });
    await backend.submit(attempt, PAYLOAD);
    await recorder.saw('started');
    fake.send(FRAME(1, 1, Buffer.from('jpeg')));
    fake.send(FRAME(4, meta.length, meta, Buffer.from('png')));
    await fake.engine.held();
    await recorder.saw('preview');
    fake.engine.release();
    await recorder.end;
    const previews = recorder.events.flatMap((event) =>
      event.type === 'preview' ? [[event.mediaType, Buffer.from(event.bytes).toString()]] : [],
    );
    expect(previews).toEqual([
      ['image/jpeg', 'jpeg'],
      ['image/png', 'png'],
    ]);
  });

  it('takes a preview of 6 MiB, where a 4 MiB limit would drop the socket', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '2' });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt, { previews: true });
    await backend.submit(attempt, PAYLOAD);
    await recorder.saw('started');
    fake.send(FRAME(1, 2, Buffer.alloc(6 * 1024 * 1024)));
    expect(await recorder.saw('preview')).toMatchObject({ mediaType: 'image/png' });
  });
});

describe('following without the socket', () => {
  it('finishes by polling when a proxy gives no WebSocket, without calling the contact lost', async () => {
    const fake = await startFake({ socket: false });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await recorder.end;
    expect(recorder.types()).toEqual(['queued', 'finished']);
  });

  it('finishes by the safety poll when the socket is open and mute (ComfyUI#9393)', async () => {
    const fake = await startFake();
    fake.mute = true;
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    expect((await recorder.end).type).toBe('finished');
  });

  it('reconciles after the socket was cut in the middle and opens a new one', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '2' });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await fake.engine.held();
    fake.dropSockets();
    fake.engine.release();
    expect((await recorder.end).type).toBe('finished');
    expect(recorder.events.filter((event) => event.type === 'started')).toHaveLength(1);
    await fake.until(() => fake.sockets() === 1);
    expect(new Set(fake.handshakes.map((each) => each.query)).size).toBe(1);
  });

  it('closes the old socket before it opens another, since the server forgets the new one with the old (ComfyUI#16010)', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '2' });
    fake.mute = true;
    const backend = connect(fake.url, { timeouts: { pollMs: 50 } });
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await recorder.saw('started');
    await fake.until(() => fake.handshakes.length === 2);
    fake.mute = false;
    expect(fake.sockets()).toBe(1);
    fake.engine.release();
    expect((await recorder.end).type).toBe('finished');
  });

  it('adopts a prompt of an earlier process, whose events go elsewhere, by the status that everybody gets', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '2' });
    const attempt = newAttempt();
    await connect(fake.url).submit(attempt, PAYLOAD);
    await fake.engine.held();
    const recorder = record(connect(fake.url, { timeouts: { pollMs: 3_600_000, pollOfflineMs: 3_600_000 } }), attempt, {
      acknowledged: true,
    });
    await recorder.saw('started');
    await fake.until(() => fake.sockets() === 2);
    fake.engine.release();
    expect((await recorder.end).type).toBe('finished');
    expect(fake.engine.ledger).toHaveLength(1);
  });

  it('takes the word of the socket when somebody cleared the history before it was read', async () => {
    const fake = await startFake();
    fake.misbehave({ path: /^\/history\//, mode: { kind: 'reply', status: 200, type: 'application/json', body: '{}' } });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    const end = await recorder.end;
    expect(end.type === 'finished' && end.outputs.files[0]?.node).toBe('2');
  });

  it('reads a history with bare NaN in it (ComfyUI#8548)', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({
      outputs: { 2: { images: [{ filename: 'x NaN.png', subfolder: '', type: 'output' }], score: [Number.NaN, Number.NEGATIVE_INFINITY] } },
    });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    const end = await recorder.end;
    expect(end.type === 'finished' && end.outputs.files[0]?.filename).toBe('x NaN.png');
  });

  it('stops at once and says nothing more when the signal says so', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '2' });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await fake.engine.held();
    recorder.stop();
    const before = recorder.events.length;
    fake.engine.release();
    await fake.until(() => fake.engine.history.size === 1);
    expect(recorder.events).toHaveLength(before);
  });

  it('leaves no timer behind when the backend is closed', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '2' });
    const pending = new Set<number>();
    let next = 0;
    const clock: Clock = {
      now: () => systemClock.now(),
      after(ms, call) {
        const id = (next += 1);
        pending.add(id);
        const cancel = systemClock.after(ms, () => pending.delete(id) && call());
        return () => {
          pending.delete(id);
          cancel();
        };
      },
    };
    const backend = connect(fake.url, { clock });
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await recorder.saw('started');
    await backend.close();
    expect([pending.size, fake.sockets()]).toEqual([0, 0]);
  });
});
