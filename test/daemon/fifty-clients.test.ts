// Many clients at once, each with everything: whoever is slow, and whatever happens to the daemon, each sees every event exactly once.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '#daemon/config.ts';
import { startDaemon } from '#daemon/daemon.ts';
import { findRuntime } from '#daemon/runtime-file.ts';
import { connect } from '#protocol/client.ts';
import { waitForRun } from '../../src/client.ts';
import { openSession, openTestDoor } from './door-harness.ts';
import { GRAPH, manifest } from './exchange/exchange-harness.ts';

const CLIENTS = 50;

function place() {
  const dir = mkdtempSync(join(tmpdir(), 'callsheet-fifty-'));
  const card = join(dir, 'templates', 'card');
  mkdirSync(card, { recursive: true });
  writeFileSync(join(card, 'template.json'), JSON.stringify(manifest('card')));
  writeFileSync(join(card, 'draw.json'), JSON.stringify(GRAPH));
  const data = join(dir, 'data');
  const env = { HOME: dir, CALLSHEET_DATA: data, CALLSHEET_RUNTIME_DIR: '', CALLSHEET_LOG_LEVEL: 'silent' };
  const config = parseConfig({ templates: [join(dir, 'templates')], backends: ['sandbox'] }, env, dir);
  const where = async () => {
    const info = findRuntime({ dataDir: data, env });
    return info === undefined ? undefined : { url: info.url, key: info.key };
  };
  return {
    start: () => startDaemon(config),
    connect: async () => connect({ ...((await where()) ?? { url: '', key: '' }), reconnectFor: 30_000, relocate: where }),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** What a client was told: `GAP` where the log did not go on. */
interface Told {
  readonly positions: (number | 'GAP')[];
  readonly ends: Set<string>;
}

const upTo = (last: number): readonly number[] => Array.from({ length: last }, (_, at) => at + 1);

describe(`${String(CLIENTS)} clients that follow the whole log`, () => {
  it('each see every event exactly once, also across a restart of the daemon', async () => {
    using home = place();
    let daemon = await home.start();
    const told: Told[] = [];
    const follow = async () => {
      const client = await home.connect();
      const one: Told = { positions: [], ends: new Set() };
      told.push(one);
      await client.subscribe(
        { since: { epoch: client.server.epoch, seq: 0 }, previews: true },
        {
          onEvent({ position, runId, event }) {
            one.positions.push(position);
            if (event.type === 'run.status' && event.status === 'succeeded') one.ends.add(runId);
          },
          onSnapshot: () => void one.positions.push('GAP'),
        },
      );
      return client;
    };
    const work = await home.connect();
    const clients = await Promise.all(Array.from({ length: CLIENTS }, follow));
    const start = async (count: number) =>
      Promise.all(
        Array.from({ length: count }, () => work.call('run/start', { template: 'card', cache: false, requestKey: crypto.randomUUID() })),
      );
    const first = await start(5);
    // In the middle of the work: some of it is done by the one, some by the other.
    await daemon.close();
    const second = start(5);
    daemon = await home.start();
    const runs = [...first, ...(await second)];
    for (const { runId } of runs) expect((await waitForRun(work, runId)).status).toBe('succeeded');
    const last = (await work.call('daemon/status')).position;
    await expect.poll(() => told.filter(({ positions }) => positions.length < last).length).toBe(0);
    for (const { positions, ends } of told) {
      expect(positions).toEqual(upTo(last));
      expect(ends.size).toBe(runs.length);
    }
    await Promise.all([...clients, work].map((client) => client.close()));
    await daemon.close();
  });

  it('hear everything in time while some of them read nothing at all, and those have it all once they do', async () => {
    await using door = await openTestDoor();
    door.runs.create('a');
    const sessions = await Promise.all(Array.from({ length: CLIENTS }, () => openSession(door)));
    for (const session of sessions) {
      session.send({ jsonrpc: '2.0', id: 1, method: 'event/subscribe', params: { since: { epoch: door.store.epoch, seq: 0 } } });
      await session.next((frame) => frame.includes('"id":1'));
    }
    const [slow, quick] = [sessions.slice(0, 5), sessions.slice(5)];
    for (const { socket } of slow) socket.pause();
    const long = 'x'.repeat(4000);
    for (let at = 0; at < 1500; at += 1) door.runs.emit('a', { type: 'run.note', code: 'X', message: long });
    const last = door.store.lastPosition();
    const positions = (frames: readonly string[]) =>
      frames
        .filter((frame) => frame.includes('"method":"event"'))
        .map((frame) => (JSON.parse(frame) as { params: { position: number } }).params.position);
    for (const { frames } of quick) await expect.poll(() => frames.length).toBeGreaterThanOrEqual(last);
    for (const { frames } of quick) expect(positions(frames)).toEqual(upTo(last));
    for (const { frames } of slow) expect(frames.length).toBeLessThan(last);
    for (const { socket } of slow) socket.resume();
    for (const { frames } of slow) {
      await expect.poll(() => frames.length).toBeGreaterThanOrEqual(last);
      expect(positions(frames)).toEqual(upTo(last));
    }
  });
});
