/** What passes the border of a subgraph: modes, links that several inputs share, reroutes. */
import { describe, expect, it } from 'vitest';
import { convert, type NodeSketch, subgraph, workflow } from './support.ts';
import { INNER, instance, LOAD, of, OUTER, tuned } from './tuned.ts';

describe('the border of a subgraph', () => {
  it('leaves out what is in a muted instance, and passes a bypassed one', () => {
    expect(of(instance({ mode: 2 })).nodes).toEqual({ '1': { name: 'a.safetensors' }, '3': { filename_prefix: 'out' } });
    expect(of(instance({ mode: 4 })).nodes?.['3']).toEqual({ filename_prefix: 'out', model: ['1', 0] });
  });

  it('opens an instance that is muted or bypassed in another subgraph, as the page does, and warns; its outputs follow its mode', () => {
    const outer = (mode: number) =>
      subgraph(
        OUTER,
        [{ ...instance(), id: 21, mode, in: [['model', 'MODEL', 1]] }],
        [
          [1, -10, 0, 21, 0],
          [3, 21, 0, -20, 0],
        ],
        [['model', 'MODEL', [1]]],
        [['MODEL', 'MODEL', [3]]],
      );
    const host: NodeSketch = { id: 2, type: OUTER, in: [['model', 'MODEL', 5]], out: ['MODEL'] };
    const muted = of(host, [tuned, outer(2)]);
    expect(muted.nodes).toMatchObject({ '2:21:11': { model: ['1', 0] } });
    expect(muted.nodes?.['3']).toEqual({ filename_prefix: 'out' });
    expect(muted.problems).toMatchObject([{ code: 'CONVERT_SUBGRAPH_OPENED', severity: 'warning', node: '2:21' }]);
    expect(of(host, [tuned, outer(4)]).nodes).toMatchObject({ '2:21:11': { model: ['1', 0] }, '3': { model: ['1', 0] } });
    expect(Object.keys(of({ ...host, mode: 2 }, [tuned, outer(4)]).nodes ?? {})).toEqual(['1', '3']);
  });

  it('leaves out what a muted instance would give, whatever is in it', () => {
    const bypassed = { ...tuned, nodes: tuned.nodes.map((each) => ({ ...each, mode: 4 })) };
    expect(of(instance({ mode: 2 }), [bypassed]).nodes?.['3']).toEqual({ filename_prefix: 'out' });
    expect(of(instance(), [bypassed]).nodes?.['3']).toEqual({ filename_prefix: 'out', model: ['1', 0] });
  });

  it('gives one input to several widgets and sockets inside, from a link, a reroute at the border, or the value it saved', () => {
    const wide = subgraph(
      INNER,
      [
        { id: 12, type: 'Reroute', in: [['', '*', 1]], out: ['*'] },
        { id: 11, type: 'Sample', in: [['model', 'MODEL', 4]], values: [1, 'fixed', 2, 'slow'] },
        { id: 13, type: 'Number', in: [['value', 'INT', 2, true]], values: [7] },
        {
          id: 14,
          type: 'Sample',
          in: [
            ['model', 'MODEL', 5],
            ['steps', 'INT', 3, true],
          ],
          values: [1, 'fixed', 2, 'slow'],
        },
      ],
      [
        [1, -10, 0, 12, 0],
        [4, 12, 0, 11, 0],
        [5, 12, 0, 14, 0],
        [2, -10, 1, 13, 0],
        [3, -10, 1, 14, 1],
      ],
      [
        ['model', 'MODEL', [1]],
        ['count', 'INT', [2, 3]],
      ],
    );
    const host = (values: unknown, link: number | null = null): NodeSketch => ({
      id: 2,
      type: INNER,
      in: [
        ['model', 'MODEL', 5],
        ['count', 'INT', link, true],
      ],
      values,
    });
    const alone = (values: unknown) => convert(workflow([LOAD, host(values)], [[5, 1, 0, 2, 0]], { definitions: { subgraphs: [wide] } }));
    expect(alone([9]).nodes).toMatchObject({
      '2:11': { model: ['1', 0] },
      '2:13': { value: 9 },
      '2:14': { model: ['1', 0], steps: 9 },
    });
    expect(alone(undefined).nodes).toMatchObject({ '2:13': { value: 7 }, '2:14': { steps: 7 } });
    const number: NodeSketch = { id: 4, type: 'Number', out: ['INT'], values: [3] };
    const linked = (mode: number) =>
      convert(
        workflow(
          [LOAD, { ...number, mode }, host([9], 8)],
          [
            [5, 1, 0, 2, 0],
            [8, 4, 0, 2, 1],
          ],
          { definitions: { subgraphs: [wide] } },
        ),
      ).nodes;
    expect(linked(0)).toMatchObject({ '2:13': { value: ['4', 0] }, '2:14': { steps: ['4', 0] } });
    // Neither the value that the instance saved nor a link: each widget inside keeps its own.
    for (const mode of [2, 4]) expect(linked(mode)).toMatchObject({ '2:13': { value: 7 }, '2:14': { steps: 2 } });
  });
});
