/** Sees saves in the template directories and has the library read them again, once they have come to rest. */
import { watch } from 'chokidar';
import type { FSWatcher } from 'chokidar';
import type { Logger } from './log.ts';

/** Milliseconds of silence after which a save counts as done, and the longest that a busy directory is waited for: a save is seen within 300. */
const QUIET_MS = 75;
const LONGEST_MS = 225;
/** After the last change everything is looked at once more, in milliseconds: the system may lose events of a busy directory. */
const SWEEP_MS = 4000;
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
  let watcher = start(false);

  function start(polling: boolean): FSWatcher {
    const fresh = watch([...dirs], {
      ignoreInitial: true,
      depth: DEPTH,
      usePolling: polling,
      interval: 1000,
      ignored: (path) => /(?:^|[/\\])(?:\.[^/\\]|node_modules(?:[/\\]|$))/.test(relativeTo(dirs, path)),
    });
    fresh.on('all', (_event, path) => note(path));
    fresh.on('error', (error) => {
      log.warn({ err: error, polling }, 'template directories are not fully watched');
      if (polling || closed) return;
      // The system is out of watches (ENOSPC, EMFILE): looking every second still works.
      void watcher.close();
      watcher = start(true);
    });
    return fresh;
  }

  function note(path: string): void {
    if (closed) return;
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
    sweep = setTimeout(() => {
      working = working.then(() => (closed ? undefined : read()));
    }, SWEEP_MS);
    sweep.unref();
  }

  async function read(paths?: readonly string[]): Promise<void> {
    try {
      for (const path of (await refresh(paths)) ?? []) note(path);
    } catch (error) {
      log.error({ err: error }, 'templates could not be read again');
    }
  }

  await new Promise<void>((resolve) => {
    watcher.once('ready', () => resolve());
    watcher.once('error', () => resolve());
  });
  // What was saved before the watching began was seen by nobody.
  working = read();
  await working;

  return {
    async close() {
      closed = true;
      clearTimeout(quiet);
      clearTimeout(longest);
      clearTimeout(sweep);
      await watcher.close();
      await working;
    },
  };
}

// --- helpers ---

/** The part below the watched directory: a dot in the way to it is the user's own choice. */
function relativeTo(dirs: readonly string[], path: string): string {
  const dir = dirs.find((one) => path.startsWith(one));
  return dir === undefined ? path : path.slice(dir.length);
}
