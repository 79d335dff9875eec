/** Prompts sent one after the other to a server that keeps results in one of ComfyUI's modes, and which of their nodes run. */
import type { TestGraph } from '../backends/sandbox/graphs.ts';

export type Mode = 'classic' | 'lru:3' | 'none';

export interface CacheCase {
  readonly name: string;
  readonly prompts: readonly TestGraph[];
  /** Of two equal nodes either may run; the first is written as the second. */
  readonly alike?: readonly [string, string];
  /** For each prompt: the nodes that it is told are cached at its start, and those that ran. */
  readonly expected: Readonly<Record<Mode, readonly (readonly [cached: string, ran: string])[]>>;
}

const colour = (color: number): TestGraph[string] => ({ class_type: 'EmptyImage', inputs: { width: 16, height: 8, batch_size: 1, color } });
const invert = (from: string): TestGraph[string] => ({ class_type: 'ImageInvert', inputs: { image: [from, 0] } });
const save = (from: string, prefix = 'kept'): TestGraph[string] => ({
  class_type: 'SaveImage',
  inputs: { images: [from, 0], filename_prefix: prefix },
});
const blend = (first: string, second: string): TestGraph[string] => ({
  class_type: 'ImageBlend',
  inputs: { image1: [first, 0], image2: [second, 0], blend_factor: 0.5, blend_mode: 'normal' },
});
const chain = (color: number): TestGraph => ({ '1': colour(color), '2': invert('1'), '3': save('2') });

export const CACHE_CASES: readonly CacheCase[] = [
  {
    name: 'the same prompt again, also under other ids',
    prompts: [chain(1), chain(1), { a: colour(1), b: invert('a'), c: save('b') }],
    expected: {
      classic: [
        ['', '1 2 3'],
        ['1 2 3', ''],
        ['a b c', ''],
      ],
      'lru:3': [
        ['', '1 2 3'],
        ['1 2 3', ''],
        ['a b c', ''],
      ],
      none: [
        ['', '1 2 3'],
        ['', '1 2 3'],
        ['', 'a b c'],
      ],
    },
  },
  {
    name: 'another prompt between two that are equal',
    prompts: [chain(11), chain(12), chain(11), chain(12)],
    expected: {
      classic: [
        ['', '1 2 3'],
        ['', '1 2 3'],
        ['', '1 2 3'],
        ['', '1 2 3'],
      ],
      'lru:3': [
        ['', '1 2 3'],
        ['', '1 2 3'],
        ['1 2 3', ''],
        ['', '1 2 3'],
      ],
      none: [
        ['', '1 2 3'],
        ['', '1 2 3'],
        ['', '1 2 3'],
        ['', '1 2 3'],
      ],
    },
  },
  {
    name: 'what two prompts share',
    prompts: [
      { '1': colour(21), '2': invert('1'), '3': save('2') },
      { '1': colour(21), '4': save('1', 'plain') },
      { '1': colour(21), '2': invert('1'), '3': save('2') },
    ],
    expected: {
      classic: [
        ['', '1 2 3'],
        ['1', '4'],
        ['1', '2 3'],
      ],
      'lru:3': [
        ['', '1 2 3'],
        ['1', '4'],
        ['1 2 3', ''],
      ],
      none: [
        ['', '1 2 3'],
        ['', '1 4'],
        ['', '1 2 3'],
      ],
    },
  },
  {
    name: 'a changed constant above',
    prompts: [
      chain(31),
      { ...chain(31), '2': { class_type: 'ImageBlur', inputs: { image: ['1', 0], blur_radius: 1, sigma: 1 } } },
      chain(31),
    ],
    expected: {
      classic: [
        ['', '1 2 3'],
        ['1', '2 3'],
        ['1', '2 3'],
      ],
      'lru:3': [
        ['', '1 2 3'],
        ['1', '2 3'],
        ['1 2 3', ''],
      ],
      none: [
        ['', '1 2 3'],
        ['', '1 2 3'],
        ['', '1 2 3'],
      ],
    },
  },
  {
    name: 'nodes that no output needs keep what they name',
    prompts: [chain(41), { ...chain(42), '11': colour(41), '12': invert('11') }, chain(41)],
    expected: {
      classic: [
        ['', '1 2 3'],
        ['11 12', '1 2 3'],
        ['1 2', '3'],
      ],
      'lru:3': [
        ['', '1 2 3'],
        ['11 12', '1 2 3'],
        ['1 2 3', ''],
      ],
      none: [
        ['', '1 2 3'],
        ['', '1 2 3'],
        ['', '1 2 3'],
      ],
    },
  },
  {
    alike: ['2', '1'],
    name: 'two equal nodes run once, and are not the same as one that is used twice',
    prompts: [
      { '1': colour(51), '2': colour(51), '3': blend('1', '2'), '4': save('3') },
      { '1': colour(51), '3': blend('1', '1'), '4': save('3') },
    ],
    expected: {
      classic: [
        ['', '1 3 4'],
        ['1', '3 4'],
      ],
      'lru:3': [
        ['', '1 3 4'],
        ['1', '3 4'],
      ],
      none: [
        ['', '1 3 4'],
        ['', '1 3 4'],
      ],
    },
  },
  {
    name: 'two outputs of one ancestor, then one of them alone, then both',
    prompts: [
      { '1': colour(61), '2': save('1', 'one'), '3': invert('1'), '4': save('3', 'two') },
      { '1': colour(61), '2': save('1', 'one') },
      { '1': colour(61), '2': save('1', 'one'), '3': invert('1'), '4': save('3', 'two') },
    ],
    expected: {
      classic: [
        ['', '1 2 3 4'],
        ['1 2', ''],
        ['1 2', '3 4'],
      ],
      'lru:3': [
        ['', '1 2 3 4'],
        ['1 2', ''],
        ['1 2', '3 4'],
      ],
      none: [
        ['', '1 2 3 4'],
        ['', '1 2'],
        ['', '1 2 3 4'],
      ],
    },
  },
  {
    name: 'many prompts, then the first ones again',
    prompts: [chain(71), chain(72), chain(73), chain(73), chain(72), chain(71)],
    expected: {
      classic: [
        ['', '1 2 3'],
        ['', '1 2 3'],
        ['', '1 2 3'],
        ['1 2 3', ''],
        ['', '1 2 3'],
        ['', '1 2 3'],
      ],
      'lru:3': [
        ['', '1 2 3'],
        ['', '1 2 3'],
        ['', '1 2 3'],
        ['1 2 3', ''],
        ['', '1 2 3'],
        ['', '1 2 3'],
      ],
      none: [
        ['', '1 2 3'],
        ['', '1 2 3'],
        ['', '1 2 3'],
        ['', '1 2 3'],
        ['', '1 2 3'],
        ['', '1 2 3'],
      ],
    },
  },
];
