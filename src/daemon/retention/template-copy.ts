/**
 * The copy of a template lies once in the output directory for all runs that pinned it, beside whose records a lost database is made again of it: it
 * goes with the last of them.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from '#store/types.ts';
import { readRecord, readTemplate, templatePath } from '../rebuild/record.ts';
import { look } from './look.ts';
import type { Take } from './run-notes.ts';

export interface CopyPlace {
  readonly store: Pick<Store, 'runsOfTemplate' | 'run'>;
  readonly outputDir: string;
  /** Runs that are cleaned away, on a dry run as if they were. */
  readonly gone: ReadonlySet<string>;
}

/** What lies there with another content than its name says is somebody else's. */
export async function takeTemplateCopy(place: CopyPlace, hash: string, home: string, take: Take): Promise<void> {
  if (isNeeded(place, hash)) return;
  const path = templatePath(place.outputDir, hash);
  const found = await look(path, home, null);
  if ('why' in found || (await readTemplate(place.outputDir, hash)) === undefined || (await isNamedElsewhere(place, hash))) return;
  // Asked again: a run that was accepted meanwhile needs it.
  if (!isNeeded(place, hash)) await take(path, found);
}

// --- helpers ---

function isNeeded({ store, gone }: CopyPlace, hash: string): boolean {
  return store.runsOfTemplate(hash).some((runId) => !gone.has(runId));
}

/** By the record of a run that is not in this database: several data directories may share an output directory. One that cannot be read may name it. */
async function isNamedElsewhere({ store, outputDir, gone }: CopyPlace, hash: string): Promise<boolean> {
  const entries = await readdir(outputDir, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (!entry.isDirectory() || gone.has(entry.name) || store.run(entry.name) !== undefined) continue;
    try {
      if ((await readRecord(join(outputDir, entry.name)))?.run.templateHash === hash) return true;
    } catch {
      return true;
    }
  }
  return false;
}
