/** The daemon dies, comes back, or is not there at all, while an agent is connected. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { connectToRunning } from '#cli/session.ts';
import { createFakeIo } from '../cli/fake-io.ts';
import { freshPlace, runCli, startCli } from '../e2e/run-cli.ts';
import { type Agent, PHOTO, startAgent, startWorld, type World, writeTemplate } from './harness.ts';

// Daemons and agents start and end many times in each.
vi.setConfig({ testTimeout: 180_000 });
const SLOW = { timeout: 60_000 };

describe('a daemon of somebody else', () => {
  let world: World;
  let agent: Agent;
  beforeEach(async () => {
    world = await startWorld({ held: 'sleep' });
    agent = await world.agent();
    // It has found the daemon.
    await agent.tools();
  });
  afterEach(() => world.close());
  const executed = () => world.sandbox.ledger();

  it('may be killed in the middle of a call: the call goes on with the next one, and nothing is made twice', async () => {
    const call = agent.call('run_held', { colour: 1, paces: 600 });
    await expect.poll(() => executed().length).toBe(1);
    world.daemon.kill('SIGKILL');
    await world.daemon.ended;
    await world.startDaemon();
    const told = await call;
    expect(told).toMatchObject({ failed: false, run: { status: 'succeeded' } });
    expect(executed()).toMatchObject([{ outcome: 'success' }]);
  });

  it('is waited for by a call that comes while it is away', async () => {
    world.daemon.kill('SIGKILL');
    await world.daemon.ended;
    const call = agent.call('run_held', { colour: 2 });
    await world.startDaemon();
    expect((await call).run.status).toBe('succeeded');
    expect(executed()).toHaveLength(1);
  });

  it('may learn of a template while it is away, and the agent is told when it is back', async () => {
    const changes = agent.changes();
    world.daemon.kill('SIGKILL');
    await world.daemon.ended;
    writeTemplate(world, 'fresh');
    await world.startDaemon();
    await expect.poll(agent.changes, SLOW).toBeGreaterThan(changes);
    expect((await agent.tools()).map(({ name }) => name)).toContain('run_fresh');
  });

  it('is spoken to with a key that may not do what needs the scope admin', async () => {
    const io = createFakeIo({ env: world.env, cwd: world.folder });
    const session = await connectToRunning(world.env['CALLSHEET_DATA'] ?? '', io, { scope: 'run' });
    onTestFinished(() => session?.close());
    expect(session?.client.server.scope).toBe('run');
    await expect(session?.client.call('daemon/shutdown', {})).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('is said to be away when it stays away, is never replaced by one of our own, and is found when it is back', async () => {
    agent = await world.agent(['--away', '2']);
    await agent.tools();
    world.daemon.kill('SIGTERM');
    await world.daemon.ended;
    const told = await agent.call('list_runs');
    expect(told).toMatchObject({ failed: true, data: { error: { code: 'DAEMON_NOT_RUNNING', retryable: true } } });
    expect(told.text).toMatch(/callsheet daemon/);
    // The tools that are always there are there without a daemon.
    expect((await agent.tools()).map(({ name }) => name)).toContain('list_runs');
    const changes = agent.changes();
    await world.startDaemon();
    await expect.poll(agent.changes, SLOW).toBeGreaterThan(changes);
    expect((await agent.call('run_held', { colour: 3 })).run.status).toBe('succeeded');
    expect(agent.stderr()).not.toContain('Started a daemon');
  });
});

describe('without a daemon', () => {
  it('one is started with the options given, and ends with the agent', async () => {
    const { env } = freshPlace();
    const agent = await startAgent(env, ['--backend', 'sandbox', '--root', join(PHOTO, '..')], 'legacy');
    expect((await agent.call('run_pixel-postcard', { photo: PHOTO })).run.status).toBe('succeeded');
    // Other commands find it meanwhile.
    expect(JSON.parse((await runCli(['runs', '--json'], env)).stdout)).toMatchObject({ runs: [{ status: 'succeeded' }] });
    await agent.close();
    expect(agent.stderr()).toContain('Started a daemon in this process');
    await expect.poll(() => readdirSync(join(env['CALLSHEET_RUNTIME_DIR'] ?? ''))).toEqual([]);
  });

  it('two agents share one, and the second goes on with one of its own when the first is gone', async () => {
    const { env } = freshPlace();
    const argv = ['--away', '2', '--backend', 'sandbox', '--root', join(PHOTO, '..')];
    const first = await startAgent(env, argv, 'legacy');
    await first.tools();
    const second = await startAgent(env, argv, 'legacy');
    onTestFinished(() => second.close());
    const { run } = await second.call('run_pixel-postcard', { photo: PHOTO });
    expect(second.stderr()).toBe('callsheet mcp: Connected to the running daemon.\n');
    await first.close();
    await expect.poll(second.stderr, SLOW).toContain('Started a daemon in this process');
    expect((await second.call('get_run', { run_id: run.runId })).run.status).toBe('succeeded');
  });

  it('one that somebody stops is not started again: they want to start another', async () => {
    const { env } = freshPlace();
    const agent = await startAgent(env, ['--away', '2', '--backend', 'sandbox'], 'legacy');
    onTestFinished(() => agent.close());
    await agent.tools();
    expect((await runCli(['call', 'daemon/shutdown'], env)).code).toBe(0);
    await expect.poll(agent.stderr, SLOW).toContain('The daemon is away');
    expect((await agent.call('list_runs')).text).toContain('DAEMON_NOT_RUNNING');
    const daemon = startCli(['daemon', '--json', '--backend', 'sandbox'], env);
    onTestFinished(() => daemon.kill('SIGTERM'));
    await daemon.line((text) => text.includes('"ready"'));
    expect(await agent.call('list_runs')).toMatchObject({ failed: false, text: 'There are no such runs.' });
    expect(agent.stderr()).toContain('Connected to the running daemon.');
  });

  it('a data directory that cannot be used is told by the calls, and the server lives on', async () => {
    const { env } = freshPlace();
    const agent = await startAgent({ ...env, CALLSHEET_DATA: '/dev/null/nowhere' }, [], 'legacy');
    onTestFinished(() => agent.close());
    expect((await agent.tools()).map(({ name }) => name)).toContain('start_run');
    const told = await agent.call('list_templates');
    expect(told.failed).toBe(true);
    expect(told.text).toMatch(/^error [A-Z_]+: /);
    expect((await agent.call('list_runs')).failed).toBe(true);
  });
});

describe('callsheet mcp', () => {
  it('refuses options that make no sense with one line and code 2', async () => {
    const { env } = freshPlace();
    for (const argv of [['--wait', 'long'], ['--away', '0'], ['--pictures', '-1'], ['extra']]) {
      const { code, stdout, stderr } = await runCli(['mcp', ...argv], env);
      expect({ code, stdout, lines: stderr.trim().split('\n').length }).toEqual({ code: 2, stdout: '', lines: 1 });
    }
  });

  it('ends by itself when its input ends, and writes nothing to stdout', async () => {
    const { env } = freshPlace();
    const cli = startCli(['mcp'], env);
    expect(await cli.ended).toMatchObject({ code: 0, stdout: '' });
  });
});
