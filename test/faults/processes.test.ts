// Faults of the machine around the daemon's process, with every promise checked after each. Numbers are those of the list in docs/reliability.md.
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CallsheetError } from '#protocol/errors.ts';
import { readRuntimeFile } from '#daemon/runtime-file.ts';
import { startProcess } from '../crash/processes.ts';
import { openWorld, type World, type WorldOptions } from './world.ts';

async function world(options: WorldOptions = {}): Promise<World> {
  const made = await openWorld({ quiet: true, ...options });
  onTestFinished(() => made.close());
  return made;
}

async function begun(here: World, count = 1): Promise<void> {
  await expect.poll(() => here.sandbox.ledger().length).toBeGreaterThanOrEqual(count);
}

/** Resolves once another process holds the database; `done` once it has let go. */
async function hold(here: World, milliseconds: number): Promise<{ readonly done: Promise<unknown>; isDone(): boolean }> {
  const env = { CALLSHEET_TEST_DATA: here.data, CALLSHEET_TEST_HOLD_MS: String(milliseconds) };
  const holder = await startProcess('../faults/busy-child.ts', env);
  if (holder === undefined) throw new Error('the database could not be held');
  return { done: holder.ended, isDone: () => holder.child.exitCode !== null };
}

const isFull = process.env['CALLSHEET_TEST_FULL'] === '1';
if (!isFull) console.warn('SAMPLED: [F5] a database held for 1 and 6 seconds; for a minute with npm run test:faults.');

describe('[F5] a database that another program keeps busy', () => {
  it.each([1, 6, ...(isFull ? [60] : [])])(
    'for %i s: the daemon answers all the while and says so, what is under way waits, and everything goes on by itself',
    async (seconds) => {
      const here = await world({ latencyMs: 5 });
      const before = await here.start('three-steps', { colour: 1 });
      await begun(here);
      const holder = await hold(here, seconds * 1000);

      /** As a careful client: repeated under its key as long as the answer says that it may be. */
      const refusals: object[] = [];
      const patiently = async <T>(ask: () => Promise<T>): Promise<T> => {
        for (;;) {
          try {
            return await ask();
          } catch (error) {
            if (!(error instanceof CallsheetError) || error.code !== 'STORAGE_BUSY') throw error;
            refusals.push({ retryable: error.data.retryable, hint: error.data.hint });
          }
        }
      };
      const order: string[] = [];
      const noted = (what: string) => () => void order.push(what);
      const request = { template: 'three-steps', parameters: { colour: 2 }, requestKey: 'asked-while-busy' };
      const during = patiently(() => here.call('run/start', request));
      const paused = patiently(() => here.call('queue/pause', { requestKey: 'paused-while-busy' }));
      const told = Promise.all([during.then(noted('started')), paused.then(noted('paused'))]);
      const health = await healthOf(here);
      const states = new Set<string>();
      for (let pings = 0; pings < 20; pings += 1) await here.call('ping');
      states.add((await here.call('daemon/status')).storage.status);
      // Both wait for the commit, and nobody waited for them.
      expect({ order, isHeld: !holder.isDone() }).toEqual({ order: [], isHeld: true });
      expect((await here.call('run/get', { runId: before })).run.runId).toBe(before);
      expect([...states]).toEqual(['busy']);
      expect(health).toMatchObject({ ok: true, storage: { status: 'busy', seconds: expect.any(Number) as unknown } });

      while (!holder.isDone()) {
        states.add((await here.call('daemon/status')).storage.status);
        await pause(20);
      }
      await told;
      const { runId } = await during;
      expect((await patiently(() => here.call('run/start', request))).runId).toBe(runId);
      await here.call('queue/resume');
      expect([await here.ended(before), await here.ended(runId)]).toEqual(['succeeded', 'succeeded']);
      expect(here.sandbox.ledger()).toHaveLength(6);
      // A passing lock is no failure: nobody was set aside.
      expect(states).not.toContain('failed');
      // Within a minute every client's patience ends.
      expect(refusals.length).toBeGreaterThanOrEqual(seconds === 60 ? 2 : 0);
      expect(refusals).toEqual(refusals.map(() => ({ retryable: true, hint: 'Close the program that has callsheet.db open.' })));
      expect((await here.call('daemon/status')).storage).toEqual({ status: 'ready' });
      here.acknowledge(runId);
      expect(await here.broken()).toEqual([]);
    },
    180_000,
  );
});

async function healthOf(here: World): Promise<unknown> {
  const { url = '', key = '' } = readRuntimeFile(here.runtimeFile()) ?? {};
  const address = url.replace('ws:', 'http:').replace('/rpc', '/healthz');
  return (await fetch(address, { headers: { Authorization: `Bearer ${key}` } })).json();
}

/** Root may write everywhere unless it gives that right away. */
const WITHOUT_RIGHTS =
  process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search', '--inh-caps=-dac_override,-dac_read_search'] : [];
const canDrop = WITHOUT_RIGHTS.length === 0 || spawnSync(WITHOUT_RIGHTS[0] ?? '', [...WITHOUT_RIGHTS.slice(1), 'true']).status === 0;
if (!canDrop)
  console.warn(
    'NOT RUN: [F7] a data directory that may not be written, since setpriv cannot take rights away here. Run it as another user than root.',
  );

describe.skipIf(!canDrop)('[F7] a data directory that may not be written', () => {
  it.each([
    ['is there', true],
    ['would have to be made', false],
  ])('and %s is refused at the start, by name and with the cure', (_, exists) => {
    const dir = mkdtempSync(join(tmpdir(), 'callsheet-rights-'));
    onTestFinished(() => {
      chmodSync(dir, 0o700);
      rmSync(dir, { recursive: true, force: true });
    });
    const data = join(dir, 'data');
    if (exists) mkdirSync(data, { mode: 0o500 });
    else chmodSync(dir, 0o500);
    const [command, ...args] = [...WITHOUT_RIGHTS, process.execPath, join(import.meta.dirname, '../daemon/daemon-child.ts')];
    const env = { PATH: process.env['PATH'] ?? '', HOME: dir, CALLSHEET_DATA: data };
    const done = spawnSync(command, args, { env, encoding: 'utf8', timeout: 20_000 });
    expect({ status: done.status, said: JSON.parse(done.stdout) as unknown }).toMatchObject({
      status: 1,
      said: {
        type: 'error',
        error: { code: 'STORAGE_FAILED', message: expect.stringContaining(data) as unknown, hint: expect.any(String) as unknown },
      },
    });
    expect(done.stderr).toContain(data);
    expect(existsSync(data) ? readdirSync(data) : []).toEqual([]);
  });
});

describe('[F9] a machine that sleeps', () => {
  it('stops the daemon for some seconds in the middle of a run, which goes on', async () => {
    const here = await world({ latencyMs: 20 });
    const runId = await here.start('three-steps', { colour: 1 });
    await begun(here);
    process.kill(here.pid(), 'SIGSTOP');
    await pause(3000);
    process.kill(here.pid(), 'SIGCONT');
    expect(await here.ended(runId)).toBe('succeeded');
    expect(here.sandbox.ledger()).toHaveLength(3);
    expect(await here.broken()).toEqual([]);
  });
});

describe('[F26] a client that stands still', () => {
  it('holds nobody up, and is told everything once when it goes on', async () => {
    const here = await world();
    const runs = 4;
    const orders = JSON.stringify({ file: here.runtimeFile(), runs });
    const slow = await startProcess('../faults/slow-client.ts', { CALLSHEET_TEST_ORDERS: orders });
    if (slow === undefined) throw new Error('the slow client did not start');
    onTestFinished(() => slow.stop('SIGKILL'));
    slow.child.kill('SIGSTOP');
    for (let run = 0; run < runs; run += 1) {
      const runId = await here.start('fan-out', { colours: [run * 2, run * 2 + 1] });
      expect(await here.ended(runId)).toBe('succeeded');
    }
    const told = once(createInterface({ input: slow.child.stdout }), 'line');
    slow.child.kill('SIGCONT');
    const { positions } = JSON.parse(String((await told)[0])) as { readonly positions: readonly number[] };
    expect(positions).toEqual(Array.from(positions, (_, index) => index + 1));
    expect(here.seen.slice(0, positions.length).map(({ position }) => position)).toEqual(positions);
    expect(await here.broken()).toEqual([]);
  });
});

const canLimit = spawnSync('prlimit', ['--version']).status === 0;
if (!canLimit)
  console.warn('NOT RUN: [F28] a daemon without file descriptors, since prlimit is not here. Debian: apt-get install util-linux.');

describe.skipIf(!canLimit)('[F28] a daemon that may open 64 files and is flooded with 200 connections', () => {
  it('serves those who are there, and takes new ones and finishes its runs afterwards', async () => {
    const here = await world({ latencyMs: 10 });
    const runId = await here.start('three-steps', { colour: 1 });
    await begun(here);
    execFileSync('prlimit', ['--pid', String(here.pid()), '--nofile=64:64']);
    const { port } = readRuntimeFile(here.runtimeFile()) ?? { port: 0 };
    const sockets: Socket[] = Array.from({ length: 200 }, () => connect({ host: '127.0.0.1', port }).on('error', () => undefined));
    onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
    await Promise.all(sockets.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')])));
    await here.call('ping');
    expect((await here.call('run/get', { runId })).run.runId).toBe(runId);
    expect(readdirSync(`/proc/${String(here.pid())}/fd`).length).toBeLessThan(100);
    for (const socket of sockets) socket.destroy();
    await here.dropClient();
    expect(await here.ended(runId)).toBe('succeeded');
    const later = await here.start('three-steps', { colour: 2 });
    expect(await here.ended(later)).toBe('succeeded');
    expect(await here.broken()).toEqual([]);
  });
});

describe('[F6] a daemon that finds its database damaged', () => {
  it('starts, keeps the damaged file, makes the runs again that are lost, says where their files are, and takes new ones', async () => {
    const here = await world();
    const lost = await here.start('three-steps', { colour: 1 });
    expect(await here.ended(lost)).toBe('succeeded');
    const { artifacts } = await here.call('artifact/list', { runId: lost });
    const files = artifacts.map(({ path }) => path).toSorted();
    await here.stopDaemon(() => {
      const file = join(here.data, 'callsheet.db');
      writeFileSync(file, readFileSync(file).fill(0x5a, 100));
    });
    await here.dropClient();
    const { recovery } = await here.call('daemon/status');
    expect(recovery).toMatchObject({
      reason: expect.any(String) as unknown,
      runs: [{ runId: lost, template: 'three-steps', files }],
      rebuilt: 1,
    });
    expect(readFileSync(String(recovery?.movedTo)).length).toBeGreaterThan(0);
    for (const file of files) expect(readFileSync(file).length).toBeGreaterThan(0);
    const runId = await here.start('three-steps', { colour: 2 });
    expect(await here.ended(runId)).toBe('succeeded');
    await here.stopDaemon();
    expect((await here.call('daemon/status')).recovery).toBeUndefined();
  });
});
