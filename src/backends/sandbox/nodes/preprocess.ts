/** Drafts of what makes ControlNet's pictures: edges and depth, told by brightness alone, and marked as drafts. */
import { spread, type Pixels } from '../images/pixels.ts';
import { float, int, link, type InputSpec, type NodeDefinition } from './define.ts';

/** Rec. 709. */
const WEIGHTS = [0.2126, 0.7152, 0.0722] as const;

function brightness(image: Pixels): Pixels {
  const { width, height, channels, data } = image;
  const grey = new Float32Array(width * height);
  for (let pixel = 0; pixel < grey.length; pixel++)
    for (let channel = 0; channel < 3; channel++)
      grey[pixel] = (grey[pixel] ?? 0) + (data[pixel * channels + Math.min(channel, channels - 1)] ?? 0) * (WEIGHTS[channel] ?? 0);
  return { width, height, channels: 1, data: grey };
}

/** 1 where brightness changes by more than a tenth to the right or below. */
function edges(image: Pixels): Pixels {
  const { width, height, data } = image;
  const found = new Float32Array(data.length);
  for (let y = 0; y + 1 < height; y++)
    for (let x = 0; x + 1 < width; x++) {
      const here = y * width + x;
      const step = Math.abs((data[here] ?? 0) - (data[here + 1] ?? 0)) + Math.abs((data[here] ?? 0) - (data[here + width] ?? 0));
      found[here] = step > 0.1 ? 1 : 0;
    }
  return { width, height, channels: 1, data: found };
}

function preprocessor(
  name: string,
  displayName: string,
  category: string,
  module: string,
  inputs: Pick<NodeDefinition, 'required' | 'optional' | 'schema'>,
  draw: (grey: Pixels) => Pixels,
): NodeDefinition {
  return {
    name,
    displayName,
    category,
    module,
    ...inputs,
    outputs: [['IMAGE', 'IMAGE']],
    run(given) {
      const frames = given.value('image', 'image').frames.map((frame) => spread(draw(brightness(frame)), 3));
      return { outputs: [{ kind: 'image', frames, draft: true }] };
    },
  };
}

const AUX = 'custom_nodes.comfyui_controlnet_aux';
const threshold = (initial: number): InputSpec => float({ default: initial, min: 0.01, max: 0.99, step: 0.01 });
const resolution = int({ default: 512, min: 64, max: 16384, step: 64 });

export const PREPROCESS_NODES: readonly NodeDefinition[] = [
  preprocessor(
    'Canny',
    'Detect Edges (Canny)',
    'image/filters',
    'comfy_extras.nodes_canny',
    { schema: 'v3', required: { image: link('IMAGE'), low_threshold: threshold(0.4), high_threshold: threshold(0.8) } },
    edges,
  ),
  preprocessor(
    'Zoe-DepthMapPreprocessor',
    'Zoe Depth Map',
    'ControlNet Preprocessors/Normal and Depth Estimators',
    AUX,
    { schema: 'v1', required: { image: link('IMAGE') }, optional: { resolution } },
    (grey) => grey,
  ),
];
