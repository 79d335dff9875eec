/** Samplers and what patches them: each step is paced and shown, the picture is a drafted card. */
import { previewLatent } from '../draft/decode.ts';
import { SAMPLERS, SCHEDULERS } from '../models.ts';
import type { ConditioningValue, LatentValue, ModelValue, Shot } from '../values.ts';
import { bool, combo, float, int, link, MAX_SEED, MAX_SIDE, type NodeContext, type NodeDefinition, type NodeResult } from './define.ts';
import type { Inputs } from './inputs.ts';
import { describe, marked } from './marks.ts';

const seed = int({ default: 0, min: 0, max: MAX_SEED, control_after_generate: true });
const steps = int({ default: 20, min: 1, max: 10000 });
const cfg = float({ default: 8, min: 0, max: 100, step: 0.1, round: 0.01 });
const conditioning = link('CONDITIONING');
/** Pictures are small and steps are many: a preview every so many steps is what a person sees anyway. */
const MOST_PREVIEWS = 8;

export interface SampleRequest {
  readonly latent: LatentValue;
  readonly model: ModelValue;
  readonly positive: ConditioningValue;
  readonly negative: ConditioningValue;
  readonly seed: bigint;
  readonly steps: number;
  readonly cfg: number;
  readonly sampler: string;
  readonly denoise: number;
}

/** Ticks through the steps with previews; the result carries one more shot. */
export async function sample(request: SampleRequest, context: NodeContext): Promise<NodeResult> {
  const { latent, model } = request;
  // Without a sigma ComfyUI gives the latent back as it came.
  if (request.denoise <= 0) return { outputs: [latent, latent] };
  const shot: Shot = {
    prompt: request.positive.texts.join(' | '),
    negative: request.negative.texts.join(' | '),
    seed: request.seed.toString(),
    steps: request.steps,
    cfg: request.cfg,
    sampler: request.sampler,
    model: [model.name, ...model.loras].join(', '),
    denoise: request.denoise,
    marks: [...(model.marks ?? []), ...marksOf('positive', request.positive), ...marksOf('negative', request.negative)],
  };
  const result: LatentValue = { ...latent, shots: [...latent.shots, shot] };
  const every = Math.max(1, Math.ceil(request.steps / MOST_PREVIEWS));
  for (let step = 1; step <= request.steps; step++) {
    const shown = context.showsSteps && (step % every === 0 || step === request.steps);
    await context.step(step, request.steps, shown ? await previewLatent(result, step / (request.steps + 1)) : undefined);
  }
  return { outputs: [result, result] };
}

function marksOf(side: string, { marks }: ConditioningValue): string[] {
  return (marks ?? []).map((mark) => `${side} ${mark}`);
}

function patch(name: string, module: string, category: string, required: NodeDefinition['required']): NodeDefinition {
  return {
    name,
    displayName: name,
    category,
    module,
    schema: 'v1',
    required: { model: link('MODEL'), ...required },
    outputs: [['MODEL', 'MODEL']],
    run: (inputs) => ({ outputs: [marked(inputs.value('model', 'model'), describe(name, inputs, Object.keys(required)))] }),
  };
}

function common(inputs: Inputs): Pick<SampleRequest, 'latent' | 'model' | 'positive' | 'negative' | 'cfg'> {
  return {
    latent: inputs.value('latent_image', 'latent'),
    model: inputs.value('model', 'model'),
    positive: inputs.value('positive', 'conditioning'),
    negative: inputs.value('negative', 'conditioning'),
    cfg: inputs.number('cfg'),
  };
}

const shift = (initial: number, advanced = false): ReturnType<typeof float> =>
  float({ default: initial, min: 0, max: 100, step: 0.01, ...(advanced ? { advanced } : {}) });
const ADVANCED = 'comfy_extras.nodes_model_advanced';

export const SAMPLING_NODES: readonly NodeDefinition[] = [
  {
    name: 'KSampler',
    displayName: 'KSampler',
    category: 'model/sampling',
    module: 'nodes',
    schema: 'v1',
    required: {
      model: link('MODEL'),
      seed,
      steps,
      cfg,
      sampler_name: combo(SAMPLERS, {}),
      scheduler: combo(SCHEDULERS, {}),
      positive: conditioning,
      negative: conditioning,
      latent_image: link('LATENT'),
      denoise: float({ default: 1, min: 0, max: 1, step: 0.01 }),
    },
    outputs: [['LATENT', 'LATENT']],
    run: async (inputs, context) =>
      await sample(
        {
          ...common(inputs),
          seed: inputs.big('seed'),
          steps: inputs.integer('steps'),
          sampler: `${inputs.string('sampler_name')}/${inputs.string('scheduler')}`,
          denoise: inputs.number('denoise'),
        },
        context,
      ),
  },
  {
    name: 'KSamplerAdvanced',
    displayName: 'KSampler (Advanced)',
    category: 'model/sampling',
    module: 'nodes',
    schema: 'v1',
    required: {
      model: link('MODEL'),
      add_noise: combo(['enable', 'disable'], { advanced: true }),
      noise_seed: seed,
      steps,
      cfg,
      sampler_name: combo(SAMPLERS),
      scheduler: combo(SCHEDULERS),
      positive: conditioning,
      negative: conditioning,
      latent_image: link('LATENT'),
      start_at_step: int({ default: 0, min: 0, max: 10000, advanced: true }),
      end_at_step: int({ default: 10000, min: 0, max: 10000, advanced: true }),
      return_with_leftover_noise: combo(['disable', 'enable'], { advanced: true }),
    },
    outputs: [['LATENT', 'LATENT']],
    async run(inputs, context) {
      const all = inputs.integer('steps');
      const first = Math.min(all, inputs.integer('start_at_step'));
      const last = Math.min(all, inputs.integer('end_at_step'));
      if (last <= first) return { outputs: [inputs.value('latent_image', 'latent')] };
      return await sample(
        {
          ...common(inputs),
          seed: inputs.big('noise_seed'),
          steps: last - first,
          sampler: `${inputs.string('sampler_name')}/${inputs.string('scheduler')}`,
          denoise: 1,
        },
        context,
      );
    },
  },
  patch('ModelSamplingFlux', ADVANCED, 'model/patch/flux', {
    max_shift: shift(1.15, true),
    base_shift: shift(0.5, true),
    width: int({ default: 1024, min: 16, max: MAX_SIDE, step: 8 }),
    height: int({ default: 1024, min: 16, max: MAX_SIDE, step: 8 }),
  }),
  patch('ModelSamplingSD3', ADVANCED, 'model/patch/stable diffusion', { shift: shift(3) }),
  patch('ModelSamplingDiscrete', ADVANCED, 'model/patch', {
    sampling: combo(['eps', 'v_prediction', 'lcm', 'x0', 'img_to_img', 'img_to_img_flow']),
    zsnr: bool(false, { advanced: true }),
  }),
  patch('ModelSamplingAuraFlow', ADVANCED, 'model/patch', { shift: shift(1.73) }),
];
