/** Keeps what a backend says of its node classes in a file of the data directory, from which adopted workflows take types and bounds. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Backend } from '#backends/contract.ts';
import type { Problem } from '#protocol/problem.ts';
import { isCode, writeWhole } from '#results/durable.ts';
import type { TemplateLibrary } from '#templates/library.ts';
import type { Logger } from './log.ts';
import { makeDirectory } from './places.ts';

/** A backend that does not answer is asked again after this long; one that loads a model may take a minute. In milliseconds. */
const PATIENCE_MS = 10_000;
const AGAIN_MS = 15_000;
/** How long a start waits for the first answer. */
const BEGIN_MS = 2000;

/** Where it is kept. */
export function keptObjectInfo(dataDir: string): string {
  return join(dataDir, 'cache', 'object_info.json');
}

export interface KeeperOptions {
  /** The file, and what it is called in libraries: see LibraryOptions.objectInfoFile. */
  readonly file: string;
  /** The first that has node classes and answers counts. */
  readonly backends: readonly Pick<Backend, 'id' | 'kind' | 'objectInfo'>[];
  readonly library: Pick<TemplateLibrary, 'list'>;
  /** Reads these again. */
  readonly refresh: (paths: readonly string[]) => Promise<unknown>;
  readonly log: Logger;
}

export interface ObjectInfoKeeper {
  /** There may be workflows now that were not there before. */
  look(): void;
  /** Looks, and waits a moment for the answer when there are workflows that cannot run without it. */
  begin(): Promise<void>;
  close(): Promise<void>;
}

/** Asks only while there are adopted workflows, or others in UI format that cannot be read, and only until one backend has answered. Never throws. */
export function createObjectInfoKeeper({ file, backends, library, refresh, log }: KeeperOptions): ObjectInfoKeeper {
  const closing = new AbortController();
  let working: Promise<void> = Promise.resolve();
  let busy = false;
  let answered = false;
  let again: NodeJS.Timeout | undefined;

  /** Places that read otherwise, or at all, with object info. */
  const concerned = (): readonly string[] =>
    library.list().flatMap(({ origin, problems }) => (origin.kind === 'adopted' || needsInfo(problems) ? [origin.path] : []));

  async function ask(): Promise<string | undefined> {
    for (const backend of backends) {
      if (backend.kind === 'wan2gp') continue;
      try {
        return await backend.objectInfo({ signal: AbortSignal.any([closing.signal, AbortSignal.timeout(PATIENCE_MS)]) });
      } catch (error) {
        log.debug({ err: error, backend: backend.id }, 'no object info for adopted workflows yet');
      }
    }
    return undefined;
  }

  async function keep(): Promise<void> {
    const text = await ask();
    if (closing.signal.aborted) return;
    if (text === undefined) {
      again = setTimeout(look, AGAIN_MS).unref();
      return;
    }
    answered = true;
    if ((await readKept(file)) === text) return;
    makeDirectory(dirname(file));
    await writeWhole(file, text);
    if (!closing.signal.aborted) await refresh(concerned());
  }

  function look(): void {
    clearTimeout(again);
    if (busy || answered || closing.signal.aborted || concerned().length === 0) return;
    busy = true;
    working = keep()
      .catch((error: unknown) =>
        log.warn({ err: error }, 'what a backend says of its nodes could not be kept; adopted workflows go without'),
      )
      .finally(() => (busy = false));
  }

  return {
    look,
    async begin() {
      look();
      const stuck = library.list().some(({ problems }) => needsInfo(problems));
      if (stuck) await Promise.race([working, sleep(BEGIN_MS, undefined, { ref: false, signal: closing.signal }).catch(() => undefined)]);
    },
    async close() {
      clearTimeout(again);
      closing.abort();
      await working;
    },
  };
}

function needsInfo(problems: readonly Problem[]): boolean {
  return problems.some(({ code }) => code === 'TEMPLATE_WORKFLOW_UI_FORMAT');
}

async function readKept(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
