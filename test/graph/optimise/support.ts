/** Graphs and object info for the tests of the optimiser. */
import { builtInObjectInfo } from '#backends/sandbox/object-info.ts';
import { parseGraph } from '#graph/graph.ts';
import { type ObjectInfo, parseObjectInfo } from '#graph/object-info.ts';
import { optimise } from '#graph/optimise/optimise.ts';
import type { Optimised, Pass } from '#graph/optimise/types.ts';
import type { Graph } from '#graph/types.ts';

export type Plain = Readonly<
  Record<
    string,
    { readonly class_type: string; readonly inputs: Readonly<Record<string, unknown>>; readonly _meta?: { readonly title: string } }
  >
>;

interface ClassOptions {
  readonly required?: Readonly<Record<string, unknown>>;
  readonly optional?: Readonly<Record<string, unknown>>;
  readonly hidden?: Readonly<Record<string, unknown>>;
  readonly output?: readonly string[];
  readonly module?: string;
  readonly isOutput?: boolean;
  readonly isList?: readonly boolean[];
  readonly takesLists?: boolean;
}

/** A class as a server describes it; ComfyUI's own unless `module` says otherwise. */
export function described({ required = {}, optional = {}, hidden = {}, output = [], module = 'nodes', ...more }: ClassOptions): object {
  return {
    input: { required, optional, hidden },
    output,
    output_is_list: more.isList ?? output.map(() => false),
    output_node: more.isOutput ?? false,
    is_input_list: more.takesLists ?? false,
    python_module: module,
  };
}

const FLOAT = ['FLOAT', { min: -100, max: 100 }];
const INT = ['INT', { min: 0, max: 16384 }];
const TEXT = ['STRING', {}];
const ANY_BRANCH = ['COMFY_MATCHTYPE_V3', { lazy: true, template: { template_id: 'switch', allowed_types: '*' } }];
const PACK = 'custom_nodes.some-pack';

/** What the sandbox does not have. */
const MORE: Readonly<Record<string, object>> = {
  LoraModelLoader: described({ required: { model: ['MODEL'], lora: ['LORA_MODEL'], strength_model: FLOAT }, output: ['MODEL'] }),
  CreateHookLora: described({
    required: { lora_name: [['a.safetensors']], strength_model: FLOAT, strength_clip: FLOAT },
    optional: { prev_hooks: ['HOOKS'] },
    output: ['HOOKS'],
  }),
  ControlNetApplySD3: described({
    required: {
      positive: ['CONDITIONING'],
      negative: ['CONDITIONING'],
      control_net: ['CONTROL_NET'],
      vae: ['VAE'],
      image: ['IMAGE'],
      strength: FLOAT,
      start_percent: FLOAT,
      end_percent: FLOAT,
    },
    output: ['CONDITIONING', 'CONDITIONING'],
  }),
  unCLIPConditioning: described({
    required: { conditioning: ['CONDITIONING'], clip_vision_output: ['CLIP_VISION_OUTPUT'], strength: FLOAT, noise_augmentation: FLOAT },
    output: ['CONDITIONING'],
  }),
  CLIPVisionEncode: described({
    required: { clip_vision: ['CLIP_VISION'], image: ['IMAGE'], crop: [['center', 'none']] },
    output: ['CLIP_VISION_OUTPUT'],
  }),
  ReferenceLatent: described({ required: { conditioning: ['CONDITIONING'] }, optional: { latent: ['LATENT'] }, output: ['CONDITIONING'] }),
  SkipLayerGuidanceDiT: described({
    required: { model: ['MODEL'], double_layers: TEXT, single_layers: TEXT, scale: FLOAT },
    output: ['MODEL'],
  }),
  SkipLayerGuidanceDiTSimple: described({ required: { model: ['MODEL'], double_layers: TEXT, single_layers: TEXT }, output: ['MODEL'] }),
  AudioAdjustVolume: described({ required: { audio: ['AUDIO'], volume: ['INT', { min: -100, max: 100 }] }, output: ['AUDIO'] }),
  LoadAudio: described({ required: { audio: [['a.flac']] }, output: ['AUDIO'] }),
  SaveAudio: described({ required: { audio: ['AUDIO'], filename_prefix: TEXT }, isOutput: true }),
  PreviewAudio: described({ required: { audio: ['AUDIO'] }, isOutput: true }),
  ImageStitch: described({ required: { image1: ['IMAGE'], direction: [['right']] }, optional: { image2: ['IMAGE'] }, output: ['IMAGE'] }),
  LatentRotate: described({ required: { samples: ['LATENT'], rotation: [['none', '90 degrees']] }, output: ['LATENT'] }),
  LTXVPreprocess: described({ required: { image: ['IMAGE'], img_compression: INT }, output: ['IMAGE'] }),
  SaveLatent: described({ required: { samples: ['LATENT'], filename_prefix: TEXT }, isOutput: true }),
  StringSubstring: described({ required: { string: TEXT, start: ['INT', {}], end: ['INT', {}] }, output: ['STRING'] }),
  StringLength: described({ required: { string: TEXT }, output: ['INT'] }),
  ComfyMathExpression: described({
    required: {
      expression: TEXT,
      values: [
        'COMFY_AUTOGROW_V3',
        { template: { input: { required: { value: ['FLOAT,INT,BOOLEAN', {}] } }, names: ['a', 'b', 'c'], min: 1 } },
      ],
    },
    output: ['FLOAT', 'INT', 'BOOLEAN'],
    module: 'comfy_extras.nodes_math',
  }),
  ComfyNotNode: described({ required: { value: ['*', {}] }, output: ['BOOLEAN'] }),
  ComfySwitchNode: described({
    required: { switch: ['BOOLEAN', {}], on_false: ANY_BRANCH, on_true: ANY_BRANCH },
    output: ['COMFY_MATCHTYPE_V3'],
  }),
  RebatchImages: described({ required: { images: ['IMAGE'], batch_size: INT }, output: ['IMAGE'], isList: [true], takesLists: true }),
  PackUpscale: described({ required: { image: ['IMAGE'] }, output: ['IMAGE'], module: PACK }),
  PackSeed: described({ required: { seed: INT }, hidden: { prompt: 'PROMPT', unique_id: 'UNIQUE_ID' }, output: ['INT'], module: PACK }),
  PackLoop: described({ required: { image: ['IMAGE'] }, hidden: { dynprompt: ['DYNPROMPT'] }, output: ['IMAGE'], module: PACK }),
  PackSave: described({ required: { images: ['IMAGE'] }, isOutput: true, module: PACK }),
  PackDice: described({ required: { sides: INT }, output: ['INT'], module: PACK }),
};

const builtIn = builtInObjectInfo();
export const INFO: ObjectInfo = {
  classes: new Map([...builtIn.classes, ...(parseObjectInfo(JSON.stringify(MORE)).info?.classes ?? [])]),
};

export function graphOf(plain: Plain | string): Graph {
  const { graph, problems } = parseGraph(typeof plain === 'string' ? plain : JSON.stringify(plain, undefined, 2));
  if (graph === undefined) throw new Error(JSON.stringify(problems));
  return graph;
}

export interface Tried extends Optimised {
  readonly plain: Plain;
  /** `pass: id>into, …` for each saving. */
  readonly told: readonly string[];
}

export function tried(plain: Plain | string, outputNodes: readonly string[] = [], passes?: readonly Pass[], info = INFO): Tried {
  const result = optimise(graphOf(plain), { info, outputNodes }, passes);
  const told = result.savings.map(
    ({ pass, nodes }) => `${pass}: ${nodes.map(({ id, into }) => (into === undefined ? id : `${id}>${into}`)).join(' ')}`,
  );
  return { ...result, plain: JSON.parse(result.text) as Plain, told };
}

export const ids = ({ plain }: Tried): string[] => Object.keys(plain);

/** Checkpoint 4, texts 6 and 7, latent 5, sampler 3, decoder 8, saver 9. */
export const TEXT_TO_IMAGE: Plain = {
  '3': {
    class_type: 'KSampler',
    inputs: {
      seed: 42,
      steps: 4,
      cfg: 7,
      sampler_name: 'euler',
      scheduler: 'normal',
      denoise: 1,
      model: ['4', 0],
      positive: ['6', 0],
      negative: ['7', 0],
      latent_image: ['5', 0],
    },
  },
  '4': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'sd_xl_base_1.0.safetensors' } },
  '5': { class_type: 'EmptyLatentImage', inputs: { width: 128, height: 128, batch_size: 1 } },
  '6': { class_type: 'CLIPTextEncode', inputs: { text: 'a red fox', clip: ['4', 1] } },
  '7': { class_type: 'CLIPTextEncode', inputs: { text: 'blurry', clip: ['4', 1] } },
  '8': { class_type: 'VAEDecode', inputs: { samples: ['3', 0], vae: ['4', 2] } },
  '9': { class_type: 'SaveImage', inputs: { images: ['8', 0], filename_prefix: 'ComfyUI' }, _meta: { title: 'Save' } },
};
