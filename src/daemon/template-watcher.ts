/** Sees saves in the template directories and has the library read them again, once they have come to rest. */
import type { Logger } from './log.ts';
import { watchTree } from './tree-watch.ts';

/** Milliseconds of silence after which a save counts as done, and the longest that a busy directory is waited for: a save is seen within 300. */
const QUIET_MS = 75;
const LONGEST_MS = 225;
/** After the last change everything is looked at once more, in milliseconds: the system may drop events of a busy directory. */
const SWEEP_MS = 4000;
/** How often it is looked whether the directories themselves were replaced; and everything, when there are no more watches. */
const LOOK_MS = 1000;
/** Templates lie one or two levels deep; whoever names a whole disk shall not have it watched. */
const DEPTH = 6;

export interface WatcherOptions {
  readonly dirs: readonly string[];
  /**
   * Absolute paths that changed since the last call, or none: then anything may have. Never called while a call is at work.
   * Answers with paths that have to be read again soon, because they are still being written.
   */
  readonly refresh: (paths?: readonly string[]) => Promise<readonly string[] | void> | readonly string[] | void;
  readonly log: Logger;
}

export interface TemplateWatcher {
  /** Folders that are watched. */
  readonly folders: number;
  close(): Promise<void>;
}

/** Resolves once changes from now on will be seen. */
export async function watchTemplates({ dirs, refresh, log }: WatcherOptions): Promise<TemplateWatcher> {
  const changed = new Set<string>();
  let quiet: NodeJS.Timeout | undefined;
  let longest: NodeJS.Timeout | undefined;
  let sweep: NodeJS.Timeout | undefined;
  let working: Promise<void> = Promise.resolve();
  let closed = false;
  let exhausted = false;

  const tree = watchTree({
    roots: dirs,
    ignored: (name) => name.startsWith('.') || name === 'node_modules',
    depth: DEPTH,
    onChange: note,
    onExhausted(error) {
      if (!exhausted) log.warn({ err: error }, 'the system gives no more watches; templates are looked at every second instead');
      exhausted = true;
    },
  });
  let busy = true;
  let looking: Promise<void> = Promise.resolve();
  /** Roots always; the folders below them only after something happened, since no folder is replaced without a sign. */
  const look = () => {
    looking = busy ? tree.checkRoots().then(() => tree.checkFolders()) : tree.checkRoots();
    busy = false;
    if (exhausted) readSoon();
  };
  const looks = setInterval(() => {
    void looking.then(() => (closed ? undefined : look()));
  }, LOOK_MS);
  looks.unref();

  function note(path: string): void {
    if (closed) return;
    busy = true;
    changed.add(path);
    clearTimeout(quiet);
    quiet = setTimeout(flush, QUIET_MS);
    longest ??= setTimeout(flush, LONGEST_MS);
  }

  function flush(): void {
    clearTimeout(quiet);
    clearTimeout(longest);
    longest = undefined;
    working = readAgain(working);
  }

  async function readAgain(before: Promise<void>): Promise<void> {
    await before;
    const paths = [...changed];
    changed.clear();
    if (closed || paths.length === 0) return;
    await read(paths);
    clearTimeout(sweep);
    sweep = setTimeout(readSoon, SWEEP_MS);
    sweep.unref();
  }

  function readSoon(): void {
    working = working.then(() => (closed ? undefined : read()));
  }

  async function read(paths?: readonly string[]): Promise<void> {
    try {
      for (const path of (await refresh(paths)) ?? []) note(path);
    } catch (error) {
      log.error({ err: error }, 'templates could not be read again');
    }
  }

  await tree.checkRoots();
  changed.clear();
  clearTimeout(quiet);
  clearTimeout(longest);
  longest = undefined;
  // What was saved before the watching began was seen by nobody.
  working = read();
  await working;

  return {
    get folders() {
      return tree.folders;
    },
    async close() {
      closed = true;
      clearInterval(looks);
      clearTimeout(quiet);
      clearTimeout(longest);
      clearTimeout(sweep);
      await looking;
      await tree.close();
      await working;
    },
  };
}
