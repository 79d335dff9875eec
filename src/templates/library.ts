/** The templates of several directories, as they are on disk now and as they last worked. */
import { lstatSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { setImmediate as giveWay, setTimeout as sleep } from 'node:timers/promises';
import semver from 'semver';
import type { Problem } from '#protocol/problem.ts';
import type { TemplateSummary } from '#protocol/views.ts';
import { arrange, changesBetween, type LibraryChange, type Shown } from './arrange.ts';
import { type CompiledTemplate, MANIFEST_FILE } from './compile.ts';
import { discover } from './discover.ts';
import { loadOnce, type LoadOptions, type LoadResult } from './load.ts';
import type { TemplateNeeds } from './needs.ts';
import { OBJECT_INFO_FILE } from './nearby-info.ts';
import { type Facts, type Place, placeOf } from './place.ts';
import { atRest, stampOf } from './stamp.ts';
import { createTouched, type Touched } from './touched.ts';
import type { TemplateOrigin } from './types.ts';
import { createVault, type Vault, type VaultFile, type VaultUse } from './vault.ts';

export type { LibraryChange } from './arrange.ts';

export interface LoadedTemplate {
  readonly id: string;
  readonly version: string;
  readonly origin: TemplateOrigin;
  /** sha256 of the source that `template` was compiled from. */
  readonly hash: string | undefined;
  readonly facts: Facts | undefined;
  /** What it needs of backends, files by their full paths. */
  readonly needs: TemplateNeeds | undefined;
  /** The last version of this place that compiled; may be older than the file when `runnable` is false. Compiled when it is asked for. */
  readonly template: CompiledTemplate | undefined;
  /** Of the file as it is now. */
  readonly problems: readonly Problem[];
  /** The file as it is now compiled and has no conflict. */
  readonly runnable: boolean;
}

export interface LibraryUse extends VaultUse {
  readonly known: number;
  readonly runnable: number;
}

export interface TemplateLibrary {
  /**
   * Reads again what lies at or around the given paths; without paths, all that changed since it was read.
   * Answers with what changed since. Files that are being written are waited for, though not for ever: see `unsettled`.
   */
  refresh(paths?: readonly string[]): Promise<readonly LibraryChange[]>;
  /** Places that were still being written at the last refresh, so that their version before is kept: to be read again soon. */
  unsettled(): readonly string[];
  /** By id, then newest version first. */
  list(): readonly LoadedTemplate[];
  /** Without a version the newest one; pre-releases only when there is nothing else. */
  get(id: string, version?: string): LoadedTemplate | undefined;
  use(): LibraryUse;
  /** Writes down at once what was put off. */
  flush(): void;
}

export interface LibraryOptions {
  /** Remembers between starts what was read; without it every start reads all files. */
  readonly cache?: VaultFile;
  /** Saved `/object_info` of a server for adopted workflows, used where there is none in their directory. */
  readonly objectInfoFile?: string;
  /** Bound of compiled templates, in bytes. */
  readonly compiledLimit?: number;
}

/** Longest that the event loop is held while many files are read, in milliseconds. */
const SLICE_MS = 8;
/** How often, and how many times, files that are being written are looked at again: for a save, and when everything is read. */
const LOOK_AGAIN_MS = 20;
const LOOKS_AT_SAVE = 6;
const LOOKS_AT_START = 50;

export function summary({ id, version, facts, runnable, problems }: LoadedTemplate): TemplateSummary {
  const { title = id, category = '', steps = [], parameters = 0 } = facts ?? {};
  return { id, version, title, category, steps, parameters, runnable, problems: problems.length };
}

export function createLibrary(dirs: readonly string[], options: LibraryOptions = {}): TemplateLibrary {
  const roots = dirs.map((dir) => resolve(dir));
  /** Where to look for object info beyond the workflow's own folder. */
  const loadOptions = (path: string): LoadOptions => {
    const root = roots.find((each) => path.startsWith(each + sep));
    const last = options.objectInfoFile;
    return { infoFiles: [...(root === undefined ? [] : [join(root, OBJECT_INFO_FILE)]), ...(last === undefined ? [] : [last])] };
  };
  const load = (path: string): LoadResult => loadOnce(path, loadOptions(path));
  const vault = createVault({ ...options, load });
  /** Path → what stands there, in the order in which paths were found. */
  let places: ReadonlyMap<string, Place> | undefined;
  let shown: readonly Shown[] = [];
  let view: readonly LoadedTemplate[] = [];
  let byId = new Map<string, LoadedTemplate[]>();
  const loaded = new WeakMap<Place, LoadedTemplate>();
  let unsettled: readonly string[] = [];
  let working: Promise<unknown> = Promise.resolve();

  async function readAll(paths: readonly string[] | undefined): Promise<readonly LibraryChange[]> {
    places ??= vault.places();
    const before = places;
    const touched = paths === undefined ? undefined : createTouched(paths.map((path) => resolve(path)));
    const reader = createReader(before, touched, load, vault.keep);
    const found = standing(before, touched) ?? discoverAll(before);
    let waiting = await readEach(found, reader);
    for (let look = touched === undefined ? LOOKS_AT_START : LOOKS_AT_SAVE; waiting.length > 0 && look > 0; look -= 1) {
      await sleep(LOOK_AGAIN_MS);
      waiting = await readEach(waiting, reader);
    }
    unsettled = waiting;
    const next = new Map<string, Place>();
    for (const path of found) {
      const place = reader.read.get(path) ?? (waiting.includes(path) ? distrusted(before.get(path)) : undefined);
      if (place !== undefined) next.set(path, place);
    }
    places = next;
    vault.replace(before, next);
    return show([...next.values()]);
  }

  function show(standingNow: readonly Place[]): readonly LibraryChange[] {
    const earlier = shown;
    shown = arrange(standingNow.filter((place) => !place.foreign));
    view = shown.map((each) => loadedOf(each));
    byId = Map.groupBy(view, ({ id }) => id);
    return changesBetween(earlier, shown);
  }

  /** The same object as long as nothing about it changes: others keep what they know of it by it. */
  function loadedOf({ place, problems, runnable }: Shown): LoadedTemplate {
    const known = loaded.get(place);
    if (known?.problems === problems) return known;
    const made: LoadedTemplate = {
      id: place.id,
      version: place.version,
      origin: place.origin,
      hash: place.hash,
      facts: place.facts,
      needs: place.needs,
      problems,
      runnable,
      get template() {
        return vault.compiled(place);
      },
    };
    loaded.set(place, made);
    return made;
  }

  function discoverAll(before: ReadonlyMap<string, Place>): readonly string[] {
    const known = (path: string): boolean => before.get(path)?.origin.kind === 'folder';
    return [...new Set(roots.flatMap((root) => discover(root, known)))];
  }

  return {
    async refresh(paths) {
      const turn = working.then(() => readAll(paths));
      working = turn.catch(() => undefined);
      return turn;
    },
    unsettled: () => unsettled,
    list: () => view,
    get(id, version) {
      const all = (byId.get(id) ?? []).filter((each) => version === undefined || each.version === version);
      return all.find((each) => version !== undefined || semver.prerelease(each.version) === null) ?? all[0];
    },
    use: () => ({ known: view.length, runnable: view.filter(({ runnable }) => runnable).length, ...vault.use() }),
    flush: () => vault.flush(),
  };
}

/** The paths known already, when the changes lie within them and each of those still stands: then nothing new has to be looked for. */
function standing(before: ReadonlyMap<string, Place>, touched: Touched | undefined): readonly string[] | undefined {
  const within = touched?.within((path) => before.has(path));
  if (within === undefined) return undefined;
  const stands = (path: string): boolean => exists(before.get(path)?.origin.kind === 'folder' ? join(path, MANIFEST_FILE) : path);
  return within.every(stands) ? [...before.keys()] : undefined;
}

function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/** Kept as it was, but to be compared by content the next time, whatever its stamp says. */
function distrusted(place: Place | undefined): Place | undefined {
  return place === undefined ? undefined : { ...place, trusted: false };
}

interface Reader {
  readonly read: Map<string, Place>;
  /** False when the files are being written at this moment. */
  take(path: string): boolean;
}

function createReader(
  before: ReadonlyMap<string, Place>,
  touched: Touched | undefined,
  load: (path: string) => LoadResult,
  keep: Vault['keep'],
): Reader {
  const read = new Map<string, Place>();
  return {
    read,
    take(path) {
      const last = before.get(path);
      if (
        last !== undefined &&
        (touched === undefined
          ? last.trusted && stampOf(last.files).text === last.stamp
          : !last.files.some((file) => touched.concerns(file)))
      ) {
        read.set(path, last);
        return true;
      }
      const readAt = Date.now();
      const loaded = load(path);
      const { stamp, template, files } = loaded;
      // Gone since it was found.
      if ((stamp === undefined || stamp.text.startsWith('-')) && !exists(files[0] ?? path)) return true;
      const unchanged = template !== undefined && last?.runnable === true && template.hash === last.hash;
      if (stamp === undefined || (!unchanged && !atRest(stamp, Date.now()))) return false;
      read.set(path, placeOf(loaded, stamp, last, readAt));
      if (template !== undefined) keep(template, path, touched !== undefined);
      return true;
    },
  };
}

/** Answers with the paths that are being written. */
async function readEach(paths: readonly string[], reader: Reader): Promise<readonly string[]> {
  const waiting: string[] = [];
  let since = performance.now();
  for (const path of paths) {
    if (!reader.take(path)) waiting.push(path);
    if (performance.now() - since < SLICE_MS) continue;
    await giveWay();
    since = performance.now();
  }
  return waiting;
}
