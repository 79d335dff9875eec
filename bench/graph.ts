/** What loading, checking, injecting and optimising a graph costs beside plain JSON.parse and JSON.stringify. Run: `npm run bench:graph`. */
import { builtInObjectInfo } from '#backends/sandbox/object-info.ts';
import { parseGraph, printGraph } from '#graph/graph.ts';
import { optimise } from '#graph/optimise/optimise.ts';
import { checkStructure } from '#graph/structure.ts';
import { printJson } from '#graph/values.ts';
import { optimisableGraph } from './optimisable-graph.ts';

const SIZES = [50, 200, 1000];
const ROUNDS = 9;
const WARM_UP = 2;
/** Each round repeats the work for about this long, so that the clock's grain does not show. */
const ROUND_MS = 60;

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

interface Row {
  readonly name: string;
  readonly work: () => unknown;
  /** Microseconds per call, one entry per round. */
  readonly micros: number[];
}

const row = (name: string, work: () => unknown): Row => ({ name, work, micros: [] });

function measure({ work, micros }: Row, keep: boolean): void {
  const begin = performance.now();
  let calls = 0;
  let elapsed = 0;
  while (elapsed < ROUND_MS) {
    work();
    calls++;
    elapsed = performance.now() - begin;
  }
  if (keep) micros.push((elapsed / calls) * 1000);
}

function median(samples: readonly number[]): number {
  return samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)] ?? 0;
}

function load(text: string) {
  const { graph } = parseGraph(text);
  if (graph === undefined) throw new Error('The generated graph does not parse.');
  return graph;
}

const info = builtInObjectInfo();

console.log('nodes      KiB  work                          median µs   of parse+stringify');
for (const size of SIZES) {
  const text = graphText(size);
  const targets = [0.1, 0.3, 0.5, 0.7, 0.9].map((part) => String(2 * Math.max(1, Math.floor((size * part) / 2))));
  const edits = targets.map((node, index) => ({ node, input: 'seed', json: printJson(18_446_744_073_709_551_615n - BigInt(index)) }));
  const graph = load(text);
  const large = load(optimisableGraph(size));
  const small = load(optimise(large, { info, outputNodes: [] }).text);
  const base = row('JSON.parse + JSON.stringify', () => JSON.stringify(JSON.parse(text)));
  const rows = [
    base,
    row('parseGraph', () => parseGraph(text)),
    row('parseGraph + checkStructure', () => checkStructure(load(text))),
    row('inject 5 + print', () => printGraph(graph, edits)),
    row('load + inject 5 + print', () => printGraph(load(text), edits)),
    row('optimise: nothing to do', () => optimise(small, { info, outputNodes: [] })),
    row('optimise: six in ten go', () => optimise(large, { info, outputNodes: [] })),
  ];
  // Round by round, so that a busy moment of the machine meets all rows; the ratio is the median of the rounds' ratios.
  for (let round = -WARM_UP; round < ROUNDS; round++) for (const each of rows) measure(each, round >= 0);
  for (const { name, micros } of rows) {
    const ratio = median(micros.map((value, round) => value / (base.micros[round] ?? value)));
    const columns = [String(size).padStart(5), (text.length / 1024).toFixed(0).padStart(8), ` ${name.padEnd(28)}`];
    console.log(...columns, median(micros).toFixed(1).padStart(10), ratio.toFixed(2).padStart(14));
  }
}
