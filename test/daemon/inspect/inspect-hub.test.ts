import { describe, expect, it } from 'vitest';
import { createInspectHub, type InspectHub } from '#daemon/inspect/inspect-hub.ts';
import { look, startInspected, toBackend, toEnd, turn } from './inspected.ts';

const MANY = { perSecond: 1e6, burst: 1e6, catchUpMs: 1, unreadableMs: 1, owed: 2000 };
const hubWith = (options: Parameters<typeof createInspectHub>[0] = {}): InspectHub => createInspectHub({ limits: MANY, ...options });

describe('a client that comes late', () => {
  it('gets every actor that lives, parents first, each with its definition and the state it is in now', async () => {
    const hub = hubWith();
    await toBackend(startInspected(hub, 'r'));
    const seen = look(hub);
    await turn();
    const told = seen.of('@xstate.actor');
    expect(seen.messages).toHaveLength(told.length);
    // Those that have ended come last.
    const actors = told.slice(
      0,
      told.findIndex(({ closedAt }) => closedAt !== undefined),
    );
    expect(actors.map(({ name, snapshot }) => [name, (snapshot as { value?: unknown }).value])).toEqual([
      ['r', 'executing'],
      ['step:a:0', { executing: 'submitting' }],
      ['execute', undefined],
    ]);
    const [run, step, execute] = actors;
    expect([run?.parentId, step?.parentId, execute?.parentId]).toEqual([undefined, run?.sessionId, step?.sessionId]);
    expect(new Set(actors.map(({ rootId }) => rootId))).toEqual(new Set([run?.sessionId]));
    expect(Object.keys((JSON.parse(step?.definition ?? '') as { states: object }).states)).toContain('backing-off');
    expect(JSON.parse(execute?.definition ?? '')).toEqual({ id: 'execute' });
  });

  it('gets parents first too where a run goes on from its snapshot', async () => {
    const before = startInspected({ tap: () => undefined }, 'r');
    await toBackend(before);
    const stored = JSON.parse(JSON.stringify(before.actor.getPersistedSnapshot())) as ReturnType<typeof before.actor.getSnapshot>;
    before.actor.stop();
    const hub = hubWith();
    startInspected(hub, 'r', stored);
    const seen = look(hub);
    await turn();
    expect(seen.of('@xstate.actor').map(({ name }) => name)).toEqual(['r', 'step:a:0', 'execute']);
  });

  it('gets actors that ended lately as such, and nothing more of them', async () => {
    const hub = hubWith();
    const run = startInspected(hub, 'r');
    await toBackend(run);
    await toEnd(run);
    expect(hub.actors).toBe(0);
    const seen = look(hub);
    await turn();
    const ended = seen.of('@xstate.actor');
    expect(ended.map(({ name }) => name)).toEqual(expect.arrayContaining(['r', 'step:a:0', 'collect']));
    expect(ended.every(({ closedAt }) => closedAt !== undefined)).toBe(true);
    expect(ended.find(({ name }) => name === 'r')?.snapshot).toMatchObject({ status: 'done', value: 'succeeded' });
  });

  it('is shown nothing of a run that was cleaned away since it ended', async () => {
    const gone = new Set<string>();
    const hub = hubWith({ secretsOf: (runId) => (gone.has(runId) ? undefined : []) });
    for (const runId of ['r', 's']) {
      const run = startInspected(hub, runId);
      await toBackend(run);
      await toEnd(run);
    }
    gone.add('r');
    const seen = look(hub);
    await turn();
    expect(new Set(seen.of('@xstate.actor').map(({ runId }) => runId))).toEqual(new Set(['s']));
  });

  it('sees one run alone when it asks for one', async () => {
    const hub = hubWith();
    const [r, s] = [startInspected(hub, 'r'), startInspected(hub, 's')];
    const seen = look(hub, { runId: 's' });
    await toBackend(r);
    await toBackend(s);
    expect(new Set(seen.messages.map((message) => 'runId' in message && message.runId))).toEqual(new Set(['s']));
  });
});

describe('a client that is there', () => {
  it('hears of each actor before anything that happens to it, and of events, snapshots, steps and actions in order', async () => {
    const hub = hubWith();
    const seen = look(hub);
    const run = startInspected(hub, 'r');
    await toBackend(run);
    await toEnd(run);
    const met = new Set<string>();
    const early = seen.messages.filter((message) => {
      if (message.type === '@xstate.actor') met.add(message.sessionId);
      return 'sessionId' in message && !met.has(message.sessionId);
    });
    expect(early).toEqual([]);
    const values = seen
      .about('step:a:0')
      .flatMap((message) => (message.type === '@xstate.snapshot' ? [(message.snapshot as { value: unknown }).value] : []));
    expect(values).toEqual(['preparing', { executing: 'submitting' }, 'parsing', 'done']);
    const moves = seen.about('r').flatMap((message) => (message.type === '@xstate.microstep' ? message.transitions : []));
    expect(moves).toContainEqual({ eventType: 'xstate.done.actor.load', source: 'run.loading', targets: ['run.injecting'] });
    expect(seen.of('@xstate.event').some(({ event }) => (event as { type: string }).type === 'backend.finished')).toBe(true);
    expect(seen.of('@xstate.action').length).toBeGreaterThan(0);
  });

  it('gets what it wants alone', async () => {
    const hub = hubWith();
    const seen = look(hub, { wants: (type) => type === '@xstate.actor' || type === '@xstate.snapshot' });
    await toBackend(startInspected(hub, 'r'));
    expect(new Set(seen.messages.map(({ type }) => type))).toEqual(new Set(['@xstate.actor', '@xstate.snapshot']));
  });

  it('is told nothing more once it has gone', async () => {
    const hub = hubWith();
    const seen = look(hub);
    seen.stop();
    await toBackend(startInspected(hub, 'r'));
    expect(seen.messages).toEqual([]);
    expect(hub.viewers).toBe(0);
  });
});

describe('a client that is too slow', () => {
  it('is left out, and told how many messages and how every actor stands once it reads again', async () => {
    const hub = hubWith();
    let reads = true;
    const seen = look(hub, { send: (text) => reads && seen.messages.push(JSON.parse(text) as never) > 0 });
    const run = startInspected(hub, 'r');
    await turn();
    const before = seen.messages.length;
    reads = false;
    await toBackend(run);
    expect(seen.messages).toHaveLength(before);
    reads = true;
    await expect.poll(() => seen.of('callsheet.skipped').length).toBe(1);
    await expect.poll(() => seen.about('step:a:0').length).toBeGreaterThan(0);
    const [skipped] = seen.of('callsheet.skipped');
    expect(skipped?.count).toBeGreaterThan(0);
    const last = seen.about('r').at(-1);
    expect(last).toMatchObject({ type: '@xstate.snapshot', snapshot: { value: 'executing' } });
    expect(seen.about('step:a:0')[0]).toMatchObject({ type: '@xstate.actor', snapshot: { value: { executing: 'submitting' } } });
  });

  it('gets no more messages a second than the daemon can afford, and then how all stand', async () => {
    const hub = hubWith({ limits: { perSecond: 200, burst: 20, catchUpMs: 1, unreadableMs: 1, owed: 2000 } });
    const seen = look(hub);
    const run = startInspected(hub, 'r');
    await toBackend(run);
    for (let count = 0; count < 200; count += 1) {
      await run.fakes.report('a/0', { type: 'backend.contact', status: count % 2 === 0 ? 'lost' : 'restored' });
    }
    await toEnd(run);
    // Five and more messages come of each report.
    expect(seen.messages.length).toBeLessThan(1000);
    await expect.poll(() => seen.about('r').at(-1)).toMatchObject({ snapshot: { status: 'done', value: 'succeeded' } });
    expect(seen.of('callsheet.skipped').length).toBeGreaterThan(0);
  });
});

describe('the hub', () => {
  it('lets no machine feel a client that throws, and goes on for the others', async () => {
    const defects: unknown[] = [];
    const hub = hubWith({ onDefect: (error) => defects.push(error) });
    look(hub, {
      send() {
        throw new Error('broken client');
      },
    });
    const seen = look(hub);
    const run = startInspected(hub, 'r');
    await toBackend(run);
    await toEnd(run);
    expect(run.actor.getSnapshot()).toMatchObject({ status: 'done', value: 'succeeded' });
    expect(seen.about('r').length).toBeGreaterThan(5);
    expect(defects.map(String)).toEqual(['Error: broken client']);
    expect(hub.viewers).toBe(2);
  });

  it('shows nothing of a run whose secrets can not be read, keeps the client, and shows it once they can', async () => {
    const defects: unknown[] = [];
    let isBroken = true;
    const hub = hubWith({
      onDefect: (error) => defects.push(error),
      secretsOf(runId) {
        if (isBroken && runId === 'r') throw new Error('the database can not be read');
        return ['hunter2-and-more'];
      },
    });
    const run = startInspected(hub, 'r');
    await toBackend(run);
    // What a timer or a microtask throws would end the daemon, and fails this test.
    const seen = look(hub);
    await toBackend(startInspected(hub, 's'));
    await run.fakes.report('a/0', { type: 'backend.contact', status: 'lost' });
    await expect.poll(() => seen.about('s').length).toBeGreaterThan(0);
    expect([seen.about('r'), hub.viewers, defects.map(String)]).toEqual([[], 1, ['Error: the database can not be read']]);
    isBroken = false;
    await expect.poll(() => seen.about('r').length).toBeGreaterThan(0);
    await toEnd(run);
    expect(run.actor.getSnapshot().value).toBe('succeeded');
    expect(seen.about('r').at(-1)).toMatchObject({ snapshot: { status: 'done', value: 'succeeded' } });
  });

  it('remembers no actor of a run that has failed, was stopped or was cancelled', async () => {
    const hub = hubWith();
    const [failed, stopped, cancelled] = ['f', 's', 'c'].map((runId) => startInspected(hub, runId));
    for (const run of [failed, stopped, cancelled]) if (run !== undefined) await toBackend(run);
    await failed?.fakes.report('a/0', { type: 'backend.failed', error: { code: 'NODE_FAILED', message: 'x', retryable: false } });
    await failed?.fakes.resolve('collect', { draft: false });
    stopped?.actor.stop();
    cancelled?.actor.send({ type: 'run.cancel' });
    await turn();
    await cancelled?.fakes.resolve('cancel a/0', undefined);
    await cancelled?.fakes.resolve('release', undefined);
    expect([failed, cancelled].map((run) => run?.actor.getSnapshot().value)).toEqual(['failed', 'cancelled']);
    expect(hub.actors).toBe(0);
  });

  it('shows no secret of the run, wherever it stands', async () => {
    const hub = hubWith({ secretsOf: (runId) => (runId === 'r' ? ['hunter2-and-more'] : []) });
    const seen = look(hub);
    const run = startInspected(hub, 'r');
    await toBackend(run);
    const message = 'refused hunter2-and-more at https://me:pass@host/?token=abcdefgh with Bearer abcdefghijkl';
    await run.fakes.report('a/0', {
      type: 'backend.failed',
      error: { code: 'NODE_FAILED', message, retryable: false, details: { api_key: 'k', headers: { authorization: 'x' } } },
    });
    const text = JSON.stringify(seen.messages);
    expect(text.match(/refused[^"]*/)?.[0]).toBe('refused [redacted] at https://host/?token=[redacted] with Bearer [redacted]');
    expect(text).toContain('"api_key":"[redacted]"');
    expect(text).not.toMatch(/hunter2|abcdefgh|me:pass|"api_key":"k"|"authorization":"x"/);
  });
});
