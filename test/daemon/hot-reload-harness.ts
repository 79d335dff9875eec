/** A library over a real directory that is really watched, and what a client was told of it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect } from 'vitest';
import { openClassLocks } from '#daemon/class-locks.ts';
import { createLibraryService } from '#daemon/library-service.ts';
import type { LibraryService } from '#daemon/library-service.ts';
import { createMediaResolver } from '#daemon/media-resolver.ts';
import { createOffers } from '#daemon/offers.ts';
import { createRoots } from '#daemon/roots.ts';
import { watchTemplates } from '#daemon/template-watcher.ts';
import type { TemplateChanged } from '#protocol/methods/event.ts';
import { createLibrary } from '#templates/library.ts';
import type { TemplateLibrary } from '#templates/library.ts';

export interface Watched {
  /** The template directory. */
  readonly dir: string;
  readonly library: TemplateLibrary;
  readonly service: LibraryService;
  readonly told: TemplateChanged[];
  /** How many are watched. */
  readonly folders: () => number;
  /** Resolves once the library has read everything that was done on disk before the call. */
  settled(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Guard against a hang; no test waits that long. */
const GUARD = { timeout: 25_000, interval: 15 };

export async function watched(prepare: (dir: string) => void = () => {}): Promise<Watched> {
  const base = mkdtempSync(join(tmpdir(), 'callsheet-reload-'));
  const dir = join(base, 'templates');
  mkdirSync(dir);
  prepare(dir);
  const library = createLibrary([dir]);
  await library.refresh();
  const roots = createRoots({ roots: [], asset: () => undefined });
  const resolveMedia = createMediaResolver(roots, library);
  const log = pino({ level: 'silent' });
  const service = createLibraryService({
    library,
    offers: createOffers([], log),
    locks: openClassLocks(join(base, 'locks.json'), log),
    roots,
    resolveMedia,
    backends: [],
    templateDirs: [dir],
  });
  const told: TemplateChanged[] = [];
  let marks = 0;
  service.onChange((change) => told.push(change));
  const watcher = await watchTemplates({ dirs: [dir], refresh: (paths) => service.refresh(paths), log: pino({ level: 'silent' }) });
  return {
    dir,
    library,
    service,
    told,
    folders: () => watcher.folders,
    // A save made after the others is seen after them, or together with them; twice, because folders are watched one by one.
    async settled() {
      for (let round = 0; round < 2; round += 1) {
        marks += 1;
        const id = `mark-${marks}`;
        writeFileSync(join(dir, `${id}.json`), JSON.stringify(graph(id)));
        await expect.poll(() => library.get(id)?.runnable, GUARD).toBe(true);
      }
    },
    async [Symbol.asyncDispose]() {
      await watcher.close();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** What was told of templates other than the marks of `settled`. */
export function toldOf({ told }: Watched, id?: string): TemplateChanged[] {
  return told.filter((change) => !change.id.startsWith('mark-') && (id === undefined || change.id === id));
}

export async function until<T>(look: () => T, wanted: T): Promise<void> {
  await expect.poll(look, GUARD).toEqual(wanted);
}

/** One node whose text says which save it belongs to. */
export function graph(text: string): object {
  return { '1': { class_type: 'SaveImage', inputs: { filename_prefix: text } } };
}

/** Manifest and two workflows that all carry the number of the save. */
export function filesOf(id: string, save: number | string, version = '1.0.0'): Record<string, string> {
  const steps = ['a', 'b'].map((step) => ({ id: step, workflow: `${step}.json`, outputs: { image: '1' } }));
  const manifest = { format: 1, id, version, title: `save ${save}`, steps };
  return {
    'template.json': JSON.stringify(manifest, null, 2),
    'a.json': JSON.stringify(graph(`save ${save}`), null, 2),
    'b.json': JSON.stringify(graph(`save ${save}`), null, 2),
  };
}

export function writeTemplate(folder: string, files: Record<string, string>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}
