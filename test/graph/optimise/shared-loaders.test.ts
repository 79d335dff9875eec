import { describe, expect, it } from 'vitest';
import { GRAPH_PASSES } from '#graph/optimise/passes.ts';
import { sharedLoaders } from '#graph/optimise/shared-loaders.ts';
import { INFO, type Plain, TEXT_TO_IMAGE, tried } from './support.ts';

const only = [sharedLoaders];
const encode = (text: string, clip: string): Plain[string] => ({ class_type: 'CLIPTextEncode', inputs: { text, clip: [clip, 0] } });
/** Two CLIP loaders, one for each text. */
const clips = (first: Plain[string]['inputs'], second: Plain[string]['inputs'], text = 'a red fox'): Plain => ({
  ...TEXT_TO_IMAGE,
  '40': { class_type: 'CLIPLoader', inputs: first },
  '41': { class_type: 'CLIPLoader', inputs: second },
  '6': encode('a red fox', '40'),
  '7': encode(text, '41'),
});

describe('loaders of one model', () => {
  it('are one when their settings are', () => {
    const same = { clip_name: 'clip_l.safetensors', type: 'sd3' };
    const result = tried(clips(same, same), [], only);
    expect(result.told).toEqual(['shared-loaders: 41>40']);
    expect(result.savings[0]).toMatchObject({ why: 'Another node loads clip_l.safetensors already.', nodes: [{ id: '41' }] });
  });

  it('may leave out what the function has as its default; that saves a second load, and what is equal then', () => {
    const result = tried(
      clips({ clip_name: 'clip_l.safetensors', type: 'sd3' }, { clip_name: 'clip_l.safetensors', type: 'sd3', device: 'default' }),
      [],
      GRAPH_PASSES,
    );
    expect(result.told).toEqual(['equal-nodes: 7>6', 'shared-loaders: 41>40']);
    expect(result.savings.flatMap(({ nodes }) => nodes.map(({ ran }) => ran))).toEqual([true, true]);
  });

  it.each([
    ['another device', { clip_name: 'clip_l.safetensors', type: 'sd3', device: 'cpu' }],
    ['another type', { clip_name: 'clip_l.safetensors', type: 'flux2' }],
    ['another file', { clip_name: 'clip_g.safetensors', type: 'sd3' }],
  ])('are two with %s', (_, second) => {
    expect(tried(clips({ clip_name: 'clip_l.safetensors', type: 'sd3' }, second), [], only).savings).toEqual([]);
  });

  const lora = (name: string): Plain[string] => ({
    class_type: 'LoraLoaderModelOnly',
    inputs: { model: ['4', 0], lora_name: name, strength_model: 1 },
  });
  const stack = (first: string, second: string): Plain => ({
    ...TEXT_TO_IMAGE,
    '50': lora(first),
    '51': lora(second),
    '3': { class_type: 'KSampler', inputs: { ...TEXT_TO_IMAGE['3']?.inputs, model: ['50', 0] } },
    '13': { class_type: 'KSampler', inputs: { ...TEXT_TO_IMAGE['3']?.inputs, seed: 7, model: ['51', 0] } },
    '18': { class_type: 'VAEDecode', inputs: { samples: ['13', 0], vae: ['4', 2] } },
    '19': { class_type: 'SaveImage', inputs: { images: ['18', 0], filename_prefix: 'second' } },
  });

  it('may be spelled with either slash; the spelling that the server lists stays', () => {
    const result = tried(stack('characters\\draft-hero.safetensors', 'characters/draft-hero.safetensors'), [], only);
    expect(result.told).toEqual(['shared-loaders: 50>51']);
    expect(result.plain['3']?.inputs['model']).toEqual(['51', 0]);
  });

  it('of packs are left alone', () => {
    const same = { clip_name: 'clip_l.safetensors', type: 'sd3' };
    const classes = new Map(INFO.classes);
    const clipLoader = classes.get('CLIPLoader');
    if (clipLoader !== undefined) classes.set('CLIPLoader', { ...clipLoader, pythonModule: 'custom_nodes.gguf' });
    expect(tried(clips(same, same), [], only, { classes }).savings).toEqual([]);
  });
});
