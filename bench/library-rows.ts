/** What it takes to know a directory of templates: cold, over a start with the cache, and unchanged, beside the plain work on the same files. */
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openTemplateCache } from '#store/template-cache.ts';
import { createLibrary, summary } from '#templates/library.ts';
import { median } from './numbers.ts';
import { largeGraph, writeLargeTemplate } from './sample-graphs.ts';

export interface LibraryRow {
  readonly what: string;
  readonly count: number;
  readonly megabytes: number;
  /** Milliseconds. */
  readonly times: readonly number[];
  /** Median over rounds of own time over the time of `base`, taken in the same round. */
  readonly ratio?: number;
  readonly base?: string;
}

/** Stamps are trusted once the last change lies this far back, in milliseconds (src/templates/stamp.ts). */
const TRUST_MS = 3200;

/** `nodes` of each workflow. */
export async function measureLibrary(dir: string, count: number, nodes: number, rounds: number): Promise<readonly LibraryRow[]> {
  const files: string[] = [];
  const graph = largeGraph(nodes);
  for (let at = 0; at < count; at += 1) {
    const folder = join(dir, `t${at}`);
    writeLargeTemplate(folder, `t${at}`, graph);
    files.push(join(folder, 'template.json'), join(folder, 'graph.json'));
  }
  const megabytes = files.reduce((sum, file) => sum + statSync(file).size, 0) / 1e6;
  await sleep(TRUST_MS);

  const file = `${dir}-cache.db`;
  const start = async (): Promise<ReturnType<typeof opened>> => {
    const one = opened(file, dir);
    await one.library.refresh();
    const listed = one.library.list().map(summary);
    if (listed.length !== count || listed.some(({ runnable }) => !runnable)) throw new Error('Not all templates are listed as runnable.');
    return one;
  };
  const times = new Map<string, number[]>();
  const timed = async <T>(what: string, work: () => T | Promise<T>, keep: boolean): Promise<T> => {
    const begin = performance.now();
    const result = await work();
    if (keep) times.set(what, [...(times.get(what) ?? []), performance.now() - begin]);
    return result;
  };
  // Small directories are measured more often before the clock starts, so that all counts are measured with hot code.
  for (let round = -Math.ceil(2000 / count); round < rounds; round += 1) {
    const keep = round >= 0;
    for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true });
    await timed(READ, () => files.forEach((each) => void JSON.parse(readFileSync(each, 'utf8'))), keep);
    const cold = await timed(COLD, start, keep);
    await timed(WRITE, () => cold.library.flush(), keep);
    cold.close();
    const warm = await timed(WARM, start, keep);
    await timed(STAT, () => files.forEach((each) => void statSync(each)), keep);
    await timed(UNCHANGED, () => warm.library.refresh(), keep);
    warm.close();
  }
  const row = (what: string, base?: string): LibraryRow => {
    const own = times.get(what) ?? [];
    if (base === undefined) return { what, count, megabytes, times: own };
    const ratio = median(own.map((value, round) => value / (times.get(base)?.[round] ?? value)));
    return { what, count, megabytes, times: own, ratio, base };
  };
  return [row(READ), row(COLD, READ), row(WRITE), row(WARM, STAT), row(STAT), row(UNCHANGED, STAT)];
}

const READ = 'read and JSON.parse each file';
const COLD = 'cold: discover, check, list';
const WRITE = 'then the cache is written';
const WARM = 'warm: start with the cache, list';
const STAT = 'stat each file';
const UNCHANGED = 'nothing changed: refresh';

function opened(file: string, dir: string) {
  const cache = openTemplateCache({
    file,
    build: 'bench',
    onFailure(error) {
      throw error;
    },
  });
  return { library: createLibrary([dir], { cache }), close: () => cache.close() };
}
