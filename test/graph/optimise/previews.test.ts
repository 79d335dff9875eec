import { describe, expect, it } from 'vitest';
import { previews } from '#graph/optimise/previews.ts';
import { ids, type Plain, TEXT_TO_IMAGE, tried } from './support.ts';

const only = [previews];
const shown = (classType: string, inputs: Plain[string]['inputs'], more: Plain = {}): Plain => ({
  ...TEXT_TO_IMAGE,
  '20': { class_type: classType, inputs, _meta: { title: 'Look' } },
  ...more,
});

describe('a preview that nobody looks at', () => {
  it('goes, and the picture that is saved as well stays', () => {
    const result = tried(shown('PreviewImage', { images: ['8', 0] }), [], only);
    expect(ids(result)).toEqual(Object.keys(TEXT_TO_IMAGE));
    expect(result.savings).toMatchObject([{ pass: 'previews', nodes: [{ id: '20', classType: 'PreviewImage', title: 'Look' }] }]);
  });

  it('takes with it what only it needed', () => {
    const alone = {
      '21': { class_type: 'ImageInvert', inputs: { image: ['22', 0] } },
      '22': { class_type: 'ImageBlur', inputs: { image: ['8', 0], blur_radius: 3, sigma: 1 } },
    };
    const result = tried(shown('PreviewImage', { images: ['21', 0] }, alone), [], only);
    expect(ids(result)).toEqual(Object.keys(TEXT_TO_IMAGE));
    expect(result.told).toEqual(['previews: 20 21 22']);
  });

  it.each([
    ['MaskPreview', { mask: ['21', 0] }, { '21': { class_type: 'SolidMask', inputs: { value: 1, width: 8, height: 8 } } }],
    ['PreviewAudio', { audio: ['21', 0] }, { '21': { class_type: 'LoadAudio', inputs: { audio: 'a.flac' } } }],
  ])('may be a %s', (classType, inputs, more) => {
    expect(ids(tried(shown(classType, inputs, more), [], only))).toEqual(Object.keys(TEXT_TO_IMAGE));
  });

  it('may be a text, where outputs are declared', () => {
    const graph = shown('PreviewAny', { source: ['8', 0] });
    expect(ids(tried(graph, ['9'], only))).not.toContain('20');
    expect(ids(tried(graph, [], only))).toContain('20');
  });
});

describe('a preview stays', () => {
  it('when an output of the step names it', () => {
    const graph = shown('PreviewImage', { images: ['8', 0] });
    expect(tried(graph, ['20'], only).text).toBe(JSON.stringify(graph, undefined, 2));
  });

  it('when another node takes what it hands on', () => {
    const graph = shown(
      'PreviewAny',
      { source: ['8', 0] },
      {
        '21': { class_type: 'CLIPTextEncode', inputs: { text: ['20', 0], clip: ['4', 1] } },
        '6': { class_type: 'ConditioningCombine', inputs: { conditioning_1: ['21', 0], conditioning_2: ['21', 0] } },
      },
    );
    expect(ids(tried(graph, ['9'], only))).toContain('20');
  });

  it('when the graph has no other output', () => {
    const { '9': _save, ...rest } = TEXT_TO_IMAGE;
    const graph = { ...rest, '20': { class_type: 'PreviewImage', inputs: { images: ['8', 0] } } };
    expect(tried(graph, [], only).savings).toEqual([]);
  });

  it('when it is of a node pack', () => {
    const graph = shown('PackSave', { images: ['8', 0] });
    expect(ids(tried(graph, ['9'], only))).toContain('20');
  });
});
