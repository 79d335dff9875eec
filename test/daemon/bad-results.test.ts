/** Results that are not what they should be: the run says which file of which node, leaves nothing half-written, and is taken up again once they are right. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import sharp from 'sharp';
import { afterEach, describe, expect, it } from 'vitest';
import { box } from '../results/samples.ts';
import { closeChecked } from '../faults/engine-promises.ts';
import type { Mode } from '../fakes/fake-comfyui.ts';
import { type Engine, startEngine } from './supervisor-harness.ts';

let engine: Engine;
afterEach(() => closeChecked(engine));

const request = { template: 'three-steps', parameters: {} };
const PNG = await sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } })
  .png()
  .toBuffer();
const executed = () => engine.fake.engine.ledger.length;

/** Everything below the run's folder, notes left out. */
function filesOf(runId: string): readonly string[] {
  return readdirSync(join(engine.dir, 'output', runId), { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.split(sep).includes('.callsheet'))
    .toSorted();
}

/** Texts are Latin-1, a byte for a letter. */
const reply = (body: Buffer | string, type = 'image/png'): Mode => ({
  kind: 'reply',
  status: 200,
  type,
  body: typeof body === 'string' ? Buffer.from(body, 'latin1') : body,
});
const endless = Buffer.concat([box('ftyp', Buffer.from('isom\0\0\0\0')), Buffer.from([0, 0, 0, 0]), Buffer.from('free'), box('moov')]);

const BAD: readonly (readonly [string, Mode, string, RegExp])[] = [
  ['an empty file', reply(''), 'OUTPUT_INVALID', /The file is empty/],
  ['a file that was cut short on the server', reply('\x89PNG\r\n\x1a\n\0\0'), 'OUTPUT_INVALID', /not a whole image\/png/],
  ['a file that is cut short on the way', { kind: 'cut' }, 'OUTPUT_INVALID', /broke off|arrived with/],
  [
    'a page of a proxy',
    reply('<!doctype html><title>Sign in</title>', 'text/html'),
    'OUTPUT_INVALID',
    /text\/html where a \.png file was asked for/,
  ],
  ['a film of endless boxes', reply(endless), 'OUTPUT_INVALID', /not a whole video\/mp4/],
  ['bytes of no kind', reply('\x01\x02\x03'), 'OUTPUT_INVALID', /unknown bytes/],
  [
    'a picture of 2^31 pixels a side',
    reply('\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\x80\0\0\0\x80\0\0\0\x08\x02\0\0\0CRCC\0\0\0\0IDATCRCC\0\0\0\0IEND\xae\x42\x60\x82'),
    'OUTPUT_INVALID',
    /2147483648 × 2147483648/,
  ],
  ['no file at all', { kind: 'reply', status: 404, body: '' }, 'OUTPUT_MISSING', /no longer has .*base_00001_\.png/],
];

describe('[S26] a result', () => {
  it.each(BAD)('that is %s fails its step with its name, and leaves nothing behind', async (_, mode, code, message) => {
    engine = await startEngine();
    engine.fake.misbehave({ method: 'GET', path: /^\/view$/, mode });
    const { runId } = await engine.supervisor.start(request);
    const run = await engine.ended(runId);
    expect(run).toMatchObject({
      status: 'failed',
      artifacts: [],
      error: { code, step: 'base', node: '2', details: { file: 'base_00001_.png' } },
    });
    expect(run.error?.message).toMatch(/^Step 'base', node 2, base_00001_\.png: /);
    expect(run.error?.message).toMatch(message);
    expect(run.error?.hint).toMatch(/\w/);
    expect(filesOf(runId)).toEqual([]);
    expect(executed()).toBe(1);
  });

  it('that is broken once or twice is asked for again, and nothing is executed again', async () => {
    engine = await startEngine();
    engine.fake.misbehave({ method: 'GET', path: /^\/view$/, times: 2, mode: { kind: 'cut' } });
    const { runId } = await engine.supervisor.start(request);
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(executed()).toBe(3);
  });

  it('that failed its step is fetched by a retry once it is right, and nothing is executed again', async () => {
    engine = await startEngine();
    let isBroken = true;
    engine.fake.misbehave({ method: 'GET', path: /^\/view$/, mode: reply(''), when: () => isBroken });
    const { runId } = await engine.supervisor.start(request);
    expect((await engine.ended(runId)).status).toBe('failed');
    isBroken = false;
    await engine.supervisor.retry({ runId });
    await expect.poll(() => engine.supervisor.get(runId).status, { timeout: 20_000 }).toBe('succeeded');
    expect(engine.fake.engine.ledger.filter(({ promptId }) => promptId === engine.fake.engine.ledger[0]?.promptId)).toHaveLength(1);
  });

  it('for which there is no room is tried a few times, and told; with room it comes home', async () => {
    engine = await startEngine();
    // A file stands where the folder of the run should be made: it can be written no more than on a full disk.
    const output = join(engine.dir, 'output');
    rmSync(output, { recursive: true, force: true });
    writeFileSync(output, '');
    const { runId } = await engine.supervisor.start(request);
    const note = () => engine.events.find((one) => one.event.type === 'run.note' && one.event.code === 'DISK_WAITED_FOR');
    await expect.poll(note, { timeout: 20_000 }).toBeDefined();
    rmSync(output);
    expect((await engine.ended(runId)).status).toBe('succeeded');
  });

  it('that can not be written for good fails its step with the reason', async () => {
    engine = await startEngine();
    const output = join(engine.dir, 'output');
    rmSync(output, { recursive: true, force: true });
    writeFileSync(output, '');
    const { runId } = await engine.supervisor.start(request);
    const run = await engine.ended(runId);
    expect(run).toMatchObject({ status: 'failed', error: { code: 'STORAGE_FAILED', step: 'base' } });
    rmSync(output);
  });
});

describe('previews', () => {
  const outputs = {
    2: {
      images: [
        { filename: 'base_00001_.png', subfolder: '', type: 'output' },
        { filename: 'seen_00001_.png', subfolder: '', type: 'temp' },
      ],
    },
  };
  const asked = () =>
    engine.fake.requests.filter(({ path }) => path === '/view').map(({ query }) => new URLSearchParams(query).get('type'));

  it.each([
    ['at once', false],
    ['by a daemon that finds the prompt ended', true],
  ])('are fetched before anything else, %s', async (_, isLate) => {
    engine = await startEngine();
    engine.fake.engine.plan = () => (executed() === 0 ? { outputs, ...(isLate ? { holdAt: '1' } : {}) } : {});
    engine.fake.misbehave({ method: 'GET', path: /^\/view$/, times: 2, mode: reply(PNG) });
    const { runId } = await engine.supervisor.start(request);
    // The prompt ends while nobody is there.
    if (isLate) {
      await engine.fake.engine.held();
      await engine.restart(undefined, () => engine.fake.engine.release());
    }
    // Two values where the next step takes one end the run; the files of this one are home by then.
    const { artifacts } = await engine.ended(runId);
    expect(artifacts.map(({ index }) => index)).toEqual([0, 1]);
    expect(asked().slice(0, 2)).toEqual(['temp', 'output']);
  });
});

describe('[S26] names that a backend gives its files', () => {
  const tricks: readonly (readonly [string, string])[] = [
    ['../../../etc/passwd', ''],
    ['a.png', '../../..'],
    ['/etc/passwd', '/'],
    ['..\\..\\windows\\win.ini', 'C:\\'],
    ['CON.png', 'NUL'],
    ['%2e%2e%2fx.png', '%2e%2e'],
    ['x.png?type=input&filename=y', '#'],
    ['a b+c&d=e.png', 'ü/中'],
    ['~/x.png', '$HOME'],
    ['http://elsewhere/x.png', '//elsewhere'],
    ['.callsheet', '.'],
  ];

  it.each(tricks)('go back to it as they came and name nothing here: %s in %s', async (filename, subfolder) => {
    engine = await startEngine();
    engine.fake.engine.plan = (item) => ({
      outputs: { [Object.keys(item.prompt).at(-1) ?? '']: { images: [{ filename, subfolder, type: 'output' }] } },
    });
    engine.fake.misbehave({ method: 'GET', path: /^\/view$/, mode: reply(PNG) });
    const { runId } = await engine.supervisor.start(request);
    const run = await engine.ended(runId);
    expect(run.status).toBe('succeeded');
    expect(filesOf(runId)).toEqual(['base_picture.png', 'grown.png', 'invert_picture.png']);
    expect(
      readdirSync(engine.dir)
        .toSorted()
        .filter((name) => !name.startsWith('callsheet.db')),
    ).toEqual(['output']);
    const asked = engine.fake.requests
      .filter(({ path }) => path === '/view')
      .map(({ query }) => ['filename', 'subfolder'].map((key) => new URLSearchParams(query).get(key)));
    expect(asked.every(([name, folder]) => name === filename && folder === subfolder)).toBe(true);
  });

  it('are not asked for when no server can have them', async () => {
    engine = await startEngine();
    const names = ['a\0b.png', 'a\nb.png', 'x'.repeat(5000), ''];
    engine.fake.engine.plan = () => ({
      outputs: { 2: { images: names.map((filename) => ({ filename, subfolder: '', type: 'output' })) } },
    });
    const { runId } = await engine.supervisor.start(request);
    expect(await engine.ended(runId)).toMatchObject({ status: 'failed', error: { code: 'OUTPUT_MISSING' } });
    expect(engine.fake.requests.filter(({ path }) => path === '/view')).toEqual([]);
  });
});
