/**
 * The optimiser against servers: whatever it makes of a graph gives the same pixels and texts. On the sandbox over every graph at
 * hand whose classes it has, and over generated ones; on a real ComfyUI over pixel nodes, when CALLSHEET_TEST_COMFYUI holds its address.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSandbox } from '#backends/sandbox/server.ts';
import type { Sandbox } from '#backends/sandbox/options.ts';
import { CATALOGUE } from '#backends/sandbox/nodes/catalogue.ts';
import { parseGraph } from '#graph/graph.ts';
import { type ObjectInfo, parseObjectInfo } from '#graph/object-info.ts';
import { optimise, type Optimised } from '#graph/optimise/optimise.ts';
import { GRAPH_PASSES } from '#graph/optimise/passes.ts';
import type { Graph } from '#graph/types.ts';
import { ffmpegPath } from '#results/convert/find-ffmpeg.ts';
import type { TestGraph } from '../backends/sandbox/graphs.ts';
import { filmsOf, picturesOf, runToEnd, upload } from './comfy-client.ts';
import { IDLE_PIXEL_NODES, type OptimisableGraph, optimisableGraph } from './optimisable-graphs.ts';
import { samplePicture } from './pixel-cases.ts';

const real = process.env['CALLSHEET_TEST_COMFYUI'];
const corpus = process.env['CALLSHEET_TEST_CORPUS'];
const FFMPEG = ffmpegPath();
if (FFMPEG === undefined) console.warn('SKIPPED: films of optimised graphs are not compared, because there is no ffmpeg on PATH');
const isFull = process.env['CALLSHEET_TEST_FULL'] === '1';

let dir: string;
let sandbox: Sandbox;
let info: ObjectInfo;

beforeAll(async () => {
  if (real === undefined) process.stderr.write('CALLSHEET_TEST_COMFYUI is not set: optimised graphs run on the sandbox alone.\n');
  if (corpus === undefined)
    process.stderr.write('CALLSHEET_TEST_CORPUS is not set: only fixtures and generated graphs are run optimised.\n');
  dir = mkdtempSync(join(tmpdir(), 'callsheet-optimiser-'));
  sandbox = await startSandbox({ dir, latencyMs: 0, models: modelNames() });
  for (const name of pictureNames()) await upload(sandbox.url, name, await samplePicture(87, 61, name.endsWith('.png')));
  info = await infoOf(sandbox.url);
});
afterAll(async () => {
  await sandbox.close();
  rmSync(dir, { recursive: true, force: true });
});

describe('on the sandbox', { timeout: 300_000 }, () => {
  it('there are graphs enough', () => expect(GRAPHS.length).toBeGreaterThan(corpus === undefined ? 40 : 150));

  it.each(GRAPHS)('%s gives the same optimised', async (_, graph) => {
    for (const outputNodes of wishesFor(graph)) expect((await tryOn(sandbox.url, graph, outputNodes, info)).different).toEqual([]);
  });

  it('any graph of what each pass looks for gives the same (property)', async () => {
    const found = new Set<string>();
    await fc.assert(
      fc.asyncProperty(optimisableGraph, async ({ graph, outputNodes }) => {
        const { different, savings } = await tryOn(sandbox.url, readPlain(graph), outputNodes, info);
        expect(different).toEqual([]);
        for (const { pass } of savings) found.add(pass);
      }),
      { numRuns: isFull ? 1000 : 120, interruptAfterTimeLimit: 240_000 },
    );
    expect([...found].toSorted()).toEqual(GRAPH_PASSES.map(({ name }) => name).toSorted());
  });

  it.each(GRAPH_PASSES)('any graph gives the same after $name alone (property)', async (pass) => {
    await fc.assert(
      fc.asyncProperty(optimisableGraph, async ({ graph: plain, outputNodes }) => {
        const graph = readPlain(plain);
        const optimised = optimise(graph, { info, outputNodes }, [pass]);
        expect((await tryOn(sandbox.url, graph, outputNodes, info, optimised)).different).toEqual([]);
      }),
      { numRuns: isFull ? 200 : 20 },
    );
    expect(pass.name).not.toBe('');
  });
});

describe.each([
  ['the sandbox', () => sandbox.url],
  ['a real ComfyUI', () => real],
] as const)('a node that does nothing, on %s', (_, urlOf) => {
  it.for(IDLE_PIXEL_NODES)('$name is led around, and the pixels are the same', async ({ graph: plain, outputNodes }, { skip }) => {
    const url = urlOf();
    if (url === undefined) skip('there is none');
    const known = await infoOf(url ?? '');
    if (Object.values(plain).some(({ class_type: name }) => !known.classes.has(name))) skip('the server does not have it');
    for (const name of ['plate.png', 'plate.jpg']) await upload(url ?? '', name, await samplePicture(87, 61, name.endsWith('.png')));
    const { different, savings } = await tryOn(url ?? '', readPlain(plain), outputNodes, known);
    expect(different).toEqual([]);
    expect(savings.find(({ pass }) => pass === 'no-ops')?.nodes.map(({ id }) => id)).toContain('10');
  });
});

describe.skipIf(real === undefined)('on a real ComfyUI', { timeout: 600_000 }, () => {
  it('any graph of pixel nodes gives the same (property)', async () => {
    const url = real ?? '';
    const known = await infoOf(url);
    for (const name of ['plate.png', 'plate.jpg']) await upload(url, name, await samplePicture(87, 61, name.endsWith('.png')));
    const found = new Set<string>();
    await fc.assert(
      fc.asyncProperty(optimisableGraph, async (made) => {
        const { graph, outputNodes } = withoutModels(made, known);
        const { different, savings } = await tryOn(url, readPlain(graph), outputNodes, known);
        expect(different).toEqual([]);
        for (const { why } of savings) found.add(why);
      }),
      { numRuns: isFull ? 500 : 60, endOnFailure: true, interruptAfterTimeLimit: 500_000 },
    );
    expect(found.size).toBeGreaterThan(5);
    process.stderr.write(`on ${url}: ${[...found].toSorted().join(' ')}\n`);
  });
});

// --- helpers ---

interface Trial extends Pick<Optimised, 'savings'> {
  /** Wanted nodes that give something else. */
  readonly different: readonly string[];
}

/** Runs the graph as it is and optimised, and compares what every wanted node gave. */
async function tryOn(
  url: string,
  graph: Graph,
  outputNodes: readonly string[],
  known: ObjectInfo,
  optimised: Optimised = optimise(graph, { info: known, outputNodes }),
): Promise<Trial> {
  const { text, savings } = optimised;
  if (text === graph.text) return { savings, different: [] };
  const given = standIns(optimised);
  const before = await resultsOf(url, graph.text, 'before').catch(refusedOnly);
  // What the server refuses, it refuses optimised, too.
  if (before === undefined)
    return { savings, different: (await resultsOf(url, text, 'after').catch(refusedOnly)) === undefined ? [] : ['accepted'] };
  // Each is computed by itself: what the server keeps of the first would answer for the second.
  await fetch(`${url}/free`, { method: 'POST', body: '{"free_memory":true,"unload_models":true}' });
  const after = await resultsOf(url, text, 'after');
  // A node that is blocked gives nothing, and must not give anything afterwards.
  const isWanted = (id: string): boolean =>
    outputNodes.length === 0 ? before.get(id)?.isKept === true || after.get(given(id))?.isKept === true : outputNodes.includes(id);
  const wanted = [...graph.nodes.keys()].filter(isWanted);
  return { savings, different: wanted.filter((id) => before.get(id)?.text !== after.get(given(id))?.text) };
}

function refusedOnly(error: unknown): undefined {
  if (!String(error).includes('HTTP 400')) throw error;
}

function readPlain(plain: TestGraph): Graph {
  const { graph } = parseGraph(JSON.stringify(plain));
  if (graph === undefined) throw new Error('This is no graph.');
  return graph;
}

interface Result {
  /** Pixels and texts as one text. */
  readonly text: string;
  /** It counts where nothing is declared: not only a temporary file. */
  readonly isKept: boolean;
}

async function resultsOf(url: string, text: string, prefix: string): Promise<ReadonlyMap<string, Result>> {
  const prompt = JSON.parse(text, (key, value: unknown) =>
    key === 'filename_prefix' && typeof value === 'string' ? `${prefix}/${value}` : value,
  ) as TestGraph;
  const entry = await runToEnd(url, prompt);
  const results = new Map<string, Result>();
  for (const [id, ui] of Object.entries(entry.outputs)) {
    const pictures = await picturesOf(url, entry, id);
    const told = pictures.map(
      ({ width, height, channels, data }) => `${width}×${height}×${channels} ${Buffer.from(data).toString('base64')}`,
    );
    const films = FFMPEG === undefined ? [] : await filmsOf(url, entry, id, FFMPEG);
    const texts = 'text' in ui ? [JSON.stringify(ui.text)] : [];
    const isKept = texts.length > 0 || (ui.images ?? []).some(({ type }) => type === 'output');
    results.set(id, { text: [...told, ...films, ...texts].join('\n'), isKept });
  }
  return results;
}

function standIns({ savings }: Optimised): (id: string) => string {
  const merged = savings.filter(({ pass }) => pass === 'equal-nodes' || pass === 'shared-loaders').flatMap(({ nodes }) => nodes);
  const into = new Map(merged.flatMap(({ id, into: to }) => (to === undefined ? [] : [[id, to] as const])));
  const follow = (id: string): string => {
    const next = into.get(id);
    return next === undefined ? id : follow(next);
  };
  return follow;
}

async function infoOf(url: string): Promise<ObjectInfo> {
  const { info: found } = parseObjectInfo(await (await fetch(`${url}/object_info`)).text());
  if (found === undefined) throw new Error('no object info');
  return found;
}

/** Everything, and each output node alone. */
function wishesFor(graph: Graph): readonly (readonly string[])[] {
  const outputs = [...graph.nodes.values()].filter(({ classType }) => CATALOGUE.get(classType)?.isOutput === true).map(({ id }) => id);
  return [[], ...outputs.slice(0, isFull ? 10 : 2).map((id) => [id])];
}

/** What the server can do without any model. */
function withoutModels({ graph: plain, outputNodes }: OptimisableGraph, { classes }: ObjectInfo): OptimisableGraph {
  const gone = new Set<string>();
  for (let size = -1; size !== gone.size;) {
    size = gone.size;
    for (const [id, { class_type: name, inputs }] of Object.entries(plain)) {
      const needs = Object.values(inputs).some((value) => Array.isArray(value) && gone.has(value[0]));
      if (needs || !classes.has(name) || /Loader|KSampler|CLIP|VAE|Latent|ControlNet/.test(name)) gone.add(id);
    }
  }
  const saved = { '900': { class_type: 'SaveImage', inputs: { images: ['1', 0] as [string, number], filename_prefix: 'first' } } };
  const graph: TestGraph = { ...Object.fromEntries(Object.entries(plain).filter(([id]) => !gone.has(id))), ...saved };
  return { graph, outputNodes: outputNodes.length === 0 ? [] : [...outputNodes.filter((id) => id in graph), '900'] };
}

// --- graphs at hand ---

/** Large pictures and many steps take long and say nothing that small ones and few do not. */
function smaller(text: string): string {
  return text
    .replaceAll(
      /("(?:width|height|largest_size|tile_size)"\s*:\s*)(\d{3,})(?=\s*[,}])/g,
      (_, name: string, value: string) => name + String(64 + 8 * (((Number(value) / 8) % 5) | 0)),
    )
    .replaceAll(
      /("(?:steps|end_at_step)"\s*:\s*)(\d+)(?=\s*[,}])/g,
      (_, name: string, value: string) => name + String(Math.min(3, Number(value))),
    );
}

function graphsIn(folder: string, every: boolean): (readonly [string, Graph])[] {
  return readdirSync(folder)
    .filter((name) => (every ? name.endsWith('.json') : name.endsWith('.api.json')))
    .toSorted()
    .flatMap((name): (readonly [string, Graph])[] => {
      const { graph } = parseGraph(smaller(readFileSync(join(folder, name), 'utf8')));
      return graph !== undefined && runs(graph) ? [[name, graph]] : [];
    });
}

function runs(graph: Graph): boolean {
  const nodes = [...graph.nodes.values()];
  const hasOutput = nodes.some(({ classType }) => CATALOGUE.get(classType)?.isOutput === true);
  return hasOutput && nodes.every(({ classType }) => CATALOGUE.has(classType));
}

const FIXTURES = join(import.meta.dirname, '../fixtures/conversion');
const GRAPHS =
  corpus === undefined
    ? ['pairs', 'oracle'].flatMap((name) => graphsIn(join(FIXTURES, name), false))
    : [...['pairs', 'oracle'].flatMap((name) => graphsIn(join(corpus, name), false)), ...graphsIn(join(corpus, 'api'), true)];

/** The sandbox is given every model and picture that a graph names. */
function valuesOf(input: RegExp): Set<string> {
  const found = new Set<string>();
  for (const [, graph] of GRAPHS) {
    for (const { inputs } of graph.nodes.values()) {
      for (const { name, value } of inputs.values()) if (value.kind === 'string' && input.test(name)) found.add(value.value);
    }
  }
  return found;
}

function modelNames(): Record<string, readonly string[]> {
  return {
    checkpoints: [...valuesOf(/^ckpt_name$/)],
    loras: [...valuesOf(/^lora_name$/)],
    vae: [...valuesOf(/^vae_name$/)],
    diffusion_models: [...valuesOf(/^unet_name$/)],
    text_encoders: [...valuesOf(/^clip_name\d?$/)],
    clip_vision: [...valuesOf(/^clip_name$/)],
    controlnet: [...valuesOf(/^control_net_name$/)],
    upscale_models: [...valuesOf(/^model_name$/)],
  };
}

function pictureNames(): readonly string[] {
  return [
    ...new Set(['plate.png', 'plate.jpg', ...[...valuesOf(/^image$/)].filter((name) => /^[\w .()-]+\.(?:png|jpe?g|webp)$/i.test(name))]),
  ];
}
