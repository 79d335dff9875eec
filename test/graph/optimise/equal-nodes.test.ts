import { describe, expect, it } from 'vitest';
import { equalNodes } from '#graph/optimise/equal-nodes.ts';
import { previews } from '#graph/optimise/previews.ts';
import { ids, INFO, type Plain, TEXT_TO_IMAGE, tried } from './support.ts';

const only = [equalNodes];
/** A second branch with a text of its own, saved. */
const branch = (text: Plain[string], seed: unknown = 42): Plain => ({
  ...TEXT_TO_IMAGE,
  '16': text,
  '13': { class_type: 'KSampler', inputs: { ...TEXT_TO_IMAGE['3']?.inputs, seed, positive: ['16', 0] } },
  '18': { class_type: 'VAEDecode', inputs: { samples: ['13', 0], vae: ['4', 2] } },
  '19': { class_type: 'SaveImage', inputs: { images: ['18', 0], filename_prefix: 'second' } },
});
const text = (inputs: Plain[string]['inputs']): Plain[string] => ({ class_type: 'CLIPTextEncode', inputs });

describe('equal nodes', () => {
  it('are merged with everything after them that is equal then; the savers stay two', () => {
    const result = tried(branch(text({ text: 'a red fox', clip: ['4', 1] })), [], only);
    expect(result.told).toEqual(['equal-nodes: 16>6 13>3 18>8']);
    expect(result.plain['19']?.inputs).toEqual({ images: ['8', 0], filename_prefix: 'second' });
  });

  it('need not name their inputs in one order', () => {
    expect(tried(branch(text({ clip: ['4', 1], text: 'a red fox' })), [], only).told).toEqual(['equal-nodes: 16>6 13>3 18>8']);
  });

  it.each([
    ['another text', { text: 'a red fox ', clip: ['4', 1] }],
    ['another output of the same node', { text: 'a red fox', clip: ['4', 0] }],
    ['an input more', { text: 'a red fox', clip: ['4', 1], more: 1 }],
    ['a text that looks like the link', { text: 'a red fox', clip: '4,1' }],
  ])('are none with %s', (_, inputs) => {
    expect(tried(branch(text(inputs)), [], only).savings).toEqual([]);
  });

  it('compare numbers as the input reads them, to the last digit of a seed', () => {
    const same = { text: 'a red fox', clip: ['4', 1] };
    expect(tried(branch(text(same), '42'), [], only).told).toEqual(['equal-nodes: 16>6 13>3 18>8']);
    const seeds = JSON.stringify(branch(text(same), 'SECOND'))
      .replace('"seed":42', '"seed":18446744073709551615')
      .replace('"SECOND"', '18446744073709551614');
    expect(tried(seeds, [], only).told).toEqual(['equal-nodes: 16>6']);
  });

  it('say of which the time is saved: the server itself executes equal ones once', () => {
    const [plain] = tried(branch(text({ text: 'a red fox', clip: ['4', 1] })), [], only).savings;
    expect(plain?.nodes.map(({ ran }) => ran)).toEqual([undefined, undefined, undefined]);
    const [widget] = tried(branch(text({ text: 'a red fox', clip: ['4', 1], upload: 'image' })), [], only).savings;
    expect(widget?.nodes.map(({ ran }) => ran)).toEqual([true, true, true]);
  });
});

describe('never merged', () => {
  const two = (one: Plain[string], taker: string): Plain => ({
    ...TEXT_TO_IMAGE,
    '30': one,
    '31': one,
    '32': { class_type: taker, inputs: { width: ['30', 0], height: ['31', 0], batch_size: 1, color: 0 } },
    '33': { class_type: 'SaveImage', inputs: { images: ['32', 0], filename_prefix: 'x' } },
  });

  it('nodes of packs, which may roll dice', () => {
    expect(tried(two({ class_type: 'PackDice', inputs: { sides: 6 } }, 'EmptyImage'), [], only).savings).toEqual([]);
  });

  it('output nodes: each has its effect', () => {
    const graph = { ...TEXT_TO_IMAGE, '10': TEXT_TO_IMAGE['9'] ?? { class_type: '', inputs: {} } };
    expect(tried(graph, [], only).savings).toEqual([]);
  });

  it('a class of a pack that took the name of ComfyUI’s own', () => {
    const graph = branch(text({ text: 'a red fox', clip: ['4', 1] }));
    const info = {
      classes: new Map(
        [...INFO.classes].map(([name, one]) => [name, name === 'CLIPTextEncode' ? { ...one, pythonModule: 'custom_nodes.x' } : one]),
      ),
    };
    expect(tried(graph, [], only, info).savings).toEqual([]);
  });
});

describe('previews that are both wanted', () => {
  const graph: Plain = {
    ...TEXT_TO_IMAGE,
    '20': { class_type: 'PreviewImage', inputs: { images: ['8', 0] } },
    '21': { class_type: 'PreviewImage', inputs: { images: ['8', 0] } },
  };

  it('are merged, and the outputs name the one that stays', () => {
    const result = tried(graph, ['9', '20', '21'], [previews, equalNodes]);
    expect(result.told).toEqual(['equal-nodes: 21>20']);
    expect(result.outputNodes).toEqual(['9', '20']);
    expect(ids(result)).not.toContain('21');
  });
});
