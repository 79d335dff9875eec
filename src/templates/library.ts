/** The templates of several directories, as they are on disk now and as they last worked. */
import { basename, resolve, sep } from 'node:path';
import semver from 'semver';
import type { Problem } from '#protocol/problem.ts';
import type { TemplateSummary } from '#protocol/views.ts';
import { ADOPTED_VERSION, idOf } from './adopt.ts';
import type { CompiledTemplate } from './compile.ts';
import { discover } from './discover.ts';
import { loadTemplate, type LoadResult } from './load.ts';
import type { TemplateOrigin } from './types.ts';

export interface LoadedTemplate {
  readonly id: string;
  readonly version: string;
  readonly origin: TemplateOrigin;
  /** The last version of this place that compiled; may be older than the file when `runnable` is false. */
  readonly template: CompiledTemplate | undefined;
  /** Of the file as it is now. */
  readonly problems: readonly Problem[];
  /** The file as it is now compiled and has no conflict. */
  readonly runnable: boolean;
}

export interface LibraryChange {
  readonly type: 'added' | 'changed' | 'removed';
  readonly id: string;
  readonly version: string;
}

export interface TemplateLibrary {
  /** Reads everything again, or only what lies at or around the given paths. Answers with what changed since. */
  refresh(paths?: readonly string[]): Promise<readonly LibraryChange[]>;
  /** By id, then newest version first. */
  list(): readonly LoadedTemplate[];
  /** Without a version the newest one; pre-releases only when there is nothing else. */
  get(id: string, version?: string): LoadedTemplate | undefined;
}

export function summary(loaded: LoadedTemplate): TemplateSummary {
  const { manifest } = loaded.template ?? {};
  return {
    id: loaded.id,
    version: loaded.version,
    title: manifest?.title ?? loaded.id,
    category: manifest?.category ?? '',
    steps: loaded.template?.manifest.steps.map((step) => step.id) ?? [],
    parameters: loaded.template?.parameters.size ?? 0,
    runnable: loaded.runnable,
    problems: loaded.problems.length,
  };
}

export function createLibrary(dirs: readonly string[]): TemplateLibrary {
  const roots = dirs.map((dir) => resolve(dir));
  /** Path → what stands there, in the order in which paths were found. */
  let places = new Map<string, LoadedTemplate>();
  let view: readonly LoadedTemplate[] = [];
  let working: Promise<unknown> = Promise.resolve();

  async function readAll(paths: readonly string[] | undefined): Promise<readonly LibraryChange[]> {
    const wanted = paths?.map((path) => resolve(path));
    const next = new Map<string, LoadedTemplate>();
    for (const root of roots) {
      for (const path of await discover(root)) {
        if (next.has(path)) continue;
        const before = places.get(path);
        const touched = wanted === undefined || wanted.some((each) => isAround(each, path));
        const loaded = before !== undefined && !touched ? before : place(await loadTemplate(path), before);
        if (loaded !== undefined) next.set(path, loaded);
      }
    }
    places = next;
    const earlier = view;
    view = arrange([...places.values()]);
    return changes(earlier, view);
  }

  return {
    async refresh(paths) {
      const turn = working.then(() => readAll(paths));
      working = turn.catch(() => undefined);
      return turn;
    },
    list: () => view,
    get(id, version) {
      const all = view.filter((each) => each.id === id && (version === undefined || each.version === version));
      return all.find((each) => version !== undefined || semver.prerelease(each.version) === null) ?? all[0];
    },
  };
}

/** A change of `path` concerns the template at the other path: one lies within the other. */
function isAround(path: string, template: string): boolean {
  return path === template || path.startsWith(template + sep) || template.startsWith(path + sep);
}

/** A broken save keeps the last good version. Undefined for files that are nothing of ours. */
function place(loaded: LoadResult, before: LoadedTemplate | undefined): LoadedTemplate | undefined {
  const { origin, problems, template, claimed } = loaded;
  if (loaded.foreign === true && before === undefined) return undefined;
  if (template !== undefined) return { id: template.id, version: template.version, origin, template, problems, runnable: true };
  const last = before?.template;
  const id = last?.id ?? claimed.id ?? (idOf(basename(origin.path)) || 'unnamed');
  const version = last?.version ?? claimed.version ?? ADOPTED_VERSION;
  return { id, version, origin, template: last, problems, runnable: false };
}

/** Of several places that claim one id and version the first is kept; the others are shown with the conflict. */
function arrange(found: readonly LoadedTemplate[]): readonly LoadedTemplate[] {
  const first = new Map<string, LoadedTemplate>();
  const shown: LoadedTemplate[] = [];
  for (const loaded of found) {
    const key = `${loaded.id}@${loaded.version}`;
    const kept = first.get(key);
    if (kept === undefined) {
      first.set(key, loaded);
      shown.push(loaded);
    } else if (kept.template === undefined || kept.template.hash !== loaded.template?.hash) {
      shown.push({ ...loaded, runnable: false, problems: [...loaded.problems, conflict(loaded, kept)] });
    }
  }
  return shown.toSorted((a, b) => (a.id === b.id ? newerFirst(a.version, b.version) : a.id < b.id ? -1 : 1));
}

function conflict({ id, version, origin }: LoadedTemplate, kept: LoadedTemplate): Problem {
  const message = `${id}@${version} is also at ${kept.origin.path}, with other content; that one is used.`;
  const hint = 'Give one of the two another id or version, or remove it.';
  return { code: 'TEMPLATE_CONFLICT', severity: 'error', message, hint, file: origin.path };
}

function newerFirst(a: string, b: string): number {
  const [left, right] = [semver.valid(a), semver.valid(b)];
  return left !== null && right !== null ? semver.rcompare(left, right) : Number(left === null) - Number(right === null);
}

function changes(before: readonly LoadedTemplate[], after: readonly LoadedTemplate[]): readonly LibraryChange[] {
  const key = (loaded: LoadedTemplate): string => `${loaded.id}@${loaded.version}\n${loaded.origin.path}`;
  const earlier = new Map(before.map((loaded) => [key(loaded), loaded]));
  const found: LibraryChange[] = [];
  const add = (type: LibraryChange['type'], { id, version }: LoadedTemplate): void => void found.push({ type, id, version });
  for (const loaded of after) {
    const old = earlier.get(key(loaded));
    earlier.delete(key(loaded));
    if (old === undefined) add('added', loaded);
    else if (!same(old, loaded)) add('changed', loaded);
  }
  for (const loaded of earlier.values()) add('removed', loaded);
  return found;
}

function same(a: LoadedTemplate, b: LoadedTemplate): boolean {
  return a.template?.hash === b.template?.hash && a.runnable === b.runnable && JSON.stringify(a.problems) === JSON.stringify(b.problems);
}
