/** Nodes that hand on models, conditionings and latents as they came, and a switch. */
import { all, HANDED_ON, type NodeView, type NoOp, whenZero } from './no-op.ts';

const STRENGTHS = ['strength_model', 'strength_clip'];

export const MODEL_NO_OPS: readonly NoOp[] = [
  {
    classType: 'LoraLoader',
    when: '`strength_model` and `strength_clip` are 0',
    source: 'nodes.py, LoraLoader.load_lora: returns (model, clip) before it looks for the file',
    passes: (at) => (all(at, STRENGTHS, 0) ? ['model', 'clip'] : undefined),
    why: `Both strengths are 0: ${HANDED_ON}.`,
  },
  {
    classType: 'LoraLoaderModelOnly',
    when: '`strength_model` is 0',
    source: 'nodes.py, LoraLoaderModelOnly: LoraLoader.load_lora with a strength of 0 for the CLIP',
    passes: whenZero('strength_model', 'model'),
    why: `The strength is 0: ${HANDED_ON}.`,
  },
  {
    classType: 'LoraModelLoader',
    when: '`strength_model` is 0',
    source: 'nodes_train.py, LoraModelLoader.load_lora_model: returns (model,)',
    passes: whenZero('strength_model', 'model'),
    why: `The strength is 0: ${HANDED_ON}.`,
  },
  {
    classType: 'CreateHookLora',
    when: 'both strengths are 0 and `prev_hooks` is linked',
    source: 'nodes_hooks.py, CreateHookLora.create_hook: returns (prev_hooks,)',
    passes: (at) => (all(at, STRENGTHS, 0) && at.isLinked('prev_hooks') ? ['prev_hooks'] : undefined),
    why: `Both strengths are 0: ${HANDED_ON}.`,
  },
  {
    classType: 'ControlNetApply',
    when: '`strength` is 0',
    source: 'nodes.py, ControlNetApply.apply_controlnet: returns (conditioning,)',
    passes: whenZero('strength', 'conditioning'),
    why: `The strength is 0: ${HANDED_ON}.`,
  },
  {
    classType: 'ControlNetApplyAdvanced',
    when: '`strength` is 0',
    source: 'nodes.py, ControlNetApplyAdvanced.apply_controlnet: returns (positive, negative)',
    passes: whenZero('strength', 'positive', 'negative'),
    why: `The strength is 0: ${HANDED_ON}.`,
  },
  {
    classType: 'ControlNetApplySD3',
    when: '`strength` is 0',
    source: 'nodes_sd3.py, ControlNetApplySD3.execute: returns (positive, negative)',
    passes: whenZero('strength', 'positive', 'negative'),
    why: `The strength is 0: ${HANDED_ON}.`,
  },
  {
    classType: 'unCLIPConditioning',
    when: '`strength` is 0',
    source: 'nodes.py, unCLIPConditioning.apply_adm: returns (conditioning,)',
    passes: whenZero('strength', 'conditioning'),
    why: `The strength is 0: ${HANDED_ON}.`,
  },
  {
    classType: 'ReferenceLatent',
    when: 'it has no `latent`',
    source: 'nodes_edit_model.py, ReferenceLatent.execute: returns (conditioning)',
    passes: (at) => (at.has('latent') ? undefined : ['conditioning']),
    why: `It has no latent to refer to: ${HANDED_ON}.`,
  },
  {
    classType: 'SkipLayerGuidanceDiT',
    when: 'neither list of layers names one',
    source: 'nodes_slg.py, SkipLayerGuidanceDiT.execute: returns (model)',
    passes: withoutLayers,
    why: `It skips no layer: ${HANDED_ON}.`,
  },
  {
    classType: 'SkipLayerGuidanceDiTSimple',
    when: 'neither list of layers names one',
    source: 'nodes_slg.py, SkipLayerGuidanceDiTSimple.execute: returns (model)',
    passes: withoutLayers,
    why: `It skips no layer: ${HANDED_ON}.`,
  },
  {
    classType: 'KSampler',
    when: '`denoise` is 0, its latent comes from a VAE encoder, and only a VAE decoder takes what it gives',
    source:
      'samplers.py: KSampler.set_steps gives no sigmas for denoise 0, and CFGGuider.sample returns latent_image without any; sample.py may only fill up an empty latent',
    passes(at) {
      const isEncoded = /^VAEEncode(?:Tiled)?$/.test(at.source('latent_image') ?? '');
      const isDecoded = at.takers.every((classType) => /^VAEDecode(?:Tiled)?$/.test(classType));
      return at.number('denoise') === 0 && isEncoded && isDecoded ? ['latent_image'] : undefined;
    },
    why: 'It denoises nothing (0): without a sigma ComfyUI gives the latent back as it came.',
  },
  {
    classType: 'ComfySwitchNode',
    when: '`switch` is known and the side that it chooses is linked',
    source: 'nodes_logic.py, SwitchNode: execute returns the chosen input, check_lazy_status evaluates no other',
    passes(at) {
      const chosen = chosenOf(at);
      return chosen === undefined || !at.isLinked(chosen) ? undefined : [chosen];
    },
    ignores: (at) => (chosenOf(at) === 'on_true' ? ['on_false'] : ['on_true']),
    why: 'What it switches to is known before the run.',
  },
];

// --- helpers ---

function withoutLayers(at: NodeView): readonly string[] | undefined {
  const lists = [at.word('double_layers'), at.word('single_layers')];
  return lists.every((list) => list !== undefined && !/\d/.test(list)) ? ['model'] : undefined;
}

function chosenOf(at: NodeView): string | undefined {
  const which = at.truth('switch');
  return which === undefined ? undefined : which ? 'on_true' : 'on_false';
}
