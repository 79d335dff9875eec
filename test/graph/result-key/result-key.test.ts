// The key of a result: what computes the same has one key, everything else another, and the difference is told in words.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGraph } from '#graph/graph.ts';
import { type ObjectInfo, parseObjectInfo } from '#graph/object-info.ts';
import { differences, inWords, nearest } from '#graph/result-key/differences.ts';
import { type KeyFacts, resultKey } from '#graph/result-key/key.ts';
import { repeats } from '#graph/result-key/repeatable.ts';
import type { Graph, JsonValue } from '#graph/types.ts';
import { printJson } from '#graph/values.ts';
import { rawGraph, type RawGraph } from '../arbitraries.ts';

const EMPTY: ObjectInfo = { classes: new Map() };

function graphOf(raw: JsonValue): Graph {
  const { graph } = parseGraph(printJson(raw));
  if (graph === undefined) throw new Error('no graph');
  return graph;
}

function keyOf(raw: JsonValue, more: Partial<KeyFacts> = {}) {
  const known = { text: 'as it is', isSure: true };
  return resultKey(graphOf(raw), { info: EMPTY, outputNodes: [], engine: {}, modelFact: () => known, fileFact: () => known, ...more });
}

const infoOf = (classes: object): ObjectInfo => parseObjectInfo(JSON.stringify(classes)).info ?? EMPTY;

/** The same graph under other ids, in another order, with other titles. */
function renamed(raw: RawGraph, name: (id: string) => string): RawGraph {
  const other: RawGraph = {};
  for (const [id, { inputs, class_type }] of Object.entries(raw).toReversed()) {
    const entries = Object.entries(inputs).map(([input, value]): [string, JsonValue] => {
      const isLink = Array.isArray(value) && typeof value[0] === 'string' && Object.hasOwn(raw, value[0]);
      return [input, isLink ? [name(String(value[0])), Number(value[1])] : value];
    });
    other[name(id)] = { class_type, inputs: Object.fromEntries(entries.toReversed()), _meta: { title: `other ${id}` } };
  }
  return other;
}

const SAMPLE = {
  '1': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'a.safetensors' } },
  '2': { class_type: 'CLIPTextEncode', inputs: { clip: ['1', 1], text: 'a lighthouse in fog, embedding:EasyNegative' } },
  '3': { class_type: 'KSampler', inputs: { model: ['1', 0], positive: ['2', 0], seed: 41, steps: 20 } },
  '4': { class_type: 'SaveImage', inputs: { images: ['3', 0], filename_prefix: 'x' } },
  '5': { class_type: 'PreviewImage', inputs: { images: ['3', 0] } },
} as const;

describe('the key of a result', () => {
  it('does not depend on ids, titles and the order of nodes and inputs, and names the outputs alike', () => {
    fc.assert(
      fc.property(rawGraph, (raw) => {
        const name = (id: string) => `n-${id}`;
        const [one, other] = [keyOf(raw), keyOf(renamed(raw, name))];
        expect(other.key).toBe(one.key);
        const names = [...one.names.values()].toSorted();
        expect([...other.names.values()].toSorted()).toEqual(names);
        expect(new Set(names).size).toBe(Object.keys(raw).length);
      }),
    );
  });

  it('is another one as soon as a constant above an output differs', () => {
    fc.assert(
      fc.property(rawGraph, fc.nat(), (raw, pick) => {
        const constants = Object.entries(raw).flatMap(([id, { inputs }]) =>
          Object.entries(inputs).flatMap(([input, value]) => (Array.isArray(value) ? [] : [{ id, input }])),
        );
        const at = constants[pick % Math.max(1, constants.length)];
        fc.pre(at !== undefined);
        const node = raw[at.id];
        fc.pre(node !== undefined);
        const changed = { ...raw, [at.id]: { ...node, inputs: { ...node.inputs, [at.input]: 'something else altogether' } } };
        expect(keyOf(changed).key).not.toBe(keyOf(raw).key);
      }),
    );
  });

  it('counts only what the wanted outputs depend on', () => {
    const wanted = { outputNodes: ['4'] };
    const { '5': _, ...without } = SAMPLE;
    expect(keyOf(without, wanted).key).toBe(keyOf(SAMPLE, wanted).key);
    expect(keyOf(SAMPLE, { outputNodes: ['5'] }).key).not.toBe(keyOf(SAMPLE, wanted).key);
    expect(keyOf(SAMPLE).key).not.toBe(keyOf(SAMPLE, wanted).key);
  });

  it('leaves out what a saver calls its files, and nothing else that is called filename_prefix', () => {
    const prefixed = (class_type: string, filename_prefix: string) => ({ '1': { class_type, inputs: { filename_prefix } } });
    expect(keyOf(prefixed('SaveImage', 'a')).key).toBe(keyOf(prefixed('SaveImage', 'b')).key);
    expect(keyOf(prefixed('Other', 'a')).key).not.toBe(keyOf(prefixed('Other', 'b')).key);
  });

  it('holds the id of a node whose class is given it, as the cache of ComfyUI does', () => {
    const info = infoOf({ Counter: { input: { required: {}, hidden: { unique_id: 'UNIQUE_ID' } }, output: ['INT'] } });
    const under = (id: string) => ({ [id]: { class_type: 'Counter', inputs: {} } });
    expect(keyOf(under('1'), { info }).key).not.toBe(keyOf(under('2'), { info }).key);
    expect(keyOf(under('1')).key).toBe(keyOf(under('2')).key);
  });

  it('is another one with another model under the same name, another embedding, server or class', () => {
    const plain = keyOf(SAMPLE).key;
    const model = (name: string): Partial<KeyFacts> => ({
      modelFact: (reference) => ({ text: reference.name === name ? 'written anew' : 'as it is', isSure: true }),
    });
    const others = [
      keyOf(SAMPLE, model('a.safetensors')),
      keyOf(SAMPLE, model('EasyNegative')),
      keyOf(SAMPLE, { engine: { device: 'another' } }),
      keyOf(SAMPLE, { also: { 'the optimiser': 'off' } }),
      keyOf(SAMPLE, { info: infoOf({ KSampler: { input: { required: { more: ['INT', {}] } }, output: ['LATENT'] } }) }),
    ].map(({ key }) => key);
    expect(new Set([plain, ...others]).size).toBe(6);
  });

  it('says which models and files are known by their name alone', () => {
    const unsure = keyOf(
      { ...SAMPLE, '6': { class_type: 'LoadImage', inputs: { image: 'example.png' } } },
      {
        modelFact: ({ name }) => ({ text: 'name', isSure: name !== 'a.safetensors' }),
        fileFact: () => ({ text: 'name', isSure: false }),
      },
    );
    expect(unsure.doubts).toEqual([
      'the model a.safetensors is known by its name alone',
      'the file example.png is known by its name alone',
    ]);
    const upload = { '1': { class_type: 'LoadImage', inputs: { image: `callsheet-${'a'.repeat(64)}.png` } } };
    expect(keyOf(upload, { fileFact: () => ({ text: 'name', isSure: false }) }).doubts).toEqual([]);
  });

  it('can be made of a graph with a circle of links', () => {
    const circle = { '1': { class_type: 'A', inputs: { a: ['2', 0] } }, '2': { class_type: 'B', inputs: { b: ['1', 0] } } };
    expect(keyOf(circle).key).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('why nothing was found', () => {
  const kept = keyOf(SAMPLE, { engine: { version: '0.3.64' } });
  const why = (raw: JsonValue, more: Partial<KeyFacts> = {}) =>
    inWords(differences(keyOf(raw, { engine: { version: '0.3.64' }, ...more }), kept.parts));
  const withSeed = (seed: number) => ({ ...SAMPLE, '3': { ...SAMPLE['3'], inputs: { ...SAMPLE['3'].inputs, seed } } });

  it('names the value that differs, with what it was', () => {
    expect(why(withSeed(42))).toBe('Node 3 (KSampler): input "seed" differs: it is 42, and was 41');
  });

  it('names a long text without repeating it', () => {
    const text = 'another lighthouse, in another and much denser fog, at night, embedding:EasyNegative';
    expect(why({ ...SAMPLE, '2': { ...SAMPLE['2'], inputs: { ...SAMPLE['2'].inputs, text } } })).toBe(
      'Node 2 (CLIPTextEncode): input "text" differs',
    );
  });

  it('names the model, the server and the class that changed', () => {
    expect(why(SAMPLE, { modelFact: () => ({ text: 'new', isSure: true }) })).toBe(
      'the model checkpoints/a.safetensors changed; the model embeddings/EasyNegative changed',
    );
    expect(why(SAMPLE, { engine: { version: '0.4.0' } })).toBe('version of the server differs: it is 0.4.0, and was 0.3.64');
    const info = infoOf({ KSampler: { input: { required: { more: ['INT', {}] } }, output: ['LATENT'] } });
    expect(why(SAMPLE, { info })).toBe('the server describes the class KSampler otherwise');
  });

  it('tells no secret, by its name or by its look', () => {
    const withNote = (extra: object) => ({ ...SAMPLE, '3': { ...SAMPLE['3'], inputs: { ...SAMPLE['3'].inputs, ...extra } } });
    const token = `hf_${'a1'.repeat(12)}`;
    const [first, second] = [keyOf(withNote({ password: 'one', note: token })), keyOf(withNote({ password: 'two', note: `${token}b` }))];
    expect(JSON.stringify(first.parts)).not.toMatch(/"one|hf_/);
    expect(inWords(differences(second, first.parts))).toBe(
      'Node 3 (KSampler): input "note" differs; Node 3 (KSampler): input "password" differs',
    );
  });

  it('says which of both was made without the optimiser, or with provenance in its files', () => {
    const without = { also: { 'the optimiser': 'off' } } as const;
    expect(why(SAMPLE, without)).toBe('the optimiser was on for that one, and is off for this one');
    expect(inWords(differences(keyOf(SAMPLE), keyOf(SAMPLE, without).parts))).toBe(
      'the optimiser was off for that one, and is on for this one',
    );
    expect(why(SAMPLE, { also: { 'the provenance inside the files': 'on' } })).toBe(
      'the provenance inside the files was off for that one, and is on for this one',
    );
  });

  it('says of another graph that it is another, and not how its values are numbered', () => {
    const longer = {
      ...SAMPLE,
      '4': { class_type: 'SaveImage', inputs: { images: ['9', 0] } },
      '9': { class_type: 'ImageInvert', inputs: { image: ['3', 0] } },
    };
    expect(why(longer)).toBe('the graph has other nodes or links');
  });

  it('is told against the nearest of what is kept: the same graph first, then the fewest differences', () => {
    const now = keyOf(withSeed(43));
    const near = { parts: keyOf(withSeed(44)).parts };
    const far = { parts: keyOf({ ...withSeed(44), '2': { class_type: 'CLIPTextEncode', inputs: { clip: ['1', 1], text: 'a' } } }).parts };
    const other = { parts: keyOf({ '1': SAMPLE['1'] }).parts };
    expect(nearest(now, [other, far, near])).toBe(near);
    expect(nearest(now, [])).toBeUndefined();
  });

  it('finds no difference in what has the same key, for any graph', () => {
    fc.assert(
      fc.property(rawGraph, (raw) => {
        const [one, other] = [keyOf(raw), keyOf(renamed(raw, (id) => `n-${id}`))];
        expect(differences(one, other.parts)).toEqual([]);
      }),
    );
  });
});

describe('classes that repeat themselves', () => {
  const of = (name: string, pythonModule?: string) => repeats({ name, ...(pythonModule === undefined ? {} : { pythonModule }) });

  it.each(['KSampler', 'RandomNoise', 'VAEDecode', 'LoadImage', 'SaveImage', 'ImageScale'])('%s of ComfyUI does', (name) => {
    expect(of(name, 'nodes')).toBe(true);
    expect(of(name, 'comfy_extras.nodes_x')).toBe(true);
  });

  it('a class of a pack does not, whatever it is called', () => {
    expect(of('KSampler', 'custom_nodes.better-sampler')).toBe(false);
    expect(of('Seed (rgthree)', 'custom_nodes.rgthree-comfy')).toBe(false);
  });

  it.each([
    'SaveImageWebsocket',
    'WebcamCapture',
    'LoadImageOutput',
    'SVD_img2vid_Conditioning',
    'ShuffleDataset',
    'ModelSave',
    'HyperTile',
  ])('%s of ComfyUI does not', (name) => expect(of(name, 'nodes')).toBe(false));
});
