/**
 * Watches folders and all folders below them through chokidar, and mends what it cannot see: version 5 goes blind for a folder that is
 * deleted and made anew in quick succession, and for a root that is replaced. Folders are known by number and time of making;
 * one that stands under the old name as another gets its root a new watcher.
 */
import { realpathSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';

export interface TreeWatchOptions {
  /** A root that is not there is waited for; one that is a link is followed, and followed anew when it is pointed elsewhere. */
  readonly roots: readonly string[];
  /** Files and folders that are passed over, by their name. */
  readonly ignored: (name: string) => boolean;
  /** How many levels below a root are watched. */
  readonly depth: number;
  /** Something happened at the path: made, changed, removed, or the same for things in it. */
  readonly onChange: (path: string) => void;
  /** The system gives no more watches (ENOSPC, EMFILE): from now on some changes are not seen. */
  readonly onExhausted: (error: unknown) => void;
}

export interface TreeWatch {
  readonly folders: number;
  /** Sees whether the roots still are the folders that are watched; resolves once they are. */
  checkRoots(): Promise<void>;
  /** Sees the same of every folder below them. */
  checkFolders(): Promise<void>;
  close(): Promise<void>;
}

interface Root {
  readonly path: string;
  /** Where the path leads, links followed. */
  real: string;
  /** Device and number of the folder; undefined while there is none. */
  identity: string | undefined;
  watcher: FSWatcher | undefined;
  /** Folders below, by their real path. */
  readonly folders: Map<string, string | undefined>;
}

export function watchTree({ roots: paths, ignored, depth, onChange, onExhausted }: TreeWatchOptions): TreeWatch {
  const roots = paths.map((path): Root => ({ path, real: path, identity: undefined, watcher: undefined, folders: new Map() }));
  let closed = false;

  async function enter(root: Root): Promise<void> {
    await leave(root);
    root.identity = identityOf(root.path);
    if (root.identity === undefined || closed) return;
    root.real = realpathSync(root.path);
    const { real, folders } = root;
    const told = (path: string) => onChange(path === real ? root.path : join(root.path, relative(real, path)));
    const watcher = watch(real, {
      ignoreInitial: true,
      depth,
      followSymlinks: false,
      ignorePermissionErrors: true,
      ignored: (path) => path.startsWith(real + sep) && relative(real, path).split(sep).some(ignored),
    });
    root.watcher = watcher;
    watcher.on('all', (event, path) => {
      if (root.watcher !== watcher) return;
      if (event === 'addDir') folders.set(path, identityOf(path));
      if (event === 'unlinkDir') folders.delete(path);
      told(path);
    });
    watcher.on('error', (error) => {
      if (isExhaustion(error)) onExhausted(error);
      else onChange(root.path);
    });
    await new Promise<void>((resolve) => {
      watcher.once('ready', resolve);
    });
    for (const folder of Object.keys(watcher.getWatched())) if (folder.startsWith(real)) folders.set(folder, identityOf(folder));
  }

  async function leave(root: Root): Promise<void> {
    const { watcher } = root;
    root.watcher = undefined;
    root.folders.clear();
    await watcher?.close();
  }

  async function renew(isStale: (root: Root) => boolean): Promise<void> {
    for (const root of roots) {
      if (closed || !isStale(root)) continue;
      await enter(root);
      onChange(root.path);
    }
  }

  return {
    get folders() {
      return roots.reduce((sum, { folders }) => sum + folders.size, 0);
    },
    checkRoots: () =>
      renew(({ path, real, identity }) => identityOf(path) !== identity || (identity !== undefined && identityOf(real) !== identity)),
    checkFolders: () => renew(({ folders }) => [...folders].some(([path, identity]) => identityOf(path) !== identity)),
    async close() {
      closed = true;
      for (const root of roots) await leave(root);
    },
  };
}

function identityOf(path: string): string | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    return found?.isDirectory() === true ? `${found.dev}:${found.ino}:${found.birthtimeMs}` : undefined;
  } catch {
    // Not to be read, or a link in a circle: its parent tells when that changes.
    return undefined;
  }
}

function isExhaustion(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EMFILE');
}
