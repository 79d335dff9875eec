/** Structure of graphs: links that lead nowhere, broken slots, circles. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findCycles } from '#graph/cycles.ts';
import { parseGraph } from '#graph/graph.ts';
import { checkStructure } from '#graph/structure.ts';
import type { Graph, JsonValue } from '#graph/types.ts';
import { printJson } from '#graph/values.ts';
import { rawGraph } from './arbitraries.ts';
import type { RawGraph } from './arbitraries.ts';

function graphOf(raw: RawGraph | string): Graph {
  const { graph } = parseGraph(typeof raw === 'string' ? raw : printJson(raw));
  if (graph === undefined) throw new Error('no graph');
  return graph;
}

/** One node per entry; the lists are links by node id. */
function linked(edges: Record<string, JsonValue[]>): Graph {
  const raw: RawGraph = {};
  for (const [id, sources] of Object.entries(edges)) {
    raw[id] = {
      class_type: 'A',
      inputs: Object.fromEntries(sources.map((source, i) => [`i${i}`, Array.isArray(source) ? source : [source, 0]])),
    };
  }
  return graphOf(raw);
}

const codes = (graph: Graph) => checkStructure(graph).map(({ code }) => code);

describe('links', () => {
  it('reports a link to a missing node with node, title, input, place and the missing id', () => {
    const text =
      '{\n"4": {"class_type": "Loader", "inputs": {}},\n"6": {"class_type": "Enc", "inputs": {"clip":\n ["44x", 1]}, "_meta": {"title": "Positive"}}}';
    const [problem, ...rest] = checkStructure(graphOf(text), { file: 'g.json' });
    expect(rest).toEqual([]);
    expect(problem).toMatchObject({
      code: 'GRAPH_LINK_DANGLING',
      file: 'g.json',
      line: 4,
      column: 2,
      node: '6',
      input: 'clip',
      pointer: '/6/inputs/clip',
    });
    expect(problem?.message).toBe('Node 6 "Positive" (Enc): input "clip" is linked to node "44x", which does not exist.');
  });

  it('suggests a node id that is one typing mistake away, but not for numbers that are all alike', () => {
    const near = checkStructure(linked({ sampler: [], b: ['sampelr'] }));
    expect(near[0]?.hint).toBe('Did you mean node "sampler"?');
    expect(checkStructure(linked({ 4: [], 7: ['5'] }))[0]?.hint).not.toMatch(/Did you mean/);
  });

  for (const slot of ['-1', '0.5', '0.0', '1e0', 'NaN', '99999999999999999999']) {
    it(`refuses ${slot} as the number of an output`, () => {
      const graph = graphOf(`{"1": {"class_type": "A", "inputs": {}}, "2": {"class_type": "A", "inputs": {"x": ["1", ${slot}]}}}`);
      expect(checkStructure(graph)).toMatchObject([{ code: 'GRAPH_LINK_SLOT', severity: 'error', node: '2', input: 'x' }]);
    });
  }

  it('refuses null in the place of the node or of the output', () => {
    expect(codes(linked({ 1: [], 2: [[null, 0]] }))).toEqual(['GRAPH_LINK_NULL']);
    expect(codes(linked({ 1: [], 2: [['1', null]] }))).toEqual(['GRAPH_LINK_NULL']);
  });

  it('refuses a list that names a node but is no link', () => {
    expect(checkStructure(linked({ 1: [], 2: [['1']] }))).toMatchObject([{ code: 'GRAPH_LINK_SLOT', severity: 'error' }]);
    expect(checkStructure(linked({ 1: [], 2: [['1', 0, 0]] }))).toMatchObject([{ code: 'GRAPH_LINK_SLOT', severity: 'error' }]);
  });

  it('warns of plain lists, which a server takes for broken links', () => {
    expect(checkStructure(linked({ 1: [], 2: [[1, 0]] }))).toMatchObject([{ code: 'GRAPH_LIST_UNWRAPPED', severity: 'warning' }]);
    expect(checkStructure(linked({ 2: [[]] }))).toMatchObject([{ code: 'GRAPH_LIST_UNWRAPPED' }]);
  });

  it('takes {"__value__": […]} for a constant', () => {
    expect(codes(graphOf('{"1": {"class_type": "A", "inputs": {"x": {"__value__": ["9", 0]}}}}'))).toEqual([]);
  });

  it('does not call a link dangling when its node is there but broken', () => {
    expect(codes(graphOf('{"1": {"class_type": "A"}, "2": {"class_type": "A", "inputs": {"x": ["1", 0]}}}'))).toEqual([]);
  });
});

describe('emptiness', () => {
  it('reports a graph without nodes', () => {
    expect(checkStructure(graphOf('{}'))).toMatchObject([{ code: 'GRAPH_EMPTY', severity: 'error', line: 1, column: 1 }]);
  });
});

describe('circles', () => {
  it('names every node of a circle, in the direction of the data, once', () => {
    const problems = checkStructure(linked({ a: ['c'], b: ['a'], c: ['b'], d: ['a'] }));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code: 'GRAPH_CYCLE', severity: 'error' });
    expect(problems[0]?.message).toMatch(/circle: b \(A\) → c \(A\) → a \(A\) → b \(A\)/);
  });

  it('reports a node that feeds itself', () => {
    expect(checkStructure(linked({ a: ['a'] }))[0]?.message).toBe('Node a (A) feeds itself.');
  });

  it('reports two circles that share a node as two, and two links of one circle as one', () => {
    expect(codes(linked({ a: ['b', 'c'], b: ['a'], c: ['a'] }))).toEqual(['GRAPH_CYCLE', 'GRAPH_CYCLE']);
    expect(codes(linked({ a: ['b', 'b'], b: ['a'] }))).toEqual(['GRAPH_CYCLE']);
  });

  it('finds nothing in a diamond', () => {
    expect(codes(linked({ a: [], b: ['a'], c: ['a'], d: ['b', 'c'] }))).toEqual([]);
  });

  it('walks a chain of 100,000 nodes, open or closed, without overflowing the stack', () => {
    const chain: RawGraph = {};
    for (let i = 0; i < 100_000; i++) chain[`n${i}`] = { class_type: 'A', inputs: i === 99_999 ? {} : { x: [`n${i + 1}`, 0] } };
    expect(codes(graphOf(chain))).toEqual([]);
    chain['n99999'] = { class_type: 'A', inputs: { x: ['n0', 0] } };
    const problems = checkStructure(graphOf(chain));
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toMatch(/99950 more/);
  });

  it('stays brief when everything feeds everything', () => {
    const ids = Array.from({ length: 200 }, (_, i) => `n${i}`);
    expect(checkStructure(linked(Object.fromEntries(ids.map((id) => [id, ids])))).length).toBeLessThanOrEqual(20);
  });

  it('finds none in any acyclic graph', () => {
    fc.assert(
      fc.property(rawGraph, (raw) => {
        expect(codes(graphOf(raw))).toEqual([]);
      }),
    );
  });

  it('finds real circles exactly when there is one', () => {
    const edges = fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 16 });
    fc.assert(
      fc.property(edges, (pairs) => {
        const links: Record<string, string[]> = {};
        for (let i = 0; i < 8; i++) links[`n${i}`] = [];
        for (const [to, from] of pairs) links[`n${to}`]?.push(`n${from}`);
        const cycles = findCycles(linked(links));
        expect(cycles.length > 0).toBe(isCyclic(links));
        for (const { ids, closing } of cycles) {
          expect(new Set(ids).size).toBe(ids.length);
          for (const [i, id] of ids.entries()) expect(links[ids[(i + 1) % ids.length] ?? '']).toContain(id);
          expect(closing).toMatchObject({ node: { id: ids[0] }, input: { link: { node: ids.at(-1) } } });
        }
        expect(new Set(cycles.map(({ ids }) => JSON.stringify(ids))).size).toBe(cycles.length);
      }),
      { numRuns: 500 },
    );
  });
});

/** Kahn: take away nodes without sources until none is left. */
function isCyclic(links: Record<string, string[]>): boolean {
  let left = Object.keys(links);
  for (;;) {
    const rest = left.filter((id) => (links[id] ?? []).some((source) => left.includes(source)));
    if (rest.length === left.length) return rest.length > 0;
    left = rest;
  }
}
