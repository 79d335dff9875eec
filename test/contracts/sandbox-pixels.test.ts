/**
 * The sandbox's pixel nodes against a real ComfyUI, when CALLSHEET_TEST_COMFYUI holds its address. Without one the nodes
 * are still run, and the exact ones are compared with arithmetic written down in test/backends/sandbox/pixels.test.ts.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { startTestSandbox, type TestGraph } from '../backends/sandbox/graphs.ts';
import { largestDifference, picturesOf, type Raster, runToEnd, upload } from './comfy-client.ts';
import { CUTOUT, PHOTO, PIXEL_CASES, samplePicture } from './pixel-cases.ts';

const real = process.env['CALLSHEET_TEST_COMFYUI'];
const known = new Set<string>();

async function uploadSamples(url: string): Promise<void> {
  await upload(url, PHOTO, await samplePicture(87, 61, false));
  await upload(url, CUTOUT, await samplePicture(48, 40, true));
}

describe('pixel nodes of the sandbox', () => {
  beforeAll(async () => {
    if (real === undefined) {
      process.stderr.write('CALLSHEET_TEST_COMFYUI is not set: pixel nodes run on the sandbox alone, nothing is compared.\n');
      return;
    }
    await uploadSamples(real);
    const info: unknown = await (await fetch(`${real}/object_info`)).json();
    for (const name of Object.keys(info ?? {})) known.add(name);
  });

  for (const { name, tolerance, graph } of PIXEL_CASES) {
    it(`${name}: within ${tolerance} of 255 levels of a real ComfyUI`, async ({ annotate }) => {
      const { url } = await startTestSandbox();
      await uploadSamples(url);
      const ours = await picturesOf(url, await runToEnd(url, graph), '20');
      expect(ours).not.toHaveLength(0);
      const className = graph['10']?.class_type ?? '';
      if (real !== undefined && !known.has(className)) await annotate(`the real ComfyUI has no ${className}`);
      const theirs = real === undefined || !known.has(className) ? ours : await picturesOf(real, await runToEnd(real, graph), '20');
      expect(ours).toHaveLength(theirs.length);
      const difference = Math.max(...ours.map((picture, index) => largestDifference(picture, theirs[index])));
      await annotate(`largest difference: ${difference} of 255`);
      expect(difference).toBeLessThanOrEqual(tolerance);
    });
  }

  it('pixel-postcard: the same pixels as a real ComfyUI', async () => {
    const { url } = await startTestSandbox();
    const folder = new URL('../../templates/image/pixel-postcard/', import.meta.url);
    const graph = JSON.parse(readFileSync(new URL('workflow.json', folder), 'utf8')) as TestGraph;
    const cards: (Raster | undefined)[] = [];
    for (const server of [url, real ?? url]) {
      await upload(server, 'photo.png', readFileSync(new URL('example.png', folder)));
      cards.push((await picturesOf(server, await runToEnd(server, graph), '7'))[0]);
    }
    expect(largestDifference(cards[0], cards[1])).toBe(0);
  });
});
