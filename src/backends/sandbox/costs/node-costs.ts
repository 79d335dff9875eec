/** Seconds of work of one node with everything in its place: sampling, encoding, decoding, pictures in and out. Pure. */
import type { Family, Prices } from './cost-model.ts';
import { type Control, controlsOf, type Lineage, lineageOf, numberAt, type Scene, textAt } from './lineage.ts';
import { encodersOf, familyOf } from './parts.ts';
import { classOf } from '../prompt-nodes.ts';
import type { SlotValue } from '../values.ts';

export interface Work {
  readonly seconds: number;
  readonly steps: number;
  /** Inputs whose models must be on the card together. */
  readonly needs: readonly Lineage[];
}

/** What a node was given and what it gave. */
export interface Done {
  readonly id: string;
  readonly inputs: ReadonlyMap<string, SlotValue>;
  readonly outputs: readonly SlotValue[];
}

type Count = (scene: Scene, prices: Prices, done: Done) => Work;

const plain = (seconds: number): Work => ({ seconds, steps: 0, needs: [] });

export function workOf(scene: Scene, prices: Prices, done: Done): Work {
  const known = COUNTS.get(classOf(scene.prompt, done.id) ?? '');
  if (known !== undefined) return known(scene, prices, done);
  // Whatever else gives pictures or masks computes them on the processor.
  return plain(done.outputs.reduce<number>((sum, value) => sum + megapixels(value), 0) * prices.pixelPerMegapixel);
}

const sample: Count = (scene, prices, done) => {
  const { id } = done;
  const model = lineageOf(scene, id, 'model') ?? lineageOf(scene, id, 'guider');
  const family = model === undefined ? undefined : familyOf(scene, prices, model);
  if (model === undefined || family === undefined) return plain(0);
  const controls = controlsOf(scene, id, ['positive', 'negative']);
  const steps = stepsOf(scene, id);
  if (steps === 0) return plain(0);
  const [latent] = done.outputs;
  const pixels = typeof latent === 'object' && latent?.kind === 'latent' ? latent.width * latent.height * latent.batch : 0;
  const perStep = family.stepSeconds * (pixels / family.referencePixels) * factors(scene, prices, id, model, family, controls);
  return { seconds: perStep * steps, steps, needs: [model, ...controls.flatMap(({ net }) => net ?? [])] };
};

function stepsOf(scene: Scene, id: string): number {
  const steps = numberAt(scene, id, 'steps', 0);
  if (classOf(scene.prompt, id) !== 'KSamplerAdvanced') return numberAt(scene, id, 'denoise', 1) > 0 ? steps : 0;
  const last = Math.min(steps, numberAt(scene, id, 'end_at_step', steps));
  return Math.max(0, last - numberAt(scene, id, 'start_at_step', 0));
}

function factors(scene: Scene, prices: Prices, id: string, model: Lineage, family: Family, controls: readonly Control[]): number {
  const passes = family.twoPasses && numberAt(scene, id, 'cfg', 2) === 1 ? prices.cfgOneFactor : 1;
  const order = prices.secondOrderSamplers.has(textAt(scene, id, 'sampler_name')) ? prices.secondOrderFactor : 1;
  const control = controls.reduce((sum, { share }) => sum + (family.controlFactor - 1) * share, 1);
  const adapters = model.through.filter((node) => classOf(scene.prompt, node)?.startsWith('IPAdapter')).length;
  return passes * order * control * prices.ipAdapterFactor ** adapters;
}

const text: Count = (scene, prices, { id }) => {
  const clip = lineageOf(scene, id, 'clip');
  if (clip === undefined) return plain(0);
  const seconds = encodersOf(scene, prices, clip).reduce((sum, encoder) => sum + prices.textSeconds[encoder], 0);
  return { seconds, steps: 0, needs: [clip] };
};

/** The pictures that are counted: those of an input, or those that come out. */
function onPictures(price: (prices: Prices) => number, model: string | undefined, input?: string): Count {
  return (scene, prices, { id, inputs, outputs }) => {
    const size = input === undefined ? megapixels(outputs[0]) : megapixels(inputs.get(input));
    const lineage = model === undefined ? undefined : lineageOf(scene, id, model);
    return { seconds: size * price(prices), steps: 0, needs: lineage === undefined ? [] : [lineage] };
  };
}

const decode = onPictures((prices) => prices.decodePerMegapixel, 'vae');
const encode = onPictures((prices) => prices.encodePerMegapixel, 'vae', 'pixels');
const load = onPictures((prices) => prices.pngDecodePerMegapixel, undefined);
const save = onPictures((prices) => prices.pngEncodePerMegapixel, undefined, 'images');
const nothing: Count = () => plain(0);
const vision: Count = (scene, prices, { id }) => {
  const lineage = lineageOf(scene, id, 'clip_vision');
  return { seconds: prices.clipVisionSeconds, steps: 0, needs: lineage === undefined ? [] : [lineage] };
};

const COUNTS: ReadonlyMap<string, Count> = new Map<string, Count>([
  ['KSampler', sample],
  ['KSamplerAdvanced', sample],
  ['CLIPTextEncode', text],
  ['CLIPTextEncodeSDXL', text],
  ['CLIPTextEncodeFlux', text],
  ['VAEDecode', decode],
  ['VAEDecodeTiled', decode],
  ['VAEEncode', encode],
  ['VAEEncodeTiled', encode],
  ['VAEEncodeForInpaint', encode],
  ['InpaintModelConditioning', encode],
  ['ImageUpscaleWithModel', onPictures((prices) => prices.upscalePerMegapixel, 'upscale_model', 'image')],
  ['CLIPVisionEncode', vision],
  ['LoadImage', load],
  ['LoadImageMask', load],
  ['SaveImage', save],
  ['PreviewImage', save],
  ['SaveAnimatedWEBP', save],
  ['Canny', (_, prices) => plain(prices.preprocessSeconds)],
  ['Zoe-DepthMapPreprocessor', (_, prices) => plain(prices.preprocessSeconds)],
  // Handed on as they are; a mask of one value costs nothing worth counting.
  ['MaskPreview', nothing],
  ['SandboxSleep', nothing],
  ['SandboxSwitch', nothing],
  ['SandboxBlock', nothing],
]);

/** Of all frames; 0 for what is no picture. */
function megapixels(value: SlotValue | undefined): number {
  if (typeof value !== 'object' || value === null || (value.kind !== 'image' && value.kind !== 'mask')) return 0;
  return value.frames.reduce((sum, { width, height }) => sum + (width * height) / 1e6, 0);
}
