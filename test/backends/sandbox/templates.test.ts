/** The curated templates: they compile without a complaint, and their graphs run on the sandbox as they stand. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { loadTemplate } from '#templates/load.ts';
import { picturesOf, runToEnd, upload } from '../../contracts/comfy-client.ts';
import { startTestSandbox, type TestGraph } from './graphs.ts';

const LIBRARY = fileURLToPath(new URL('../../../templates/', import.meta.url));
const TEMPLATES = ['image/text-to-image-lora', 'character/character-pipeline', 'image/pixel-postcard'];

function workflow(file: string): TestGraph {
  return JSON.parse(readFileSync(path.join(LIBRARY, file), 'utf8')) as TestGraph;
}

describe('curated templates', () => {
  for (const id of TEMPLATES) {
    it(`${id} compiles without a problem`, async () => {
      const { problems, template } = await loadTemplate(path.join(LIBRARY, id));
      expect(problems).toEqual([]);
      expect(template).toBeDefined();
    });
  }

  it('text-to-image-lora drafts a picture on the sandbox', async () => {
    const { url } = await startTestSandbox();
    const [picture] = await picturesOf(url, await runToEnd(url, workflow('image/text-to-image-lora/workflow.json')), '8');
    expect([picture?.width, picture?.height]).toEqual([1024, 1024]);
  });

  it('the three graphs of character-pipeline follow one another on the sandbox', async () => {
    const { url } = await startTestSandbox();
    const folder = 'character/character-pipeline';
    const pass = async (file: string, node: string): Promise<(number | undefined)[]> => {
      const [picture] = await picturesOf(url, await runToEnd(url, workflow(`${folder}/${file}`)), node);
      if (picture === undefined) return [];
      const { width, height, data } = picture;
      await upload(
        url,
        'portrait.png',
        await sharp(data, { raw: { width, height, channels: 3 } })
          .png()
          .toBuffer(),
      );
      return [width, height];
    };
    expect(await pass('base.json', '7')).toEqual([832, 1216]);
    expect(await pass('face-detail.json', '13')).toEqual([832, 1216]);
    expect(await pass('upscale.json', '4')).toEqual([1664, 2432]);
  });

  it('pixel-postcard gives exactly the pixels that its description says', async () => {
    const { url } = await startTestSandbox();
    const photo = readFileSync(path.join(LIBRARY, 'image/pixel-postcard/example.png'));
    await upload(url, 'photo.png', photo);
    const graph = workflow('image/pixel-postcard/workflow.json');
    const [card] = await picturesOf(url, await runToEnd(url, graph), '7');
    const source = await sharp(photo).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const wrong: string[] = [];
    for (let y = 0; y < 560; y++) {
      for (let x = 0; x < 720; x++) {
        const inside = x >= 40 && x < 680 && y >= 40 && y < 520;
        const detail = (Math.floor((y - 40) / 4) * source.info.width + Math.floor((x - 40) / 4)) * 3;
        for (let channel = 0; channel < 3; channel++) {
          const wanted = inside ? inverted(source.data[detail + channel] ?? 0) : 0xf2;
          if (card?.data[(y * 720 + x) * 3 + channel] !== wanted) wrong.push(`${x},${y},${channel}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});

/** ComfyUI: float32 byte/255, 1 − that, × 255, cut. */
function inverted(byte: number): number {
  return Math.floor(Math.fround(255 * Math.fround(1 - Math.fround(byte / 255))));
}
