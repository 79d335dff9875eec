/** Graphs in API form: what is read, and what is refused with its place. */
import { describe, expect, it } from 'vitest';
import { detectFormat, linkOf, parseGraph } from '#graph/graph.ts';
import { parseJson } from '#graph/json.ts';

const formatOf = (text: string) => {
  const { root } = parseJson(text);
  return root && detectFormat(root);
};

describe('detectFormat', () => {
  it('tells the formats apart by what only they have', () => {
    expect(formatOf('{"3": {"class_type": "KSampler", "inputs": {}}}')).toBe('api');
    expect(formatOf('{"3": {"inputs": {}}}')).toBe('api');
    expect(formatOf('{"nodes": [], "links": [], "version": 0.4}')).toBe('ui');
    expect(formatOf('{"model_type": "t2v_1.3B", "prompt": "x"}')).toBe('wan2gp');
    for (const other of ['{}', '[]', '1', '{"a": 1}', '{"nodes": {}}', '{"id": "x", "steps": []}']) expect(formatOf(other)).toBe('unknown');
  });

  it('takes a node called "nodes" for what it is', () => {
    expect(formatOf('{"nodes": {"class_type": "A", "inputs": {}}}')).toBe('api');
  });
});

describe('parseGraph', () => {
  const text = `{
  "3": {"inputs": {"seed": 18446744073709551615, "model": ["4", 0], "list": {"__value__": ["4", 0]}},
        "class_type": "KSampler", "is_changed": [NaN], "_meta": {"title": "Sampler"}, "future": 1},
  "4": {"class_type": "Loader", "inputs": {}}
}`;

  it('indexes nodes and inputs and tolerates fields it does not know', () => {
    const { graph, problems } = parseGraph(text);
    expect(problems).toEqual([]);
    const node = graph?.nodes.get('3');
    expect(node).toMatchObject({ id: '3', classType: 'KSampler', title: 'Sampler' });
    expect([...(node?.inputs.keys() ?? [])]).toEqual(['seed', 'model', 'list']);
    expect(node?.inputs.get('seed')?.value).toMatchObject({ raw: '18446744073709551615' });
    expect(graph?.nodes.get('4')).not.toHaveProperty('title');
  });

  it('takes only [string, number] for a link', () => {
    const { graph } = parseGraph(text);
    expect(graph?.nodes.get('3')?.inputs.get('model')?.link).toEqual({ node: '4', slot: 0 });
    expect(graph?.nodes.get('3')?.inputs.get('list')).not.toHaveProperty('link');
    for (const other of ['["4"]', '["4", 0, 1]', '[4, 0]', '["4", "0"]', '["4", null]', '["4", true]', '{}', '"4"']) {
      const { root } = parseJson(other);
      expect(root && linkOf(root)).toBeUndefined();
    }
  });

  it('takes an empty object for an empty graph', () => {
    expect(parseGraph('{}')).toMatchObject({ graph: { text: '{}' }, problems: [] });
  });

  const refused: [title: string, text: string, message: RegExp, hint: RegExp][] = [
    ['UI format', '{"nodes": [], "links": []}', /UI format/, /Export \(API\).*callsheet convert/],
    ['Wan2GP settings', '{"model_type": "t2v"}', /Wan2GP/, /"backend": "wan2gp"/],
    ['a list', '[]', /this is a list/, /API format/],
    ['a request body', '{"client_id": "x", "prompt": {"1": {"class_type": "A", "inputs": {}}}}', /wrapped.*\/prompt/, /\/prompt/],
    ['a service request', '{"input": {"workflow": {"1": {"class_type": "A", "inputs": {}}}}}', /\/input\/workflow/, /\/input\/workflow/],
    ['some other JSON', '{"a": 1}', /no entry has a class_type/, /Export \(API\)/],
  ];
  for (const [title, refusedText, message, hint] of refused) {
    it(`refuses ${title} and says what to do`, () => {
      const { graph, problems } = parseGraph(refusedText, { file: 'w.json' });
      expect(graph).toBeUndefined();
      expect(problems).toMatchObject([{ code: 'GRAPH_NOT_API', file: 'w.json', line: 1, column: 1 }]);
      expect(problems[0]?.message).toMatch(message);
      expect(problems[0]?.hint).toMatch(hint);
    });
  }

  const invalid: [title: string, entry: string, message: RegExp, pointer: string][] = [
    ['a node without class_type', '"9": {"inputs": {}, "_meta": {"title": "Load"}}', /Node 9 "Load" has no class_type/, '/9'],
    ['a class_type that is no name', '"9": {"class_type": 5, "inputs": {}}', /class_type of node 9/, '/9/class_type'],
    ['a node without inputs', '"9": {"class_type": "A"}', /Node 9 has no inputs/, '/9'],
    ['inputs that are a list', '"9": {"class_type": "A", "inputs": []}', /inputs of node 9 are a list/, '/9/inputs'],
    ['an entry that is no node', '"last_node_id": 9', /Node last_node_id is a number/, '/last_node_id'],
    ['an empty id', '"": {"class_type": "A", "inputs": {}}', /empty id/, '/'],
    ['an id that code trips over', '"constructor": {"class_type": "A", "inputs": {}}', /may not be the id/, '/constructor'],
    [
      'an input name that code trips over',
      '"9": {"class_type": "A", "inputs": {"prototype": 1}}',
      /input called "prototype"/,
      '/9/inputs/prototype',
    ],
  ];
  for (const [title, entry, message, pointer] of invalid) {
    it(`reports ${title} at its place and keeps the other nodes`, () => {
      const { graph, problems } = parseGraph(`{"1": {"class_type": "A", "inputs": {}},\n${entry}}`);
      expect(problems).toMatchObject([{ code: 'GRAPH_NODE_INVALID', severity: 'error', line: 2, pointer }]);
      expect(problems[0]?.message).toMatch(message);
      expect(graph?.nodes.has('1')).toBe(true);
    });
  }

  it('reports every broken node at once', () => {
    const { problems } = parseGraph('{"1": {"class_type": "A"}, "2": {"inputs": {}}, "3": 1}');
    expect(problems.map(({ node }) => node)).toEqual(['1', '2', '3']);
  });
});
