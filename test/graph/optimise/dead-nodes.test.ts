import { describe, expect, it } from 'vitest';
import { deadNodes } from '#graph/optimise/dead-nodes.ts';
import { ids, type Plain, TEXT_TO_IMAGE, tried } from './support.ts';

const only = [deadNodes];
const WITH_DRAFT: Plain = {
  ...TEXT_TO_IMAGE,
  '30': { class_type: 'ImageBlur', inputs: { image: ['8', 0], blur_radius: 3, sigma: 1 } },
  '31': { class_type: 'SaveImage', inputs: { images: ['30', 0], filename_prefix: 'draft' } },
};

describe('nodes that feed no output', () => {
  it('go, however long their chain is', () => {
    const graph = {
      ...TEXT_TO_IMAGE,
      '20': { class_type: 'ImageInvert', inputs: { image: ['21', 0] } },
      '21': { class_type: 'ImageInvert', inputs: { image: ['8', 0] } },
    };
    const result = tried(graph, [], only);
    expect(ids(result)).toEqual(Object.keys(TEXT_TO_IMAGE));
    expect(result.savings[0]?.nodes.every(({ ran }) => ran === undefined)).toBe(true);
  });

  it('go without the server being said to have saved their time: it would not have run them', () => {
    const graph = { ...TEXT_TO_IMAGE, '20': { class_type: 'PackUpscale', inputs: { image: ['8', 0] } } };
    expect(tried(graph, ['9'], only).savings).toMatchObject([{ pass: 'dead-nodes', nodes: [{ id: '20' }] }]);
  });
});

describe('a saver that no output names', () => {
  it('goes with what only it needed, and their time is saved', () => {
    const result = tried(WITH_DRAFT, ['9'], only);
    expect(ids(result)).toEqual(Object.keys(TEXT_TO_IMAGE));
    expect(result.savings).toMatchObject([
      {
        nodes: [
          { id: '31', ran: true },
          { id: '30', ran: true },
        ],
      },
    ]);
  });

  it('stays where the step declares no outputs', () => {
    expect(tried(WITH_DRAFT, [], only).savings).toEqual([]);
  });

  it.each<readonly [string, Plain[string]['inputs'], string]>([
    ['SaveLatent', { samples: ['3', 0], filename_prefix: 'later' }, 'it saves something to be loaded by another workflow'],
    ['PackSave', { images: ['8', 0] }, 'it is of a pack, which may do anything'],
    ['NobodyKnows', { images: ['8', 0] }, 'the server does not describe it'],
    ['SaveImage', { images: ['8', 0], filename_prefix: ['32', 0] }, 'its folder is made up while it runs'],
  ])('stays when it is a %s: %s', (classType, inputs) => {
    const graph = {
      ...TEXT_TO_IMAGE,
      '31': { class_type: classType, inputs },
      '32': { class_type: 'PrimitiveString', inputs: { value: 'x' } },
    };
    expect(ids(tried(graph, ['9'], only))).toContain('31');
  });

  it('goes only when another output stays', () => {
    expect(tried(TEXT_TO_IMAGE, ['8'], only).savings).toEqual([]);
  });
});
