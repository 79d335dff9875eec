// Values of a graph written back into the author's workflow in UI format: only where they are another, and only what converts to that graph.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convertWorkflow } from '#graph/convert/convert.ts';
import { workflowWith } from '#graph/convert/write-back.ts';
import { canonicalHash } from '#graph/hash.ts';
import { INFO, type NodeSketch, subgraph, workflow } from './support.ts';

const LOAD: NodeSketch = { id: 1, type: 'Load', out: ['MODEL', 'CLIP'], values: ['a.safetensors'] };
const SAMPLE: NodeSketch = { id: 2, type: 'Sample', in: [['model', 'MODEL', 7]], out: ['LATENT'], values: [5, 'fixed', 20, 'fast'] };
const SAVE: NodeSketch = { id: 3, type: 'Save', in: [['latent', 'LATENT', 8]], values: ['out'] };
const UI = workflow(
  [LOAD, SAMPLE, SAVE],
  [
    [7, 1, 0, 2, 0],
    [8, 2, 0, 3, 1],
  ],
  { extra: { note: 'kept  as it is' } },
);
const TEXT = JSON.stringify(UI, null, 1);

interface Plain {
  [id: string]: { class_type: string; inputs: Record<string, unknown> };
}

function graphOf(text: string): Plain {
  return JSON.parse(convertWorkflow(text, INFO).graph ?? 'null') as Plain;
}

/** The workflow for the graph that it gives with these inputs changed. */
function after(text: string, changes: Readonly<Record<string, Readonly<Record<string, unknown>>>>) {
  const graph = graphOf(text);
  for (const [id, inputs] of Object.entries(changes)) Object.assign(graph[id]?.inputs ?? {}, inputs);
  const wanted = JSON.stringify(graph);
  const made = workflowWith(text, wanted, INFO);
  const again = made === undefined ? undefined : (convertWorkflow(made, INFO).graph ?? '');
  return { made, isSame: again !== undefined && canonicalHash(again) === canonicalHash(wanted) };
}

describe('a workflow with the values of a run', () => {
  it('is the file itself where nothing is another', () => {
    expect(workflowWith(TEXT, JSON.stringify(graphOf(TEXT)), INFO)).toBe(TEXT);
  });

  it('has each value in its place, and every other byte as it was', () => {
    const { made, isSame } = after(TEXT, { 2: { seed: 99, mode: 'slow' }, 3: { filename_prefix: 'größe "x"' } });
    expect(isSame).toBe(true);
    expect(made).toBe(
      TEXT.replace(/5,(\s+)"fixed",(\s+)20,(\s+)"fast"/, '99,$1"fixed",$220,$3"slow"').replace('"out"', JSON.stringify('größe "x"')),
    );
  });

  it('keeps seeds of 64 bits', () => {
    const wanted = (convertWorkflow(TEXT, INFO).graph ?? '').replace('"seed": 5', '"seed": 18446744073709551615');
    expect(wanted).toContain('18446744073709551615');
    expect(workflowWith(TEXT, wanted, INFO)).toContain('18446744073709551615');
  });

  it('writes prompts so that the page draws nothing of them', () => {
    const ui = JSON.stringify(
      workflow(
        [
          { id: 1, type: 'Text', out: ['STRING'], values: ['x'] },
          { id: 2, type: 'Save', in: [['text', 'STRING', 4]], values: ['o'] },
        ],
        [[4, 1, 0, 2, 3]],
      ),
    );
    const { made, isSame } = after(ui, { 1: { text: 'a {red|blue} fox' } });
    expect(isSame).toBe(true);
    expect(JSON.parse(made ?? '').nodes[0].widgets_values).toEqual([String.raw`a \{red\|blue\} fox`]);
  });

  it('bypasses a node that a patch took out', () => {
    const tune: NodeSketch = { id: 4, type: 'Tune', in: [['model', 'MODEL', 5]], out: ['MODEL'], values: [1] };
    const ui = JSON.stringify(
      workflow(
        [LOAD, tune, { ...SAMPLE, in: [['model', 'MODEL', 6]] }, SAVE],
        [
          [5, 1, 0, 4, 0],
          [6, 4, 0, 2, 0],
          [8, 2, 0, 3, 1],
        ],
      ),
    );
    const graph = graphOf(ui);
    delete graph['4'];
    Object.assign(graph['2']?.inputs ?? {}, { model: ['1', 0] });
    const made = workflowWith(ui, JSON.stringify(graph), INFO);
    expect(JSON.parse(made ?? '').nodes.map(({ mode }: { mode: number }) => mode)).toEqual([0, 4, 0, 0]);
  });

  it('does not exist for a graph with other nodes, links or classes', () => {
    const other = (change: (graph: Plain) => void) => {
      const graph = graphOf(TEXT);
      change(graph);
      return workflowWith(TEXT, JSON.stringify(graph), INFO);
    };
    expect(other((graph) => void (graph['9'] = { class_type: 'Load', inputs: { name: 'b.safetensors' } }))).toBeUndefined();
    expect(other((graph) => void Object.assign(graph['2'] ?? {}, { class_type: 'Forced' }))).toBeUndefined();
    expect(other((graph) => void delete graph['2'])).toBeUndefined();
    expect(other((graph) => void Object.assign(graph['2']?.inputs ?? {}, { model: ['1', 1] }))).toBeUndefined();
    expect(workflowWith('{', '{}', INFO)).toBeUndefined();
    expect(workflowWith(TEXT, 'no graph', INFO)).toBeUndefined();
  });

  it('does not exist where two instances of a subgraph share a value that differs', () => {
    const inner = subgraph(
      'sub',
      [{ id: 21, type: 'Number', out: ['INT'], values: [7] }],
      [[1, 21, 0, -20, 0]],
      [],
      [['value', 'INT', [1]]],
    );
    const instance = (id: number): NodeSketch => ({ id, type: 'sub', out: ['INT'] });
    const scale = (id: number, link: number): NodeSketch => ({
      id,
      type: 'Tune',
      in: [
        ['model', 'MODEL', 7],
        ['strength', 'FLOAT', link, true],
      ],
      values: [1],
    });
    const ui = JSON.stringify(
      workflow(
        [LOAD, instance(5), instance(6), scale(8, 11), scale(9, 12)],
        [
          [7, 1, 0, 8, 0],
          [11, 5, 0, 8, 1],
          [12, 6, 0, 9, 1],
        ],
        { definitions: { subgraphs: [inner] } },
      ),
    );
    expect(Object.keys(graphOf(ui))).toContain('5:21');
    expect(after(ui, { '5:21': { value: 8 }, '6:21': { value: 8 } }).isSame).toBe(true);
    expect(after(ui, { '5:21': { value: 8 } }).made).toBeUndefined();
  });

  it('converts to exactly the graph that is asked for, or does not exist (property)', () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.constantFrom('{a|b}', '["1", 0]', '\\', 'fixed', ''));
    fc.assert(
      fc.property(value, value, fc.integer({ min: 0 }), (text, mode, seed) => {
        const { made, isSame } = after(TEXT, { 2: { seed, mode }, 3: { filename_prefix: text } });
        expect(isSame).toBe(made !== undefined);
      }),
    );
  });
});
