/** How long the optimiser itself takes for a graph: reading, passes, printing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Prices } from '#backends/sandbox/costs/cost-model.ts';
import { parseGraph } from '#graph/graph.ts';
import { type ObjectInfo, parseObjectInfo } from '#graph/node-classes.ts';
import { optimise } from '#graph/optimise/optimise.ts';
import { median } from '../numbers.ts';
import type { Place } from './place.ts';
import type { OptimiserTime } from './result.ts';
import { createMemo, openSandbox } from './sandbox.ts';

const ROUNDS = 200;
const COPIES = 10;
type Workflow = Readonly<Record<string, { readonly class_type: string; readonly inputs: Readonly<Record<string, unknown>> }>>;

/** The workflow full of previews, less one of them: 20 nodes. And ten copies of it in one graph, each with prompts and seeds of its own. */
export async function timeOptimiser(place: Place, prices: Prices): Promise<readonly OptimiserTime[]> {
  const dir = join(place.scratch, 'classes');
  const sandbox = await openSandbox(dir, { prices, cache: 'classic', pageCache: [], models: place.models, memo: createMemo() });
  try {
    const answer = await fetch(`${sandbox.url}/object_info`);
    const { info } = parseObjectInfo(await answer.text());
    if (info === undefined) throw new Error('the sandbox told no classes');
    const { '20': _, ...one } = JSON.parse(readFileSync(join(place.templates, 'bench-previews/workflow.json'), 'utf8')) as Workflow;
    return [timeOf(severalOf(one, 1), info), timeOf(severalOf(one, COPIES), info)];
  } finally {
    await sandbox.close();
  }
}

function timeOf(workflow: Workflow, info: ObjectInfo): OptimiserTime {
  const text = JSON.stringify(workflow);
  const outputNodes = Object.keys(workflow).filter((id) => workflow[id]?.class_type === 'SaveImage');
  const before = process.cpuUsage();
  const times = Array.from({ length: ROUNDS }, () => {
    const startMs = performance.now();
    const { graph } = parseGraph(text);
    if (graph !== undefined) optimise(graph, { info, outputNodes });
    return performance.now() - startMs;
  });
  const { user, system } = process.cpuUsage(before);
  return {
    nodes: Object.keys(workflow).length,
    processor: (user + system) / 1000 / ROUNDS,
    first: times[0] ?? Number.NaN,
    median: median(times),
    largest: Math.max(...times.slice(1)),
  };
}

function severalOf(workflow: Workflow, copies: number): Workflow {
  const rename = (id: string, copy: number): string => String(Number(id) + 100 * copy);
  const own = (value: unknown, copy: number): unknown => {
    if (Array.isArray(value)) return [rename(String(value[0]), copy), value[1]];
    return value === '' ? `shot ${copy}` : value;
  };
  const nodes = Array.from({ length: copies }, (_, copy) =>
    Object.entries(workflow).map(([id, node]) => {
      const inputs = Object.entries(node.inputs).map(([name, value]) => [name, name === 'seed' ? copy : own(value, copy)]);
      return [rename(id, copy), { ...node, inputs: Object.fromEntries(inputs) as Record<string, unknown> }] as const;
    }),
  );
  return Object.fromEntries(nodes.flat());
}
