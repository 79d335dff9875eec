/** Graphs that the sandbox can run and that hold what each pass of the optimiser looks for, beside what it must leave alone. */
import fc from 'fast-check';
import type { TestGraph, TestNode } from '../backends/sandbox/graphs.ts';

export interface OptimisableGraph {
  readonly graph: TestGraph;
  /** What the step would declare; empty for every file. */
  readonly outputNodes: readonly string[];
}

type Link = [string, number];
type Dice = (most: number) => number;

interface Builder {
  readonly graph: TestGraph;
  readonly dice: Dice;
  /** Outputs so far, by type. */
  readonly made: Record<string, Link[]>;
  readonly add: (classType: string, inputs: TestNode['inputs'], outputs: Readonly<Record<number, string>>) => Link;
  readonly pick: (type: string) => Link;
}

const METHODS = ['nearest-exact', 'bilinear', 'area', 'bicubic', 'lanczos'];

/** Numbers are written, or come from a primitive. */
function number(build: Builder, type: 'INT' | 'FLOAT', value: number): number | Link {
  return build.dice(4) === 0 ? build.add(type === 'INT' ? 'PrimitiveInt' : 'PrimitiveFloat', { value }, { 0: type }) : value;
}

/** Each grows the graph by a node; about half of them do nothing, or the same as another. */
const GROWTHS: readonly ((build: Builder) => void)[] = [
  ({ add, dice }) =>
    void add(
      'EmptyImage',
      { width: [16, 24][dice(2)] ?? 16, height: 12, batch_size: 1 + dice(2), color: [255, 65280][dice(2)] ?? 0 },
      { 0: 'IMAGE' },
    ),
  ({ add, dice }) => void add('LoadImage', { image: ['plate.png', 'plate.jpg'][dice(2)] ?? '' }, { 0: 'IMAGE', 1: 'MASK' }),
  ({ add, pick }) => void add('ImageInvert', { image: pick('IMAGE') }, { 0: 'IMAGE' }),
  ({ add, pick, dice }) =>
    void add(
      'ImageFlip',
      { image: pick('IMAGE'), flip_method: ['x-axis: vertically', 'y-axis: horizontally'][dice(2)] ?? '' },
      { 0: 'IMAGE' },
    ),
  ({ add, pick, dice }) =>
    void add('ImageRotate', { image: pick('IMAGE'), rotation: ['none', '90 degrees'][dice(2)] ?? '' }, { 0: 'IMAGE' }),
  (build) =>
    void build.add(
      'ImageScale',
      {
        image: build.pick('IMAGE'),
        upscale_method: METHODS[build.dice(5)] ?? '',
        width: number(build, 'INT', [0, 16, 24, 20][build.dice(4)] ?? 0),
        height: number(build, 'INT', [0, 12, 12, 18][build.dice(4)] ?? 0),
        crop: ['disabled', 'center'][build.dice(2)] ?? '',
      },
      { 0: 'IMAGE' },
    ),
  (build) =>
    void build.add(
      'ImageScaleBy',
      {
        image: build.pick('IMAGE'),
        upscale_method: METHODS[build.dice(5)] ?? '',
        scale_by: number(build, 'FLOAT', [1, 1, 1.5][build.dice(3)] ?? 1),
      },
      { 0: 'IMAGE' },
    ),
  (build) =>
    void build.add(
      'ImageCrop',
      {
        image: build.pick('IMAGE'),
        width: [16, 200, 9][build.dice(3)] ?? 9,
        height: [12, 200, 7][build.dice(3)] ?? 7,
        x: number(build, 'INT', build.dice(3) === 0 ? 3 : 0),
        y: 0,
      },
      { 0: 'IMAGE' },
    ),
  (build) =>
    void build.add(
      'ImageBlend',
      {
        image1: build.pick('IMAGE'),
        image2: build.pick('IMAGE'),
        blend_factor: number(build, 'FLOAT', [0, 0, 0.4][build.dice(3)] ?? 0),
        blend_mode: ['normal', 'soft_light'][build.dice(2)] ?? '',
      },
      { 0: 'IMAGE' },
    ),
  ({ add, pick, dice }) => void add('RepeatImageBatch', { image: pick('IMAGE'), amount: 1 + dice(2) }, { 0: 'IMAGE' }),
  ({ add, pick, dice }) =>
    void add(
      'ImagePadForOutpaint',
      { image: pick('IMAGE'), left: dice(3) === 0 ? 8 : 0, top: 0, right: 0, bottom: 0, feathering: 3 },
      dice(2) === 0 ? { 0: 'IMAGE' } : { 0: 'IMAGE', 1: 'MASK' },
    ),
  (build) =>
    void build.add(
      'ImageBlur',
      {
        image: build.pick('IMAGE'),
        blur_radius: build.dice(2) === 0 ? build.add('PrimitiveInt', { value: 0 }, { 0: 'INT' }) : 1,
        sigma: 1,
      },
      { 0: 'IMAGE' },
    ),
  ({ add, pick, dice }) =>
    void add('GrowMask', { mask: pick('MASK'), expand: [0, 0, 2][dice(3)] ?? 0, tapered_corners: true }, { 0: 'MASK' }),
  ({ add, pick, dice }) =>
    void add('FeatherMask', { mask: pick('MASK'), left: [0, 0, 3][dice(3)] ?? 0, top: 0, right: 0, bottom: 0 }, { 0: 'MASK' }),
  ({ add, pick }) => void add('InvertMask', { mask: pick('MASK') }, { 0: 'MASK' }),
  ({ add, pick }) => void add('MaskToImage', { mask: pick('MASK') }, { 0: 'IMAGE' }),
  ({ add, dice }) =>
    void add(
      'CheckpointLoaderSimple',
      { ckpt_name: ['sd_xl_base_1.0.safetensors', 'sd3.5_medium.safetensors'][dice(2)] ?? '' },
      { 0: 'MODEL', 1: 'CLIP', 2: 'VAE' },
    ),
  ({ add, dice }) =>
    void add(
      'CLIPLoader',
      { clip_name: 'clip_l.safetensors', type: 'sd3', ...(dice(2) === 0 ? { device: 'default' } : {}) },
      { 0: 'CLIP' },
    ),
  (build) => {
    const strength = number(build, 'FLOAT', [0, 0, 0.7][build.dice(3)] ?? 0);
    build.add(
      'LoraLoader',
      {
        model: build.pick('MODEL'),
        clip: build.pick('CLIP'),
        lora_name: 'draft-style.safetensors',
        strength_model: strength,
        strength_clip: [0, 0, 1][build.dice(3)] ?? 0,
      },
      { 0: 'MODEL', 1: 'CLIP' },
    );
  },
  (build) => {
    const joined =
      build.dice(3) === 0
        ? build.add(
            'StringConcatenate',
            { string_a: 'a', string_b: build.dice(2) === 0 ? 'fox' : build.add('PrimitiveString', { value: 'fox' }, {}), delimiter: ' ' },
            {},
          )
        : 'a fox';
    build.add('CLIPTextEncode', { text: joined, clip: build.pick('CLIP') }, { 0: 'CONDITIONING' });
  },
  (build) => {
    const loader = { clip_name: 'clip_l.safetensors', type: 'sd3' };
    const [one, two] = [build.add('CLIPLoader', loader, {}), build.add('CLIPLoader', { ...loader, device: 'default' }, {})];
    const texts = [one, two].map((clip) => build.add('CLIPTextEncode', { text: 'a pair', clip }, {}));
    const [first, second] = [texts[0] ?? one, texts[1] ?? two];
    const positive = build.add('ConditioningCombine', { conditioning_1: first, conditioning_2: second }, { 0: 'CONDITIONING' });
    if (build.dice(2) === 0) return;
    const inputs = { model: build.pick('MODEL'), positive, negative: first, latent_image: build.pick('LATENT'), seed: 1, steps: 1, cfg: 7 };
    const samples = build.add('KSampler', { ...inputs, sampler_name: 'euler', scheduler: 'normal', denoise: 1 }, {});
    build.add('VAEDecode', { samples, vae: build.pick('VAE') }, { 0: 'IMAGE' });
  },
  (build) => {
    const net = build.add('ControlNetLoader', { control_net_name: 'control_v11p_sd15_canny_fp16.safetensors' }, {});
    const inputs = {
      positive: build.pick('CONDITIONING'),
      negative: build.pick('CONDITIONING'),
      control_net: net,
      image: build.pick('IMAGE'),
    };
    build.add(
      'ControlNetApplyAdvanced',
      { ...inputs, strength: [0, 0, 1][build.dice(3)] ?? 0, start_percent: 0, end_percent: 1 },
      { 0: 'CONDITIONING', 1: 'CONDITIONING' },
    );
  },
  ({ add, dice }) => void add('EmptyLatentImage', { width: [16, 24][dice(2)] ?? 16, height: 16, batch_size: 1 }, { 0: 'LATENT' }),
  ({ add, pick }) => void add('VAEEncode', { pixels: pick('IMAGE'), vae: pick('VAE') }, { 0: 'LATENT' }),
  (build) => {
    const conditionings = { positive: build.pick('CONDITIONING'), negative: build.pick('CONDITIONING') };
    const inputs = {
      model: build.pick('MODEL'),
      ...conditionings,
      latent_image: build.pick('LATENT'),
      seed: number(build, 'INT', build.dice(2)),
      steps: 1,
    };
    const latent = build.add(
      'KSampler',
      { ...inputs, cfg: 7, sampler_name: 'euler', scheduler: 'normal', denoise: [1, 0, 0.5][build.dice(3)] ?? 1 },
      build.dice(2) === 0 ? { 0: 'LATENT' } : {},
    );
    build.add('VAEDecode', { samples: latent, vae: build.pick('VAE') }, { 0: 'IMAGE' });
  },
  (build) =>
    void build.add(
      'LatentUpscaleBy',
      {
        samples: build.pick('LATENT'),
        upscale_method: ['nearest-exact', 'bislerp'][build.dice(2)] ?? '',
        scale_by: [1, 1, 2][build.dice(3)] ?? 1,
      },
      { 0: 'LATENT' },
    ),
  (build) => {
    const which = build.dice(2) === 0 ? build.add('PrimitiveBoolean', { value: build.dice(2) === 0 }, {}) : build.dice(2) === 0;
    build.add('ComfySwitchNode', { switch: which, on_false: build.pick('IMAGE'), on_true: build.pick('IMAGE') }, { 0: 'IMAGE' });
  },
  ({ add, pick }) => void add('PreviewImage', { images: pick('IMAGE') }, {}),
  ({ add, pick }) => void add('PreviewAny', { source: pick('INT') }, {}),
  ({ add, pick }) => void add('SandboxSleep', { value: pick('IMAGE'), steps: 1 }, { 0: 'IMAGE' }),
  ({ add, pick, dice }) => void add('SandboxBlock', { value: pick('IMAGE'), block: dice(3) === 0, message: '' }, { 0: 'IMAGE' }),
  ({ add, pick, dice }) => void add('SandboxBlock', { value: pick('CLIP'), block: dice(3) === 0, message: '' }, { 0: 'CLIP' }),
];

/** Saved last, so that everything may feed it. */
function save({ add, pick }: Builder, index: number): void {
  add('SaveImage', { images: pick('IMAGE'), filename_prefix: `saved-${index}` }, {});
}

function builder(dice: Dice): Builder {
  const graph: TestGraph = {};
  const made: Record<string, Link[]> = {};
  let next = 1;
  const build: Builder = {
    graph,
    dice,
    made,
    add(classType, inputs, outputs) {
      const id = String(next);
      next += 1;
      graph[id] = { class_type: classType, inputs };
      for (const [slot, type] of Object.entries(outputs)) (made[type] ??= []).push([id, Number(slot)]);
      return [id, 0];
    },
    pick(type) {
      const found = made[type] ?? [];
      // Mostly the newest, so that graphs grow deep.
      const link = found[dice(3) === 0 ? dice(found.length) : found.length - 1];
      if (link === undefined) throw new Error(`nothing gives ${type}`);
      return link;
    },
  };
  return build;
}

/** One of each to begin with. */
function begin({ add }: Builder): void {
  add('EmptyImage', { width: 16, height: 12, batch_size: 1, color: 1000 }, { 0: 'IMAGE' });
  add('SolidMask', { value: 0.5, width: 16, height: 12 }, { 0: 'MASK' });
  add('CheckpointLoaderSimple', { ckpt_name: 'sd_xl_base_1.0.safetensors' }, { 0: 'MODEL', 1: 'CLIP', 2: 'VAE' });
  add('CLIPTextEncode', { text: 'a fox', clip: ['3', 1] }, { 0: 'CONDITIONING' });
  add('EmptyLatentImage', { width: 16, height: 16, batch_size: 1 }, { 0: 'LATENT' });
  add('PrimitiveInt', { value: 7 }, { 0: 'INT' });
}

export const optimisableGraph: fc.Arbitrary<OptimisableGraph> = fc
  .record({
    growths: fc.array(fc.nat({ max: GROWTHS.length - 1 }), { minLength: 4, maxLength: 30 }),
    rolls: fc.array(fc.nat(), { minLength: 300, maxLength: 300 }),
    saves: fc.integer({ min: 1, max: 3 }),
    declares: fc.boolean(),
  })
  .map(({ growths, rolls, saves, declares }) => {
    let at = 0;
    const build = builder((most) => {
      at += 1;
      return (rolls[at % rolls.length] ?? 0) % Math.max(1, most);
    });
    begin(build);
    for (const growth of growths) GROWTHS[growth]?.(build);
    for (let index = 0; index < saves; index += 1) save(build, index);
    const outputs = Object.entries(build.graph).filter(([, { class_type: name }]) => /^(?:Save|Preview)/.test(name));
    const outputNodes = declares ? outputs.filter((_, index) => (rolls[index] ?? 0) % 2 === 0).map(([id]) => id) : [];
    return { graph: build.graph, outputNodes };
  });

const photo = (name: string, nodes: TestGraph, result: Link): OptimisableGraph & { readonly name: string } => ({
  name,
  graph: {
    '1': { class_type: 'LoadImage', inputs: { image: 'plate.png' } },
    '2': { class_type: 'ImageScale', inputs: { image: ['1', 0], upscale_method: 'lanczos', width: 50, height: 41, crop: 'disabled' } },
    '3': { class_type: 'PrimitiveInt', inputs: { value: 0 } },
    '4': { class_type: 'LoadImage', inputs: { image: 'plate.jpg' } },
    '5': { class_type: 'EmptyImage', inputs: { width: 8, height: 8, batch_size: 1, color: 77 } },
    ...nodes,
    '20': { class_type: 'SaveImage', inputs: { images: result, filename_prefix: 'photo' } },
  },
  outputNodes: [],
});
const one = (classType: string, inputs: TestNode['inputs']): OptimisableGraph & { readonly name: string } =>
  photo(`${classType} ${JSON.stringify(inputs)}`, { '10': { class_type: classType, inputs } }, ['10', 0]);
const masked = (classType: string, inputs: TestNode['inputs']): OptimisableGraph & { readonly name: string } =>
  photo(
    classType,
    {
      '10': { class_type: classType, inputs: { mask: ['1', 1], ...inputs } },
      '11': { class_type: 'MaskToImage', inputs: { mask: ['10', 0] } },
    },
    ['11', 0],
  );

/** Every node that hands on what it is given and needs no model, over photographs: each is led around. */
export const IDLE_PIXEL_NODES: readonly (OptimisableGraph & { readonly name: string })[] = [
  ...['nearest-exact', 'bilinear', 'area', 'bicubic'].flatMap((upscale_method) => [
    one('ImageScaleBy', { image: ['1', 0], upscale_method, scale_by: 1 }),
    one('ImageScale', { image: ['2', 0], upscale_method, width: 50, height: 41, crop: 'center' }),
  ]),
  one('ImageScale', { image: ['1', 0], upscale_method: 'lanczos', width: 0, height: 0, crop: 'disabled' }),
  one('ImageCrop', { image: ['2', 0], width: 50, height: 100, x: 0, y: 0 }),
  one('ImagePadForOutpaint', { image: ['1', 0], left: 0, top: 0, right: 0, bottom: 0, feathering: 40 }),
  one('ImageRotate', { image: ['1', 0], rotation: 'none' }),
  one('RepeatImageBatch', { image: ['1', 0], amount: 1 }),
  one('ImageBlur', { image: ['1', 0], blur_radius: ['3', 0], sigma: 1 }),
  one('ImageSharpen', { image: ['1', 0], sharpen_radius: ['3', 0], sigma: 1, alpha: 1 }),
  one('ImageStitch', { image1: ['1', 0], direction: 'right', match_image_size: true, spacing_width: 0, spacing_color: 'white' }),
  ...['normal', 'multiply', 'screen', 'overlay', 'soft_light', 'difference'].map((blend_mode) =>
    one('ImageBlend', { image1: ['4', 0], image2: ['5', 0], blend_factor: 0, blend_mode }),
  ),
  masked('GrowMask', { expand: 0, tapered_corners: true }),
  masked('FeatherMask', { left: 0, top: 0, right: 0, bottom: 0 }),
];
