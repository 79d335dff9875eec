/** Checks against object info: what a server refuses is an error, what it accepts never is. */
import { describe, expect, it } from 'vitest';
import { parseGraph } from '#graph/graph.ts';
import { typesFit } from '#graph/link-types.ts';
import { checkAgainstObjectInfo, parseObjectInfo } from '#graph/object-info.ts';
import type { ObjectInfo } from '#graph/object-info.ts';

/** Object info in the shapes that servers give, old (V1) and new (V3), with bare NaN and 64-bit bounds. */
const INFO = `{
  "Loader": {"input": {"required": {"name": [["a.safetensors", "sub\\\\b.safetensors"], {}]}}, "output": ["MODEL", "CLIP"], "output_name": ["model", "clip"], "python_module": "nodes"},
  "Encode": {"input": {"required": {"text": ["STRING", {"multiline": true}], "clip": ["CLIP"]}}, "output": ["CONDITIONING"], "python_module": "nodes"},
  "Sampler": {"input": {"required": {"model": ["MODEL"], "seed": ["INT", {"min": 0, "max": 18446744073709551615}],
      "cfg": ["FLOAT", {"default": 8.0, "min": 0.0, "max": 100.0}], "mode": ["COMBO", {"options": ["fast", "slow", 3]}]},
      "optional": {"mask": ["MASK"], "any": ["*"], "loose": ["INT", {"min": NaN, "max": Infinity}]}, "hidden": {"id": "UNIQUE_ID"}},
    "input_order": {"required": ["seed", "cfg", "mode", "model"], "optional": ["mask"]}, "output": ["IMAGE"], "python_module": "nodes"},
  "Load": {"input": {"required": {"image": [["example.png"], {"image_upload": true}]}}, "output": ["IMAGE", "MASK"], "python_module": "nodes"},
  "Remote": {"input": {"required": {"file": ["COMBO", {"remote": {"route": "/x"}}], "many": ["COMBO", {"multiselect": true, "options": ["a"]}]}}, "output": [], "output_node": true},
  "Save": {"input": {"required": {"images": ["IMAGE,VIDEO"]}, "optional": {"enabled": ["BOOLEAN"]}}, "output": [], "output_node": true, "python_module": "nodes"},
  "Custom": {"input": {"required": {"n": ["INT", {"min": 0, "max": 10}], "pick": [["x", "y"]]}}, "output": ["IMAGE"], "output_node": true, "python_module": "custom_nodes.pack"},
  "CustomModel": {"input": {"required": {"model": ["MODEL"]}}, "output": [], "output_node": true, "python_module": "custom_nodes.pack"},
  "Resize": {"input": {"required": {"input": ["COMFY_MATCHTYPE_V3", {"template": {"template_id": "t", "allowed_types": "IMAGE,MASK"}}],
      "how": ["COMFY_DYNAMICCOMBO_V3", {"options": [{"key": "scale", "inputs": {"required": {"factor": ["FLOAT", {"min": 0.1, "max": 8}]}}}, {"key": "none", "inputs": {"required": {}}}]}]}},
    "output": ["COMFY_MATCHTYPE_V3"], "python_module": "comfy_extras.nodes_x"},
  "Batch": {"input": {"required": {"images": ["COMFY_AUTOGROW_V3", {"template": {"input": {"required": {"image": ["IMAGE", {}]}}, "prefix": "image", "min": 1, "max": 3}}]}},
    "output": ["IMAGE"], "python_module": "comfy_extras.nodes_x"},
  "Short": {"input": {"required": {"model": "MODEL"}}, "output": ["MODEL"]},
  "Ill": 5,
  "Odd": {"input": {"required": {"x": 5, "y": ["INT"]}}, "output": [["one", "two"]], "output_node": true}
}`;

function info(): ObjectInfo {
  const parsed = parseObjectInfo(INFO);
  if (parsed.info === undefined) throw new Error('no object info');
  return parsed.info;
}

/** Checks nodes that feed a Save; `more` are further nodes. */
function check(nodes: string) {
  const { graph, problems } = parseGraph(`{${nodes}}`);
  expect(problems).toEqual([]);
  return graph === undefined ? [] : checkAgainstObjectInfo(graph, info(), { file: 'g.json' });
}

const LOADER = '"1": {"class_type": "Loader", "inputs": {"name": "a.safetensors"}}';
const SAVE = '"9": {"class_type": "Save", "inputs": {"images": ["5", 0]}}';
const sampler = (inputs: string) => `${LOADER}, ${SAVE}, "5": {"class_type": "Sampler", "inputs": {"model": ["1", 0], ${inputs}}}`;
const GOOD = '"seed": 1, "cfg": 7, "mode": "fast"';

describe('parseObjectInfo', () => {
  it('reads classes, inputs in the server order, outputs and 64-bit bounds', () => {
    const { classes } = info();
    expect([...(classes.get('Sampler')?.inputs.keys() ?? [])]).toEqual(['seed', 'cfg', 'mode', 'model', 'mask', 'any', 'loose']);
    expect(classes.get('Sampler')?.inputs.get('seed')?.options['max']).toBe(18446744073709551615n);
    expect(classes.get('Loader')?.outputs).toEqual([
      { type: 'MODEL', name: 'model' },
      { type: 'CLIP', name: 'clip' },
    ]);
    expect(classes.get('Loader')?.inputs.get('name')).toMatchObject({ type: 'COMBO', choices: ['a.safetensors', 'sub\\b.safetensors'] });
    expect(classes.get('Short')?.inputs.get('model')).toMatchObject({ type: 'MODEL', required: true });
    expect(classes.get('Odd')?.outputs).toEqual([{ type: 'COMBO' }]);
  });

  it('leaves out what it cannot read, says so, and keeps the rest', () => {
    const { info: parsed, problems } = parseObjectInfo(INFO, { file: 'oi.json' });
    expect(problems).toMatchObject([{ code: 'OBJECT_INFO_CLASS', severity: 'warning', file: 'oi.json', pointer: '/Ill' }]);
    expect(parsed?.classes.has('Ill')).toBe(false);
    expect([...(parsed?.classes.get('Odd')?.inputs.keys() ?? [])]).toEqual(['y']);
  });

  it('refuses what describes no class', () => {
    for (const text of ['{}', '[]', '{"error": "x"}', '{"3": {"class_type": "A", "inputs": {}}}']) {
      expect(parseObjectInfo(text)).toMatchObject({ info: undefined, problems: [{ code: 'OBJECT_INFO_INVALID' }] });
    }
    expect(parseObjectInfo('<html>')).toMatchObject({ info: undefined, problems: [{ code: 'JSON_SYNTAX' }] });
  });
});

describe('node classes', () => {
  it('reports an unknown class at its class_type, with the nearest known one', () => {
    const [problem] = check(`"1": {\n"class_type": "Sampelr", "inputs": {}}`);
    expect(problem).toMatchObject({
      code: 'NODE_CLASS_UNKNOWN',
      severity: 'error',
      file: 'g.json',
      line: 2,
      column: 15,
      node: '1',
      pointer: '/1/class_type',
    });
    expect(problem?.hint).toMatch(/Did you mean "Sampler"/);
  });

  it('reports a graph that has no output node', () => {
    expect(check(LOADER)).toMatchObject([{ code: 'GRAPH_NO_OUTPUT', severity: 'error' }]);
  });
});

describe('what a server accepts is no error', () => {
  const accepted: [title: string, nodes: string][] = [
    ['a complete graph', sampler(GOOD)],
    ['the largest seed', sampler('"seed": 18446744073709551615, "cfg": 100.0, "mode": "slow"')],
    ['numbers as texts', sampler('"seed": " 12_000 ", "cfg": "1e1", "mode": 3.0')],
    ['a float and a boolean for an integer', sampler('"seed": 7.9, "cfg": true, "mode": "fast"')],
    ['NaN where there are bounds', sampler('"seed": 1, "cfg": NaN, "mode": "fast"')],
    ['bounds that are NaN or infinite', sampler(`${GOOD}, "loose": -99999999999999999999`)],
    ['inputs that the class does not declare', sampler(`${GOOD}, "unknown": [1, 2, 3], "upload": "image"`)],
    ['a wildcard input with any link', sampler(`${GOOD}, "any": ["1", 1]`)],
    ['anything as a boolean', sampler(GOOD).replace('["5", 0]}', '["5", 0], "enabled": "false"}')],
    ['an annotated file, a file in a sub-folder', `"5": {"class_type": "Load", "inputs": {"image": "sub/x.png [output]"}}, ${SAVE}`],
    ['lists fetched elsewhere and several choices', '"1": {"class_type": "Remote", "inputs": {"file": "x", "many": "b"}}'],
    ['a wrapped list as a constant', '"1": {"class_type": "Remote", "inputs": {"file": "x", "many": {"__value__": ["a", "b"]}}}'],
    [
      'a dynamic combo with the inputs of its choice',
      `"4": {"class_type": "Load", "inputs": {"image": "example.png"}}, "5": {"class_type": "Resize", "inputs": {"input": ["4", 0], "how": "scale", "how.factor": 2}}, ${SAVE}`,
    ],
    [
      'a grown input',
      `"4": {"class_type": "Load", "inputs": {"image": "example.png"}}, "5": {"class_type": "Batch", "inputs": {"images.image0": ["4", 0], "images.image1": ["4", 0]}}, ${SAVE}`,
    ],
    ['a custom node outside its published bounds', '"1": {"class_type": "Custom", "inputs": {"n": 11, "pick": "z"}}'],
    ['a broken node that feeds no output', `${sampler(GOOD)}, "7": {"class_type": "Encode", "inputs": {}}`],
  ];
  for (const [title, nodes] of accepted) {
    it(`accepts ${title}`, () => {
      expect(check(nodes).filter(({ severity }) => severity === 'error')).toEqual([]);
    });
  }
});

describe('what a server refuses is an error', () => {
  const refused: [title: string, nodes: string, code: string, input: string, words: RegExp][] = [
    ['a missing input', sampler('"cfg": 7, "mode": "fast"'), 'INPUT_MISSING', 'seed', /lacks its required input "seed"/],
    ['a missing input whose name is misspelt', sampler('"seed": 1, "cfgg": 7, "mode": "fast"'), 'INPUT_MISSING', 'cfg', /rename it/],
    [
      'a missing link',
      `${SAVE}, "5": {"class_type": "Sampler", "inputs": {${GOOD}}}`,
      'INPUT_MISSING',
      'model',
      /Connect something of type MODEL/,
    ],
    [
      'a grown input without its first slot',
      `"5": {"class_type": "Batch", "inputs": {}}, ${SAVE}`,
      'INPUT_MISSING',
      'images.image0',
      /images\.image0/,
    ],
    [
      'a choice of a dynamic combo without its input',
      `"4": {"class_type": "Load", "inputs": {"image": "example.png"}}, "5": {"class_type": "Resize", "inputs": {"input": ["4", 0], "how": "scale"}}, ${SAVE}`,
      'INPUT_MISSING',
      'how.factor',
      /Give it a value/,
    ],
    [
      'a number below its minimum',
      sampler('"seed": -1, "cfg": 7, "mode": "fast"'),
      'INPUT_RANGE',
      'seed',
      /-1, which is below the minimum of 0/,
    ],
    [
      'a seed one above its maximum',
      sampler('"seed": 18446744073709551616, "cfg": 7, "mode": "fast"'),
      'INPUT_RANGE',
      'seed',
      /above the maximum of 18446744073709551615/,
    ],
    ['a text out of bounds', sampler('"seed": 1, "cfg": "100.5", "mode": "fast"'), 'INPUT_RANGE', 'cfg', /from 0 to 100/],
    ['a text that is no number', sampler('"seed": "8.0", "cfg": 7, "mode": "fast"'), 'INPUT_TYPE', 'seed', /"8\.0", not a whole number/],
    ['null for a number', sampler('"seed": null, "cfg": 7, "mode": "fast"'), 'INPUT_TYPE', 'seed', /null, not a whole number/],
    ['NaN for an integer', sampler('"seed": NaN, "cfg": 7, "mode": "fast"'), 'INPUT_TYPE', 'seed', /NaN/],
    [
      'a choice that is not there',
      sampler('"seed": 1, "cfg": 7, "mode": "turbo"'),
      'INPUT_CHOICE',
      'mode',
      /"turbo", which is not among.*Choose one of: fast, slow, 3/s,
    ],
    [
      'a model spelled with the other slash',
      sampler(GOOD).replace('"a.safetensors"', '"sub/b.safetensors"'),
      'MODEL_MISSING',
      'name',
      /Did you mean "sub\\b\.safetensors"/,
    ],
    [
      'a link of the wrong type',
      sampler(GOOD).replace('["1", 0]', '["1", 1]'),
      'LINK_TYPE',
      'model',
      /wants MODEL, but output 1 of node 1 \(Loader\) gives CLIP.*Use output 0 \(model\)/s,
    ],
    [
      'a link to an output that is not there',
      sampler(GOOD).replace('["1", 0]', '["1", 2]'),
      'GRAPH_LINK_SLOT',
      'model',
      /outputs 0 to 1.*Use output 0/s,
    ],
    ['a link to a node without outputs', sampler(`${GOOD}, "mask": ["9", 0]`), 'GRAPH_LINK_SLOT', 'mask', /which has no output/],
    [
      'null in the place of required data (C6)',
      `${sampler(GOOD)}, "8": {"class_type": "Save", "inputs": {"images": ["7", 0]}}, "7": {"class_type": "Sampler", "inputs": {"model": null, ${GOOD}}}`,
      'GRAPH_LINK_NULL',
      'model',
      /is null.*Connect a node that gives MODEL/s,
    ],
    [
      'a constant in the place of required data (C6)',
      `${sampler(GOOD)}, "8": {"class_type": "Save", "inputs": {"images": ["7", 0]}}, "7": {"class_type": "Sampler", "inputs": {"model": "m", ${GOOD}}}`,
      'INPUT_TYPE',
      'model',
      /has a constant/,
    ],
    [
      'a number for a file',
      `"5": {"class_type": "Load", "inputs": {"image": 5}}, ${SAVE}`,
      'INPUT_TYPE',
      'image',
      /not the name of a file/,
    ],
    ['a plain list', sampler(GOOD).replace('"fast"', '[1, 2, 3]'), 'GRAPH_LIST_UNWRAPPED', 'mode', /__value__/],
    [
      'an unknown key of a dynamic combo',
      `"4": {"class_type": "Load", "inputs": {"image": "example.png"}}, "5": {"class_type": "Resize", "inputs": {"input": ["4", 0], "how": "scael"}}, ${SAVE}`,
      'INPUT_CHOICE',
      'how',
      /Did you mean "scale"/,
    ],
    [
      'a bound inside a dynamic combo',
      `"4": {"class_type": "Load", "inputs": {"image": "example.png"}}, "5": {"class_type": "Resize", "inputs": {"input": ["4", 0], "how": "scale", "how.factor": 9}}, ${SAVE}`,
      'INPUT_RANGE',
      'how.factor',
      /above the maximum of 8/,
    ],
  ];
  for (const [title, nodes, code, input, words] of refused) {
    it(`refuses ${title}`, () => {
      const problems = check(nodes);
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatchObject({ code, severity: 'error', input });
      expect(`${problems[0]?.message} ${problems[0]?.hint}`).toMatch(words);
    });
  }
});

describe('what is not certain is a warning', () => {
  const doubtful: [title: string, nodes: string, codes: string[]][] = [
    [
      'bounds and choices of custom nodes',
      '"1": {"class_type": "Custom", "inputs": {"n": 11, "pick": "z"}}',
      ['INPUT_RANGE', 'INPUT_CHOICE'],
    ],
    [
      'inputs of a node that feeds no output',
      `${sampler(GOOD)}, "7": {"class_type": "Encode", "inputs": {"text": "x"}}`,
      ['NODE_UNUSED', 'INPUT_MISSING'],
    ],
    ['null for the data of a custom node', '"1": {"class_type": "CustomModel", "inputs": {"model": null}}', ['GRAPH_LINK_NULL']],
    ['a constant for the data of a custom node', '"1": {"class_type": "CustomModel", "inputs": {"model": "m"}}', ['INPUT_TYPE']],
    ['a file that the server does not list', `"5": {"class_type": "Load", "inputs": {"image": "mine.png"}}, ${SAVE}`, ['INPUT_FILE']],
  ];
  for (const [title, nodes, codes] of doubtful) {
    it(`warns of ${title}`, () => {
      expect(check(nodes).map(({ code, severity }) => [code, severity])).toEqual(codes.map((code) => [code, 'warning']));
    });
  }
});

describe('typesFit', () => {
  it("follows ComfyUI's rule for unions, wildcards and dynamic types", () => {
    for (const [given, wanted] of [
      ['IMAGE', 'IMAGE'],
      ['IMAGE', 'MASK,IMAGE'],
      ['A, B', 'B,C'],
      ['*', 'MODEL'],
      ['MODEL', '*'],
      ['COMFY_MATCHTYPE_V3', 'X'],
      ['COMBO', 'COMBO'],
    ]) {
      expect(typesFit(given ?? '', wanted ?? '')).toBe(true);
    }
    for (const [given, wanted] of [
      ['IMAGE', 'MASK'],
      ['A,B', 'C,D'],
      ['image', 'IMAGE'],
      ['STRING', 'COMBO'],
    ]) {
      expect(typesFit(given ?? '', wanted ?? '')).toBe(false);
    }
  });
});
