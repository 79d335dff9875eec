import { describe, expect, it } from 'vitest';
import { usesOf } from '#graph/uses.ts';

const graph = (inputs: object, classType = 'KSampler') => JSON.stringify({ '7': { class_type: classType, inputs } });

describe('what a graph uses', () => {
  it('are its seeds, to the last digit, and none that nobody knows', () => {
    const text = `{"3":{"class_type":"KSampler","inputs":{"seed":18446744073709551615,"noise_seed":4,"seed_2":5,"rand_seed":"6"}},
      "4":{"class_type":"X","inputs":{"seed":-1,"seeds":[1],"seed_mode":"fixed","model":["3",0],"seed2":["3",0]}}}`;
    expect(usesOf(text).seeds).toEqual([
      { node: '3', input: 'seed', value: '18446744073709551615' },
      { node: '3', input: 'noise_seed', value: '4' },
      { node: '3', input: 'seed_2', value: '5' },
    ]);
  });

  it('are its models, with the folder where the input tells it', () => {
    expect(usesOf(graph({ ckpt_name: 'sub/base.safetensors', steps: 3 }, 'CheckpointLoaderSimple')).models).toEqual([
      { node: '7', input: 'ckpt_name', name: 'sub/base.safetensors', folder: 'checkpoints' },
    ]);
    expect(usesOf(graph({ text: 'no model.', what: 'own.gguf' }, 'OfAPack')).models).toEqual([
      { node: '7', input: 'what', name: 'own.gguf' },
    ]);
  });

  it('are told of settings of Wan2GP as well', () => {
    const { seeds, models } = usesOf(
      '{"model_type":"t2v_1.3B","seed":77,"activated_loras":["style.safetensors"],"prompt":"a.safetensors"}',
    );
    expect(seeds).toEqual([{ node: '', input: 'seed', value: '77' }]);
    expect(models).toEqual([
      { node: '', input: 'model_type', name: 't2v_1.3B' },
      { node: '', input: 'activated_loras', name: 'style.safetensors', folder: 'loras' },
    ]);
  });

  it.each(['', 'no JSON', '[]', '{"nodes":[]}', '{"1":{}}'])('are nothing in %j', (text) => {
    expect(usesOf(text)).toEqual({ seeds: [], models: [] });
  });
});
