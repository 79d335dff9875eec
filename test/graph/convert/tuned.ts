/** A small subgraph that the tests of subgraphs put between a loader and a saver. */
import { convert, type Link, type NodeSketch, subgraph, workflow } from './support.ts';

export const LOAD: NodeSketch = { id: 1, type: 'Load', out: ['MODEL', 'CLIP'], values: ['a.safetensors'] };
export const INNER = 'aaaaaaaa-0000-4000-8000-000000000001';
export const OUTER = 'aaaaaaaa-0000-4000-8000-000000000002';

/** model → Tune → out, the strength promoted. */
export const tuned = subgraph(
  INNER,
  [
    {
      id: 11,
      type: 'Tune',
      in: [
        ['model', 'MODEL', 1],
        ['strength', 'FLOAT', 2, true],
      ],
      out: ['MODEL'],
      values: [0.25],
    },
  ],
  [
    [1, -10, 0, 11, 0],
    [2, -10, 1, 11, 1],
    [3, 11, 0, -20, 0],
  ],
  [
    ['model', 'MODEL', [1]],
    ['strength', 'FLOAT', [2]],
  ],
  [['MODEL', 'MODEL', [3]]],
);
export const LINKS: readonly Link[] = [
  [5, 1, 0, 2, 0],
  [6, 2, 0, 3, 0],
];
export const SAVE: NodeSketch = { id: 3, type: 'Save', in: [['model', 'MODEL', 6]], values: ['out'] };
export const instance = (more: Partial<NodeSketch> = {}): NodeSketch => ({
  id: 2,
  type: INNER,
  in: [
    ['model', 'MODEL', 5],
    ['strength', 'FLOAT', null, true],
  ],
  out: ['MODEL'],
  ...more,
});
export const of = (
  host: NodeSketch,
  definitions: readonly object[] = [tuned],
  extra: readonly NodeSketch[] = [],
  links: readonly Link[] = [],
) => convert(workflow([LOAD, host, SAVE, ...extra], [...LINKS, ...links], { definitions: { subgraphs: definitions } }));
