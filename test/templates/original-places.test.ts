/** Problems of a graph that was converted, told at the place in the file that it was converted from. */
import { describe, expect, it } from 'vitest';
import type { Problem } from '#protocol/problem.ts';
import { createRelocation } from '#templates/original-places.ts';

const TEXT = '{\n  "nodes": [\n    { "id": 3, "type": "Save" },\n    { "id": "host", "type": "sub" }\n  ],\n  "links": []\n}\n';
const problem = (node?: string): Problem => ({
  code: 'GRAPH_EMPTY',
  severity: 'error',
  message: 'It is so.',
  hint: 'Do so.',
  file: 'a.json',
  line: 77,
  column: 7,
  pointer: '/3/inputs/x',
  ...(node === undefined ? {} : { node }),
});

describe('places in a file in UI format', () => {
  const relocate = createRelocation(TEXT);
  it.each([
    ['3', 3],
    ['host', 4],
    ['host:12:5', 4],
  ])('finds node %s on line %i', (node, line) => {
    const { pointer, ...rest } = problem(node);
    expect(pointer).toBeDefined();
    expect(relocate(problem(node))).toEqual({ ...rest, line, column: 5 });
  });

  it('goes to the start of the file with what has no node there', () => {
    for (const node of [undefined, '99', '']) expect(relocate(problem(node))).toMatchObject({ line: 1, column: 1, file: 'a.json' });
    expect(createRelocation('no json')(problem('3'))).toMatchObject({ line: 1, column: 1 });
  });
});
