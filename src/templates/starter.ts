/** The template that `callsheet templates new ID` writes when there is no workflow to begin with: small, remarked, and it runs on the sandbox. */

export const STARTER_WORKFLOW = {
  '1': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'sd_xl_base_1.0.safetensors' }, _meta: { title: 'Model' } },
  '2': { class_type: 'CLIPTextEncode', inputs: { text: 'a paper boat on a pond', clip: ['1', 1] }, _meta: { title: 'Positive prompt' } },
  '3': { class_type: 'CLIPTextEncode', inputs: { text: 'blurry', clip: ['1', 1] }, _meta: { title: 'Negative prompt' } },
  '4': { class_type: 'EmptyLatentImage', inputs: { width: 512, height: 512, batch_size: 1 }, _meta: { title: 'Size' } },
  '5': {
    class_type: 'KSampler',
    inputs: {
      seed: 1,
      steps: 20,
      cfg: 7,
      sampler_name: 'euler',
      scheduler: 'normal',
      denoise: 1,
      model: ['1', 0],
      positive: ['2', 0],
      negative: ['3', 0],
      latent_image: ['4', 0],
    },
    _meta: { title: 'Sampler' },
  },
  '6': { class_type: 'VAEDecode', inputs: { samples: ['5', 0], vae: ['1', 2] }, _meta: { title: 'Decode' } },
  '7': { class_type: 'SaveImage', inputs: { images: ['6', 0], filename_prefix: 'starter' }, _meta: { title: 'Save' } },
};

/** Everything but the id and the title. */
export const STARTER_MANIFEST = {
  $comment:
    'A template: parameters that a form asks for, steps that put them into a workflow, outputs that a run is for. Remarks like this one may stand in every object. The rules are in docs/templates.md.',
  format: 1,
  id: '',
  version: '1.0.0',
  title: '',
  description: 'A first template: one picture from one description.',
  category: 'custom',
  parameters: {
    prompt: { type: 'text', title: 'Description', default: 'a paper boat on a pond, morning light' },
    size: {
      $comment: 'Hidden under "advanced" in forms. Blender fills it with the width of the render.',
      type: 'integer',
      title: 'Size',
      minimum: 64,
      maximum: 2048,
      step: 8,
      unit: 'px',
      default: 512,
      advanced: true,
      blender: 'scene.render.resolution_x',
    },
    seed: { $comment: 'Without a value a seed is drawn, and recorded with the run.', type: 'seed', title: 'Seed', advanced: true },
  },
  steps: [
    {
      $comment: 'Addresses are node.input, or "title:Positive prompt".text by the title of the node.',
      id: 'draw',
      title: 'Draw',
      backend: 'comfyui',
      workflow: 'workflow.json',
      set: {
        '"title:Positive prompt".text': '{prompt}',
        '4.width': '{size}',
        '4.height': '{size}',
        '5.seed': '{seed}',
        '7.filename_prefix': '{prompt|slug}',
      },
      outputs: { picture: '7' },
    },
  ],
  outputs: { picture: { from: '{steps.draw.picture}', title: 'Picture', asset: { kind: 'image', name: '{prompt|slug}-{index}' } } },
};
