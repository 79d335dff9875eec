/** Every code of the graph room in docs/problems.md in both directions: a text that raises it, and one close to it that does not. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseGraph } from '#graph/graph.ts';
import { type AgainstOptions, checkAgainstObjectInfo, parseObjectInfo } from '#graph/object-info.ts';
import { checkStructure } from '#graph/structure.ts';
import type { Problem } from '#protocol/problem.ts';

const INFO = `{
  "Loader": {"input": {"required": {"ckpt_name": [["a.safetensors"]]}}, "output": ["MODEL", "CLIP"], "python_module": "nodes"},
  "Sampler": {"input": {"required": {"model": ["MODEL"], "steps": ["INT", {"min": 1, "max": 100}], "mode": [["fast", "slow"]]}},
    "output": ["IMAGE"], "python_module": "nodes"},
  "Load": {"input": {"required": {"image": [["example.png"], {"image_upload": true}]}}, "output": ["IMAGE", "MASK"], "python_module": "nodes"},
  "Switch": {"input": {"required": {"on": ["COMFY_MATCHTYPE_V3", {"template": {"template_id": "t", "allowed_types": "*"}}]}},
    "output": ["COMFY_MATCHTYPE_V3"], "output_matchtypes": ["t"], "python_module": "comfy_extras.nodes_logic"},
  "Save": {"input": {"required": {"images": ["IMAGE"]}}, "output": [], "output_node": true, "python_module": "nodes"}
}`;

const LOADER = '"1":{"class_type":"Loader","inputs":{"ckpt_name":"a.safetensors"}}';
const SAMPLER = '"2":{"class_type":"Sampler","inputs":{"model":["1",0],"steps":20,"mode":"fast"}}';
const SAVE = '"3":{"class_type":"Save","inputs":{"images":["2",0]}}';
const GOOD = `{${LOADER},${SAMPLER},${SAVE}}`;
const changed = (from: string, to: string): string => {
  expect(GOOD).toContain(from);
  return GOOD.replace(from, to);
};

function check(text: string, options: AgainstOptions = {}): Problem[] {
  const { info } = parseObjectInfo(INFO);
  const { graph, problems } = parseGraph(text);
  if (info === undefined) throw new Error('no object info');
  if (graph === undefined) return problems;
  return [...problems, ...checkStructure(graph), ...checkAgainstObjectInfo(graph, info, options)];
}

const live = (text: string): Problem[] => check(text, { live: true });
const readInfo = (text: string): Problem[] => parseObjectInfo(text).problems;
const withFile = (name: string): string =>
  `{"1":{"class_type":"Load","inputs":{"image":${name}}},"3":{"class_type":"Save","inputs":{"images":["1",0]}}}`;

type Reader = (text: string) => Problem[];

/** Code → what raises it, what is close and does not, and what reads them. */
const CASES: Readonly<Record<string, readonly [raises: string, near: string, read?: Reader]>> = {
  GRAPH_CYCLE: [changed('["1",0]', '["2",0]'), changed('["1",0]', '["1",1]')],
  GRAPH_EMPTY: ['{}', GOOD],
  GRAPH_LINK_DANGLING: [changed('["1",0]', '["7",0]'), changed('"mode":"fast"', '"mode":"fast","note":"7"')],
  GRAPH_LINK_NULL: [changed('["1",0]', 'null'), changed('"mode":"fast"', '"mode":"fast","mask":null')],
  GRAPH_LINK_SLOT: [changed('["1",0]', '["1",2]'), changed('["1",0]', '["1",1]')],
  GRAPH_LIST_UNWRAPPED: [changed('20', '[20,30,40]'), changed('"fast"', '{"__value__":["fast"]}')],
  GRAPH_NODE_INVALID: [changed('"class_type":"Sampler",', ''), changed('"class_type":"Sampler",', '"class_type":"Sampler","extra":1,')],
  GRAPH_NOT_API: ['{"nodes":[],"links":[]}', GOOD],
  GRAPH_NO_OUTPUT: [`{${LOADER},${SAMPLER}}`, GOOD],
  INPUT_CHOICE: [changed('"fast"', '"fsat"'), changed('"fast"', '"slow"')],
  INPUT_FILE: [withFile('"mine.png"'), withFile('"mine.png [output]"'), live],
  INPUT_MISSING: [changed('"steps":20,', ''), changed('"mode":"fast"', '"mode":"fast","more":1')],
  INPUT_RANGE: [changed('20', '101'), changed('20', '100')],
  INPUT_TYPE: [changed('20', '"many"'), changed('20', '"30"')],
  JSON_DUPLICATE_KEY: [`{${LOADER},${LOADER},${SAMPLER},${SAVE}}`, GOOD],
  JSON_FORBIDDEN_KEY: [changed('"mode":"fast"', '"mode":"fast","__proto__":1'), changed('"mode":"fast"', '"mode":"fast","constructor":1')],
  JSON_SYNTAX: [GOOD.slice(0, -1), changed('20', 'NaN')],
  JSON_TOO_DEEP: [changed('20', `${'['.repeat(300)}${']'.repeat(300)}`), changed('20', `${'['.repeat(200)}${']'.repeat(200)}`)],
  JSON_TOO_LARGE: [`"${'x'.repeat(64 * 1024 * 1024)}"`, GOOD],
  LINK_TYPE: [changed('["1",0]', '["1",1]'), GOOD],
  MODEL_MISSING: [changed('a.safetensors', 'b.safetensors'), GOOD],
  NODE_CLASS_UNKNOWN: [changed('"Sampler"', '"Sampelr"'), GOOD],
  NODE_UNUSED: [changed(SAVE, `${SAVE},"9":{"class_type":"Loader","inputs":{"ckpt_name":"a.safetensors"}}`), GOOD],
  OBJECT_INFO_CLASS: ['{"A":5,"B":{"input":{},"output":[]}}', '{"B":{"input":{},"output":[]}}', readInfo],
  OBJECT_INFO_INVALID: ['{"A":5}', '{"B":{"input":{},"output":[]}}', readInfo],
};

describe('every code of the graph room', () => {
  it('has a case here', () => {
    const section = /\n## graph\/\n(?<table>[^]*?)\n## /.exec(readFileSync(new URL('../../docs/problems.md', import.meta.url), 'utf8'))
      ?.groups?.['table'];
    const listed = [...(section ?? '').matchAll(/^\| `([A-Z_]+)` \|/gm)]
      .map((row) => row[1] ?? '')
      .filter((code) => !code.startsWith('CONVERT_'));
    expect(Object.keys(CASES)).toEqual(listed);
  });

  for (const [code, [raises, near, read = check]] of Object.entries(CASES)) {
    it(`${code} is found where it is, and not close by`, () => {
      const found = read(raises).filter((problem) => problem.code === code);
      expect(found.length).toBeGreaterThan(0);
      for (const { message, hint, line, column } of found) {
        expect(message.endsWith('.')).toBe(true);
        expect(hint ?? '').not.toBe('');
        expect([typeof line, typeof column]).toEqual(['number', 'number']);
      }
      expect(read(near).filter((problem) => problem.code === code)).toEqual([]);
    });
  }
});

describe('where what is missing can be had', () => {
  const sources = {
    packs: new Map([['Sampelr', { pack: 'someone/nice-nodes', version: '1.2.0' }]]),
    models: new Map([['b.safetensors', { name: 'b.safetensors', folder: 'checkpoints', url: 'https://example.org/b.safetensors' }]]),
  };

  it('is said of a node class whose pack is known', () => {
    const [problem] = check(changed('"Sampler"', '"Sampelr"'), { sources });
    expect(problem?.hint).toBe(
      'Did you mean "Sampler"? If not: Install the node pack "someone/nice-nodes" (saved with 1.2.0) from https://github.com/someone/nice-nodes and restart ComfyUI.',
    );
  });

  it('is said of a model whose address is known, wherever its file lies', () => {
    const [problem] = check(changed('a.safetensors', 'sub\\\\B.safetensors'), { sources });
    expect(problem).toMatchObject({ code: 'MODEL_MISSING', severity: 'error', node: '1', input: 'ckpt_name' });
    expect(problem?.hint).toContain('Download https://example.org/b.safetensors and put it into models/checkpoints');
  });
});

describe('a model that is not there', () => {
  it('is taken for the same file in another folder, or for one with a like name, whatever its ending', () => {
    const hint = (name: string): string => check(changed('a.safetensors', name)).find(({ code }) => code === 'MODEL_MISSING')?.hint ?? '';
    expect(hint('SD15/a.safetensors')).toContain('Did you mean "a.safetensors"?');
    expect(hint('none.safetensors')).toBe('Put none.safetensors into models/checkpoints of the server, or choose a model that it has.');
  });
});

describe('matched types', () => {
  const through = (source: string): string =>
    `{"1":{"class_type":"Load","inputs":{"image":"example.png"}},"2":{"class_type":"Switch","inputs":{"on":["1",${source}]}},"3":{"class_type":"Save","inputs":{"images":["2",0]}}}`;

  it('are followed to the type that really comes: a warning where the server lets it pass', () => {
    expect(check(through('1'))).toMatchObject([{ code: 'LINK_TYPE', severity: 'warning', node: '3', input: 'images' }]);
    expect(check(through('0'))).toEqual([]);
  });
});

describe('a tower of switches', () => {
  it('is looked through once, however many ways lead through it', () => {
    const pair =
      '{"Pair":{"input":{"required":{"a":["COMFY_MATCHTYPE_V3",{"template":{"template_id":"t","allowed_types":"*"}}],"b":["COMFY_MATCHTYPE_V3",{"template":{"template_id":"t","allowed_types":"*"}}]}},"output":["COMFY_MATCHTYPE_V3"],"output_matchtypes":["t"]},"Any":{"input":{},"output":["*"]},"Save":{"input":{"required":{"images":["IMAGE"]}},"output":[],"output_node":true}}';
    const nodes = Array.from({ length: 60 }, (_, i) => `"${i + 1}":{"class_type":"Pair","inputs":{"a":["${i}",0],"b":["${i}",0]}}`);
    const { graph } = parseGraph(
      `{"0":{"class_type":"Any","inputs":{}},${nodes.join(',')},"99":{"class_type":"Save","inputs":{"images":["60",0]}}}`,
    );
    const { info } = parseObjectInfo(pair);
    if (graph === undefined || info === undefined) throw new Error('no graph');
    expect(checkAgainstObjectInfo(graph, info)).toEqual([]);
  });
});

describe('an input file', () => {
  it('is an error only where a running server says that it is not there', () => {
    expect(live(withFile('"mine.png"'))).toMatchObject([{ code: 'INPUT_FILE', severity: 'error' }]);
    expect(check(withFile('"mine.png"'))).toMatchObject([{ code: 'INPUT_FILE', severity: 'warning' }]);
    expect(live(withFile('"mine.blend"'))).toMatchObject([{ code: 'INPUT_FILE', severity: 'warning' }]);
    expect(live(withFile('"example.png"'))).toEqual([]);
  });
});
