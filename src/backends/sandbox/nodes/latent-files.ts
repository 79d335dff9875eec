/** Latents on disk: their size and what they were, since the sandbox has none of their numbers. */
import { readLatent, writeLatent } from '../media/safetensors.ts';
import { tagsOf } from '../media/tags.ts';
import type { LatentValue } from '../values.ts';
import { combo, link, type NodeDefinition, NO_SIZE, text } from './define.ts';
import { HIDDEN, reported } from './save.ts';

export const LATENT_FILE_NODES: readonly NodeDefinition[] = [
  {
    name: 'SaveLatent',
    displayName: 'Save Latent',
    category: 'model/latent',
    module: 'nodes',
    schema: 'v1',
    required: { samples: link('LATENT'), filename_prefix: text({ default: 'latents/ComfyUI' }) },
    hidden: HIDDEN,
    outputs: [['LATENT', 'samples']],
    isOutput: true,
    run(inputs, context) {
      const latent = inputs.value('samples', 'latent');
      // An empty latent is zeros in ComfyUI as well; whatever was sampled or encoded is none of its numbers.
      const draft = latent.shots.length > 0 || latent.source !== undefined;
      const bytes = writeLatent(latent, tagsOf(context.prompt, context.extraPngInfo, draft));
      const file = context.environment.storage.reserve('output', inputs.string('filename_prefix'), NO_SIZE).write(0, 'latent', bytes);
      return { outputs: [latent], ui: { latents: [reported(file, draft)] } };
    },
  },
  {
    name: 'LoadLatent',
    displayName: 'Load Latent',
    category: 'model/latent',
    module: 'nodes',
    schema: 'v1',
    required: { latent: combo(({ storage }) => storage.inputs().filter((name) => name.endsWith('.latent'))) },
    outputs: [['LATENT', 'LATENT']],
    run(inputs, { environment: { storage } }) {
      const file = storage.annotated(inputs.string('latent'));
      if (file === undefined) throw new Error(`Invalid latent file: ${inputs.string('latent')}`);
      const { batch, width, height } = readLatent(storage.read(file));
      const latent: LatentValue = { kind: 'latent', batch, width, height, shots: [] };
      return { outputs: [latent] };
    },
  },
];
