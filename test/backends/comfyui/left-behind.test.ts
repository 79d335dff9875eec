/** What a forgotten prompt left on disk: only what the graph proves to be all of it counts (DESIGN 4, loss). */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Attempt, LeftBehind } from '#backends/contract.ts';
import type { FakeComfyUI } from '../../fakes/fake-comfyui.ts';
import { connect, newAttempt, startFake } from './harness.ts';

type GraphOf = Record<string, { class_type: string; inputs: Record<string, unknown> }>;

const empty = (batch: unknown = 1) => ({ class_type: 'EmptyImage', inputs: { width: 8, height: 8, color: 0, batch_size: batch } });
const save = (from: string, prefix: unknown = 'shot') => ({
  class_type: 'SaveImage',
  inputs: { images: [from, 0], filename_prefix: prefix },
});

async function find(
  fake: FakeComfyUI,
  graph: GraphOf,
  attempt: Attempt,
  outputNodes: readonly string[] = [],
): Promise<LeftBehind | undefined> {
  return connect(fake.url).findLeft?.(attempt, { text: JSON.stringify(graph), outputNodes });
}

function put(fake: FakeComfyUI, attempt: Attempt, ...names: readonly string[]): void {
  for (const name of names) {
    const cut = name.lastIndexOf('/');
    const folder = cut < 0 ? '' : `/${name.slice(0, cut)}`;
    fake.files.set(`output/callsheet/${attempt.promptId}${folder}/${name.slice(cut + 1)}`, Buffer.from('x'));
  }
}

const names = (left: LeftBehind | undefined) =>
  left?.state === 'complete' ? left.outputs.files.map(({ node, subfolder, filename }) => [node, subfolder, filename]) : left;

describe('files of a lost prompt', () => {
  it('are complete when as many are there as the graph makes, and not one more', async () => {
    const fake = await startFake();
    const attempt = newAttempt();
    const graph = { 1: empty(2), 2: { class_type: 'ImageInvert', inputs: { image: ['1', 0] } }, 3: save('2', 'a/shot') };
    expect(await find(fake, graph, attempt)).toEqual({ state: 'nothing' });
    put(fake, attempt, 'a/shot_00001_.png');
    expect(await find(fake, graph, attempt)).toEqual({ state: 'unproven', why: 'only 1 of 2 files are there' });
    put(fake, attempt, 'a/shot_00002_.png');
    const folder = `callsheet/${attempt.promptId}/a`;
    expect(names(await find(fake, graph, attempt))).toEqual([
      ['3', folder, 'shot_00001_.png'],
      ['3', folder, 'shot_00002_.png'],
    ]);
    put(fake, attempt, 'a/shot_00003_.png');
    expect(await find(fake, graph, attempt)).toEqual({ state: 'unproven', why: 'shot_00003_.png is there too' });
  });

  it('are only those of the outputs that the step declares', async () => {
    const fake = await startFake();
    const attempt = newAttempt();
    put(fake, attempt, 'shot_00001_.png');
    const graph = { 1: empty(), 2: save('1'), 3: save('1', 'other') };
    expect(names(await find(fake, graph, attempt, ['2']))).toHaveLength(1);
    expect(await find(fake, graph, attempt)).toEqual({ state: 'unproven', why: 'only 1 of 2 files are there' });
  });

  it.each<[string, GraphOf, string]>([
    ['a batch of unknown size', { 1: { class_type: 'Slow', inputs: {} }, 2: save('1') }, 'how many files node 2 (SaveImage)'],
    ['a batch that a node decides', { 1: empty(['9', 0]), 9: { class_type: 'Slow', inputs: {} }, 2: save('1') }, 'how many files'],
    ['a prefix with a variable', { 1: empty(), 2: save('1', '%year%/shot') }, 'is made up while it runs'],
    ['a prefix from another node', { 1: empty(), 2: save('1', ['1', 0]) }, 'is made up while it runs'],
    ['a node that may give a list', { 1: { class_type: 'Unheard', inputs: {} }, 2: save('1') }, 'node 1 (Unheard) may give a list'],
    ['a saver of unknown names', { 1: empty(), 2: { class_type: 'PreviewAny', inputs: { source: ['1', 0] } } }, 'names its files'],
    ['two savers with one prefix', { 1: empty(), 2: save('1'), 3: save('1', 'SHOT') }, 'under the same prefix'],
    ['nothing that saves', { 1: empty() }, 'no node of the graph'],
  ])('prove nothing with %s', async (_, graph, why) => {
    const fake = await startFake();
    const attempt = newAttempt();
    put(fake, attempt, 'shot_00001_.png', 'SHOT_00001_.png');
    expect(await find(fake, graph, attempt)).toEqual({ state: 'unproven', why: expect.stringContaining(why) as unknown });
  });

  it('count a loaded picture as one only when it is no animation', async () => {
    const fake = await startFake();
    const attempt = newAttempt();
    put(fake, attempt, 'shot_00001_.png');
    const still = await sharp({ create: { width: 4, height: 4, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const moving = Buffer.concat([
      still.subarray(0, 33),
      Buffer.from('\0\0\0\x08acTL\0\0\0\x02\0\0\0\0CRCC', 'latin1'),
      still.subarray(33),
    ]);
    fake.files.set('input//still.png', still);
    fake.files.set('input//moving.png', moving);
    const graph = (image: string) => ({ 1: { class_type: 'LoadImage', inputs: { image } }, 2: save('1') });
    expect(names(await find(fake, graph('still.png'), attempt))).toHaveLength(1);
    expect(names(await find(fake, graph('photo.jpg'), attempt))).toHaveLength(1);
    for (const name of ['moving.png', 'gone.png', 'moving.gif']) {
      expect(await find(fake, graph(name), attempt)).toMatchObject({ state: 'unproven' });
    }
  });
});
