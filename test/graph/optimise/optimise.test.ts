import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGraph } from '#graph/graph.ts';
import { checkAgainstObjectInfo, type ObjectInfo, parseObjectInfo } from '#graph/object-info.ts';
import { optimise } from '#graph/optimise/optimise.ts';
import { GRAPH_PASSES } from '#graph/optimise/passes.ts';
import { checkStructure } from '#graph/structure.ts';
import type { Graph } from '#graph/types.ts';
import { PASSES } from '#protocol/views.ts';
import { layout, printLoose } from '../arbitraries.ts';
import { graphOf, ids, INFO, type Plain, TEXT_TO_IMAGE, tried } from './support.ts';

const lora = (model: [string, number], strength: unknown): Plain[string] => ({
  class_type: 'LoraLoaderModelOnly',
  inputs: { model, lora_name: 'draft-style.safetensors', strength_model: strength },
});

/** One thing for each pass, each of which only shows once another was done. */
const EVERYTHING: Plain = {
  ...TEXT_TO_IMAGE,
  '3': { class_type: 'KSampler', inputs: { ...TEXT_TO_IMAGE['3']?.inputs, model: ['10', 0] } },
  '10': lora(['4', 0], ['11', 0]),
  '11': { class_type: 'PrimitiveFloat', inputs: { value: 0 } },
  '14': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'sd_xl_base_1.0.safetensors' } },
  '7': { class_type: 'CLIPTextEncode', inputs: { text: 'a red fox', clip: ['14', 1] } },
  '20': { class_type: 'PreviewImage', inputs: { images: ['21', 0] } },
  '21': { class_type: 'ImageInvert', inputs: { image: ['8', 0] } },
  '30': { class_type: 'ImageInvert', inputs: { image: ['8', 0] } },
};

describe('all passes', () => {
  it('go on until none finds anything more', () => {
    const result = tried(EVERYTHING, ['9']);
    expect(ids(result)).toEqual(['3', '4', '5', '6', '8', '9']);
    expect(result.told).toEqual([
      'dead-nodes: 30',
      'equal-nodes: 7>6',
      'no-ops: 10>4',
      'constants: 11',
      'shared-loaders: 14>4',
      'previews: 20 21',
    ]);
    expect(result.plain['3']?.inputs).toMatchObject({ model: ['4', 0], positive: ['6', 0], negative: ['6', 0] });
  });

  it('are all in the list of what is reported, and each has an account of itself', () => {
    expect(GRAPH_PASSES.every(({ name }) => PASSES.includes(name))).toBe(true);
    for (const { does, condition, proof, example } of GRAPH_PASSES)
      for (const text of [does, condition, proof, example]) expect(text).not.toBe('');
  });

  it('give the text back, the very same, where there is nothing to do', () => {
    const text = ` ${JSON.stringify(TEXT_TO_IMAGE, undefined, '\t').replace('"cfg": 7', '"cfg" : 7.0')}\r\n`;
    expect(tried(text).text).toBe(text);
  });

  it('keep the style of the file in the links that they change', () => {
    const text = JSON.stringify(EVERYTHING).replace('"model":["10",0]', '"model" : [ "10" ,0 ]');
    expect(tried(text, ['9']).text).toContain('"model" : [ "4" ,0 ]');
  });

  it('take a chain of any length', () => {
    const chain = Object.fromEntries(
      Array.from({ length: 3000 }, (_, index) => [String(100 + index), lora([index === 0 ? '4' : String(99 + index), 0], 0)]),
    );
    const graph = {
      ...TEXT_TO_IMAGE,
      ...chain,
      '3': { class_type: 'KSampler', inputs: { ...TEXT_TO_IMAGE['3']?.inputs, model: ['3099', 0] } },
    };
    expect(ids(tried(graph)).length).toBe(Object.keys(TEXT_TO_IMAGE).length);
  });
});

describe('a graph is left as it is', () => {
  const left = (plain: Plain | string, outputs: readonly string[] = []): string | undefined => tried(plain, outputs).leftAlone;

  it.each([
    ['PackSeed', { seed: 1 }, 'seed'],
    ['PackLoop', { image: ['8', 0] }, 'more'],
  ])('when %s is handed the graph and may read any of it', (classType, inputs, input) => {
    const graph = {
      ...EVERYTHING,
      '50': { class_type: classType, inputs },
      '3': { class_type: 'KSampler', inputs: { ...TEXT_TO_IMAGE['3']?.inputs, [input]: ['50', 0] } },
    };
    const broken =
      classType === 'PackLoop'
        ? {
            ...graph,
            '3': TEXT_TO_IMAGE['3'] ?? graph['3'],
            '9': { class_type: 'SaveImage', inputs: { images: ['50', 0], filename_prefix: 'x' } },
          }
        : graph;
    expect(left(broken)).toContain(`(${classType}) is handed the whole graph`);
    expect(tried(broken).savings).toEqual([]);
  });

  it('but not for a node that is handed it and never runs', () => {
    expect(left({ ...EVERYTHING, '50': { class_type: 'PackSeed', inputs: { seed: 1 } } })).toBeUndefined();
  });

  it('when it has a circle, no output, or entries that cannot be read', () => {
    const { '9': save, ...rest } = TEXT_TO_IMAGE;
    expect(left(rest)).toBe('No node of the graph is an output.');
    expect(left({ ...TEXT_TO_IMAGE, '9': { class_type: 'SaveImage', inputs: { images: ['9', 0] } } })).toBe('The graph has a circle.');
    expect(
      optimise(parseGraph(JSON.stringify({ ...EVERYTHING, extra: 1 })).graph ?? graphOf(rest), { info: INFO, outputNodes: [] }).savings,
    ).toEqual([]);
    expect(save).toBeDefined();
  });
});

// --- every graph that is at hand ---

const FIXTURES = join(import.meta.dirname, '../../fixtures/conversion');
const corpus = process.env['CALLSHEET_TEST_CORPUS'];
if (corpus === undefined) process.stderr.write('CALLSHEET_TEST_CORPUS is not set: the optimiser is tried on the fixtures alone.\n');

function graphsIn(folder: string, every: boolean): readonly (readonly [string, Graph])[] {
  return readdirSync(folder)
    .filter((name) => (every ? name.endsWith('.json') : name.endsWith('.api.json')))
    .toSorted()
    .flatMap((name) => {
      const { graph, problems } = parseGraph(readFileSync(join(folder, name), 'utf8'));
      return graph === undefined || problems.length > 0 ? [] : [[name, graph] as const];
    });
}

const FOLDERS =
  corpus === undefined
    ? ['pairs', 'oracle', 'oracle_custom'].map((name) => [join(FIXTURES, name), false] as const)
    : [...['pairs', 'oracle', 'oracle_custom'].map((name) => [join(corpus, name), false] as const), [join(corpus, 'api'), true] as const];
const GRAPHS = FOLDERS.flatMap(([folder, every]) => graphsIn(folder, every));

function readInfo(folder: string): ObjectInfo {
  const [file = ''] = readdirSync(join(folder, 'object_info')).filter((name) => name.startsWith('core-2026-08'));
  return parseObjectInfo(readFileSync(join(folder, 'object_info', file), 'utf8')).info ?? INFO;
}
const CORE = readInfo(corpus ?? FIXTURES);

const problemsOf = (graph: Graph): string[] =>
  [...checkStructure(graph), ...checkAgainstObjectInfo(graph, CORE)].map(({ code, node, input }) => `${code} ${node ?? ''} ${input ?? ''}`);

/** Some wishes for the outputs of a graph: none, and each of its output nodes. */
function wishes(graph: Graph): readonly (readonly string[])[] {
  const outputs = [...graph.nodes.values()].filter(({ classType }) => CORE.classes.get(classType)?.outputNode === true);
  return [[], ...outputs.slice(0, 4).map(({ id }) => [id])];
}

const entryText = (graph: Graph, id: string): string | undefined => {
  const entry = graph.root.members.find(({ key }) => key.value === id);
  return entry === undefined ? undefined : graph.text.slice(entry.key.start, entry.value.end);
};

describe('over every graph that is at hand', () => {
  it('there are many', () => expect(GRAPHS.length).toBeGreaterThan(200));

  it.each(GRAPHS)('%s: a second time nothing changes, no problem is new, and what stays keeps its bytes', (_, graph) => {
    for (const outputNodes of wishes(graph)) {
      const once = optimise(graph, { info: CORE, outputNodes });
      const { graph: small } = parseGraph(once.text);
      if (small === undefined) throw new Error('what came out is no graph');
      expect(optimise(small, { info: CORE, outputNodes: once.outputNodes }).text).toBe(once.text);
      const before = problemsOf(graph);
      expect(problemsOf(small).filter((problem) => !before.includes(problem))).toEqual([]);
      const gone = new Set(once.savings.flatMap(({ nodes }) => nodes.map(({ id }) => id)));
      expect([...small.nodes.keys()]).toEqual([...graph.nodes.keys()].filter((id) => !gone.has(id)));
      const same = [...small.nodes.values()].filter((node) => {
        const own = graph.nodes.get(node.id);
        return [...node.inputs.values()].every(({ name, link }) => JSON.stringify(own?.inputs.get(name)?.link) === JSON.stringify(link));
      });
      for (const { id } of same) expect(entryText(small, id)).toBe(entryText(graph, id));
      for (const id of outputNodes) expect(small.nodes.has(id) || gone.has(id)).toBe(true);
    }
  });
});

describe('whatever the layout of the file', () => {
  it('the same nodes go, and the others come out as they went in (property)', () => {
    const expected = tried(EVERYTHING, ['9']);
    fc.assert(
      fc.property(layout, fc.boolean(), (stream, escape) => {
        const text = printLoose(EVERYTHING as never, stream[Symbol.iterator](), escape);
        const result = tried(text, ['9']);
        expect(result.plain).toEqual(expected.plain);
        const [before, after] = [graphOf(text), graphOf(result.text)];
        for (const id of ['4', '5', '6', '8', '9']) expect(entryText(after, id)).toBe(entryText(before, id));
      }),
    );
  });
});
