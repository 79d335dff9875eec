/** A picture that a step hands on: made again it is another file of the same pixels, and the next step is to find what it made of them. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import type { RunView } from '#protocol/views.ts';
import { freshDirectory } from '../results/samples.ts';
import { cacheOf, type RigOptions, startCacheRig } from './result-cache/cache-rig.ts';

const save = (from: string) => ({ class_type: 'SaveImage', inputs: { images: [from, 0], filename_prefix: 'x' } });
const MAKES = {
  '1': { class_type: 'EmptyImage', inputs: { width: 8, height: 8, batch_size: 1, color: 255 } },
  '2': save('1'),
};
const takes = (classType: string) => ({
  '1': { class_type: classType, inputs: { image: 'x.png', ...(classType === 'LoadImageMask' ? { channel: 'red' } : {}) } },
  ...(classType === 'LoadImageMask'
    ? { '3': { class_type: 'MaskToImage', inputs: { mask: ['1', 0] } }, '2': save('3') }
    : { '3': { class_type: 'ImageInvert', inputs: { image: ['1', 0] } }, '2': save('3') }),
});

/** The first step is made anew each time, and each step has a prompt of its own. */
const chain = (classType: string) => ({
  steps: [
    { id: 'first', graph: MAKES, step: { cache: false, outputs: { out: '2' } } },
    { id: 'next', graph: takes(classType), step: { fuse: false, set: { '1.image': '{steps.first.out}' }, outputs: { out: '2' } } },
  ],
});

async function start(classType: string, options: RigOptions = {}) {
  const dir = freshDirectory();
  return { dir, rig: await startCacheRig({ ...options, sandbox: { dir }, chains: { it: chain(classType) } }) };
}

const givenBy = ({ artifacts }: RunView, step: string): string => artifacts.find((one) => one.step === step)?.path ?? '';
/** Uploads that lie on the server. */
const uploadsIn = (dir: string): readonly string[] =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => /input\/callsheet-[0-9a-f]{64}\.png$/.test(name));

it.each(['LoadImage', 'LoadImageMask'])('is sent to %s without what was written into it, under one name', async (classType) => {
  const { rig, dir } = await start(classType);
  const [one, two] = [await rig.run({ template: 'it' }), await rig.run({ template: 'it' })];
  expect([one.status, two.status]).toEqual(['succeeded', 'succeeded']);
  const [before, after] = [one, two].map((run) => readFileSync(givenBy(run, 'first')));
  expect(before?.equals(after ?? Buffer.alloc(0))).toBe(false);
  const [name = '', ...others] = uploadsIn(dir);
  expect(others).toEqual([]);
  const sent = readFileSync(join(dir, name));
  expect(name).toContain(createHash('sha256').update(sent).digest('hex'));
  expect((await sharp(sent).raw().toBuffer()).equals(await sharp(before).raw().toBuffer())).toBe(true);
  expect(sent.includes('prompt')).toBe(false);
  // What the next step made of these pixels is found again.
  expect(cacheOf(two)['next']).toBe('hit');
});

it('is one file for the server as well, which then reads it no more', async () => {
  const { rig } = await start('LoadImage', { cacheBytes: 0 });
  await rig.run({ template: 'it' });
  await rig.run({ template: 'it' });
  // Its ledger has the nodes that were really executed.
  expect(rig.sandbox.ledger().map(({ nodes }) => nodes.toSorted())).toEqual([['1', '2'], ['1', '2', '3'], ['2'], ['2']]);
});

it('is the same file after a restart of the daemon', async () => {
  const { rig, dir } = await start('LoadImage');
  await rig.run({ template: 'it' });
  await rig.engine.restart();
  expect(cacheOf(await rig.run({ template: 'it' }))['next']).toBe('hit');
  expect(uploadsIn(dir)).toHaveLength(1);
});
