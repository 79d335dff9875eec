/** Nodes that write pictures to output/ or temp/, with the graph inside, as ComfyUI does. */
import { encodePng } from '../images/codec.ts';
import { spread } from '../images/pixels.ts';
import { addPngText } from '../images/png-text.ts';
import type { Json } from '../json.ts';
import { tagsOf } from '../media/tags.ts';
import type { FolderName } from '../storage.ts';
import type { ImageValue } from '../values.ts';
import { link, type NodeContext, type NodeDefinition, type NodeResult, text } from './define.ts';

export const HIDDEN = { prompt: 'PROMPT', extra_pnginfo: 'EXTRA_PNGINFO' };
/** ComfyUI gives each process its own temp prefix; five letters. */
const TEMP_MARK = Array.from({ length: 5 }, () => 'abcdefghijklmnopqrstupvxyz'[Math.floor(Math.random() * 26)]).join('');

/** Where a node's temporary files go: `ComfyUI_temp_abcde` and on. */
export function tempPrefix(start = 'ComfyUI'): string {
  return `${start}_temp_${TEMP_MARK}`;
}

/** A file as a node reports it; a draft says so. */
export function reported(file: object, draft: boolean): Json {
  return { ...file, ...(draft ? { draft: true } : {}) };
}

async function savePngs(value: ImageValue, type: FolderName, prefix: string, level: number, context: NodeContext): Promise<Json[]> {
  const [first] = value.frames;
  if (first === undefined) throw new Error('there is no picture to save');
  const reservation = context.environment.storage.reserve(type, prefix, first);
  const tags = tagsOf(context.prompt, context.extraPngInfo, value.draft);
  const files: Json[] = [];
  for (const [index, frame] of value.frames.entries()) {
    const png = addPngText(await encodePng(frame, level), Object.fromEntries(tags.map(({ key, text: said }) => [key, said])));
    files.push(reported(reservation.write(index, 'png', png), value.draft));
  }
  return files;
}

async function preview(value: ImageValue, context: NodeContext): Promise<NodeResult> {
  return { outputs: [value], ui: { images: await savePngs(value, 'temp', tempPrefix(), 1, context) } };
}

export const SAVE_NODES: readonly NodeDefinition[] = [
  {
    name: 'SaveImage',
    displayName: 'Save Image',
    category: 'image',
    module: 'nodes',
    schema: 'v1',
    required: { images: link('IMAGE'), filename_prefix: text({ default: 'ComfyUI' }) },
    hidden: HIDDEN,
    outputs: [['IMAGE', 'images']],
    isOutput: true,
    async run(inputs, context) {
      const value = inputs.value('images', 'image');
      return { outputs: [value], ui: { images: await savePngs(value, 'output', inputs.string('filename_prefix'), 4, context) } };
    },
  },
  {
    name: 'PreviewImage',
    displayName: 'Preview Image',
    category: 'image',
    module: 'nodes',
    schema: 'v1',
    required: { images: link('IMAGE') },
    hidden: HIDDEN,
    outputs: [['IMAGE', 'images']],
    isOutput: true,
    run: (inputs, context) => preview(inputs.value('images', 'image'), context),
  },
  {
    name: 'MaskPreview',
    displayName: 'Preview Mask',
    category: 'image/mask',
    module: 'comfy_extras.nodes_mask',
    schema: 'v3',
    required: { mask: link('MASK') },
    hidden: HIDDEN,
    outputs: [['MASK', 'mask']],
    isOutput: true,
    async run(inputs, context) {
      const mask = inputs.value('mask', 'mask');
      const shown: ImageValue = { kind: 'image', frames: mask.frames.map((frame) => spread(frame, 3)), draft: mask.draft };
      const { ui = {} } = await preview(shown, context);
      return { outputs: [mask], ui: { ...ui, animated: [false] } };
    },
  },
  {
    name: 'ImageCompare',
    displayName: 'Compare Images',
    category: 'image',
    module: 'comfy_extras.nodes_image_compare',
    schema: 'v3',
    required: { compare_view: { type: 'IMAGECOMPARE', details: { socketless: true } } },
    optional: { image_a: link('IMAGE'), image_b: link('IMAGE') },
    hidden: HIDDEN,
    outputs: [],
    isOutput: true,
    async run(inputs, context) {
      const ui: Record<string, Json[]> = { a_images: [], b_images: [] };
      for (const side of ['a', 'b'] as const) {
        const value = inputs.optional(`image_${side}`, 'image');
        if (value !== undefined) ui[`${side}_images`] = await savePngs(value, 'temp', tempPrefix(`comfy.compare.${side}`), 1, context);
      }
      return { outputs: [], ui };
    },
  },
];
