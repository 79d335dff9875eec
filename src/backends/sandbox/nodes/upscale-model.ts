/** Upscaling by a model, drafted: enlarged by the factor in the model's name with bicubic. */
import { enlarge } from '../images/codec.ts';
import { link, type NodeDefinition } from './define.ts';

/** `4x-UltraSharp`, `RealESRGAN_x2plus`; ComfyUI reads the factor from the weights. */
export function upscaleFactor(name: string): number {
  const match = /(?:^|[^0-9])([1-8])x|x([1-8])(?:[^0-9]|$)/i.exec(name);
  return Number(match?.[1] ?? match?.[2] ?? 4);
}

export const UPSCALE_MODEL_NODES: readonly NodeDefinition[] = [
  {
    name: 'ImageUpscaleWithModel',
    displayName: 'Upscale Image (using Model)',
    category: 'image/upscaling',
    module: 'comfy_extras.nodes_upscale_model',
    schema: 'v3',
    required: { upscale_model: link('UPSCALE_MODEL'), image: link('IMAGE') },
    outputs: [['IMAGE', 'IMAGE']],
    async run(inputs, context) {
      const factor = upscaleFactor(inputs.value('upscale_model', 'named').name);
      const { frames } = inputs.value('image', 'image');
      const enlarged = [];
      for (const [index, frame] of frames.entries()) {
        enlarged.push(await enlarge(frame, frame.width * factor, frame.height * factor));
        await context.step(index + 1, frames.length);
      }
      return { outputs: [{ kind: 'image', frames: enlarged, draft: true }] };
    },
  },
];
