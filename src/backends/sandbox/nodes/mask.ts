/** Nodes that make and change masks. */
import { blank, channelOf, clamp01, crop, mapPixels, type Pixels } from '../images/pixels.ts';
import type { MaskValue } from '../values.ts';
import { bool, combo, float, int, link, MAX_SIDE, type NodeDefinition, side, type InputSpec } from './define.ts';

const BASE = { category: 'image/mask', module: 'comfy_extras.nodes_mask', schema: 'v3', outputs: [['MASK', 'MASK']] } as const;
const CHANNELS = ['red', 'green', 'blue', 'alpha'];
const offset: InputSpec = int({ default: 0, min: 0, max: MAX_SIDE, step: 1 });

const OPERATIONS: Readonly<Record<string, (target: number, source: number) => number>> = {
  multiply: (target, source) => target * source,
  add: (target, source) => target + source,
  subtract: (target, source) => target - source,
  and: (target, source) => Number(evenRound(target) !== 0 && evenRound(source) !== 0),
  or: (target, source) => Number(evenRound(target) !== 0 || evenRound(source) !== 0),
  xor: (target, source) => Number((evenRound(target) !== 0) !== (evenRound(source) !== 0)),
};

/** torch rounds halves to even: 0.5 is off. */
function evenRound(value: number): number {
  return value > 0.5 ? 1 : 0;
}

function each(mask: MaskValue, change: (frame: Pixels) => Pixels): { outputs: [MaskValue] } {
  return { outputs: [{ ...mask, frames: mask.frames.map(change) }] };
}

function combine(target: Pixels, source: Pixels, x: number, y: number, operation: (target: number, source: number) => number): Pixels {
  const out: Pixels = { ...target, data: Float32Array.from(target.data) };
  for (let row = 0; row < Math.min(source.height, target.height - y); row++) {
    for (let column = 0; column < Math.min(source.width, target.width - x); column++) {
      const place = (row + y) * target.width + column + x;
      out.data[place] = clamp01(operation(target.data[place] ?? 0, source.data[row * source.width + column] ?? 0));
    }
  }
  return out;
}

/** One pixel of growth (or shrinkage) by the extreme over a 3 × 3 neighbourhood; tapered corners leave the diagonals out. */
function growOnce(mask: Pixels, outward: boolean, tapered: boolean): Pixels {
  const out = blank(mask.width, mask.height, 1);
  for (let y = 0; y < mask.height; y++) {
    for (let x = 0; x < mask.width; x++) {
      let extreme = mask.data[y * mask.width + x] ?? 0;
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          if (tapered && dx !== 0 && dy !== 0) continue;
          // scipy mirrors at the border with the edge repeated, which never changes an extreme.
          const near = mask.data[clampIndex(y + dy, mask.height) * mask.width + clampIndex(x + dx, mask.width)] ?? 0;
          extreme = outward ? Math.max(extreme, near) : Math.min(extreme, near);
        }
      }
      out.data[y * mask.width + x] = extreme;
    }
  }
  return out;
}

function clampIndex(index: number, length: number): number {
  return Math.min(length - 1, Math.max(0, index));
}

/** The factor of each index along one axis when `near` fade in from the start and `far` from the end. */
function fades(length: number, near: number, far: number): Float32Array {
  const factors = new Float32Array(length).fill(1);
  for (let step = 0; step < Math.min(length, near); step++) factors[step] = (factors[step] ?? 1) * ((step + 1) / near);
  for (let step = 0; step < Math.min(length, far); step++) {
    // ComfyUI counts from the end with index −step, and −0 is the first row: kept as it is.
    const place = step === 0 ? 0 : length - step;
    factors[place] = (factors[place] ?? 1) * ((step + 1) / far);
  }
  return factors;
}

function feather(mask: Pixels, edges: { left: number; top: number; right: number; bottom: number }): Pixels {
  const columns = fades(mask.width, Math.min(mask.width, edges.left), Math.min(mask.width, edges.right));
  const rows = fades(mask.height, Math.min(mask.height, edges.top), Math.min(mask.height, edges.bottom));
  const data = mask.data.map(
    (value, place) => Math.fround(value * (columns[place % mask.width] ?? 1)) * (rows[Math.floor(place / mask.width)] ?? 1),
  );
  return { ...mask, data };
}

export const MASK_NODES: readonly NodeDefinition[] = [
  {
    ...BASE,
    name: 'SolidMask',
    displayName: 'Create Solid Mask',
    required: { value: float({ default: 1, min: 0, max: 1, step: 0.01 }), width: side(512), height: side(512) },
    run: (inputs) => ({
      outputs: [
        { kind: 'mask', frames: [blank(inputs.integer('width'), inputs.integer('height'), 1, inputs.number('value'))], draft: false },
      ],
    }),
  },
  {
    ...BASE,
    name: 'InvertMask',
    displayName: 'Invert Mask',
    required: { mask: link('MASK') },
    run: (inputs) => each(inputs.value('mask', 'mask'), (frame) => mapPixels(frame, (value) => 1 - value)),
  },
  {
    ...BASE,
    name: 'ImageToMask',
    displayName: 'Convert Image to Mask',
    required: { image: link('IMAGE'), channel: combo(CHANNELS) },
    run(inputs) {
      const value = inputs.value('image', 'image');
      const channel = CHANNELS.indexOf(inputs.string('channel'));
      const frames = value.frames.map((frame) => {
        if (channel >= frame.channels)
          throw new RangeError(`index ${channel} is out of bounds for dimension 3 with size ${frame.channels}`);
        return channelOf(frame, channel);
      });
      return { outputs: [{ kind: 'mask', frames, draft: value.draft }] };
    },
  },
  {
    ...BASE,
    name: 'CropMask',
    displayName: 'Crop Mask',
    required: { mask: link('MASK'), x: offset, y: offset, width: side(512), height: side(512) },
    run: (inputs) =>
      each(inputs.value('mask', 'mask'), (frame) =>
        crop(frame, inputs.integer('x'), inputs.integer('y'), inputs.integer('width'), inputs.integer('height')),
      ),
  },
  {
    ...BASE,
    name: 'MaskComposite',
    displayName: 'Combine Masks',
    required: { destination: link('MASK'), source: link('MASK'), x: offset, y: offset, operation: combo(Object.keys(OPERATIONS)) },
    run(inputs) {
      const target = inputs.value('destination', 'mask');
      const source = inputs.value('source', 'mask');
      const operation = OPERATIONS[inputs.string('operation')];
      const [first] = source.frames;
      if (operation === undefined || first === undefined) throw new Error('nothing to combine');
      const frames = target.frames.map((frame, index) =>
        combine(frame, source.frames[index % source.frames.length] ?? first, inputs.integer('x'), inputs.integer('y'), operation),
      );
      return { outputs: [{ kind: 'mask', frames, draft: target.draft || source.draft }] };
    },
  },
  {
    ...BASE,
    name: 'GrowMask',
    displayName: 'Grow Mask',
    required: {
      mask: link('MASK'),
      expand: int({ default: 0, min: -MAX_SIDE, max: MAX_SIDE, step: 1 }),
      tapered_corners: bool(true, { advanced: true }),
    },
    run(inputs) {
      const expand = inputs.integer('expand');
      const tapered = inputs.boolean('tapered_corners');
      return each(inputs.value('mask', 'mask'), (frame) => {
        let grown = frame;
        for (let pass = 0; pass < Math.abs(expand); pass++) grown = growOnce(grown, expand > 0, tapered);
        return grown;
      });
    },
  },
  {
    ...BASE,
    name: 'FeatherMask',
    displayName: 'Feather Mask',
    required: { mask: link('MASK'), left: offset, top: offset, right: offset, bottom: offset },
    run(inputs) {
      const edges = {
        left: inputs.integer('left'),
        top: inputs.integer('top'),
        right: inputs.integer('right'),
        bottom: inputs.integer('bottom'),
      };
      return each(inputs.value('mask', 'mask'), (frame) => feather(frame, edges));
    },
  },
];
