/** What loading, checking and injecting a graph costs beside plain JSON.parse and JSON.stringify. Run: `npx node bench/graph.ts`. */
import { parseGraph, printGraph } from '#graph/graph.ts';
import { checkStructure } from '#graph/structure.ts';
import { printJson } from '#graph/values.ts';

const SIZES = [50, 200, 1000];
const ROUNDS = 7;
/** Each round repeats the work for about this long, so that the clock's grain does not show. */
const ROUND_MS = 150;

/** Nodes as ComfyUI exports them: a chain of samplers with texts, links and a title each, indented by two. */
function graphText(nodes: number): string {
  const graph: Record<string, unknown> = {};
  for (let i = 1; i <= nodes; i++) {
    const before = String(Math.max(1, i - 1));
    const sampler = {
      seed: 8_566_257 * i,
      steps: 20 + (i % 30),
      cfg: 7.5,
      sampler_name: 'dpmpp_2m_sde',
      scheduler: 'karras',
      denoise: 0.87,
      model: ['1', 0],
      positive: [before, 0],
      negative: [before, 1],
      latent_image: [before, 2],
    };
    const text = { text: `a photograph of a "quiet" harbour at dawn, take ${i}\nsoft light, 35mm`, clip: ['1', 1] };
    const inputs = i === 1 ? { ckpt_name: 'sd_xl_base_1.0.safetensors' } : i % 2 === 0 ? sampler : text;
    const classType = i === 1 ? 'CheckpointLoaderSimple' : i % 2 === 0 ? 'KSampler' : 'CLIPTextEncode';
    graph[String(i)] = { inputs, class_type: classType, _meta: { title: `${classType} ${i}` } };
  }
  return JSON.stringify(graph, undefined, 2);
}

/** Median over the rounds, in microseconds per call. */
function medianMicros(work: () => unknown): number {
  const samples: number[] = [];
  for (let round = -2; round < ROUNDS; round++) {
    const begin = performance.now();
    let calls = 0;
    let elapsed = 0;
    while (elapsed < ROUND_MS) {
      work();
      calls++;
      elapsed = performance.now() - begin;
    }
    if (round >= 0) samples.push((elapsed / calls) * 1000);
  }
  return samples.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
}

function load(text: string) {
  const { graph } = parseGraph(text);
  if (graph === undefined) throw new Error('The generated graph does not parse.');
  return graph;
}

console.log('nodes      KiB  work                          median µs   of parse+stringify');
for (const size of SIZES) {
  const text = graphText(size);
  const targets = [0.1, 0.3, 0.5, 0.7, 0.9].map((part) => String(2 * Math.max(1, Math.floor((size * part) / 2))));
  const edits = targets.map((node, index) => ({ node, input: 'seed', json: printJson(18_446_744_073_709_551_615n - BigInt(index)) }));
  const graph = load(text);
  const rows: [string, () => unknown][] = [
    ['JSON.parse + JSON.stringify', () => JSON.stringify(JSON.parse(text))],
    ['parseGraph', () => parseGraph(text)],
    ['parseGraph + checkStructure', () => checkStructure(load(text))],
    ['inject 5 + print', () => printGraph(graph, edits)],
    ['load + inject 5 + print', () => printGraph(load(text), edits)],
  ];
  let base = 0;
  for (const [name, work] of rows) {
    const micros = medianMicros(work);
    if (base === 0) base = micros;
    const columns = [String(size).padStart(5), (text.length / 1024).toFixed(0).padStart(8), ` ${name.padEnd(28)}`];
    console.log(...columns, micros.toFixed(1).padStart(10), (micros / base).toFixed(2).padStart(14));
  }
}
