/**
 * Watches folders and all folders below them, one watch a folder. Not chokidar: version 5 goes blind for a folder that is deleted
 * and made anew in quick succession, for good, and takes a watch for every file besides.
 */
import { type FSWatcher, lstatSync, readdirSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';

export interface TreeWatchOptions {
  /** A root that is not there is waited for; one that is a link is followed, and followed anew when it is pointed elsewhere. */
  readonly roots: readonly string[];
  /** Folders that are not entered, by their name. */
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
  /** Sees whether the roots still are the folders that are watched. */
  checkRoots(): void;
  close(): void;
}

interface Folder {
  readonly watcher: FSWatcher;
  readonly folders: Map<string, Folder>;
}

interface Root {
  readonly path: string;
  /** Device and number of the folder; undefined while there is none. */
  identity: string | undefined;
  folder: Folder | undefined;
}

export function watchTree({ roots: paths, ignored, depth, onChange, onExhausted }: TreeWatchOptions): TreeWatch {
  const roots = paths.map((path): Root => ({ path, identity: undefined, folder: undefined }));
  let count = 0;

  function enter(path: string, level: number): Folder | undefined {
    let watcher: FSWatcher;
    try {
      // Watched before it is listed: what is made in between is either listed or told.
      watcher = watch(path);
    } catch (error) {
      if (isExhaustion(error)) onExhausted(error);
      return undefined;
    }
    const folder: Folder = { watcher, folders: new Map() };
    count += 1;
    watcher.on('error', () => onChange(path));
    watcher.on('change', (kind, name) => {
      if (typeof name !== 'string') onChange(path);
      else if (!ignored(name)) tell(path, folder, level, kind, name);
    });
    if (level >= depth) return folder;
    for (const name of foldersIn(path)) {
      if (ignored(name)) continue;
      const inner = enter(join(path, name), level + 1);
      if (inner !== undefined) folder.folders.set(name, inner);
    }
    return folder;
  }

  function tell(path: string, folder: Folder, level: number, kind: string, name: string): void {
    const at = join(path, name);
    if (kind === 'rename') {
      // Made, moved or removed: whatever was watched under the name may be another folder now.
      const known = folder.folders.get(name);
      if (known !== undefined) leave(known);
      folder.folders.delete(name);
      const inner = level < depth && isFolder(at) ? enter(at, level + 1) : undefined;
      if (inner !== undefined) folder.folders.set(name, inner);
    }
    onChange(at);
  }

  function leave({ watcher, folders }: Folder): void {
    watcher.close();
    count -= 1;
    for (const inner of folders.values()) leave(inner);
  }

  function checkRoots(): void {
    for (const root of roots) {
      const identity = identityOf(root.path);
      if (identity === root.identity) continue;
      if (root.folder !== undefined) leave(root.folder);
      root.folder = identity === undefined ? undefined : enter(root.path, 0);
      root.identity = identity;
      onChange(root.path);
    }
  }

  return {
    get folders() {
      return count;
    },
    checkRoots,
    close() {
      for (const { folder } of roots) if (folder !== undefined) leave(folder);
    },
  };
}

/** Links are not entered, as the library does not. */
function foldersIn(path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    // Gone again, or not to be read: its parent tells when that changes.
    return [];
  }
}

function look(path: string, of: typeof statSync) {
  try {
    return of(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function isFolder(path: string): boolean {
  return look(path, lstatSync)?.isDirectory() ?? false;
}

function identityOf(path: string): string | undefined {
  const found = look(path, statSync);
  return found?.isDirectory() === true ? `${found.dev}:${found.ino}` : undefined;
}

function isExhaustion(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EMFILE');
}
