/** A graph of any size that gives every pass of the optimiser something to do, and as much that stays. */

/** Ten nodes, of which four stay: what they share with other branches is found over and over again. */
const BRANCH = 10;

export function optimisableGraph(nodes: number): string {
  const graph: Record<string, unknown> = {};
  const add = (id: string, classType: string, inputs: object): void =>
    void (graph[id] = { inputs, class_type: classType, _meta: { title: `${classType} ${id}` } });
  for (let branch = 0; branch < Math.max(1, Math.floor(nodes / BRANCH)); branch += 1) {
    const id = (name: string): string => `${branch}:${name}`;
    add(id('model'), 'CheckpointLoaderSimple', { ckpt_name: 'sd_xl_base_1.0.safetensors' });
    add(id('strength'), 'PrimitiveFloat', { value: 0 });
    add(id('lora'), 'LoraLoaderModelOnly', {
      model: [id('model'), 0],
      lora_name: 'draft-style.safetensors',
      strength_model: [id('strength'), 0],
    });
    add(id('text'), 'CLIPTextEncode', { text: 'a photograph of a quiet harbour at dawn', clip: [id('model'), 1] });
    add(id('latent'), 'EmptyLatentImage', { width: 1024, height: 1024, batch_size: 1 });
    add(id('sampler'), 'KSampler', {
      seed: 8_566_257 * (branch + 1),
      steps: 20,
      cfg: 7.5,
      sampler_name: 'euler',
      scheduler: 'karras',
      denoise: 1,
      model: [id('lora'), 0],
      positive: [id('text'), 0],
      negative: [id('text'), 0],
      latent_image: [id('latent'), 0],
    });
    add(id('picture'), 'VAEDecode', { samples: [id('sampler'), 0], vae: [id('model'), 2] });
    add(id('save'), 'SaveImage', { images: [id('picture'), 0], filename_prefix: `shot-${branch}` });
    add(id('inverse'), 'ImageInvert', { image: [id('picture'), 0] });
    add(id('look'), 'PreviewImage', { images: [id('inverse'), 0] });
  }
  return JSON.stringify(graph, undefined, 2);
}
