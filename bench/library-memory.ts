/** Heap of a library of 1,000 templates: listed only, and with as many compiled as the bound allows, beside what the library itself says. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { pino } from 'pino';
import { watchTemplates } from '#daemon/template-watcher.ts';
import { openTemplateCache } from '#store/template-cache.ts';
import { createLibrary } from '#templates/library.ts';
import { largeGraph, writeLargeTemplate } from './sample-graphs.ts';

const COUNT = 1000;

async function fill(folder: string, cache: ReturnType<typeof openTemplateCache>): Promise<void> {
  const library = createLibrary([folder], { cache });
  await library.refresh();
  library.flush();
  cache.close();
}

export async function measureMemory(dir: string): Promise<readonly string[]> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heap = (): number => {
    collect();
    collect();
    return process.memoryUsage().heapUsed / 1e6;
  };
  const lines: string[] = [];
  for (const nodes of [30, 200]) lines.push(await measureCompiled(join(dir, `of-${nodes}`), nodes, heap));
  lines.push(await measureChurn(join(dir, 'churn'), heap));
  return lines;
}

async function measureCompiled(folder: string, nodes: number, heap: () => number): Promise<string> {
  for (let at = 0; at < COUNT; at += 1) writeLargeTemplate(join(folder, `t${at}`), `t${at}`, largeGraph(nodes));
  await sleep(3200);
  const open = () =>
    openTemplateCache({
      file: `${folder}.db`,
      build: 'bench',
      onFailure(error) {
        throw error;
      },
    });
  await fill(folder, open());
  const before = heap();
  const cache = open();
  const library = createLibrary([folder], { cache });
  await library.refresh();
  const listed = heap();
  for (const loaded of library.list()) if (loaded.template === undefined) throw new Error('A template does not compile.');
  const full = heap();
  const { compiled, compiledBytes, sourceBytes } = library.use();
  cache.close();
  return (
    `${COUNT} templates of ${nodes} nodes: listed ${(listed - before).toFixed(1)}; all used once ${(full - before).toFixed(1)}, ` +
    `of which ${compiled} compiled take ${(full - listed).toFixed(1)}, estimated ${(compiledBytes / 1e6).toFixed(1)}; ` +
    `sources in memory ${(sourceBytes / 1e6).toFixed(1)}`
  );
}

/** What stays after templates came and went many times, while they were watched. */
async function measureChurn(dir: string, heap: () => number): Promise<string> {
  const rounds = 12;
  const pack = join(dir, 'pack');
  writeLargeTemplate(join(dir, 'stays'), 'stays', largeGraph(30));
  const library = createLibrary([dir]);
  const watcher = await watchTemplates({
    dirs: [dir],
    refresh: async (paths) => {
      await library.refresh(paths);
      return library.unsettled();
    },
    log: pino({ level: 'silent' }),
  });
  const known = async (count: number): Promise<void> => {
    while (library.use().known !== count || library.use().runnable !== count) await sleep(20);
  };
  const round = async (): Promise<void> => {
    for (let at = 0; at < 100; at += 1) writeLargeTemplate(join(pack, `t${at}`), `t${at}`, largeGraph(30));
    await known(101);
    rmSync(pack, { recursive: true });
    await known(1);
  };
  for (let warm = 0; warm < 3; warm += 1) await round();
  const before = heap();
  const { folders } = watcher;
  for (let at = 0; at < rounds; at += 1) await round();
  const grown = heap() - before;
  const watches = watcher.folders - folders;
  await watcher.close();
  return `100 templates that came and went ${rounds} times: heap ${grown >= 0 ? '+' : ''}${grown.toFixed(2)}, watches ${watches >= 0 ? '+' : ''}${watches}`;
}
