/** Whatever is inserted, swapped and bypassed, and in whatever order: the graph that comes out is one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGraph } from '#graph/graph.ts';
import { parseObjectInfo } from '#graph/object-info.ts';
import { type GraphPatch, patchGraph } from '#graph/patch-graph.ts';
import { checkStructure } from '#graph/structure.ts';
import type { Graph } from '#graph/types.ts';

const TYPES = ['MODEL', 'CLIP', 'IMAGE', 'MASK'] as const;

/** A class for every list of inputs and outputs that the graphs below use, named by them. */
const shapes = fc.record({
  inputs: fc.array(fc.record({ type: fc.constantFrom(...TYPES, 'INT', '*'), required: fc.boolean() }), { maxLength: 4 }),
  outputs: fc.array(fc.constantFrom(...TYPES), { maxLength: 3 }),
});
type Shape = typeof shapes extends fc.Arbitrary<infer T> ? T : never;

interface Made {
  readonly graph: Graph;
  readonly text: string;
  readonly info: NonNullable<ReturnType<typeof parseObjectInfo>['info']>;
}

/** Node n is linked to nodes before it only, by outputs that exist; without regard to types, which is worse than any real graph. */
const graphs = fc
  .record({
    nodes: fc.array(fc.record({ shape: shapes, picks: fc.array(fc.nat(), { minLength: 4, maxLength: 4 }) }), {
      minLength: 1,
      maxLength: 8,
    }),
    known: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
    indent: fc.constantFrom(0, 2, '\t'),
    shuffled: fc.boolean(),
  })
  .map(({ nodes, known, indent, shuffled }): Made => {
    const classes = nodes.map(({ shape }, index) => [`C${index}`, classOf(shape, index)] as const);
    const entries = nodes.map(({ shape, picks }, index) => {
      const before = nodes.slice(0, index).flatMap((node, at) => node.shape.outputs.map((_, slot) => [`n${at}`, slot] as const));
      const inputs = shape.inputs.flatMap(({ type }, place): [string, unknown][] => {
        const pick = picks[place] ?? 0;
        if (type === 'INT' && pick % 2 === 0) return [[`i${place}`, pick]];
        const link = before[pick % (before.length + 1)];
        return link === undefined ? [] : [[`i${place}`, link]];
      });
      return [`n${index}`, { class_type: `C${index}`, inputs: Object.fromEntries(inputs) }] as const;
    });
    const text = JSON.stringify(Object.fromEntries(shuffled ? entries.toReversed() : entries), null, indent);
    const { graph } = parseGraph(text);
    // A class that the server does not have is part of life.
    const { info } = parseObjectInfo(
      JSON.stringify(
        Object.fromEntries([
          ...classes.filter((_, at) => known[at] !== false),
          ['New', classOf({ inputs: [{ type: 'MODEL', required: true }], outputs: ['MODEL', 'CLIP', 'IMAGE'] }, 1)],
        ]),
      ),
    );
    if (graph === undefined || info === undefined) throw new Error('the arbitrary makes no graph');
    return { graph, text, info };
  });

function classOf({ inputs, outputs }: Shape, index: number): object {
  const part = (required: boolean) =>
    Object.fromEntries(inputs.flatMap((input, place) => (input.required === required ? [[`i${place}`, [input.type]]] : [])));
  return { input: { required: part(true), optional: part(false) }, output: outputs, output_node: outputs.length === 0 || index % 3 === 0 };
}

const kinds = fc.array(
  fc.record({
    kind: fc.constantFrom('insert', 'swap', 'bypass'),
    node: fc.nat(),
    slot: fc.nat({ max: 2 }),
    chain: fc.integer({ min: 1, max: 3 }),
  }),
  { maxLength: 5 },
);

function patchesOf({ graph }: Made, wishes: typeof kinds extends fc.Arbitrary<infer T> ? T : never): GraphPatch[] {
  const ids = [...graph.nodes.keys()];
  return wishes.map(({ kind, node: pick, slot, chain }, at): GraphPatch => {
    const node = ids[pick % ids.length] ?? '';
    if (kind === 'bypass') return { kind, node };
    const name = (index: number): string => `${node}:patch${at}-${index}`;
    if (kind === 'insert') {
      const nodes = Array.from({ length: chain }, (_, index) => ({
        id: name(index),
        classType: 'New',
        title: 'New',
        inputs: [['i0', index === 0 ? { node, slot } : { node: name(index - 1), slot: 0 }] as const],
      }));
      return { kind, after: node, nodes, rewire: [{ from: { node, slot }, to: { node: name(chain - 1), slot: 0 } }] };
    }
    const [source] = [...(graph.nodes.get(node)?.inputs.values() ?? [])].flatMap(({ link }) => link ?? []);
    const inputs = source === undefined ? [] : [['i0', source] as const];
    return {
      kind: 'swap',
      node,
      nodes: [{ id: name(0), classType: 'New', title: 'New', inputs }],
      rewire: [0, 1, 2].map((each) => ({ from: { node, slot: each }, to: { node: name(0), slot: each } })),
    };
  });
}

/** Codes of the structure: links that lead nowhere, slots, circles. A graph may become empty. */
function structureOf(text: string): string[] {
  const { graph, problems } = parseGraph(text);
  if (graph === undefined) return problems.map(({ code }) => code);
  return [...problems, ...checkStructure(graph)].map(({ code }) => code).filter((code) => code !== 'GRAPH_EMPTY');
}

describe('patched graphs', () => {
  it('have no link that leads nowhere and no circle, whatever is patched', () => {
    fc.assert(
      fc.property(graphs, kinds, (made, wishes) => {
        const patches = patchesOf(made, wishes);
        const { text } = patchGraph(made.graph, patches, made.info, new Set());
        expect(structureOf(text)).toEqual([]);
      }),
    );
  });

  it('are the text itself without patches', () => {
    fc.assert(
      fc.property(graphs, (made) => {
        expect(patchGraph(made.graph, [], made.info, new Set()).text).toBe(made.text);
      }),
    );
  });

  it('come out the same each time', () => {
    fc.assert(
      fc.property(graphs, kinds, (made, wishes) => {
        const once = () => patchGraph(made.graph, patchesOf(made, wishes), made.info, new Set()).text;
        expect(once()).toBe(once());
      }),
    );
  });

  it('lose only what was bypassed, swapped, or is told to be idle, and keep what has to be kept', () => {
    fc.assert(
      fc.property(graphs, kinds, fc.nat(), (made, wishes, pick) => {
        const patches = patchesOf(made, wishes);
        const ids = [...made.graph.nodes.keys()];
        const keep = ids[pick % ids.length] ?? '';
        const { text, idle } = patchGraph(made.graph, patches, made.info, new Set([keep]));
        const left = new Set(parseGraph(text).graph?.nodes.keys());
        const out = new Set(patches.flatMap((patch) => (patch.kind === 'insert' ? [] : [patch.node])));
        expect(ids.filter((id) => !left.has(id)).toSorted()).toEqual([...new Set([...out, ...idle])].toSorted());
        expect(idle).not.toContain(keep);
      }),
    );
  });

  it('say nothing of a node that can be bypassed without a required input being lost, and name every other', () => {
    fc.assert(
      fc.property(graphs, fc.nat(), (made, pick) => {
        const ids = [...made.graph.nodes.keys()];
        const node = ids[pick % ids.length] ?? '';
        const { text, findings } = patchGraph(made.graph, [{ kind: 'bypass', node }], made.info, new Set(ids));
        const after = parseGraph(text).graph;
        const lost = [...made.graph.nodes.values()].flatMap(({ id, classType, inputs }) =>
          [...inputs.values()].flatMap(({ name, link }) => {
            if (link?.node !== node || after?.nodes.get(id)?.inputs.has(name) !== false) return [];
            const isOptional = made.info.classes.get(classType)?.inputs.get(name)?.required === false;
            const isKnown = made.info.classes.has(made.graph.nodes.get(node)?.classType ?? '');
            return isOptional && isKnown ? [] : [`input "${name}" of node ${id} `];
          }),
        );
        expect(findings).toHaveLength(lost.length);
        for (const [at, words] of lost.entries()) expect(findings[at]?.message).toContain(words);
      }),
    );
  });
});
