/** Whatever happened to a UI file, conversion answers with a graph or with problems, never with an exception. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convertWorkflow } from '../../../src/graph/convert/convert.ts';
import { parseGraph } from '../../../src/graph/graph.ts';
import { checkStructure } from '../../../src/graph/structure.ts';
import { MERGED, readInfo } from './measure.ts';

const FIXTURES = fileURLToPath(new URL('../../fixtures/conversion/', import.meta.url));
const INFO = readInfo(`${FIXTURES}object_info/${MERGED}`);
const FILES = ['pairs', 'ui'].flatMap((folder) =>
  readdirSync(`${FIXTURES}${folder}`)
    .filter((file) => !file.endsWith('.api.json'))
    .map((file) => `${FIXTURES}${folder}/${file}`),
);

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
const STRANGE: readonly Json[] = [
  null,
  true,
  -10,
  -20,
  0,
  1.5,
  2 ** 60,
  '',
  '*',
  '-10',
  '__proto__',
  [],
  {},
  [[]],
  { '0': 1 },
  [null, null],
  'workflow>x',
  'Reroute',
];

/** Replaces, removes or repeats one value somewhere in the tree. */
function mutate(root: Json, path: number, how: number, strange: Json): void {
  let at = root;
  let steps = path;
  for (let depth = 0; depth < 12; depth += 1) {
    if (typeof at !== 'object' || at === null) return;
    const keys = Object.keys(at);
    const key = keys[steps % Math.max(1, keys.length)];
    if (key === undefined) return;
    steps = Math.floor(steps / keys.length);
    const child = (at as Record<string, Json>)[key];
    if (child === undefined) return;
    if (steps === 0 || typeof child !== 'object' || child === null) {
      if (how === 0) (at as Record<string, Json>)[key] = strange;
      else if (how === 1 && Array.isArray(at)) at.splice(Number(key), 1);
      else if (how === 1) delete (at as Record<string, Json>)[key];
      else if (Array.isArray(at)) at.push(structuredClone(child));
      else (at as Record<string, Json>)[key] = [structuredClone(child)];
      return;
    }
    at = child;
  }
}

describe('conversion of mutated files', () => {
  it('never throws, and every graph it gives can be parsed, with ids of its own and links that lead somewhere, in no circle', () => {
    const mutation = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 2 }), fc.constantFrom(...STRANGE));
    fc.assert(
      fc.property(fc.constantFrom(...FILES), fc.array(mutation, { minLength: 1, maxLength: 6 }), (file, mutations) => {
        const root = JSON.parse(readFileSync(file, 'utf8')) as Json;
        for (const [path, how, strange] of mutations) mutate(root, path, how, structuredClone(strange));
        const { graph, problems, nodes } = convertWorkflow(JSON.stringify(root), INFO, { file: 'x.json' });
        expect(new Set(nodes.map(({ id }) => id)).size).toBe(nodes.length);
        expect(graph === undefined).toBe(problems.some(({ severity }) => severity === 'error'));
        const parsed = parseGraph(graph ?? '{}');
        expect(parsed.problems).toEqual([]);
        const wrong = parsed.graph === undefined ? [] : checkStructure(parsed.graph).filter(({ code }) => code !== 'GRAPH_EMPTY');
        expect(wrong.filter(({ severity }) => severity === 'error')).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it('names a place in the file with every problem', () => {
    for (const file of FILES) {
      for (const { line, column, message } of convertWorkflow(readFileSync(file, 'utf8'), INFO).problems) {
        expect({ message, line: line ?? 0, column: column ?? 0 }).toMatchObject({ line: expect.any(Number) as number });
        expect(line).toBeGreaterThan(0);
        expect(column).toBeGreaterThan(0);
      }
    }
  });
});
