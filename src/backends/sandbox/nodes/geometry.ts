/** Nodes that cut, pad, turn and stack pictures without changing their values. */
import { blank, crop, type Pixels, withChannels } from '../images/pixels.ts';
import { resize } from '../images/resample.ts';
import type { ImageValue } from '../values.ts';
import { combo, int, link, MAX_SIDE, type NodeDefinition, side } from './define.ts';

const offset = int({ default: 0, min: 0, max: MAX_SIDE, step: 1 });
const padding = int({ default: 0, min: 0, max: MAX_SIDE, step: 8 });

/** The pixel of the source that lands at (x, y) of a picture of the given size. */
function rearrange(image: Pixels, width: number, height: number, from: (x: number, y: number) => readonly [number, number]): Pixels {
  const out = blank(width, height, image.channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [sourceX, sourceY] = from(x, y);
      const source = (sourceY * image.width + sourceX) * image.channels;
      out.data.set(image.data.subarray(source, source + image.channels), (y * width + x) * image.channels);
    }
  }
  return out;
}

/** Clockwise. */
function rotate(image: Pixels, quarters: number): Pixels {
  const { width, height } = image;
  if (quarters === 1) return rearrange(image, height, width, (x, y) => [y, height - 1 - x]);
  if (quarters === 2) return rearrange(image, width, height, (x, y) => [width - 1 - x, height - 1 - y]);
  if (quarters === 3) return rearrange(image, height, width, (x, y) => [width - 1 - y, x]);
  return image;
}

const each = (value: ImageValue, change: (frame: Pixels) => Pixels): { outputs: [ImageValue] } => ({
  outputs: [{ ...value, frames: value.frames.map(change) }],
});

/** How strongly an outpainting mask still covers a pixel of the original, `feathering` pixels around each padded edge. */
function padMask(
  width: number,
  height: number,
  edges: { left: number; top: number; right: number; bottom: number },
  feathering: number,
): Pixels {
  const mask = blank(width + edges.left + edges.right, height + edges.top + edges.bottom, 1, 1);
  const soft = feathering > 0 && feathering * 2 < width && feathering * 2 < height;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const distance = Math.min(
        edges.top === 0 ? height : y,
        edges.bottom === 0 ? height : height - y,
        edges.left === 0 ? width : x,
        edges.right === 0 ? width : width - x,
      );
      const cover = soft && distance < feathering ? ((feathering - distance) / feathering) ** 2 : 0;
      mask.data[(y + edges.top) * mask.width + x + edges.left] = cover;
    }
  }
  return mask;
}

export const GEOMETRY_NODES: readonly NodeDefinition[] = [
  {
    name: 'ImageCrop',
    displayName: 'Crop Image (DEPRECATED)',
    category: 'image/transform',
    module: 'comfy_extras.nodes_images',
    schema: 'v3',
    deprecated: true,
    required: { image: link('IMAGE'), width: side(512), height: side(512), x: offset, y: offset },
    outputs: [['IMAGE', 'IMAGE']],
    run(inputs) {
      const [x, y, width, height] = [inputs.integer('x'), inputs.integer('y'), inputs.integer('width'), inputs.integer('height')];
      return each(inputs.value('image', 'image'), (frame) =>
        crop(frame, Math.min(x, frame.width - 1), Math.min(y, frame.height - 1), width, height),
      );
    },
  },
  {
    name: 'ImageFlip',
    displayName: 'Flip Image',
    category: 'image/transform',
    module: 'comfy_extras.nodes_images',
    schema: 'v3',
    required: { image: link('IMAGE'), flip_method: combo(['x-axis: vertically', 'y-axis: horizontally']) },
    outputs: [['IMAGE', 'IMAGE']],
    run(inputs) {
      const upside = inputs.string('flip_method').startsWith('x');
      return each(inputs.value('image', 'image'), (frame) =>
        rearrange(frame, frame.width, frame.height, (x, y) => (upside ? [x, frame.height - 1 - y] : [frame.width - 1 - x, y])),
      );
    },
  },
  {
    name: 'ImageRotate',
    displayName: 'Rotate Image',
    category: 'image/transform',
    module: 'comfy_extras.nodes_images',
    schema: 'v3',
    required: { image: link('IMAGE'), rotation: combo(['none', '90 degrees', '180 degrees', '270 degrees']) },
    outputs: [['IMAGE', 'IMAGE']],
    run(inputs) {
      const quarters = { '90': 1, '18': 2, '27': 3 }[inputs.string('rotation').slice(0, 2)] ?? 0;
      return each(inputs.value('image', 'image'), (frame) => rotate(frame, quarters));
    },
  },
  {
    name: 'ImagePadForOutpaint',
    displayName: 'Pad Image for Outpainting',
    category: 'image/transform',
    module: 'nodes',
    schema: 'v1',
    required: {
      image: link('IMAGE'),
      left: padding,
      top: padding,
      right: padding,
      bottom: padding,
      feathering: int({ default: 40, min: 0, max: MAX_SIDE, step: 1, advanced: true }),
    },
    outputs: [
      ['IMAGE', 'IMAGE'],
      ['MASK', 'MASK'],
    ],
    run(inputs) {
      const value = inputs.value('image', 'image');
      const edges = {
        left: inputs.integer('left'),
        top: inputs.integer('top'),
        right: inputs.integer('right'),
        bottom: inputs.integer('bottom'),
      };
      const padded = value.frames.map((frame) => {
        const out = blank(frame.width + edges.left + edges.right, frame.height + edges.top + edges.bottom, frame.channels, 0.5);
        paste(out, frame, edges.left, edges.top);
        return out;
      });
      const [first] = value.frames;
      if (first === undefined) throw new Error('the batch is empty');
      const mask = padMask(first.width, first.height, edges, inputs.integer('feathering'));
      return {
        outputs: [
          { ...value, frames: padded },
          { kind: 'mask', frames: [mask], draft: value.draft },
        ],
      };
    },
  },
  {
    name: 'ImageBatch',
    displayName: 'Batch Images (DEPRECATED)',
    category: 'image/batch',
    module: 'nodes',
    schema: 'v1',
    deprecated: true,
    required: { image1: link('IMAGE'), image2: link('IMAGE') },
    outputs: [['IMAGE', 'IMAGE']],
    run(inputs) {
      const one = inputs.value('image1', 'image');
      const two = inputs.value('image2', 'image');
      const [first] = one.frames;
      if (first === undefined) return { outputs: [two] };
      const channels = Math.max(first.channels, two.frames[0]?.channels ?? 0);
      const fitted = two.frames.map((frame) =>
        frame.width === first.width && frame.height === first.height
          ? frame
          : resize(frame, first.width, first.height, 'bilinear', 'center'),
      );
      const frames = [...one.frames, ...fitted].map((frame) => withChannels(frame, channels));
      return { outputs: [{ kind: 'image', frames, draft: one.draft || two.draft }] };
    },
  },
  {
    name: 'RepeatImageBatch',
    displayName: 'Repeat Image Batch',
    category: 'image/batch',
    module: 'comfy_extras.nodes_images',
    schema: 'v3',
    required: { image: link('IMAGE'), amount: int({ default: 1, min: 1, max: 4096 }) },
    outputs: [['IMAGE', 'IMAGE']],
    run(inputs) {
      const value = inputs.value('image', 'image');
      return { outputs: [{ ...value, frames: Array.from({ length: inputs.integer('amount') }, () => value.frames).flat() }] };
    },
  },
  {
    name: 'ImageFromBatch',
    displayName: 'Get Image from Batch',
    category: 'image/batch',
    module: 'comfy_extras.nodes_images',
    schema: 'v3',
    required: {
      image: link('IMAGE'),
      batch_index: int({ default: 0, min: -MAX_SIDE, max: MAX_SIDE }),
      length: int({ default: 1, min: 1, max: 4096 }),
    },
    outputs: [['IMAGE', 'IMAGE']],
    run(inputs) {
      const value = inputs.value('image', 'image');
      const count = value.frames.length;
      const wanted = inputs.integer('batch_index');
      const start = Math.min(count - 1, wanted < 0 ? Math.max(0, count + wanted) : wanted);
      return { outputs: [{ ...value, frames: value.frames.slice(start, start + Math.min(count - start, inputs.integer('length'))) }] };
    },
  },
  {
    name: 'GetImageSize',
    displayName: 'Get Image Size',
    category: 'image',
    module: 'comfy_extras.nodes_images',
    schema: 'v3',
    required: { image: link('IMAGE') },
    hidden: { unique_id: 'UNIQUE_ID' },
    outputs: [
      ['INT', 'width'],
      ['INT', 'height'],
      ['INT', 'batch_size'],
    ],
    run(inputs) {
      const { frames } = inputs.value('image', 'image');
      return { outputs: [frames[0]?.width ?? 0, frames[0]?.height ?? 0, frames.length] };
    },
  },
];

/** Writes `source` into `target` with its corner at (x, y); what hangs over is left out. */
function paste(target: Pixels, source: Pixels, x: number, y: number): void {
  for (let row = 0; row < source.height; row++) {
    const line = source.data.subarray(row * source.width * source.channels, (row + 1) * source.width * source.channels);
    target.data.set(line, ((y + row) * target.width + x) * target.channels);
  }
}
