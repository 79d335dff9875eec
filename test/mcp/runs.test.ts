/** Runs by way of MCP: started, watched, chosen, cancelled, failed, asked for twice. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Progress } from '@modelcontextprotocol/client';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RunView } from '#protocol/views.ts';
import { type Agent, PHOTO, startWorld, type Told, type World } from './harness.ts';

// Agents start and end in many of them.
vi.setConfig({ testTimeout: 180_000 });

let world: World;
let agent: Agent;
beforeAll(async () => {
  world = await startWorld({ held: 'sleep', broken: 'fail' });
  agent = await world.agent();
});
afterAll(() => world.close());

const links = ({ content }: Told) => content.flatMap((block) => (block.type === 'resource_link' ? [block] : []));
const images = ({ content }: Told) => content.flatMap((block) => (block.type === 'image' ? [block] : []));
const executed = () => world.sandbox.ledger().length;
const runsOf = async (template: string) => (await agent.call('list_runs', { template })).data['runs'] as readonly RunView[];

describe('a template as a tool', () => {
  it.each(['legacy', 'auto'] as const)('runs to its end, tells progress, and shows the picture (%s)', async (era) => {
    const mine = await world.agent([], era);
    const heard: Progress[] = [];
    const given = { photo: PHOTO, border: era === 'auto' ? 20 : 30 };
    const told = await mine.call('run_pixel-postcard', given, { onprogress: (progress) => heard.push(progress) });
    expect(told).toMatchObject({ failed: false, run: { status: 'succeeded', template: 'pixel-postcard' } });
    const numbers = heard.map(({ progress }) => progress);
    expect(numbers.length).toBeGreaterThan(1);
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
    expect(heard.some(({ message }) => message?.includes('step postcard') === true)).toBe(true);

    const [picture] = images(told);
    const { width, height, format } = await sharp(Buffer.from(picture?.data ?? '', 'base64')).metadata();
    expect({ width, height, format, mimeType: picture?.mimeType }).toEqual({
      width: 720,
      height: 560,
      format: 'png',
      mimeType: 'image/png',
    });
    const [artifact] = told.run.artifacts;
    expect(links(told)).toMatchObject([
      { uri: `callsheet://artifact/${artifact?.artifactId}`, mimeType: 'image/png', size: artifact?.bytes },
    ]);
    // What a client sees that shows the text alone.
    for (const part of [told.run.runId, 'succeeded', artifact?.path ?? '-', links(told)[0]?.uri ?? '-']) expect(told.text).toContain(part);
  });

  it('scales pictures down to what was asked for when the server was started', async () => {
    const mine = await world.agent(['--pictures', '200']);
    const [picture] = images(await mine.call('run_pixel-postcard', { photo: PHOTO }));
    const { width, height } = await sharp(Buffer.from(picture?.data ?? '', 'base64')).metadata();
    expect([width, height]).toEqual([200, 156]);
    const none = await world.agent(['--pictures', '0']);
    expect(images(await none.call('run_pixel-postcard', { photo: PHOTO }))).toEqual([]);
  });

  it('takes the address of an earlier result as a picture', async () => {
    const [made] = links(await agent.call('run_held', { colour: 4711 }));
    const told = await agent.call('run_from-picture', { picture: made?.uri });
    expect(told.run).toMatchObject({ status: 'succeeded' });
  });

  it('takes null for what was not given, as some clients send it', async () => {
    const told = await agent.call('run_held', { colour: 12, paces: null, run_options: { backend: null, wait_seconds: null } });
    expect(told.run).toMatchObject({ status: 'succeeded', parameters: { colour: 12, paces: 1 } });
  });

  it('answers before the end when it is told to wait no longer, and the run is watched further', async () => {
    const first = await agent.call('run_held', { colour: 1, paces: 100, run_options: { wait_seconds: 0 } });
    expect(first.failed).toBe(false);
    expect(['queued', 'running']).toContain(first.run.status);
    expect(first.text).toContain(`watch_run {"run_id": "${first.run.runId}"}`);
    expect((await agent.call('get_run', { run_id: first.run.runId })).run.runId).toBe(first.run.runId);
    expect((await agent.call('watch_run', { run_id: first.run.runId })).run.status).toBe('succeeded');
  });
});

describe('what goes wrong', () => {
  it('names every misfit of the values, and starts nothing', async () => {
    const told = await agent.call('run_held', { paces: 0, color: 3 });
    expect(told.failed).toBe(true);
    expect(told.text).toMatch(/error PARAMETERS_INVALID/);
    expect(told.text).toMatch(/There is no parameter "color"[\s\S]*Did you mean "colour"\?/);
    expect(told.text).toMatch(/PARAMETER_OUT_OF_BOUNDS .*"paces"/);
    expect(told.data['error']).toMatchObject({ code: 'PARAMETERS_INVALID', problems: [{}, {}] });
  });

  it.each([
    ['an argument that the tool does not have', 'get_run', { runId: 'x' }, /INVALID_PARAMS[\s\S]*Did you mean "run_id"\?/],
    ['an argument of the wrong type', 'list_runs', { limit: 'many' }, /INVALID_PARAMS.*"limit" must be an integer/],
    ['a wrong option of the run', 'run_held', { run_options: { wait: 3 } }, /INVALID_PARAMS.*run_held\.run_options[\s\S]*wait_seconds/],
    ['options that are no object', 'run_held', { run_options: 'quick' }, /INVALID_PARAMS.*must be an object/],
    ['a run that does not exist', 'get_run', { run_id: 'none' }, /RUN_NOT_FOUND/],
    ['a template that does not exist', 'start_run', { template: 'heldd' }, /TEMPLATE_NOT_FOUND/],
    ['a template that cannot run', 'start_run', { template: 'unknown-node' }, /TEMPLATE_NOT_RUNNABLE/],
    ['a backend that does not exist', 'run_held', { run_options: { backend: 'farm' } }, /BACKEND_NOT_FOUND/],
    ['a file outside the approved roots', 'run_from-picture', { picture: '/etc/hostname' }, /PATH_NOT_ALLOWED/],
    ['a result that does not exist', 'run_from-picture', { picture: 'callsheet://artifact/none' }, /ARTIFACT_NOT_FOUND/],
    ['a choice of a run that asks for none', 'choose', { run_id: 'none', values: ['0'] }, /RUN_NOT_FOUND/],
  ])('answers %s with code, sentence and cure as a tool error', async (_, name, given, words) => {
    const told = await agent.call(name, given);
    expect(told.failed).toBe(true);
    expect(told.text).toMatch(words);
    expect(told.data['error']).toMatchObject({ code: expect.any(String), message: expect.any(String) });
  });

  it('refuses a tool that does not exist with the nearest name', async () => {
    await expect(agent.call('run_helt')).rejects.toThrow('There is no tool "run_helt". Did you mean "run_held"?');
  });

  it('tells why a run failed, where, and how to try it again', async () => {
    const told = await agent.call('run_broken');
    expect(told).toMatchObject({ failed: true, run: { status: 'failed', error: { code: 'NODE_FAILED', step: 'only', node: '2' } } });
    expect(told.text).toMatch(/step only node 2 error NODE_FAILED: .*no such luck/);
    expect(told.text).toContain(`retry_run {"run_id": "${told.run.runId}"}`);
    const again = await agent.call('retry_run', { run_id: told.run.runId });
    expect(again.text).toContain('Done again: only.');
    expect(again.run).toMatchObject({ runId: told.run.runId, status: 'failed', tries: 2 });
  });
});

describe('a run that asks for a choice', () => {
  it('comes back with the candidates to look at, and goes on with the pick', async () => {
    const asked = await agent.call('run_with-choice', { colours: [1, 2] });
    expect(asked).toMatchObject({ failed: false, run: { status: 'waiting' } });
    expect(images(asked)).toHaveLength(2);
    expect(asked.text).toMatch(/the choice "picked" waits, pick 1 of 2[\s\S]*\[0\] [\s\S]*\[1\] /);
    const wrong = await agent.call('choose', { run_id: asked.run.runId, values: ['7'] });
    expect(wrong).toMatchObject({ failed: true, data: { error: { code: 'CHOICE_INVALID' } } });
    const told = await agent.call('choose', { run_id: asked.run.runId, values: ['1'] });
    expect(told.run.status).toBe('succeeded');
    expect(told.text).toContain('Picked for "picked": ');
    const last = told.run.artifacts.find(({ step }) => step === 'last');
    // The fixture paints blue 1 and blue 2 and inverts what is picked.
    expect((await sharp(last?.path).raw().toBuffer())[2]).toBe(255 - 2);
  });
});

describe('an end before the end', () => {
  it('cancels a run and waits for the proof', async () => {
    const { run } = await agent.call('run_held', { colour: 2, paces: 50_000, run_options: { wait_seconds: 0 } });
    const told = await agent.call('cancel_run', { run_id: run.runId });
    expect(told).toMatchObject({ failed: false, run: { status: 'cancelled' } });
  });

  it('leaves the run alone when the caller gives its call up, and the same call joins it', async () => {
    const given = { colour: 3, paces: 400 };
    const before = executed();
    const gaveUp = new AbortController();
    const first = agent.call('run_held', given, { signal: gaveUp.signal });
    await expect.poll(executed).toBe(before + 1);
    gaveUp.abort();
    await expect(first).rejects.toThrow('aborted');
    const told = await agent.call('run_held', given);
    expect(told.run.status).toBe('succeeded');
    expect(told.text).toContain(`Joined run ${told.run.runId}`);
    expect(executed()).toBe(before + 1);
  });
});

describe('the same call again', () => {
  it('is another wish once the end of the first was told', async () => {
    const first = await agent.call('run_held', { colour: 5 });
    const second = await agent.call('run_held', { colour: 5 });
    expect(second.run.runId).not.toBe(first.run.runId);
    expect(second.text).not.toContain('Joined');
  });

  it('is the same wish while it waits, whatever the order of its members', async () => {
    const [first, second] = await Promise.all([
      agent.call('run_held', { colour: 6, paces: 20 }),
      agent.call('run_held', { paces: 20, colour: 6 }),
    ]);
    expect(second.run.runId).toBe(first.run.runId);
    expect((await runsOf('held')).filter(({ runId }) => runId === first.run.runId)).toHaveLength(1);
  });

  it('is the same wish for ever under a key of its own, in another server too', async () => {
    const given = { colour: 7, run_options: { request_key: 'shot 12, take 3' } };
    const { run } = await agent.call('run_held', given);
    const other = await world.agent();
    expect((await other.call('run_held', given)).run.runId).toBe(run.runId);
    const conflict = await other.call('run_held', { ...given, colour: 8 });
    expect(conflict.data['error']).toMatchObject({ code: 'REQUEST_KEY_CONFLICT' });
  });
});

describe('what leaves the server', () => {
  it('holds no key, and stderr only sentences', async () => {
    const [runtimeName] = readdirSync(join(world.folder, 'runtime'));
    const runtime = JSON.parse(readFileSync(join(world.folder, 'runtime', runtimeName ?? ''), 'utf8')) as Record<string, string>;
    const said = [JSON.stringify(await agent.call('list_backends')), JSON.stringify(await agent.tools()), agent.stderr()].join('\n');
    for (const name of ['key', 'runKey']) {
      expect(runtime[name]).toMatch(/^[\w-]{43}$/);
      expect(said).not.toContain(runtime[name]);
    }
    expect(agent.stderr()).toBe('callsheet mcp: Connected to the running daemon.\n');
  });
});
