/** Opens the file in the data directory that remembers between starts what was read from the template directories. */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openTemplateCache, type TemplateCache } from '#store/template-cache.ts';
import type { Logger } from './log.ts';
import { VERSION } from './version.ts';

/** May be deleted at any time, also while a daemon runs. */
export function openLibraryCache(dataDir: string, log: Logger): TemplateCache {
  return openTemplateCache({
    file: join(dataDir, 'cache', 'templates.db'),
    build: compilerBuild(),
    onFailure: (error) => log.warn({ err: error }, 'the cache of templates failed; templates are read from their own files'),
  });
}

/** The rooms whose code decides what is found in a template. */
const ROOMS = ['templates', 'graph'];

/**
 * Names the code that checks templates, so that what another one found is not shown again: the version, and size and time of
 * every file of the two rooms, for a checkout that is worked on has one version for long.
 */
function compilerBuild(): string {
  const hash = createHash('sha256').update(VERSION);
  for (const room of ROOMS) {
    const folder = join(import.meta.dirname, '..', room);
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()) {
      const { size, mtimeMs } = statSync(join(folder, name));
      hash.update(`${name}:${size}:${mtimeMs};`);
    }
  }
  return hash.digest('base64url');
}
