import { describe, expect, it } from 'vitest';
import { compileTemplate } from '#templates/compile.ts';
import { contentsOf } from '#templates/contents.ts';
import { sourceOf } from '#templates/load.ts';

function contents(graph: object, more: object = {}, backend = 'comfyui') {
  const manifest = { format: 1, id: 'mine', version: '1.0.0', steps: [{ id: 'a', workflow: 'a.json', backend }], ...more };
  const { value, problems } = compileTemplate(sourceOf(JSON.stringify(manifest), { 'a.json': JSON.stringify(graph) }));
  if (value === undefined) throw new Error(JSON.stringify(problems));
  return contentsOf(value);
}

const node = (class_type: string, inputs: object) => ({ class_type, inputs });

describe('contentsOf', () => {
  it('names node classes, models, files and addresses wherever they stand in the graph', () => {
    const found = contents({
      '1': node('CheckpointLoaderSimple', { ckpt_name: 'sub\\model.safetensors' }),
      '2': node('LoadImage', { image: 'photo.png' }),
      '3': node('Downloader', { text: 'get https://evil.example/x?y=1 now', config: { __value__: ['//nothing', 'file:///etc/passwd'] } }),
      '4': node('Shell', { command: '/bin/sh -c true', share: '\\\\server\\share\\a' }),
      '5': node('CLIPTextEncode', { text: 'a sentence about a cat, 3.5 mm film', clip: ['1', 1] }),
    });
    expect(found).toEqual({
      nodeClasses: ['CLIPTextEncode', 'CheckpointLoaderSimple', 'Downloader', 'LoadImage', 'Shell'],
      models: [{ name: 'sub\\model.safetensors' }],
      files: expect.arrayContaining(['/bin/sh -c true', 'photo.png', '\\\\server\\share\\a']),
      addresses: expect.arrayContaining(['file:///etc/passwd', 'https://evil.example/x?y=1', '\\\\server\\share\\a']),
      backends: ['comfyui'],
    });
  });

  it('joins models with what the manifest says of them', () => {
    const sha256 = 'a'.repeat(64);
    const models = [{ folder: 'checkpoints', name: 'model.safetensors', sha256, url: 'https://models.example/model' }];
    const found = contents({ '1': node('Loader', { ckpt_name: 'sub/model.safetensors' }) }, { requires: { models } });
    expect(found.models).toEqual([{ name: 'model.safetensors', folder: 'checkpoints', sha256, url: 'https://models.example/model' }]);
    expect(found.addresses).toEqual(['https://models.example/model']);
  });

  it('names the model of Wan2GP settings', () => {
    const found = contents({ model_type: 't2v_1.3B', prompt: 'a cat', image_start: '/home/somebody/cat.png' }, {}, 'wan2gp');
    expect(found).toMatchObject({
      nodeClasses: [],
      models: [{ name: 't2v_1.3B' }],
      files: ['/home/somebody/cat.png'],
      backends: ['wan2gp'],
    });
  });

  it('reads defaults of parameters, but not the names of its own workflow files', () => {
    const parameters = { look: { type: 'string', default: 'http://tracker.example/?' } };
    const steps = [{ id: 'a', workflow: 'a.json', set: { '1.text': '{look}' } }];
    expect(contents({ '1': node('A', { text: '' }) }, { parameters, steps })).toMatchObject({
      addresses: ['http://tracker.example/?'],
      files: [],
    });
  });

  it('stays small whatever the graph holds', () => {
    const many = Object.fromEntries(
      Array.from({ length: 3000 }, (_, n) => [String(n), node('A', { a: `http://h${n}.example/`, b: `f${n}.png` })]),
    );
    const { addresses, files } = contents(many);
    expect([addresses.length, files.length]).toEqual([1000, 1000]);
  });
});
