/** Nodes that read pictures from input/, output/ or temp/. */
import { decodeFrames } from '../images/codec.ts';
import { blank, channelOf, mapPixels, type Pixels } from '../images/pixels.ts';
import type { JsonRecord } from '../json.ts';
import { pyStr } from '../python.ts';
import { combo, type Environment, type NodeContext, type NodeDefinition } from './define.ts';

const CHANNELS = ['alpha', 'red', 'green', 'blue'];
/** ComfyUI's mask for a picture without alpha. */
const NO_MASK_SIDE = 64;

const picture = combo(({ storage }) => storage.inputs(), { image_upload: true });

const check: NonNullable<NodeDefinition['check']> = {
  inputs: ['image'],
  run(inputs, { storage }) {
    const name = pyStr(inputs['image']);
    return storage.annotated(name) === undefined ? { input: 'image', text: `Invalid image file: ${name}` } : undefined;
  },
};

function fingerprint(inputs: JsonRecord, { storage }: Environment): string | number {
  const file = storage.annotated(pyStr(inputs['image']));
  return file === undefined ? Number.NaN : storage.hash(file);
}

function bytesOf(name: string, { environment }: NodeContext): Buffer {
  const file = environment.storage.annotated(name);
  if (file === undefined) throw new Error(`Invalid image file: ${name}`);
  return environment.storage.read(file);
}

/** A saved draft says so in its metadata; loaded again it is still one. */
function isDraft(bytes: Buffer): boolean {
  return bytes.includes('callsheet\0{"draft":true', 0, 'latin1');
}

const invert = (mask: Pixels): Pixels => mapPixels(mask, (value) => 1 - value);

export const LOAD_NODES: readonly NodeDefinition[] = [
  {
    name: 'LoadImage',
    displayName: 'Load Image',
    category: 'image',
    module: 'nodes',
    schema: 'v1',
    required: { image: picture },
    outputs: [
      ['IMAGE', 'IMAGE'],
      ['MASK', 'MASK'],
    ],
    check,
    fingerprint,
    async run(inputs, context) {
      const bytes = bytesOf(inputs.string('image'), context);
      const draft = isDraft(bytes);
      const decoded = await decodeFrames(bytes);
      const masks = decoded.map(({ alpha }) => (alpha === undefined ? blank(NO_MASK_SIDE, NO_MASK_SIDE, 1) : invert(alpha)));
      return {
        outputs: [
          { kind: 'image', frames: decoded.map(({ image }) => image), draft },
          { kind: 'mask', frames: masks, draft },
        ],
      };
    },
  },
  {
    name: 'LoadImageMask',
    displayName: 'Load Image (as Mask)',
    category: 'image',
    module: 'nodes',
    schema: 'v1',
    required: { image: picture, channel: combo(CHANNELS) },
    outputs: [['MASK', 'MASK']],
    check,
    fingerprint,
    async run(inputs, context) {
      const bytes = bytesOf(inputs.string('image'), context);
      const [first] = await decodeFrames(bytes);
      if (first === undefined) throw new Error('the file holds no picture');
      const channel = CHANNELS.indexOf(inputs.string('channel'));
      const opaque = (): Pixels => blank(first.image.width, first.image.height, 1);
      const mask = channel > 0 ? channelOf(first.image, channel - 1) : first.alpha === undefined ? opaque() : invert(first.alpha);
      return { outputs: [{ kind: 'mask', frames: [mask], draft: isDraft(bytes) }] };
    },
  },
];
