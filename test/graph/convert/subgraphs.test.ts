/** Subgraphs, promoted widgets in their old and new form, and group nodes. */
import { describe, expect, it } from 'vitest';
import { convert, type NodeSketch, subgraph, workflow } from './support.ts';
import { INNER, instance, LINKS, LOAD, of, OUTER, SAVE, tuned } from './tuned.ts';

describe('subgraphs', () => {
  it('opens an instance: ids outer:inner, links through both borders', () => {
    expect(of(instance()).nodes).toEqual({
      '1': { name: 'a.safetensors' },
      '2:11': { model: ['1', 0], strength: 0.25 },
      '3': { filename_prefix: 'out', model: ['2:11', 0] },
    });
  });

  it('lets the value that the instance saved win over the one inside', () => {
    expect(of(instance({ values: [0.75] })).nodes?.['2:11']).toMatchObject({ strength: 0.75 });
  });

  it('gives two instances of one definition their own values', () => {
    const second: NodeSketch = {
      ...instance({ values: [0.1] }),
      id: 4,
      in: [
        ['model', 'MODEL', 7],
        ['strength', 'FLOAT', null, true],
      ],
    };
    const { nodes } = of(instance({ values: [0.9] }), [tuned], [second], [[7, 2, 0, 4, 0]]);
    expect(nodes?.['2:11']).toMatchObject({ strength: 0.9, model: ['1', 0] });
    expect(nodes?.['4:11']).toMatchObject({ strength: 0.1, model: ['2:11', 0] });
  });

  it('matches the inputs of an instance by name, whatever their order', () => {
    const host = instance({
      in: [
        ['strength', 'FLOAT', null, true],
        ['model', 'MODEL', 5],
      ],
      values: [0.6],
    });
    expect(of(host).nodes?.['2:11']).toEqual({ model: ['1', 0], strength: 0.6 });
  });

  it('takes a link to the instance for the widget inside', () => {
    const number: NodeSketch = { id: 4, type: 'Number', out: ['INT'], values: [3] };
    const host = instance({
      in: [
        ['model', 'MODEL', 5],
        ['strength', 'FLOAT', 8, true],
      ],
    });
    expect(of(host, [tuned], [number], [[8, 4, 0, 2, 1]]).nodes?.['2:11']).toMatchObject({ strength: ['4', 0] });
  });

  it('opens subgraphs in subgraphs and promotes through both', () => {
    const outer = subgraph(
      OUTER,
      [
        {
          id: 21,
          type: INNER,
          in: [
            ['model', 'MODEL', 1],
            ['strength', 'FLOAT', 2, true],
          ],
          out: ['MODEL'],
          values: [0.5],
        },
      ],
      [
        [1, -10, 0, 21, 0],
        [2, -10, 1, 21, 1],
        [3, 21, 0, -20, 0],
      ],
      [
        ['model', 'MODEL', [1]],
        ['power', 'FLOAT', [2]],
      ],
      [['MODEL', 'MODEL', [3]]],
    );
    const host = (values?: unknown): NodeSketch => ({
      id: 2,
      type: OUTER,
      in: [
        ['model', 'MODEL', 5],
        ['power', 'FLOAT', null, true],
      ],
      out: ['MODEL'],
      values,
    });
    expect(of(host(), [outer, tuned]).nodes?.['2:21:11']).toEqual({ model: ['1', 0], strength: 0.5 });
    expect(of(host([0.8]), [tuned, outer]).nodes).toMatchObject({ '2:21:11': { strength: 0.8 }, '3': { model: ['2:21:11', 0] } });
  });

  it('gives legacy proxyWidgets their saved values, as a list or as a text', () => {
    const bare = subgraph(
      INNER,
      [
        {
          id: 11,
          type: 'Tune',
          in: [
            ['model', 'MODEL', 1],
            ['strength', 'FLOAT', null, true],
          ],
          out: ['MODEL'],
          values: [0.25],
        },
      ],
      [
        [1, -10, 0, 11, 0],
        [3, 11, 0, -20, 0],
      ],
      [['model', 'MODEL', [1]]],
      [['MODEL', 'MODEL', [3]]],
    );
    const host = (proxyWidgets: unknown, values: unknown) =>
      instance({ in: [['model', 'MODEL', 5]], values, more: { properties: { proxyWidgets } } });
    expect(of(host([['11', 'strength']], [0.7]), [bare]).nodes?.['2:11']).toMatchObject({ strength: 0.7 });
    expect(of(host('[["11", "strength"], ["11", "$$preview"]]', [0.7, null]), [bare]).nodes?.['2:11']).toMatchObject({ strength: 0.7 });
    expect(of(host([['11', 'strength']], [null]), [bare]).nodes?.['2:11']).toMatchObject({ strength: 0.25 });
    expect(of(host([['99', 'strength']], [0.7]), [bare]).nodes?.['2:11']).toMatchObject({ strength: 0.25 });
  });

  it('takes "-1" in proxyWidgets for an input of the subgraph', () => {
    const host = instance({
      values: [null, 0.9],
      more: {
        properties: {
          proxyWidgets: [
            ['5', 'gone'],
            ['-1', 'strength'],
          ],
        },
      },
    });
    expect(of(host).nodes?.['2:11']).toMatchObject({ strength: 0.9 });
  });

  it('numbers inner ids on that collide with ids outside', () => {
    const clash = {
      ...tuned,
      nodes: tuned.nodes.map((each) => ({ ...each, id: 3 })),
      links: tuned.links.map((link) => ({
        ...link,
        origin_id: link.origin_id === 11 ? 3 : link.origin_id,
        target_id: link.target_id === 11 ? 3 : link.target_id,
      })),
    };
    expect(Object.keys(of(instance(), [clash]).nodes ?? {})).toEqual(['1', '3', '2:101']);
  });

  it('counts on from the highest id met in a definition, and leaves ids that are texts alone', () => {
    const clash = (id: string, ids: readonly (number | string)[]) =>
      subgraph(
        id,
        ids.map((each) => ({ id: each, type: 'Load' })),
        [],
      );
    const definitions = [clash(INNER, [1, 40]), clash(OUTER, [40, 41, '1'])];
    const hosts: NodeSketch[] = [
      { id: 1, type: INNER },
      { id: 2, type: OUTER },
    ];
    const ui = workflow(hosts, [], { last_node_id: 2, definitions: { subgraphs: definitions } });
    expect(Object.keys(convert(ui).nodes ?? {})).toEqual(['1:3', '1:40', '2:41', '2:42', '2:1']);
    const { last_node_id: _, ...uncounted } = ui;
    expect(Object.keys(convert(uncounted).nodes ?? {})).toEqual(['1:3', '1:40', '2:41', '2:42', '2:1']);
  });

  it('names an instance without a definition and a subgraph that contains itself', () => {
    expect(of(instance(), []).codes).toEqual(['CONVERT_SUBGRAPH_MISSING']);
    const loop = { ...tuned, nodes: [...tuned.nodes, { id: 12, type: INNER, mode: 0, inputs: [], outputs: [] }] };
    expect(of(instance(), [loop]).codes).toContain('CONVERT_SUBGRAPH_LOOP');
  });

  it('refuses a small file that opens up into a billion nodes', () => {
    const level = (depth: number) => `bbbbbbbb-0000-4000-8000-0000000000${String(depth).padStart(2, '0')}`;
    const bombs = Array.from({ length: 30 }, (_, depth) =>
      subgraph(
        level(depth),
        depth === 29
          ? [{ id: `${depth}a`, type: 'Load' }]
          : [
              { id: `${depth}a`, type: level(depth + 1) },
              { id: `${depth}b`, type: level(depth + 1) },
            ],
        [],
      ),
    );
    expect(convert(workflow([{ id: 1, type: level(0) }], [], { definitions: { subgraphs: bombs } })).codes).toEqual(['CONVERT_TOO_LARGE']);
    const chain = Array.from({ length: 5000 }, (_, depth) =>
      subgraph(`chain ${depth}`, [{ id: `c${depth}`, type: `chain ${depth + 1}` }], []),
    );
    expect(convert(workflow([{ id: 1, type: 'chain 0' }], [], { definitions: { subgraphs: chain } })).codes).toContain('CONVERT_TOO_LARGE');
  });

  it('opens a group node: inner ids by index, its values node by node, renamed inputs', () => {
    const groupNodes = {
      pair: {
        nodes: [
          {
            type: 'Tune',
            inputs: [{ name: 'model', type: 'MODEL', link: null }],
            outputs: [{ name: 'MODEL', type: 'MODEL', links: [] }],
            widgets_values: [1],
            index: 0,
          },
          {
            type: 'Tune',
            inputs: [{ name: 'model', type: 'MODEL', link: null }],
            outputs: [{ name: 'MODEL', type: 'MODEL', links: [] }],
            widgets_values: [1],
            index: 1,
          },
        ],
        links: [[0, 0, 1, 0, 0, 'MODEL']],
        external: [],
        config: { 0: { input: { model: { name: 'base' } } } },
      },
    };
    const host: NodeSketch = { id: 2, type: 'workflow>pair', in: [['base', 'MODEL', 5]], out: ['MODEL'], values: [0.3, 0.4] };
    expect(convert(workflow([LOAD, host, SAVE], LINKS, { extra: { groupNodes } })).nodes).toEqual({
      '1': { name: 'a.safetensors' },
      '2:0': { strength: 0.3, model: ['1', 0] },
      '2:1': { strength: 0.4, model: ['2:0', 0] },
      '3': { filename_prefix: 'out', model: ['2:1', 0] },
    });
  });
});
