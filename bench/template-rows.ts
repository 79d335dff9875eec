/** Part A: what reading, checking, injecting and printing a template of a given size costs beside JSON.parse + JSON.stringify of its graph. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileTemplate } from '#templates/compile.ts';
import { loadTemplate, sourceOf } from '#templates/load.ts';
import { renderStep } from '#templates/render.ts';
import type { Scope } from '#templates/types.ts';
import { median, percentile } from './numbers.ts';
import { largeGraph, writeLargeTemplate } from './sample-graphs.ts';

export interface TemplateRow {
  readonly nodes: number;
  readonly work: string;
  readonly kib: number;
  /** Milliseconds. */
  readonly median: number;
  readonly p95: number;
  /** Times JSON.parse + JSON.stringify of the same graph, the median over rounds. */
  readonly ratio: number;
}

const SIZES = [50, 200, 1000] as const;

/** Small graphs are read more often before the clock starts, so that all sizes are measured warm. */
const WARM_UP_NODES = 2000;

/** Rounds alternate between the rows, so that a busy moment of the machine meets all of them. */
export async function measureTemplates(dir: string, rounds: number): Promise<readonly TemplateRow[]> {
  const rows: TemplateRow[] = [];
  for (const nodes of SIZES) rows.push(...(await measureSize(join(dir, `graph-${nodes}`), nodes, rounds)));
  return rows;
}

async function measureSize(folder: string, nodes: number, rounds: number): Promise<readonly TemplateRow[]> {
  writeLargeTemplate(folder, `graph-${nodes}`, largeGraph(nodes));
  const text = readFileSync(join(folder, 'graph.json'), 'utf8');
  const source = sourceOf(readFileSync(join(folder, 'template.json'), 'utf8'), { 'graph.json': text });
  const { template, problems } = await loadTemplate(folder);
  if (template === undefined) throw new Error(`The generated template does not load: ${problems[0]?.message ?? ''}`);
  const scope: Scope = { params: { prompt: 'a lighthouse at dusk', seed: 18_446_744_073_709_551_615n }, steps: {}, choices: {}, index: 0 };
  const render = (): void => {
    if (renderStep(template, 'draw', scope, { mediaName: (media) => media.name }).value === undefined)
      throw new Error('It does not render.');
  };
  const base = { work: 'JSON.parse + JSON.stringify', call: (): unknown => JSON.stringify(JSON.parse(text)) };
  const works: readonly { readonly work: string; readonly call: () => unknown }[] = [
    base,
    { work: 'load from disk + check (loadTemplate)', call: () => loadTemplate(folder) },
    { work: 'check in memory (compileTemplate)', call: () => compileTemplate(source) },
    { work: 'inject + print (renderStep)', call: render },
  ];
  const times = new Map(works.map(({ work }) => [work, [] as number[]]));
  const warmUp = Math.ceil((WARM_UP_NODES * rounds) / (nodes * 10));
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const { work, call } of works) {
      const begin = performance.now();
      await call();
      const took = performance.now() - begin;
      if (round >= 0) times.get(work)?.push(took);
    }
  }
  const bases = times.get(base.work) ?? [];
  return works.map(({ work }) => {
    const own = times.get(work) ?? [];
    const ratio = median(own.map((value, round) => value / (bases[round] ?? value)));
    return { nodes, work, kib: text.length / 1024, median: median(own), p95: percentile(own, 0.95), ratio };
  });
}
