/** A prompt that an earlier process sent: its events go to that process's name, which is taken up, so that progress goes on as if nobody had died. */
import { describe, expect, it } from 'vitest';
import { createInherited } from '#backends/comfyui/inherited.ts';
import type { Clock } from '#backends/comfyui/settings.ts';
import type { Socket, SocketEvents } from '#backends/comfyui/socket.ts';
import type { BackendEvent } from '#backends/contract.ts';
import { connect, newAttempt, PAYLOAD, record, startFake } from './harness.ts';

const valuesOf = (events: readonly BackendEvent[]) => events.flatMap((event) => (event.type === 'progress' ? [event.value] : []));
const nameOf = (query: string) => new URLSearchParams(query).get('clientId');

describe('a prompt whose sender died', () => {
  it('tells of its nodes and previews to the one who follows it now, and counts those that were done before', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '2' });
    const attempt = newAttempt();
    const dead = connect(fake.url);
    await dead.submit(attempt, PAYLOAD);
    await fake.engine.held();
    await dead.close();

    const heir = connect(fake.url);
    const recorder = record(heir, attempt, { acknowledged: true, previews: true });
    await fake.until(() => fake.sockets() === 2);
    // Told without the prompt's id to whoever connects: the node at work.
    await expect.poll(() => recorder.events.find((event) => event.type === 'progress')).toMatchObject({ node: '1' });
    fake.engine.release();
    expect(await recorder.end).toMatchObject({ type: 'finished', outputs: { files: [{ node: '2' }] } });
    const values = valuesOf(recorder.events);
    expect(values.at(-1)).toBeGreaterThan(0.9);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    // Its name is used for as long as its prompt is at work.
    await fake.until(() => fake.sockets() === 1);
    const names = fake.handshakes.map(({ query }) => nameOf(query));
    expect(names).toEqual([names[0], expect.not.stringMatching(names[0] ?? ''), names[0]]);
    expect(fake.engine.ledger).toHaveLength(1);
  });

  it('is heard from its first node on when it waits in the queue, and its times are not learned', async () => {
    const fake = await startFake();
    fake.engine.plan = (item) => (item.promptId === first.promptId ? { holdAt: '1' } : { ticks: 3 });
    const [first, second] = [newAttempt(), newAttempt()];
    const dead = connect(fake.url);
    await dead.submit(first, PAYLOAD);
    await dead.submit(second, PAYLOAD);
    await fake.engine.held();
    await dead.close();

    const heir = connect(fake.url);
    const recorder = record(heir, second, { acknowledged: true });
    await recorder.saw('queued');
    await fake.until(() => fake.sockets() === 2);
    fake.engine.release();
    const end = await recorder.end;
    expect(end).not.toHaveProperty('nodes');
    expect(new Set(recorder.events.flatMap((event) => (event.type === 'progress' ? [event.node] : [])))).toEqual(new Set(['1', '2']));
  });

  it('is followed to its end all the same where nothing is told to its name', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '1' });
    const attempt = newAttempt();
    const dead = connect(fake.url);
    await dead.submit(attempt, PAYLOAD);
    await fake.engine.held();
    await dead.close();
    fake.mute = true;
    const heir = connect(fake.url);
    const recorder = record(heir, attempt, { acknowledged: true });
    await recorder.saw('started');
    fake.engine.release();
    expect((await recorder.end).type).toBe('finished');
  });

  it('of this process needs no second name', async () => {
    const fake = await startFake();
    fake.engine.plan = () => ({ holdAt: '1' });
    const attempt = newAttempt();
    const backend = connect(fake.url, { timeouts: { pollMs: 20 } });
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await fake.engine.held();
    await fake.until(() => fake.requests.filter(({ path }) => path === '/queue').length > 3);
    fake.engine.release();
    await recorder.end;
    expect(fake.handshakes).toHaveLength(1);
  });
});

describe('the socket under another name', () => {
  function rig() {
    let now = 0;
    const clock: Clock = { now: () => now, after: () => () => undefined };
    const calls: string[] = [];
    const told: string[] = [];
    const sockets = new Map<string, SocketEvents>();
    const inherited = createInherited({
      clock,
      tracks: { text: (frame) => void told.push(frame), binary: () => void told.push('binary') },
      open(name, events): Socket {
        sockets.set(name, events);
        return {
          open: true,
          want: (watched) => void calls.push(`open ${name} ${String(watched)}`),
          ready: () => Promise.resolve(true),
          renew: () => void calls.push(`renew ${name}`),
          close: () => Promise.resolve(void calls.push(`close ${name}`)),
        };
      },
    });
    return {
      inherited,
      calls,
      told,
      hear: (name: string, frame: string) => sockets.get(name)?.text(frame),
      pass: (ms: number) => (now += ms),
    };
  }

  it('is one for all prompts of that name, and closed with the last of them', () => {
    const { inherited, calls } = rig();
    inherited.take('p1', 'a', true);
    inherited.take('p2', 'a', false);
    inherited.take('p3', 'b', true);
    inherited.release('p1');
    inherited.release('p3');
    inherited.release('p2');
    inherited.release('p2');
    expect(calls).toEqual(['open a false', 'open b false', 'close b', 'close a']);
  });

  it('is opened anew when nothing is heard of a prompt at work for long: the server may have forgotten it (ComfyUI#16010)', () => {
    const { inherited, calls, hear, pass } = rig();
    inherited.take('p', 'a', true);
    pass(20_000);
    hear('a', '{"type": "progress_state", "data": {"prompt_id": "p", "nodes": {}}}');
    pass(20_000);
    inherited.take('p', 'a', true);
    expect(calls).toEqual(['open a false']);
    pass(10_000);
    // The queue is told to everybody, also to a socket that is heard no more.
    hear('a', '{"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 1}}}}');
    inherited.take('p', 'a', true);
    inherited.take('p', 'a', true);
    expect(calls).toEqual(['open a false', 'renew a']);
    pass(30_000);
    inherited.take('p', 'a', false);
    expect(calls).toEqual(['open a false', 'renew a']);
  });

  it('gives the node at work to the one prompt that runs, and to none where two could', () => {
    const { inherited, told, hear } = rig();
    inherited.take('p', 'a', true);
    inherited.take('q', 'a', false);
    hear('a', '{"type": "executing", "data": {"node": "7"}}');
    inherited.take('q', 'a', true);
    hear('a', '{"type": "executing", "data": {"node": "7"}}');
    expect(told.map((frame) => JSON.parse(frame) as unknown)).toEqual([
      { type: 'executing', data: { node: '7', prompt_id: 'p' } },
      { type: 'executing', data: { node: '7' } },
    ]);
  });
});
