/** Where inputs get their values from: reroutes, bypass, mute, Set and Get, and links that lead nowhere. */
import { describe, expect, it } from 'vitest';
import { convert, workflow, type Link, type NodeSketch } from './support.ts';

const LOAD: NodeSketch = { id: 1, type: 'Load', out: ['MODEL', 'CLIP'], values: ['a.safetensors'] };
const tune = (id: number, link: number | null, mode = 0): NodeSketch => ({
  id,
  type: 'Tune',
  mode,
  in: [['model', 'MODEL', link]],
  out: ['MODEL'],
  values: [0.5],
});
const save = (id: number, link: number | null): NodeSketch => ({ id, type: 'Save', in: [['model', 'MODEL', link]], values: ['out'] });
const of = (nodes: readonly NodeSketch[], links: readonly Link[], more: object = {}) => convert(workflow(nodes, links, more));

describe('links', () => {
  it('goes by the link id of the input, whatever slot the link names', () => {
    expect(of([LOAD, save(2, 7)], [[7, 1, 0, 2, 9]]).nodes?.['2']).toMatchObject({ model: ['1', 0] });
  });

  it('refuses a circle and an output that does not exist where something runs on them, at the node of the file', () => {
    const circle: readonly Link[] = [
      [5, 3, 0, 2, 0],
      [6, 2, 0, 3, 0],
      [7, 3, 0, 4, 0],
    ];
    expect(of([tune(2, 5), tune(3, 6), save(4, 7)], circle).problems).toMatchObject([{ code: 'GRAPH_CYCLE', severity: 'error', line: 1 }]);
    for (const slot of [2, -1, 0.5]) {
      const { problems, nodes } = of([LOAD, save(2, 7)], [[7, 1, slot, 2, 0]]);
      expect(problems).toMatchObject([{ code: 'GRAPH_LINK_SLOT', severity: 'error', node: '2', input: 'model', line: 1 }]);
      expect(nodes).toBeUndefined();
    }
  });

  it('looks through reroutes in a row', () => {
    const reroute = (id: number, link: number): NodeSketch => ({ id, type: 'Reroute', in: [['', '*', link]], out: ['*'] });
    const { nodes } = of(
      [LOAD, reroute(2, 5), reroute(3, 6), save(4, 7)],
      [
        [5, 1, 0, 2, 0],
        [6, 2, 0, 3, 0],
        [7, 3, 0, 4, 0],
      ],
    );
    expect(nodes).toEqual({ '1': { name: 'a.safetensors' }, '4': { filename_prefix: 'out', model: ['1', 0] } });
  });

  it('ignores native reroutes, which are only drawn', () => {
    const extra = { reroutes: [{ id: 1, pos: [0, 0], linkIds: [7] }], linkExtensions: [{ id: 7, parentId: 1 }] };
    expect(of([LOAD, save(2, 7)], [[7, 1, 0, 2, 0]], { extra }).nodes?.['2']).toMatchObject({ model: ['1', 0] });
  });

  it('passes a bypassed node by its first input of the type', () => {
    const both: NodeSketch = {
      id: 2,
      type: 'Both',
      mode: 4,
      in: [
        ['first', 'MODEL', 5],
        ['clip', 'CLIP', 6],
      ],
      out: ['CLIP', 'MODEL'],
    };
    const { nodes } = of(
      [LOAD, both, save(3, 7)],
      [
        [5, 1, 0, 2, 0],
        [6, 1, 1, 2, 1],
        [7, 2, 1, 3, 0],
      ],
    );
    expect(nodes).toEqual({ '1': { name: 'a.safetensors' }, '3': { filename_prefix: 'out', model: ['1', 0] } });
  });

  it('keeps the widget value where a muted node would have given another, and leaves a socket open', () => {
    const number: NodeSketch = { id: 1, type: 'Number', mode: 2, out: ['INT'], values: [3] };
    const sample: NodeSketch = { id: 2, type: 'Sample', in: [['steps', 'INT', 5, true]], values: [1, 'fixed', 2, 'slow'] };
    expect(of([number, sample], [[5, 1, 0, 2, 2]]).nodes).toEqual({ '2': { seed: 1, steps: 2, mode: 'slow' } });
    const reroute: NodeSketch = { id: 2, type: 'Reroute', mode: 2, in: [['', '*', 5]], out: ['*'] };
    const links: Link[] = [
      [5, 1, 0, 2, 0],
      [6, 2, 0, 3, 0],
    ];
    expect(of([LOAD, reroute, save(3, 6)], links).nodes?.['3']).toEqual({ filename_prefix: 'out' });
    expect(of([LOAD, tune(2, 5, 2), save(3, 6)], links).nodes?.['3']).toEqual({ filename_prefix: 'out' });
  });

  it('keeps the widget value where a bypassed node has nothing to pass on', () => {
    const number: NodeSketch = { id: 1, type: 'Number', mode: 4, out: ['INT'], values: [3] };
    const sample: NodeSketch = { id: 2, type: 'Sample', in: [['steps', 'INT', 5, true]], values: [1, 'fixed', 2, 'slow'] };
    expect(of([number, sample], [[5, 1, 0, 2, 2]]).nodes).toEqual({ '2': { seed: 1, steps: 2, mode: 'slow' } });
  });

  it('lets a Get node read what the Set node of its name was given', () => {
    const set: NodeSketch = { id: 2, type: 'SetNode', in: [['MODEL', 'MODEL', 5]], out: ['*'], values: ['m'] };
    const get: NodeSketch = { id: 3, type: 'GetNode', out: ['MODEL'], values: ['m'] };
    const links: Link[] = [
      [5, 1, 0, 2, 0],
      [6, 3, 0, 4, 0],
    ];
    expect(of([LOAD, set, get, save(4, 6)], links).nodes?.['4']).toMatchObject({ model: ['1', 0] });
    expect(of([LOAD, set, { ...get, values: ['n'] }, save(4, 6)], links)).toMatchObject({
      nodes: undefined,
      codes: ['CONVERT_GET_WITHOUT_SET'],
    });
  });

  it('leaves out notes and unknown nodes without connections', () => {
    const { nodes, problems } = of(
      [LOAD, { id: 2, type: 'Note', values: ['hello'] }, { id: 3, type: 'MarkdownNote' }, { id: 4, type: 'Sticker' }],
      [],
    );
    expect(Object.keys(nodes ?? {})).toEqual(['1']);
    expect(problems).toMatchObject([{ code: 'CONVERT_NODE_LEFT_OUT', severity: 'warning', node: '4' }]);
  });

  it('says class, node, title and pack of a node that the server does not have', () => {
    const strange = (properties: object): NodeSketch => ({
      id: 2,
      type: 'FancyTune',
      title: 'My tune',
      in: [['model', 'MODEL', 5]],
      out: ['MODEL'],
      more: { properties },
    });
    const registry = of(
      [LOAD, strange({ cnr_id: 'fancy-pack' }), save(3, 6)],
      [
        [5, 1, 0, 2, 0],
        [6, 2, 0, 3, 0],
      ],
    );
    expect(registry.nodes).toBeUndefined();
    expect(registry.problems).toMatchObject([
      {
        code: 'CONVERT_CLASS_UNKNOWN',
        node: '2',
        message: 'Node 2 "My tune" (FancyTune) is of a class that the object info does not have.',
        hint: expect.stringContaining('"fancy-pack"'),
      },
    ]);
    expect(of([strange({ aux_id: 'someone/fancy' })], []).problems[0]?.hint).toContain('https://github.com/someone/fancy');
  });

  it('asks nothing of an unknown node that is muted or bypassed', () => {
    const strange: NodeSketch = { id: 2, type: 'FancyTune', mode: 4, in: [['model', 'MODEL', 5]], out: ['MODEL'] };
    expect(
      of(
        [LOAD, strange, save(3, 6)],
        [
          [5, 1, 0, 2, 0],
          [6, 2, 0, 3, 0],
        ],
      ).nodes?.['3'],
    ).toMatchObject({ model: ['1', 0] });
  });

  it('does not mind dangling entries in links', () => {
    expect(
      of(
        [LOAD, save(2, 7)],
        [
          [7, 1, 0, 2, 0],
          [8, 77, 0, 2, 0],
          [9, 1, 0, 88, 0],
        ],
      ).codes,
    ).toEqual([]);
  });

  it('names node and input of a link that is not there, with line and column', () => {
    const { nodes, problems } = of([LOAD, save(2, 7)], []);
    expect(nodes).toBeUndefined();
    expect(problems).toMatchObject([
      {
        code: 'CONVERT_LINK_MISSING',
        node: '2',
        input: 'model',
        line: 1,
        message: 'Input "model" of node 2 (Save) is linked by link 7, which the file does not have.',
      },
    ]);
    expect(of([LOAD, save(2, 7)], [[7, 66, 0, 2, 0]]).problems).toMatchObject([{ code: 'CONVERT_LINK_ORIGIN', node: '2', input: 'model' }]);
  });

  it('names a loop of bypassed nodes instead of following it for ever', () => {
    const { codes } = of(
      [tune(1, 5, 4), tune(2, 6, 4), save(3, 7)],
      [
        [5, 2, 0, 1, 0],
        [6, 1, 0, 2, 0],
        [7, 1, 0, 3, 0],
      ],
    );
    expect(codes).toEqual(['CONVERT_LINK_LOOP']);
  });

  it('follows 20,000 reroutes in a row', () => {
    const count = 20_000;
    const nodes: NodeSketch[] = [LOAD];
    const links: Link[] = [];
    for (let id = 2; id < count; id += 1) {
      nodes.push({ id, type: 'Reroute', in: [['', '*', id]], out: ['*'] });
      links.push([id, id - 1, 0, id, 0]);
    }
    nodes.push(save(count, count));
    links.push([count, count - 1, 0, count, 0]);
    expect(of(nodes, links).nodes?.[String(count)]).toMatchObject({ model: ['1', 0] });
  });

  it('adds the links that Use Everywhere would add', () => {
    const send: NodeSketch = { id: 2, type: 'UE MODEL', mode: 0, in: [['model', 'MODEL', 5]] };
    const all: NodeSketch = { id: 2, type: 'Anything Everywhere', in: [['MODEL', '*', 5]] };
    const links: Link[] = [[5, 1, 0, 2, 0]];
    expect(of([LOAD, all, tune(3, null)], links).codes).toEqual(['CONVERT_CLASS_UNKNOWN']);
    expect(of([LOAD, send, tune(3, null)], links).codes).toEqual(['CONVERT_CLASS_UNKNOWN']);
    const extra = { ue_links: [{ downstream: 3, downstream_slot: 0, upstream: '1', upstream_slot: 0, controller: 2, type: 'MODEL' }] };
    expect(of([LOAD, tune(3, null)], [], { extra }).nodes?.['3']).toMatchObject({ model: ['1', 0] });
  });

  it('refuses two nodes of one id, nodes without type, and names that reach the prototype', () => {
    expect(of([LOAD, { ...LOAD }], []).codes).toEqual(['CONVERT_NODE_DUPLICATE']);
    expect(convert({ nodes: [{ id: 1 }, 'text', { type: 'Load' }], links: [] }).codes).toEqual([
      'CONVERT_NODE_INVALID',
      'CONVERT_NODE_INVALID',
      'CONVERT_NODE_INVALID',
    ]);
    expect(of([{ ...LOAD, id: '__proto__' }], []).codes).toEqual(['CONVERT_NODE_INVALID']);
  });

  it('leaves a graph in API format as it is, and says so of anything else', () => {
    const api = '{ "1": { "class_type": "Load", "inputs": {} } }';
    expect(convert(api)).toMatchObject({ text: api, problems: [{ code: 'CONVERT_NOT_UI', severity: 'info' }] });
    expect(convert('[1]')).toMatchObject({ text: undefined, codes: ['CONVERT_NOT_UI'] });
    expect(convert('{')).toMatchObject({ text: undefined, codes: ['JSON_SYNTAX'] });
  });
});
