/** Printing graphs: values are spliced in, everything else is untouched. */
import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGraph, printGraph } from '#graph/graph.ts';
import { checkStructure } from '#graph/structure.ts';
import type { Graph } from '#graph/types.ts';
import { printJson, toValue } from '#graph/values.ts';
import { jsonValue, layout, printLoose, rawGraph } from './arbitraries.ts';

const FIXTURES = new URL('../fixtures/graphs/', import.meta.url);

function graphOf(text: string): Graph {
  const { graph, problems } = parseGraph(text);
  expect(problems).toEqual([]);
  if (graph === undefined) throw new Error('no graph');
  return graph;
}

describe('printGraph', () => {
  it('gives the identical text without edits', () => {
    const text = '\uFEFF{ "1" :\r\n{"inputs":{},"class_type":"A"} }\n\n';
    expect(printGraph(graphOf(text), [])).toBe(text);
  });

  it('replaces only the spans of the values', () => {
    const text = '{"3": {"inputs": {"seed":  8.0 ,"steps": 20, "model": ["4", 0]}, "class_type": "K"}}';
    const edits = [
      { node: '3', input: 'model', json: '["5", 1]' },
      { node: '3', input: 'seed', json: '18446744073709551615' },
    ];
    expect(printGraph(graphOf(text), edits)).toBe(
      '{"3": {"inputs": {"seed":  18446744073709551615 ,"steps": 20, "model": ["5", 1]}, "class_type": "K"}}',
    );
  });

  it('lets the last of several edits of one input count', () => {
    const edits = [
      { node: '1', input: 'a', json: '2' },
      { node: '1', input: 'new', json: '3' },
      { node: '1', input: 'a', json: '4' },
      { node: '1', input: 'new', json: '5' },
    ];
    expect(printGraph(graphOf('{"1": {"class_type": "A", "inputs": {"a": 1}}}'), edits)).toBe(
      '{"1": {"class_type": "A", "inputs": {"a": 4, "new": 5}}}',
    );
  });

  const styles: [title: string, before: string, after: string][] = [
    [
      'indented by two',
      '{\n  "1": {\n    "inputs": {\n      "a": 1\n    },\n    "class_type": "A"\n  }\n}',
      '      "a": 1,\n      "x": 7,\n      "y": 8\n    },',
    ],
    [
      'tabs and \\r\\n',
      '{\r\n\t"1": {\r\n\t\t"inputs": {\r\n\t\t\t"a": 1\r\n\t\t},\r\n\t\t"class_type": "A"\r\n\t}\r\n}',
      '\t\t\t"a": 1,\r\n\t\t\t"x": 7,\r\n\t\t\t"y": 8\r\n\t\t},',
    ],
    ['compact', '{"1":{"inputs":{"a":1},"class_type":"A"}}', '{"a":1,"x":7,"y":8}'],
    ['one line, as Python writes it', '{"1": {"inputs": {"a": 1}, "class_type": "A"}}', '{"a": 1, "x": 7, "y": 8}'],
    ['no input yet, one line', '{"1": {"inputs": {}, "class_type": "A"}}', '{"x": 7, "y": 8}'],
    ['no input yet, compact', '{"1":{"inputs":{},"class_type":"A"}}', '{"x":7,"y":8}'],
    [
      'no input yet, indented',
      '{\n  "1": {\n    "inputs": {},\n    "class_type": "A"\n  }\n}',
      '"inputs": {\n      "x": 7,\n      "y": 8\n    },',
    ],
    [
      'no input yet, tabs',
      '{\n\t"1": {\n\t\t"inputs": {\n\t\t},\n\t\t"class_type": "A"\n\t}\n}',
      '"inputs": {\n\t\t\t"x": 7,\n\t\t\t"y": 8\n\t\t},',
    ],
  ];
  for (const [title, before, after] of styles) {
    it(`adds missing inputs in the style of the file: ${title}`, () => {
      const edits = [
        { node: '1', input: 'x', json: '7' },
        { node: '1', input: 'y', json: '8' },
      ];
      const printed = printGraph(graphOf(before), edits);
      expect(printed).toContain(after);
      expect(graphOf(printed).nodes.get('1')?.inputs.size).toBe(before.includes('"a"') ? 3 : 2);
    });
  }

  it('escapes the name of an added input', () => {
    const printed = printGraph(graphOf('{"1": {"class_type": "A", "inputs": {}}}'), [{ node: '1', input: 'a"\\b', json: '1' }]);
    expect(graphOf(printed).nodes.get('1')?.inputs.has('a"\\b')).toBe(true);
  });

  it('throws for a node that is not there', () => {
    expect(() => printGraph(graphOf('{"1": {"class_type": "A", "inputs": {}}}'), [{ node: '2', input: 'a', json: '1' }])).toThrow(
      RangeError,
    );
  });

  it('sets exactly the edited inputs of any graph to exactly the values, and keeps every other byte', () => {
    fc.assert(
      fc.property(
        rawGraph,
        layout,
        fc.array(fc.tuple(fc.nat(), fc.nat(), fc.boolean(), jsonValue), { maxLength: 6 }),
        (raw, gaps, picks) => {
          const graph = graphOf(printLoose(raw, gaps[Symbol.iterator]()));
          const nodes = [...graph.nodes.values()];
          const wanted = new Map<string, { node: string; input: string; json: string }>();
          for (const [n, i, fresh, value] of picks) {
            const node = nodes[n % nodes.length];
            const names = [...(node?.inputs.keys() ?? [])];
            const input = fresh ? `added ${i % 3}` : names[i % Math.max(1, names.length)];
            if (node === undefined || input === undefined) continue;
            wanted.set(JSON.stringify([node.id, input]), { node: node.id, input, json: printJson(value) });
          }
          const printed = printGraph(graph, [...wanted.values()]);
          const after = graphOf(printed);
          for (const { node, input, json } of wanted.values()) {
            const value = after.nodes.get(node)?.inputs.get(input)?.value;
            expect(value && printed.slice(value.start, value.end)).toBe(json);
          }
          // Writing the old texts back into the replaced spans gives the file as it was, but for the added inputs.
          const replaced = [...wanted.values()].filter(({ node, input }) => graph.nodes.get(node)?.inputs.has(input));
          const back = replaced.map(({ node, input }) => {
            const value = graph.nodes.get(node)?.inputs.get(input)?.value;
            return { node, input, json: graph.text.slice(value?.start, value?.end) };
          });
          const added = [...wanted.values()].filter((edit) => !replaced.includes(edit));
          expect(printGraph(after, back)).toBe(printGraph(graph, added));
        },
      ),
    );
  });
});

describe('real graphs', () => {
  const files = readdirSync(FIXTURES).filter((name) => name.endsWith('.json'));
  it('are there', () => {
    expect(files.length).toBeGreaterThan(8);
  });
  for (const file of files) {
    it(`${file} is read without a problem, printed byte for byte and edited in place`, () => {
      const text = readFileSync(new URL(file, FIXTURES), 'utf8');
      const graph = graphOf(text);
      expect(printGraph(graph, [])).toBe(text);
      expect(checkStructure(graph)).toEqual([]);
      const inputs = [...graph.nodes.values()].flatMap((node) => [...node.inputs.values()].map((input) => ({ node: node.id, input })));
      const edits = inputs.map(({ node, input }) => ({ node, input: input.name, json: '-1' }));
      const edited = graphOf(printGraph(graph, edits));
      expect([...edited.nodes.values()].flatMap((node) => [...node.inputs.values()].map(({ value }) => toValue(value)))).toEqual(
        edits.map(() => -1),
      );
      const back = inputs.map(({ node, input }) => ({ node, input: input.name, json: text.slice(input.value.start, input.value.end) }));
      expect(printGraph(edited, back)).toBe(text);
      expect(toValue(graph.root)).toEqual(JSON.parse(text));
    });
  }
});
