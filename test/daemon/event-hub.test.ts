import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createEventHub } from '#daemon/event-hub.ts';
import type { Outbound } from '#daemon/outbound.ts';
import { openStore } from '#store/store.ts';
import { createFakeRuns, openSession, openTestDoor } from './door-harness.ts';

/** A connection whose reader takes as much as it is told to. */
function fakeOutbound() {
  const sent: { method: string; params: Record<string, unknown> }[] = [];
  const waiting: (() => void)[] = [];
  let room = Infinity;
  const outbound: Outbound = {
    send(text) {
      room -= 1;
      sent.push(JSON.parse(text));
    },
    together: (work) => work(),
    sendIfFree(text) {
      if (room <= 0) return false;
      outbound.send(text);
      return true;
    },
    get full() {
      return room <= 0;
    },
    onceFree(listener) {
      waiting.push(listener);
    },
    close() {},
  };
  return {
    outbound,
    sent,
    give(frames: number) {
      room = frames;
      for (const wake of waiting.splice(0)) wake();
    },
  };
}

function openHub() {
  const dir = mkdtempSync(join(tmpdir(), 'callsheet-hub-'));
  const store = openStore({ dir, synchronous: 'NORMAL' });
  const hub = createEventHub(store);
  const runs = createFakeRuns(store);
  runs.service.onEvents((events) => hub.publish(events));
  runs.service.onProgress((notice) => hub.progress(notice));
  runs.service.onPreview((notice) => hub.preview(notice));
  return {
    store,
    hub,
    runs,
    end: (runId: string) => runs.emit(runId, { type: 'run.status', status: 'succeeded' }),
    note: (runId: string) => runs.emit(runId, { type: 'run.note', code: 'X', message: 'x' }),
    [Symbol.dispose]() {
      hub.close();
      store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
const numbers = (sent: readonly { readonly params: Record<string, unknown> }[], name: 'seq' | 'position'): unknown[] =>
  sent.map(({ params }) => params[name]);

describe('event/subscribe', () => {
  it('without since brings only what comes from now on', () => {
    using place = openHub();
    place.runs.create('a');
    const { outbound, sent } = fakeOutbound();
    const { result, deliver } = place.hub.attach(outbound).subscribe({});
    expect(result).toMatchObject({ epoch: place.store.epoch, seq: 1 });
    deliver();
    place.note('a');
    expect(numbers(sent, 'position')).toEqual([2]);
  });

  it('counts in the numbers of the run when a run is named, and shows that run alone', () => {
    using place = openHub();
    place.runs.create('a');
    place.runs.create('b');
    for (let at = 0; at < 9; at += 1) place.note('b');
    const { outbound, sent } = fakeOutbound();
    const { result, deliver } = place.hub.attach(outbound).subscribe({ runId: 'b' });
    expect(result.seq).toBe(10);
    deliver();
    place.note('a');
    place.note('b');
    expect(numbers(sent, 'seq')).toEqual([11]);
  });

  it('replays after since and goes on live, without gap or duplicate, when events come in between', async () => {
    using place = openHub();
    place.runs.create('a');
    for (let at = 0; at < 1200; at += 1) place.note('a');
    const { outbound, sent } = fakeOutbound();
    const { deliver } = place.hub.attach(outbound).subscribe({ since: { epoch: place.store.epoch, seq: 1 } });
    place.note('a');
    deliver();
    place.note('a');
    await settled();
    place.note('a');
    await settled();
    place.note('a');
    expect(numbers(sent, 'position')).toEqual(Array.from({ length: 1204 }, (_, at) => at + 2));
  });

  it.each([
    ['of another epoch', { epoch: 'other', seq: 0 }],
    ['beyond the end of the log', { epoch: '', seq: 99 }],
  ])('says EVENT_GAP and how to start over for a place %s', (_name, since) => {
    using place = openHub();
    place.runs.create('a');
    const { outbound } = fakeOutbound();
    const asked = { since: { ...since, epoch: since.epoch === '' ? place.store.epoch : since.epoch } };
    expect(() => place.hub.attach(outbound).subscribe(asked)).toThrow(
      expect.objectContaining({
        code: 'EVENT_GAP',
        data: expect.objectContaining({ details: { epoch: place.store.epoch, seq: 1 }, hint: expect.stringContaining('run/list') }),
      }),
    );
    expect(place.hub.subscriptions).toBe(0);
  });

  it('says RUN_NOT_FOUND for a run that does not exist', () => {
    using place = openHub();
    expect(() => place.hub.attach(fakeOutbound().outbound).subscribe({ runId: 'nope' })).toThrow(
      expect.objectContaining({ code: 'RUN_NOT_FOUND' }),
    );
  });

  it('holds at most 64 subscriptions for each connection', () => {
    using place = openHub();
    const subscriber = place.hub.attach(fakeOutbound().outbound);
    for (let at = 0; at < 64; at += 1) subscriber.subscribe({});
    expect(() => subscriber.subscribe({})).toThrow(expect.objectContaining({ code: 'TOO_MANY_REQUESTS' }));
  });

  it('sends nothing after unsubscribe and after the connection is gone', () => {
    using place = openHub();
    place.runs.create('a');
    const { outbound, sent } = fakeOutbound();
    const subscriber = place.hub.attach(outbound);
    const first = subscriber.subscribe({});
    first.deliver();
    expect(subscriber.unsubscribe(first.result.subscription)).toBe(true);
    expect(subscriber.unsubscribe(first.result.subscription)).toBe(false);
    subscriber.subscribe({}).deliver();
    subscriber.detach();
    place.note('a');
    expect(sent).toEqual([]);
    expect(place.hub.subscriptions).toBe(0);
  });

  it('[F25] brings every reader every event exactly once, however it reads and whenever it joins', async () => {
    const step = fc.oneof(fc.constant('event' as const), fc.constant('turn' as const), fc.nat({ max: 5 }));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat({ max: 10 }), async (steps, since) => {
        using place = openHub();
        place.runs.create('a');
        for (let at = 1; at < since; at += 1) place.note('a');
        const reader = fakeOutbound();
        reader.give(0);
        place.hub
          .attach(reader.outbound)
          .subscribe({ since: { epoch: place.store.epoch, seq: 0 } })
          .deliver();
        for (const each of steps) {
          if (each === 'event') place.note('a');
          else if (each === 'turn') await settled();
          else reader.give(each);
        }
        reader.give(Infinity);
        await settled();
        const last = place.store.lastPosition();
        expect(numbers(reader.sent, 'position')).toEqual(Array.from({ length: last }, (_, at) => at + 1));
      }),
      { numRuns: 40 },
    );
  });
});

describe('progress and previews', () => {
  it('are gathered to the newest of each run, ten times a second at most', async () => {
    using place = openHub();
    place.runs.create('a');
    place.runs.create('b');
    const { outbound, sent } = fakeOutbound();
    place.hub.attach(outbound).subscribe({}).deliver();
    for (let at = 1; at <= 50; at += 1) {
      place.runs.progress({ runId: 'a', progress: at / 100 });
      place.runs.progress({ runId: 'b', progress: at / 200 });
    }
    expect(sent).toEqual([]);
    await expect.poll(() => sent.length).toBe(2);
    expect(sent.map(({ params }) => params)).toEqual([
      { runId: 'a', progress: 0.5 },
      { runId: 'b', progress: 0.25 },
    ]);
  });

  it('of many runs take turns, one at each beat of a tenth of a second, so that a client never hears more than ten a second', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    using place = openHub();
    const runs = Array.from({ length: 6 }, (_, index) => `run-${String(index)}`);
    for (const runId of runs) place.runs.create(runId);
    const { outbound, sent } = fakeOutbound();
    place.hub.attach(outbound).subscribe({});
    for (const progress of [0.1, 0.2]) for (const runId of runs) place.runs.progress({ runId, progress });
    for (const count of [1, 2, 3, 4, 5, 6, 6]) {
      vi.advanceTimersByTime(100);
      expect(sent).toHaveLength(count);
    }
    expect(sent.map(({ params }) => [params['runId'], params['progress']])).toEqual(runs.map((runId) => [runId, 0.2]));
  });

  it('of a run that has ended are not told any more', async () => {
    using place = openHub();
    for (const runId of ['a', 'b']) place.runs.create(runId);
    const { outbound, sent } = fakeOutbound();
    place.hub.attach(outbound).subscribe({}).deliver();
    place.runs.progress({ runId: 'a', progress: 0.1 });
    place.runs.progress({ runId: 'b', progress: 0.1 });
    place.end('a');
    await expect.poll(() => sent.filter(({ method }) => method === 'progress')).toHaveLength(1);
    expect(sent.find(({ method }) => method === 'progress')?.params).toMatchObject({ runId: 'b' });
  });

  it('go to subscribers of the run; previews only to those who asked', async () => {
    using place = openHub();
    place.runs.create('a');
    place.runs.create('b');
    const [plain, keen, other] = [fakeOutbound(), fakeOutbound(), fakeOutbound()];
    place.hub.attach(plain.outbound).subscribe({ runId: 'a' });
    place.hub.attach(keen.outbound).subscribe({ runId: 'a', previews: true });
    place.hub.attach(other.outbound).subscribe({ runId: 'b', previews: true });
    place.runs.preview({ runId: 'a', step: 's', item: 0, mediaType: 'image/png', data: '' });
    place.runs.progress({ runId: 'a', progress: 0.1 });
    await expect.poll(() => keen.sent.length).toBe(2);
    expect(plain.sent.map(({ method }) => method)).toEqual(['progress']);
    expect(other.sent).toEqual([]);
  });

  it('[F26] are dropped for a reader that is behind, events are not', async () => {
    using place = openHub();
    place.runs.create('a');
    const behind = fakeOutbound();
    const ahead = fakeOutbound();
    for (const { outbound } of [behind, ahead]) place.hub.attach(outbound).subscribe({}).deliver();
    behind.give(0);
    place.runs.progress({ runId: 'a', progress: 0.1 });
    place.note('a');
    await expect.poll(() => ahead.sent.length).toBe(2);
    behind.give(Infinity);
    expect(behind.sent.map(({ method }) => method)).toEqual(['event']);
  });
});

describe('announcements', () => {
  it('reach those who follow the whole log', async () => {
    await using door = await openTestDoor();
    door.runs.create('a');
    const whole = await openSession(door);
    const single = await openSession(door);
    whole.send({ jsonrpc: '2.0', id: 1, method: 'event/subscribe', params: {} });
    single.send({ jsonrpc: '2.0', id: 1, method: 'event/subscribe', params: { runId: 'a' } });
    await Promise.all([whole.next(), single.next()]);
    door.templates.change({ id: 'hero', version: '1.0.0', runnable: false, problems: [] });
    door.runs.backend({ id: 'sandbox', kind: 'sandbox', status: 'unreachable', draft: true });
    expect(JSON.parse(await whole.next())).toMatchObject({ method: 'template/changed', params: { id: 'hero', runnable: false } });
    expect(JSON.parse(await whole.next())).toMatchObject({ method: 'backend/changed', params: { status: 'unreachable' } });
    single.send({ jsonrpc: '2.0', id: 2, method: 'ping' });
    expect(await single.next()).toContain('"id":2');
  });
});
