/**
 * Two graphs in one prompt against the two by themselves, with the file of the first saved, fetched and uploaded in between: the second
 * gives the same pixels. On the sandbox, and on a real ComfyUI when CALLSHEET_TEST_COMFYUI holds its address.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Sandbox } from '#backends/sandbox/options.ts';
import { startSandbox } from '#backends/sandbox/server.ts';
import { fuseGraphs } from '#graph/fuse.ts';
import { parseGraph } from '#graph/graph.ts';
import { type ObjectInfo, parseObjectInfo } from '#graph/object-info.ts';
import type { Graph } from '#graph/types.ts';
import type { TestGraph } from '../backends/sandbox/graphs.ts';
import { fetchPicture, largestDifference, picturesOf, runToEnd, upload } from './comfy-client.ts';
import { CUTOUT, PHOTO, PIXEL_CASES, samplePicture } from './pixel-cases.ts';

const real = process.env['CALLSHEET_TEST_COMFYUI'];
const HANDED_ON = 'callsheet-handed-on.png';

let dir: string;
let sandbox: Sandbox;

beforeAll(async () => {
  if (real === undefined) process.stderr.write('CALLSHEET_TEST_COMFYUI is not set: fused steps run on the sandbox alone.\n');
  dir = mkdtempSync(join(tmpdir(), 'callsheet-fused-'));
  sandbox = await startSandbox({ dir, latencyMs: 0 });
  for (const url of [sandbox.url, ...(real === undefined ? [] : [real])]) {
    await upload(url, PHOTO, await samplePicture(87, 61, false));
    await upload(url, CUTOUT, await samplePicture(40, 30, true));
  }
});
afterAll(async () => {
  await sandbox.close();
  rmSync(dir, { recursive: true, force: true });
});

/** What the second step does with the picture: each of it is saved. */
const SECOND: TestGraph = {
  '1': { class_type: 'LoadImage', inputs: { image: HANDED_ON } },
  '11': { class_type: 'ImageInvert', inputs: { image: ['1', 0] } },
  '12': { class_type: 'ImageScaleBy', inputs: { image: ['1', 0], upscale_method: 'bicubic', scale_by: 2 } },
  '13': { class_type: 'ImageSharpen', inputs: { image: ['1', 0], sharpen_radius: 2, sigma: 1, alpha: 1.5 } },
  '14': { class_type: 'ImageBlend', inputs: { image1: ['1', 0], image2: ['13', 0], blend_factor: 0.35, blend_mode: 'soft_light' } },
  ...Object.fromEntries(
    ['1', '11', '12', '14'].map((node) => [`2${node}`, { class_type: 'SaveImage', inputs: { images: [node, 0], filename_prefix: node } }]),
  ),
};
const SAVERS = ['21', '211', '212', '214'];

/** Several pictures are never handed on. */
const CASES = PIXEL_CASES.filter(({ name }) => !name.startsWith('ImageBatch'));

describe.each([
  ['the sandbox', () => sandbox.url],
  ['a real ComfyUI', () => real],
] as const)('a picture that is handed on, on %s', { timeout: 300_000 }, (_, urlOf) => {
  it.for(CASES)('of $name is what its file would have been', async ({ graph }, { skip }) => {
    const url = urlOf() ?? '';
    if (url === '') skip('there is none');
    const info = await infoOf(url);
    if (Object.values(graph).some(({ class_type: name }) => !info.classes.has(name))) skip('the server does not have it');
    expect(await differences(url, graph, info, true)).toEqual([0, 0, 0, 0]);
  });

  it('with all its digits is a level away from that at most, where pixels were no whole levels', async ({ skip }) => {
    const url = urlOf() ?? '';
    if (url === '') skip('there is none');
    const graph = CASES.find(({ name }) => name === 'ImageScale bicubic, larger')?.graph ?? {};
    const [untouched, inverted] = await differences(url, graph, await infoOf(url), false);
    expect([untouched, inverted]).toEqual([0, 1]);
  });
});

// --- helpers ---

/** By saver, in levels. */
async function differences(url: string, first: TestGraph, info: ObjectInfo, rounds: boolean): Promise<readonly number[]> {
  const fused = fuseGraphs(read(first), read(SECOND), { info, prefix: 'next/', taken: [{ loader: '1', saver: '20' }], rounds });
  if ('why' in fused) throw new Error(fused.why);
  await upload(url, HANDED_ON, await fetchPicture(url, await runToEnd(url, first), '20'));
  const alone = await runToEnd(url, SECOND);
  // What the server keeps of the first would answer for the second.
  await fetch(`${url}/free`, { method: 'POST', body: '{"free_memory":true,"unload_models":true}' });
  const both = await runToEnd(url, JSON.parse(fused.text) as TestGraph);
  expect(await picturesOf(url, both, '20')).toHaveLength(1);
  const found: number[] = [];
  for (const saver of SAVERS) {
    const [[one], [other]] = [await picturesOf(url, alone, saver), await picturesOf(url, both, `next/${saver}`)];
    found.push(largestDifference(one, other));
  }
  return found;
}

function read(plain: TestGraph): Graph {
  const { graph } = parseGraph(JSON.stringify(plain));
  if (graph === undefined) throw new Error('This is no graph.');
  return graph;
}

async function infoOf(url: string): Promise<ObjectInfo> {
  const { info } = parseObjectInfo(await (await fetch(`${url}/object_info`)).text());
  if (info === undefined) throw new Error('no object info');
  return info;
}
