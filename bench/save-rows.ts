/** How long it takes from the end of a save until clients are told, with few and with many templates beside it. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { openClassLocks } from '#daemon/class-locks.ts';
import { createLibraryService } from '#daemon/library-service.ts';
import { createMediaResolver } from '#daemon/media-resolver.ts';
import { createOffers } from '#daemon/offers.ts';
import { createRoots } from '#daemon/roots.ts';
import { watchTemplates } from '#daemon/template-watcher.ts';
import { createLibrary } from '#templates/library.ts';
import { largeGraph, writeLargeTemplate } from './sample-graphs.ts';

export interface SaveRow {
  readonly what: string;
  readonly count: number;
  /** Milliseconds. */
  readonly times: readonly number[];
}

type Save = (file: string, text: string) => void;
const SAVES: readonly [string, Save][] = [
  ['one file written over', (file, text) => writeFileSync(file, text)],
  [
    'one file written beside and renamed',
    (file, text) => {
      writeFileSync(`${file}.tmp`, text);
      renameSync(`${file}.tmp`, file);
    },
  ],
];

export async function measureSaves(dir: string, count: number, saves: number): Promise<readonly SaveRow[]> {
  mkdirSync(dir, { recursive: true });
  for (let at = 0; at < count; at += 1) writeLargeTemplate(join(dir, `t${at}`), `t${at}`, largeGraph(30));
  const library = createLibrary([dir]);
  await library.refresh();
  const roots = createRoots({ roots: [], asset: () => undefined });
  const resolveMedia = createMediaResolver(roots, library);
  const offers = createOffers([], pino({ level: 'silent' }));
  const locks = openClassLocks(join(dir, '.class-locks.json'), pino({ level: 'silent' }));
  const service = createLibraryService({ library, offers, locks, roots, resolveMedia, backends: [], templateDirs: [dir] });
  const watcher = await watchTemplates({ dirs: [dir], refresh: (paths) => service.refresh(paths), log: pino({ level: 'silent' }) });
  const rows: SaveRow[] = [];
  for (const [what, save] of SAVES) {
    const times: number[] = [];
    for (let round = 0; round < saves; round += 1) {
      const told = Promise.withResolvers<void>();
      const stop = service.onChange(() => told.resolve());
      const graph = { ...largeGraph(30), note: { class_type: 'Note', inputs: { text: `${what} ${round}` } } };
      save(join(dir, `t${round % count}`, 'graph.json'), JSON.stringify(graph, undefined, 2));
      const begin = performance.now();
      await told.promise;
      times.push(performance.now() - begin);
      stop();
    }
    rows.push({ what, count, times });
  }
  await watcher.close();
  offers.close();
  await locks.close();
  return rows;
}
