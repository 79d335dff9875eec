/** Suggestions for misspelt names. */
import { describe, expect, it } from 'vitest';
import { closest, createSuggester } from '#graph/suggest.ts';

describe('closest', () => {
  it('finds the name that is a typing mistake away', () => {
    expect(closest('KSampelr', ['CLIPTextEncode', 'KSampler', 'KSamplerAdvanced'])).toBe('KSampler');
  });

  it('takes case, white space and separators for the same', () => {
    expect(closest('sdxl/base model.safetensors', ['SDXL\\base_model.safetensors'])).toBe('SDXL\\base_model.safetensors');
  });

  it('suggests nothing when nothing is near, when the name is short or has no letters, and never the name itself', () => {
    expect(closest('KSampler', ['VAEDecode'])).toBeUndefined();
    expect(closest('a', ['b'])).toBeUndefined();
    expect(closest('ab', ['cd'])).toBeUndefined();
    expect(closest('1043', ['1044'])).toBeUndefined();
    expect(closest('model', ['model'])).toBeUndefined();
  });

  it('gives up on a file in which everything is misspelt', () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `node number ${i}`);
    const suggest = createSuggester(names);
    const answers = names.map((name) => suggest(`${name}x`));
    expect(answers[0]).toBe('node number 0');
    expect(answers.at(-1)).toBeUndefined();
  });
});
