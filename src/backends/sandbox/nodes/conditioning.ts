/** Nodes between a prompt's text and the sampler: the text travels on, the numbers do not exist here. */
import type { ConditioningValue } from '../values.ts';
import { combo, float, int, link, MAX_SIDE, type NodeDefinition, text, type InputSpec } from './define.ts';
import type { Inputs } from './inputs.ts';
import { describe, marked, renamed } from './marks.ts';

const prompt = text({ multiline: true, dynamicPrompts: true });
const share = (initial: number): InputSpec => float({ default: initial, min: 0, max: 1, step: 0.001 });
const strength = float({ default: 1, min: 0, max: 10, step: 0.01 });
const conditioning = link('CONDITIONING');
const CONDITIONING = [['CONDITIONING', 'CONDITIONING']] as const;

const SIZES = ['width', 'height', 'crop_w', 'crop_h', 'target_width', 'target_height'];

const BASE = { module: 'nodes', schema: 'v1', outputs: CONDITIONING } as const;
const TRANSFORM = { ...BASE, category: 'model/conditioning/transform' } as const;

function texts(...parts: readonly string[]): ConditioningValue {
  return { kind: 'conditioning', texts: parts.filter((part) => part !== '') };
}

/** A text by an encoder; another encoder gives another picture. */
function encoded(inputs: Inputs, ...parts: readonly string[]): ConditioningValue {
  return marked(texts(...parts), describe('clip', inputs, ['clip']));
}

function join(how: string, inputs: Inputs, first: string, second: string): { outputs: [ConditioningValue] } {
  const [one, two] = [inputs.value(first, 'conditioning'), inputs.value(second, 'conditioning')];
  const joined: ConditioningValue = { ...texts(...one.texts, ...two.texts), marks: [...(one.marks ?? []), '|', ...(two.marks ?? [])] };
  return { outputs: [marked(joined, how)] };
}

/** The text travels on, and what was done to it is noted. */
function pass(name: string, ...settings: readonly string[]): NodeDefinition['run'] {
  return (inputs) => ({ outputs: [marked(inputs.value('conditioning', 'conditioning'), describe(name, inputs, settings))] });
}

/** At strength 0 ComfyUI hands on what came in. */
const CONTROL = ['strength', 'control_net', 'image'];

export const CONDITIONING_NODES: readonly NodeDefinition[] = [
  {
    ...BASE,
    name: 'CLIPTextEncode',
    displayName: 'CLIP Text Encode (Prompt)',
    category: 'model/conditioning',
    required: { text: prompt, clip: link('CLIP') },
    run: (inputs) => ({ outputs: [encoded(inputs, inputs.string('text'))] }),
  },
  {
    ...BASE,
    name: 'CLIPTextEncodeSDXL',
    displayName: 'CLIP Text Encode (SDXL)',
    category: 'model/conditioning/stable diffusion',
    module: 'comfy_extras.nodes_clip_sdxl',
    schema: 'v3',
    required: {
      clip: link('CLIP'),
      ...Object.fromEntries(
        SIZES.map((name) => [
          name,
          int({
            default: name.startsWith('crop') ? 0 : 1024,
            min: 0,
            max: MAX_SIDE,
            ...(name.startsWith('crop') ? { advanced: true } : {}),
          }),
        ]),
      ),
      text_g: prompt,
      text_l: prompt,
    },
    run(inputs) {
      const [global, local] = [inputs.string('text_g'), inputs.string('text_l')];
      const value = global === local ? encoded(inputs, global) : encoded(inputs, global, local);
      return { outputs: [marked(value, describe('size', inputs, SIZES))] };
    },
  },
  {
    ...BASE,
    name: 'CLIPTextEncodeFlux',
    displayName: null,
    category: 'model/conditioning/flux',
    module: 'comfy_extras.nodes_flux',
    schema: 'v3',
    required: { clip: link('CLIP'), clip_l: prompt, t5xxl: prompt, guidance: float({ default: 3.5, min: 0, max: 100, step: 0.1 }) },
    run(inputs) {
      const value = encoded(inputs, inputs.string('t5xxl') === '' ? inputs.string('clip_l') : inputs.string('t5xxl'));
      return { outputs: [marked(value, describe('flux', inputs, ['clip_l', 'guidance']))] };
    },
  },
  {
    ...BASE,
    name: 'CLIPSetLastLayer',
    displayName: 'CLIP Set Last Layer',
    category: 'model/conditioning',
    required: { clip: link('CLIP'), stop_at_clip_layer: int({ default: -1, min: -24, max: -1, step: 1, advanced: true }) },
    outputs: [['CLIP', 'CLIP']],
    run: (inputs) => ({ outputs: [renamed(inputs.value('clip', 'named'), `layer ${inputs.integer('stop_at_clip_layer')}`)] }),
  },
  {
    ...TRANSFORM,
    name: 'ConditioningCombine',
    displayName: 'Conditioning (Combine)',
    required: { conditioning_1: conditioning, conditioning_2: conditioning },
    run: (inputs) => join('combined', inputs, 'conditioning_1', 'conditioning_2'),
  },
  {
    ...TRANSFORM,
    name: 'ConditioningConcat',
    displayName: 'Conditioning (Concat)',
    required: { conditioning_to: conditioning, conditioning_from: conditioning },
    run: (inputs) => join('joined', inputs, 'conditioning_to', 'conditioning_from'),
  },
  {
    ...TRANSFORM,
    name: 'ConditioningAverage',
    displayName: 'Conditioning (Average)',
    required: {
      conditioning_to: conditioning,
      conditioning_from: conditioning,
      conditioning_to_strength: float({ default: 1, min: 0, max: 1, step: 0.01 }),
    },
    run: (inputs) => join(describe('average', inputs, ['conditioning_to_strength']), inputs, 'conditioning_to', 'conditioning_from'),
  },
  {
    ...TRANSFORM,
    name: 'ConditioningZeroOut',
    displayName: 'Conditioning Zero Out',
    required: { conditioning },
    run: () => ({ outputs: [texts()] }),
  },
  {
    ...TRANSFORM,
    name: 'ConditioningSetTimestepRange',
    displayName: 'ConditioningSetTimestepRange',
    required: { conditioning, start: share(0), end: share(1) },
    run: pass('ConditioningSetTimestepRange', 'start', 'end'),
  },
  {
    ...TRANSFORM,
    name: 'ConditioningSetArea',
    displayName: 'Conditioning (Set Area)',
    required: {
      conditioning,
      width: int({ default: 64, min: 64, max: MAX_SIDE, step: 8 }),
      height: int({ default: 64, min: 64, max: MAX_SIDE, step: 8 }),
      x: int({ default: 0, min: 0, max: MAX_SIDE, step: 8 }),
      y: int({ default: 0, min: 0, max: MAX_SIDE, step: 8 }),
      strength,
    },
    run: pass('ConditioningSetArea', 'width', 'height', 'x', 'y', 'strength'),
  },
  {
    ...TRANSFORM,
    name: 'ConditioningSetMask',
    displayName: 'Conditioning (Set Mask)',
    required: { conditioning, mask: link('MASK'), strength, set_cond_area: combo(['default', 'mask bounds']) },
    run: pass('ConditioningSetMask', 'mask', 'strength', 'set_cond_area'),
  },
  {
    ...BASE,
    name: 'FluxGuidance',
    displayName: null,
    category: 'model/conditioning/flux',
    module: 'comfy_extras.nodes_flux',
    schema: 'v3',
    required: { conditioning, guidance: float({ default: 3.5, min: 0, max: 100, step: 0.1 }) },
    run: pass('FluxGuidance', 'guidance'),
  },
  {
    ...BASE,
    name: 'ControlNetApply',
    displayName: 'Apply ControlNet (DEPRECATED)',
    category: 'model/conditioning/controlnet',
    deprecated: true,
    required: { conditioning, control_net: link('CONTROL_NET'), image: link('IMAGE'), strength },
    run: (inputs, context) =>
      inputs.number('strength') === 0
        ? { outputs: [inputs.value('conditioning', 'conditioning')] }
        : pass('control', ...CONTROL)(inputs, context),
  },
  {
    ...BASE,
    name: 'ControlNetApplyAdvanced',
    displayName: 'Apply ControlNet',
    category: 'model/conditioning/controlnet',
    required: {
      positive: conditioning,
      negative: conditioning,
      control_net: link('CONTROL_NET'),
      image: link('IMAGE'),
      strength,
      start_percent: share(0),
      end_percent: share(1),
    },
    optional: { vae: link('VAE') },
    outputs: [
      ['CONDITIONING', 'positive'],
      ['CONDITIONING', 'negative'],
    ],
    run(inputs) {
      const both = [inputs.value('positive', 'conditioning'), inputs.value('negative', 'conditioning')];
      if (inputs.number('strength') === 0) return { outputs: both };
      const mark = describe('control', inputs, [...CONTROL, 'start_percent', 'end_percent']);
      return { outputs: both.map((value) => marked(value, mark)) };
    },
  },
];
