import { describe, expect, it } from 'vitest';
import { NO_OPS, noOps } from '#graph/optimise/no-ops.ts';
import { ids, INFO, type Plain, TEXT_TO_IMAGE, tried } from './support.ts';

const only = [noOps];
type Inputs = Plain[string]['inputs'];

const SAVE: Plain = { '9': { class_type: 'SaveImage', inputs: { images: ['10', 0], filename_prefix: 'x' } } };
const picture = (classType: string, inputs: Inputs, more: Plain = {}): Plain => ({
  '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 32, batch_size: 1, color: 255 } },
  '10': { class_type: classType, inputs },
  ...SAVE,
  ...more,
});
const sampler = (changes: Inputs): Plain[string] => ({ class_type: 'KSampler', inputs: { ...TEXT_TO_IMAGE['3']?.inputs, ...changes } });
const model = (classType: string, inputs: Inputs, more: Plain = {}): Plain => ({
  ...TEXT_TO_IMAGE,
  '3': sampler({ model: ['10', 0] }),
  '10': { class_type: classType, inputs },
  ...more,
});
const CONTROL: Plain = {
  '11': { class_type: 'ControlNetLoader', inputs: { control_net_name: 'control_v11p_sd15_canny_fp16.safetensors' } },
  '12': { class_type: 'LoadImage', inputs: { image: 'pose.png' } },
};
const conditioning = (classType: string, inputs: Inputs, more: Plain = {}, negative: unknown = ['7', 0]): Plain => ({
  ...TEXT_TO_IMAGE,
  '3': sampler({ positive: ['10', 0], negative }),
  '10': { class_type: classType, inputs },
  ...more,
});
const mask = (classType: string, inputs: Inputs): Plain => ({
  '1': { class_type: 'SolidMask', inputs: { value: 0.5, width: 64, height: 32 } },
  '10': { class_type: classType, inputs },
  '11': { class_type: 'MaskToImage', inputs: { mask: ['10', 0] } },
  '9': { class_type: 'SaveImage', inputs: { images: ['11', 0], filename_prefix: 'x' } },
});
const latent = (classType: string, inputs: Inputs): Plain => ({
  ...TEXT_TO_IMAGE,
  '10': { class_type: classType, inputs },
  '8': { class_type: 'VAEDecode', inputs: { samples: ['10', 0], vae: ['4', 2] } },
});

interface Case {
  readonly classType: string;
  readonly graph: Plain;
  /** The same with one value changed, so that the node does something. */
  readonly busy: Plain;
  readonly into: string;
}

const LORA = { model: ['4', 0], clip: ['4', 1], lora_name: 'draft-style.safetensors' };
const loraTexts = (inputs: Inputs): Plain =>
  model('LoraLoader', inputs, { '6': { class_type: 'CLIPTextEncode', inputs: { text: 'a red fox', clip: ['10', 1] } } });
const CNET = { positive: ['6', 0], negative: ['7', 0], control_net: ['11', 0], image: ['12', 0], start_percent: 0, end_percent: 1 };
const scale = (inputs: Inputs): Plain =>
  picture('ImageScale', { image: ['1', 0], upscale_method: 'bilinear', crop: 'disabled', ...inputs });
const stitched = (more: Inputs): Plain => picture('ImageStitch', { image1: ['1', 0], direction: 'right', ...more });
const sound = (volume: number): Plain => ({
  '1': { class_type: 'LoadAudio', inputs: { audio: 'a.flac' } },
  '10': { class_type: 'AudioAdjustVolume', inputs: { audio: ['1', 0], volume } },
  '9': { class_type: 'SaveAudio', inputs: { audio: ['10', 0], filename_prefix: 'x' } },
});
const hooks = (strength: number): Plain => ({
  '1': { class_type: 'CreateHookLora', inputs: { lora_name: 'a.safetensors', strength_model: 1, strength_clip: 1 } },
  '10': {
    class_type: 'CreateHookLora',
    inputs: { lora_name: 'a.safetensors', strength_model: strength, strength_clip: 0, prev_hooks: ['1', 0] },
  },
  '9': { class_type: 'PackSave', inputs: { images: ['10', 0] } },
});
const redo = (denoise: number): Plain => ({
  ...TEXT_TO_IMAGE,
  '5': { class_type: 'VAEEncode', inputs: { pixels: ['12', 0], vae: ['4', 2] } },
  '12': { class_type: 'LoadImage', inputs: { image: 'plate.png' } },
  '3': sampler({ denoise }),
});
const choice = (which: unknown): Plain => ({
  '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 32, batch_size: 1, color: 255 } },
  '2': { class_type: 'LoadImage', inputs: { image: 'plate.png' } },
  '10': { class_type: 'ComfySwitchNode', inputs: { switch: which, on_false: ['1', 0], on_true: ['2', 0] } },
  ...SAVE,
});
const blend = (factor: number): Plain =>
  picture(
    'ImageBlend',
    { image1: ['1', 0], image2: ['2', 0], blend_factor: factor, blend_mode: 'normal' },
    { '2': { class_type: 'EmptyImage', inputs: { width: 8, height: 8, batch_size: 1, color: 7 } } },
  );
const layers = (text: string): Inputs => ({ model: ['4', 0], double_layers: text, single_layers: '', scale: 3 });
const vision = (strength: number): Plain =>
  conditioning(
    'unCLIPConditioning',
    { conditioning: ['6', 0], clip_vision_output: ['13', 0], strength, noise_augmentation: 0 },
    {
      '13': { class_type: 'CLIPVisionEncode', inputs: { clip_vision: ['14', 0], image: ['12', 0], crop: 'none' } },
      '14': { class_type: 'CLIPVisionLoader', inputs: { clip_name: 'clip_vision_h.safetensors' } },
      '12': { class_type: 'LoadImage', inputs: { image: 'pose.png' } },
    },
  );
const loraModel = (strength: number): Plain => model('LoraModelLoader', { model: ['4', 0], lora: ['4', 0], strength_model: strength });

const CASES: readonly Case[] = [
  {
    classType: 'LoraLoader',
    graph: loraTexts({ ...LORA, strength_model: 0, strength_clip: 0 }),
    busy: loraTexts({ ...LORA, strength_model: 0, strength_clip: 0.1 }),
    into: '4',
  },
  {
    classType: 'LoraLoaderModelOnly',
    graph: model('LoraLoaderModelOnly', { model: ['4', 0], lora_name: 'draft-style.safetensors', strength_model: 0 }),
    busy: model('LoraLoaderModelOnly', { model: ['4', 0], lora_name: 'draft-style.safetensors', strength_model: -0.01 }),
    into: '4',
  },
  { classType: 'LoraModelLoader', graph: loraModel(0), busy: loraModel(1), into: '4' },
  { classType: 'CreateHookLora', graph: hooks(0), busy: hooks(0.5), into: '1' },
  {
    classType: 'ControlNetApply',
    graph: conditioning('ControlNetApply', { conditioning: ['6', 0], control_net: ['11', 0], image: ['12', 0], strength: 0 }, CONTROL),
    busy: conditioning('ControlNetApply', { conditioning: ['6', 0], control_net: ['11', 0], image: ['12', 0], strength: 1 }, CONTROL),
    into: '6',
  },
  {
    classType: 'ControlNetApplyAdvanced',
    graph: conditioning('ControlNetApplyAdvanced', { ...CNET, strength: 0 }, CONTROL, ['10', 1]),
    busy: conditioning('ControlNetApplyAdvanced', { ...CNET, strength: 1, start_percent: 1, end_percent: 0 }, CONTROL, ['10', 1]),
    into: '6',
  },
  {
    classType: 'ControlNetApplySD3',
    graph: conditioning('ControlNetApplySD3', { ...CNET, vae: ['4', 2], strength: 0 }, CONTROL, ['10', 1]),
    busy: conditioning('ControlNetApplySD3', { ...CNET, vae: ['4', 2], strength: 0.5 }, CONTROL, ['10', 1]),
    into: '6',
  },
  { classType: 'unCLIPConditioning', graph: vision(0), busy: vision(1), into: '6' },
  {
    classType: 'ReferenceLatent',
    graph: conditioning('ReferenceLatent', { conditioning: ['6', 0] }),
    busy: conditioning('ReferenceLatent', { conditioning: ['6', 0], latent: ['5', 0] }),
    into: '6',
  },
  {
    classType: 'SkipLayerGuidanceDiT',
    graph: model('SkipLayerGuidanceDiT', layers('none')),
    busy: model('SkipLayerGuidanceDiT', layers('7, 8')),
    into: '4',
  },
  {
    classType: 'SkipLayerGuidanceDiTSimple',
    graph: model('SkipLayerGuidanceDiTSimple', layers('')),
    busy: model('SkipLayerGuidanceDiTSimple', layers('9')),
    into: '4',
  },
  { classType: 'KSampler', graph: redo(0), busy: redo(0.01), into: '5' },
  { classType: 'ComfySwitchNode', graph: choice(false), busy: choice(['3', 0]), into: '1' },
  { classType: 'AudioAdjustVolume', graph: sound(0), busy: sound(-6), into: '1' },
  { classType: 'ImageStitch', graph: stitched({}), busy: stitched({ image2: ['1', 0] }), into: '1' },
  {
    classType: 'ImageBlur',
    graph: picture(
      'ImageBlur',
      { image: ['1', 0], blur_radius: ['2', 0], sigma: 1 },
      { '2': { class_type: 'PrimitiveInt', inputs: { value: 0 } } },
    ),
    busy: picture('ImageBlur', { image: ['1', 0], blur_radius: 1, sigma: 1 }),
    into: '1',
  },
  {
    classType: 'ImageSharpen',
    graph: picture(
      'ImageSharpen',
      { image: ['1', 0], sharpen_radius: ['2', 0], sigma: 1, alpha: 1 },
      { '2': { class_type: 'PrimitiveInt', inputs: { value: 0 } } },
    ),
    busy: picture('ImageSharpen', { image: ['1', 0], sharpen_radius: 1, sigma: 1, alpha: 0 }),
    into: '1',
  },
  { classType: 'ImageScale', graph: scale({ width: 0, height: 0 }), busy: scale({ width: 0, height: 32 }), into: '1' },
  {
    classType: 'ImageScale',
    graph: scale({ width: 64, height: 32 }),
    busy: scale({ width: 64, height: 32, upscale_method: 'lanczos' }),
    into: '1',
  },
  {
    classType: 'ImageScaleBy',
    graph: picture('ImageScaleBy', { image: ['1', 0], upscale_method: 'area', scale_by: 1 }),
    busy: picture('ImageScaleBy', { image: ['1', 0], upscale_method: 'lanczos', scale_by: 1 }),
    into: '1',
  },
  {
    classType: 'LatentUpscale',
    graph: latent('LatentUpscale', { samples: ['3', 0], upscale_method: 'bislerp', width: 0, height: 0, crop: 'disabled' }),
    busy: latent('LatentUpscale', { samples: ['3', 0], upscale_method: 'bislerp', width: 128, height: 128, crop: 'disabled' }),
    into: '3',
  },
  {
    classType: 'LatentUpscaleBy',
    graph: latent('LatentUpscaleBy', { samples: ['3', 0], upscale_method: 'nearest-exact', scale_by: 1 }),
    busy: latent('LatentUpscaleBy', { samples: ['3', 0], upscale_method: 'bislerp', scale_by: 1 }),
    into: '3',
  },
  {
    classType: 'ImageCrop',
    graph: picture('ImageCrop', { image: ['1', 0], x: 0, y: 0, width: 64, height: 200 }),
    busy: picture('ImageCrop', { image: ['1', 0], x: 0, y: 0, width: 63, height: 200 }),
    into: '1',
  },
  {
    classType: 'ImagePadForOutpaint',
    graph: picture('ImagePadForOutpaint', { image: ['1', 0], left: 0, top: 0, right: 0, bottom: 0, feathering: 40 }),
    busy: picture('ImagePadForOutpaint', { image: ['1', 0], left: 0, top: 8, right: 0, bottom: 0, feathering: 40 }),
    into: '1',
  },
  {
    classType: 'ImageRotate',
    graph: picture('ImageRotate', { image: ['1', 0], rotation: 'none' }),
    busy: picture('ImageRotate', { image: ['1', 0], rotation: '90 degrees' }),
    into: '1',
  },
  {
    classType: 'LatentRotate',
    graph: latent('LatentRotate', { samples: ['3', 0], rotation: 'none' }),
    busy: latent('LatentRotate', { samples: ['3', 0], rotation: '90 degrees' }),
    into: '3',
  },
  {
    classType: 'RepeatImageBatch',
    graph: picture('RepeatImageBatch', { image: ['1', 0], amount: 1 }),
    busy: picture('RepeatImageBatch', { image: ['1', 0], amount: 2 }),
    into: '1',
  },
  { classType: 'ImageBlend', graph: blend(0), busy: blend(0.001), into: '1' },
  {
    classType: 'LTXVPreprocess',
    graph: picture('LTXVPreprocess', { image: ['1', 0], img_compression: 0 }),
    busy: picture('LTXVPreprocess', { image: ['1', 0], img_compression: 1 }),
    into: '1',
  },
  {
    classType: 'GrowMask',
    graph: mask('GrowMask', { mask: ['1', 0], expand: 0, tapered_corners: true }),
    busy: mask('GrowMask', { mask: ['1', 0], expand: -1, tapered_corners: true }),
    into: '1',
  },
  {
    classType: 'FeatherMask',
    graph: mask('FeatherMask', { mask: ['1', 0], left: 0, top: 0, right: 0, bottom: 0 }),
    busy: mask('FeatherMask', { mask: ['1', 0], left: 0, top: 0, right: 1, bottom: 0 }),
    into: '1',
  },
];

const goneFrom = (plain: Plain, id: string): string | undefined =>
  tried(plain, [], only)
    .savings.flatMap(({ nodes }) => nodes)
    .find((node) => node.id === id)?.into;

describe('a node that hands on what it is given', () => {
  it('is tried for every row of the table', () => {
    expect(CASES.map(({ classType }) => classType).toSorted()).toEqual(NO_OPS.map(({ classType }) => classType).toSorted());
  });

  it.each(CASES)('$classType is led around', ({ classType, graph, into }) => {
    const id = graph['10']?.class_type === classType ? '10' : '3';
    expect(goneFrom(graph, id)).toBe(into);
  });

  it.each(CASES)('$classType stays when it does something', ({ busy }) => {
    expect(tried(busy, [], only).savings).toEqual([]);
  });
});

describe('leading around', () => {
  const zero = (changes: Inputs = {}, more: Plain = {}): Plain =>
    model('LoraLoaderModelOnly', { model: ['4', 0], lora_name: 'draft-style.safetensors', strength_model: 0, ...changes }, more);

  it('takes along what only the node needed', () => {
    const graph = conditioning('ControlNetApplyAdvanced', { ...CNET, strength: 0 }, CONTROL, ['10', 1]);
    const result = tried(graph, [], only);
    expect(result.told).toEqual(['no-ops: 10>6 11 12']);
    expect(result.savings[0]?.nodes.map(({ ran }) => ran)).toEqual([undefined, true, true]);
    expect(result.plain['3']?.inputs).toMatchObject({ positive: ['6', 0], negative: ['7', 0] });
  });

  it('says of the side that a switch does not take that it would not have been made', () => {
    expect(tried(choice(false), [], only).savings[0]?.nodes).toEqual([
      { id: '10', classType: 'ComfySwitchNode', into: '1' },
      { id: '2', classType: 'LoadImage' },
    ]);
  });

  it('knows a strength that comes from a primitive', () => {
    expect(
      ids(tried(zero({ strength_model: ['60', 0] }, { '60': { class_type: 'PrimitiveFloat', inputs: { value: 0 } } }), [], only)),
    ).not.toContain('10');
  });

  it('goes through a whole stack', () => {
    const graph = zero(
      {},
      {
        '20': { class_type: 'LoraLoaderModelOnly', inputs: { model: ['10', 0], lora_name: 'draft-style.safetensors', strength_model: 0 } },
        '3': sampler({ model: ['20', 0] }),
      },
    );
    expect(tried(graph, [], only).plain['3']?.inputs['model']).toEqual(['4', 0]);
  });

  it('leaves a node that an output of the step names', () => {
    expect(tried(zero(), ['9', '10'], only).savings).toEqual([]);
  });

  it('leaves a node of a pack that has the name', () => {
    const classes = new Map(INFO.classes);
    const lora = classes.get('LoraLoaderModelOnly');
    if (lora !== undefined) classes.set('LoraLoaderModelOnly', { ...lora, pythonModule: 'custom_nodes.loras' });
    expect(tried(zero(), [], only, { classes }).savings).toEqual([]);
  });

  it('leaves a node one of whose outputs is made anew', () => {
    const graph = picture(
      'ImagePadForOutpaint',
      { image: ['1', 0], left: 0, top: 0, right: 0, bottom: 0, feathering: 0 },
      {
        '20': { class_type: 'MaskToImage', inputs: { mask: ['10', 1] } },
        '21': { class_type: 'SaveImage', inputs: { images: ['20', 0], filename_prefix: 'mask' } },
      },
    );
    expect(tried(graph, [], only).savings).toEqual([]);
  });

  it.each([
    [
      'a list decides how often the node is called',
      { '12': { class_type: 'RebatchImages', inputs: { images: ['13', 0], batch_size: 1 } } },
    ],
    ['a node of a pack may block it', { '12': { class_type: 'PackUpscale', inputs: { image: ['13', 0] } } }],
  ])('leaves a node where %s', (_, more) => {
    const graph = conditioning(
      'ControlNetApplyAdvanced',
      { ...CNET, strength: 0 },
      { ...CONTROL, ...more, '13': { class_type: 'LoadImage', inputs: { image: 'pose.png' } } },
      ['10', 1],
    );
    expect(tried(graph, [], only).savings).toEqual([]);
  });

  it('may lead a list on, which is handed on as one', () => {
    const graph = scale({ image: ['20', 0], width: 0, height: 0 });
    expect(
      ids(tried({ ...graph, '20': { class_type: 'RebatchImages', inputs: { images: ['1', 0], batch_size: 1 } } }, [], only)),
    ).not.toContain('10');
  });

  it('leaves a copy that a node of a pack could change in place', () => {
    const graph = picture(
      'ImageScaleBy',
      { image: ['1', 0], upscale_method: 'area', scale_by: 1 },
      { '9': { class_type: 'PackSave', inputs: { images: ['10', 0] } } },
    );
    expect(tried(graph, [], only).savings).toEqual([]);
    const same = picture(
      'ImageScale',
      { image: ['1', 0], upscale_method: 'area', width: 0, height: 0, crop: 'disabled' },
      { '9': { class_type: 'PackSave', inputs: { images: ['10', 0] } } },
    );
    expect(ids(tried(same, [], only))).not.toContain('10');
  });

  it('leaves a switch between types, which the server would not let be linked', () => {
    const graph: Plain = {
      ...TEXT_TO_IMAGE,
      '3': sampler({ cfg: ['10', 0] }),
      '10': { class_type: 'ComfySwitchNode', inputs: { switch: true, on_false: ['11', 0], on_true: ['12', 0] } },
      '11': { class_type: 'PrimitiveFloat', inputs: { value: 7 } },
      '12': { class_type: 'StringLength', inputs: { string: 'seven' } },
    };
    expect(tried(graph, [], only).savings).toEqual([]);
  });
});

describe('a size that the graph does not prove', () => {
  it.each([
    ['of a file', { class_type: 'LoadImage', inputs: { image: 'plate.png' } }],
    [
      'that another node computes',
      { class_type: 'ImageScale', inputs: { image: ['2', 0], upscale_method: 'area', width: 64, height: 0, crop: 'disabled' } },
    ],
  ])('%s leaves the scaling', (_, source) => {
    const graph = { ...scale({ width: 64, height: 32 }), '1': source, '2': { class_type: 'LoadImage', inputs: { image: 'plate.png' } } };
    expect(tried(graph, [], only).savings).toEqual([]);
  });

  it('is proved by a scaling, a crop and a flip before it', () => {
    const graph: Plain = {
      ...scale({ image: ['4', 0], width: 30, height: 20 }),
      '1': { class_type: 'LoadImage', inputs: { image: 'plate.png' } },
      '2': { class_type: 'ImageScale', inputs: { image: ['1', 0], upscale_method: 'lanczos', width: 100, height: 50, crop: 'center' } },
      '3': { class_type: 'ImageCrop', inputs: { image: ['2', 0], x: 70, y: 30, width: 40, height: 90 } },
      '4': { class_type: 'ImageFlip', inputs: { image: ['3', 0], flip_method: 'x-axis: vertically' } },
    };
    expect(goneFrom(graph, '10')).toBe('4');
  });

  it.each([
    ['as many pictures', { width: 8, height: 8, batch_size: 2, color: 7 }],
    ['a picture whose values are known to end at 1', undefined],
  ])('leaves the blending of not provably %s', (_, second) => {
    const other: Plain =
      second === undefined
        ? { '2': { class_type: 'PackUpscale', inputs: { image: ['1', 0] } } }
        : { '2': { class_type: 'EmptyImage', inputs: second } };
    expect(tried({ ...blend(0), ...other }, [], only).savings).toEqual([]);
  });
});
