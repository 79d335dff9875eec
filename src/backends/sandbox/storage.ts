/** The three folders of a ComfyUI and the rules for naming files in them. Nothing outside `dir` is ever read or written. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export const FOLDERS = ['input', 'output', 'temp'] as const;
export type FolderName = (typeof FOLDERS)[number];

export interface StoredFile {
  readonly filename: string;
  readonly subfolder: string;
  readonly type: FolderName;
}

export interface Storage {
  readonly dir: string;
  folder(type: FolderName): string;
  /** Absolute path inside the folder, or undefined when the name would leave it (also through a link). */
  resolve(type: FolderName, subfolder: string, filename: string): string | undefined;
  /** `sub/name.png [temp]` → absolute path of an existing file, or undefined. */
  annotated(name: string): string | undefined;
  /** Names of files directly in input/, sorted. */
  inputs(): string[];
  read(file: string): Buffer;
  hash(file: string): string;
  /** The next `prefix_00001_` name and a writer for it. Throws when the prefix leaves the folder. */
  reserve(type: FolderName, prefix: string, size: { width: number; height: number }): Reservation;
  wipeTemp(): void;
}

export interface Reservation {
  /** Writes the file number `index` of a batch and says where it is. Newer nodes leave out the stroke after the number. */
  write(index: number, extension: string, bytes: Uint8Array, stroke?: '_' | ''): StoredFile;
}

export function createStorage(dir: string, windows: () => boolean): Storage {
  const root = path.resolve(dir);
  const folder = (type: FolderName): string => path.join(root, type);
  for (const type of FOLDERS) mkdirSync(folder(type), { recursive: true });

  const resolve: Storage['resolve'] = (type, subfolder, filename) => {
    if (subfolder.includes('\0') || filename.includes('\0') || filename === '') return undefined;
    const base = folder(type);
    const full = path.resolve(base, subfolder.replaceAll('\\', '/'), filename);
    return inside(base, full) && inside(realpathSync(base), realPath(full)) ? full : undefined;
  };

  return {
    dir: root,
    folder,
    resolve,
    annotated(name) {
      const { bare, type } = splitAnnotation(name);
      const full = resolve(type, '', bare.replaceAll('\\', '/'));
      return full !== undefined && existsSync(full) && statSync(full).isFile() ? full : undefined;
    },
    inputs: () =>
      readdirSync(folder('input'), { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name)
        .toSorted(),
    read: (file) => readFileSync(file),
    hash: (file) => createHash('sha256').update(readFileSync(file)).digest('hex'),
    reserve(type, prefix, size) {
      const base = folder(type);
      const full = path.resolve(base, expand(prefix, size).replaceAll('\\', '/'));
      if (prefix.includes('\0') || !inside(base, path.dirname(full)) || full === base)
        throw new Error('Saving image outside the output folder is not allowed.');
      const target = path.dirname(full);
      const stem = path.basename(full);
      mkdirSync(target, { recursive: true });
      if (!inside(realpathSync(base), realpathSync(target))) throw new Error('Saving image outside the output folder is not allowed.');
      const first = nextCounter(target, stem);
      const relative = path
        .relative(base, target)
        .split(path.sep)
        .join(windows() ? '\\' : '/');
      return {
        write(index, extension, bytes, stroke = '_') {
          const filename = `${stem.replaceAll('%batch_num%', String(index))}_${String(first + index).padStart(5, '0')}${stroke}.${extension}`;
          writeFileSync(path.join(target, filename), bytes);
          return { filename, subfolder: relative, type };
        },
      };
    },
    wipeTemp() {
      rmSync(folder('temp'), { recursive: true, force: true });
      mkdirSync(folder('temp'), { recursive: true });
    },
  };
}

export function splitAnnotation(name: string): { bare: string; type: FolderName } {
  for (const type of FOLDERS) {
    if (name.endsWith(`[${type}]`)) return { bare: name.slice(0, -(type.length + 2)).trimEnd(), type };
  }
  return { bare: name, type: 'input' };
}

export function isFolderName(value: string): value is FolderName {
  return (FOLDERS as readonly string[]).includes(value);
}

function inside(base: string, full: string): boolean {
  return full === base || full.startsWith(base + path.sep);
}

/** The path with every existing part resolved through links. */
function realPath(full: string): string {
  if (existsSync(full)) return realpathSync(full);
  const parent = path.dirname(full);
  return parent === full ? full : path.join(realPath(parent), path.basename(full));
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** The server's own tokens; `%date:…%` and `%Node.widget%` belong to the front end and stay. */
function expand(prefix: string, size: { width: number; height: number }): string {
  const now = new Date();
  return prefix
    .replaceAll('%width%', String(size.width))
    .replaceAll('%height%', String(size.height))
    .replaceAll('%year%', String(now.getFullYear()))
    .replaceAll('%month%', two(now.getMonth() + 1))
    .replaceAll('%day%', two(now.getDate()))
    .replaceAll('%hour%', two(now.getHours()))
    .replaceAll('%minute%', two(now.getMinutes()))
    .replaceAll('%second%', two(now.getSeconds()));
}

/** One more than the largest number among `stem_NNNNN_…`, found by listing, as ComfyUI does. */
function nextCounter(folder: string, stem: string): number {
  let largest = 0;
  const start = `${stem}_`;
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(start)) continue;
    const digits = name.slice(start.length).split(/[_.]/)[0] ?? '';
    if (/^\d+$/.test(digits)) largest = Math.max(largest, Number(digits));
  }
  return largest + 1;
}
