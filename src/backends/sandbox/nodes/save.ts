/** Nodes that write pictures to output/ or temp/, with the graph inside, as ComfyUI does. */
import { encodePng, encodeWebp } from '../images/codec.ts';
import { spread } from '../images/pixels.ts';
import { addPngText } from '../images/png-text.ts';
import { printJson, type Json } from '../json.ts';
import type { FolderName } from '../storage.ts';
import type { ImageValue } from '../values.ts';
import { bool, combo, float, int, link, type NodeContext, type NodeDefinition, type NodeResult, text } from './define.ts';

const HIDDEN = { prompt: 'PROMPT', extra_pnginfo: 'EXTRA_PNGINFO' };
/** ComfyUI gives each process its own temp prefix; five letters. */
const TEMP_MARK = Array.from({ length: 5 }, () => 'abcdefghijklmnopqrstupvxyz'[Math.floor(Math.random() * 26)]).join('');
/** sharp's `effort` for ComfyUI's names of WebP methods. */
const WEBP_EFFORT: Readonly<Record<string, number>> = { default: 4, fastest: 0, slowest: 6 };

/** The metadata of a saved file; `callsheet` marks a draft so that nobody takes it for a model's work. */
function metadata(value: ImageValue, context: NodeContext): Record<string, string> {
  const entries: Record<string, string> = { prompt: printJson(context.prompt) };
  for (const [key, extra] of Object.entries(context.extraPngInfo)) entries[key] = printJson(extra);
  if (value.draft) entries['callsheet'] = printJson({ draft: true, backend: 'sandbox' });
  return entries;
}

async function savePngs(value: ImageValue, type: FolderName, prefix: string, level: number, context: NodeContext): Promise<Json[]> {
  const [first] = value.frames;
  if (first === undefined) throw new Error('there is no picture to save');
  const reservation = context.environment.storage.reserve(type, prefix, first);
  const entries = metadata(value, context);
  const files: Json[] = [];
  for (const [index, frame] of value.frames.entries()) {
    const png = addPngText(await encodePng(frame, level), entries);
    files.push({ ...reservation.write(index, 'png', png), ...(value.draft ? { draft: true } : {}) });
  }
  return files;
}

async function preview(value: ImageValue, context: NodeContext): Promise<NodeResult> {
  const images = await savePngs(value, 'temp', `ComfyUI_temp_${TEMP_MARK}`, 1, context);
  return { outputs: [value], ui: { images } };
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
    name: 'SaveAnimatedWEBP',
    displayName: 'Save Animated WEBP',
    category: 'image',
    module: 'comfy_extras.nodes_images',
    schema: 'v3',
    required: {
      images: link('IMAGE'),
      filename_prefix: text({ default: 'ComfyUI', multiline: false }),
      fps: float({ default: 6, min: 0.01, max: 1000, step: 0.01 }),
      lossless: bool(true),
      quality: int({ default: 80, min: 0, max: 100 }),
      method: combo(Object.keys(WEBP_EFFORT)),
    },
    hidden: HIDDEN,
    outputs: [['IMAGE', 'images']],
    isOutput: true,
    async run(inputs, context) {
      const value = inputs.value('images', 'image');
      const [first] = value.frames;
      if (first === undefined) throw new Error('there is no picture to save');
      const reservation = context.environment.storage.reserve('output', inputs.string('filename_prefix'), first);
      const bytes = await encodeWebp(value.frames, {
        fps: inputs.number('fps'),
        lossless: inputs.boolean('lossless'),
        quality: Math.max(1, inputs.integer('quality')),
        effort: WEBP_EFFORT[inputs.string('method')] ?? 4,
      });
      const file = { ...reservation.write(0, 'webp', bytes), ...(value.draft ? { draft: true } : {}) };
      return { outputs: [value], ui: { images: [file], animated: [true] } };
    },
  },
];
