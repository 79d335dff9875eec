/** The template methods over the library: shows, checks and renders templates, and tells what a save has changed. */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { objectInfoOf } from '#actors/render-item.ts';
import type { Backend } from '#backends/contract.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { TemplateChanged } from '#protocol/methods/event.ts';
import type { TemplateDetail } from '#protocol/methods/template.ts';
import { isBlocking } from '#protocol/problem.ts';
import type { ObjectInfo } from '#graph/object-info.ts';
import type { Problem } from '#protocol/problem.ts';
import { checkTemplateAgainst, checkTemplateVersions } from '#templates/against-object-info.ts';
import type { CompiledChoice, CompiledTemplate } from '#templates/compiled.ts';
import { discover } from '#templates/discover.ts';
import { type FormQuestion, formFacts } from '#templates/form.ts';
import { summary } from '#templates/library.ts';
import type { LoadedTemplate, TemplateLibrary } from '#templates/library.ts';
import { loadTemplate } from '#templates/load.ts';
import { mergeProblems } from '#templates/merge-problems.ts';
import { needsOf } from '#templates/needs.ts';
import { parameterSchema, wireForm } from '#templates/parameter-schema.ts';
import { checkParameters } from '#templates/parameters.ts';
import type { ParameterTools } from '#templates/parameters.ts';
import { contentsView } from './exchange/contents-view.ts';
import type { GatedLibrary } from './exchange/gate.ts';
import type { ClassLocks } from './class-locks.ts';
import { driftProblems, keepLocks } from './drift.ts';
import { adoptFile } from './adopt-file.ts';
import { type Bench, type JudgedTemplate, judgeLibrary, judgeTemplate, unasked } from './judge.ts';
import type { Offers } from './offers.ts';
import { renderDry } from './render-dry.ts';
import { planAtBackend } from './plan-at-backend.ts';
import { infoForRender } from './render-info.ts';
import { isInside, type Roots } from './roots.ts';
import { findTemplate } from './run-door.ts';
import { VERSION } from './version.ts';
import { type NamedInfo, OBJECT_INFO_FILE } from '#templates/nearby-info.ts';
import type { TemplateOrigin } from '#templates/types.ts';
import type { TemplateService } from './template-service.ts';

export interface LibraryServiceOptions {
  readonly library: GatedLibrary;
  /** What the backends have. */
  readonly offers: Offers;
  /** Schemas of node classes that templates were made or first seen with. */
  readonly locks: ClassLocks;
  readonly roots: Roots;
  readonly resolveMedia: (template: CompiledTemplate) => ParameterTools['resolveMedia'];
  readonly backends: readonly Pick<Backend, 'id' | 'kind' | 'objectInfo' | 'nodeReplacements' | 'describe'>[];
  readonly templateDirs: readonly string[];
  /** As in LibraryOptions: what workflows in UI format are read with where no backend is named. */
  readonly objectInfoFile?: string;
}

export interface LibraryService extends TemplateService {
  /**
   * Reads again what lies at or around the paths, without paths all that changed, and tells listeners: once for each id and
   * version that is not what it was. Answers with the places that are still being written and have to be read again soon.
   */
  refresh(paths?: readonly string[]): Promise<readonly string[]>;
  /** Tells listeners how a template stands now. */
  announce(id: string, version: string): void;
}

export function createLibraryService(options: LibraryServiceOptions): LibraryService {
  const { roots, backends, templateDirs, offers, locks, objectInfoFile } = options;
  const bench: Bench = { backends, offer: (id) => offers.known(id) };
  const library = judgeLibrary(options.library, bench);
  const listeners = new Set<(change: TemplateChanged) => void>();
  let told = library.list();

  /** The backends have something else now: only what stands differently is told. */
  function judgeAgain(): void {
    const before = new Map(told.map((one) => [placeKey(one), one]));
    told = library.list();
    keepLocks(told, bench, locks);
    const changed = told.filter((now) => !isSame(before.get(placeKey(now)), now));
    for (const { id, version } of new Map(changed.map((one) => [`${one.id}@${one.version}`, one])).values()) announce(id, version);
  }

  function announce(id: string, version: string): void {
    const loaded = library.get(id, version);
    const { runnable = false, problems = [] } = loaded ?? {};
    const change: TemplateChanged = { id, version, runnable, problems, ...(loaded === undefined ? { removed: true } : {}) };
    for (const listener of listeners) listener(change);
  }

  function demand(id: string, version: string | undefined): JudgedTemplate {
    return library.get(id, version) ?? unknownTemplate(library, id, version);
  }

  /** Throws BACKEND_NOT_FOUND. */
  function backendOf(id: string) {
    const backend = backends.find((one) => one.id === id);
    if (backend === undefined) {
      throw new CallsheetError('BACKEND_NOT_FOUND', `No backend has the id '${id}'.`, {
        hint: `Known backends: ${backends.map((one) => one.id).join(', ')}.`,
      });
    }
    return backend;
  }

  /** Throws BACKEND_NOT_FOUND, BACKEND_UNREACHABLE. Undefined for a backend without node classes. */
  async function infoOf(id: string, signal?: AbortSignal): Promise<ObjectInfo | undefined> {
    return objectInfoOf(backendOf(id), signal);
  }

  async function againstBackend(
    template: CompiledTemplate | undefined,
    id: string | undefined,
    { path, kind }: TemplateOrigin,
    { original, signal }: { readonly original?: string | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<readonly Problem[]> {
    if (template === undefined) return [];
    const file = (name: string): string => (kind === 'folder' ? join(path, name) : path);
    const server = id === undefined ? undefined : backendOf(id);
    const info = server === undefined ? undefined : await objectInfoOf(server, signal);
    // The version of the sandbox is the one that it plays.
    const asked = template.manifest.requires?.['comfyui'] !== undefined && server !== undefined && server.kind !== 'wan2gp';
    const comfyui = asked ? { comfyui: (await server.describe(signal)).version } : {};
    const versions = checkTemplateVersions(template, { callsheet: VERSION, ...comfyui }, file);
    return info === undefined ? versions : [...versions, ...checkTemplateAgainst(template, info, file, { live: true, original })];
  }

  /** With the backend that was named, or with those that are there; one that could not be asked is mentioned. */
  function standing(
    { own, needs, problems, runnable }: JudgedTemplate,
    asked: string | undefined,
  ): Pick<TemplateDetail, 'problems' | 'runnable'> {
    if (needs === undefined) return { problems, runnable };
    const notes = unasked(needs, bench, asked);
    if (asked === undefined) return { problems: [...problems, ...notes], runnable };
    const found = judgeTemplate(needs, bench, asked);
    return { problems: [...own.problems, ...found, ...notes], runnable: own.runnable && !found.some(isBlocking) };
  }

  async function namedInfo(id: string, signal?: AbortSignal): Promise<NamedInfo | undefined> {
    const info = await infoOf(id, signal);
    return info === undefined ? undefined : { info, name: `backend ${id}` };
  }

  /** Beyond the workflow's own folder, as the library looks. */
  function infoFilesFor(path: string): readonly string[] {
    const near = templateDirs.filter((dir) => isInside(dir, path)).map((dir) => join(dir, OBJECT_INFO_FILE));
    return [...near, ...(objectInfoFile === undefined ? [] : [objectInfoFile])];
  }

  async function checkOne(path: string, backend: string | undefined, signal: AbortSignal | undefined) {
    const { template, partial, original, problems, foreign, origin } = await loadTemplate(path, {
      info: backend === undefined ? undefined : await namedInfo(backend, signal),
      infoFiles: infoFilesFor(path),
    });
    if (foreign === true) return [];
    const found = { hash: template?.hash, origin, needs: template === undefined ? undefined : needsOf(template, original) };
    const drift = backend === undefined ? [] : driftProblems(template, found, bench, locks, backend);
    const all = mergeProblems(problems, await againstBackend(template ?? partial, backend, origin, { original, signal }), drift);
    return [{ path, ok: !all.some(isBlocking), problems: all }];
  }

  offers.onChange(judgeAgain);
  return {
    list: () =>
      library.list().map((loaded) => ({ ...summary(loaded), ...(loaded.approval === undefined ? {} : { approval: loaded.approval }) })),
    async get({ id, version, backend, parameters }, signal) {
      const loaded = demand(id, version);
      const info = backend === undefined ? undefined : await infoOf(backend, signal);
      const { approval, template } = loaded;
      const imported =
        approval === undefined ? {} : { approval, ...(template === undefined ? {} : { contents: contentsView(template, library) }) };
      if (backend !== undefined) await offers.take(backend);
      const { problems, runnable } = standing(loaded, backend);
      const drift = driftProblems(template, loaded, bench, locks, backend);
      return { ...detailOf(loaded, { info, values: parameters }), runnable, problems: [...problems, ...drift], ...imported };
    },
    async check({ id, version, path, backend }, { signal, report } = {}) {
      // Files and models may have been put there since the server was last asked.
      if (backend !== undefined) {
        await backendOf(backend).objectInfo({ refresh: true, ...(signal === undefined ? {} : { signal }) });
        await offers.take(backend);
      }
      if (id !== undefined) {
        const loaded = demand(id, version);
        const { origin, own, template } = loaded;
        if (backend === undefined) {
          const { problems, runnable } = standing(loaded, undefined);
          return { files: [{ path: origin.path, ok: runnable && !problems.some(isBlocking), problems }] };
        }
        const original =
          origin.kind === 'adopted' ? (await loadTemplate(origin.path, { info: await namedInfo(backend, signal) })).original : undefined;
        const drift = driftProblems(template, loaded, bench, locks, backend);
        const problems = mergeProblems(own.problems, await againstBackend(template, backend, origin, { original, signal }), drift);
        return { files: [{ path: origin.path, ok: own.runnable && !problems.some(isBlocking), problems }] };
      }
      const found = await roots.resolvePath(path ?? '', templateDirs);
      const places = (await stat(found)).isDirectory() ? discover(found) : [found];
      const files = [];
      for (const [done, place] of places.entries()) {
        signal?.throwIfAborted();
        report?.({ done, total: places.length, message: basename(place) });
        files.push(...(await checkOne(place, backend, signal)));
      }
      report?.({ done: places.length, total: places.length });
      return { files };
    },
    adopt: (params, signal) => adoptFile({ roots, infoOf: (backend) => infoOf(backend, signal) }, params),
    migrate: (params, signal) => planAtBackend({ roots, templateDirs, infoOf: (backend) => infoOf(backend, signal) }, params),
    async render({ id, version, parameters = {}, backend }, signal) {
      const template = findTemplate(library, id, version);
      const { value, problems } = await checkParameters(template, parameters, {
        // A dry run draws nothing: the seed of a run is drawn when it starts.
        drawSeed: () => 0n,
        resolveMedia: options.resolveMedia(template),
        resolveDirectory: (directory) => roots.resolvePath(directory),
      });
      if (value === undefined) {
        throw new CallsheetError('PARAMETERS_INVALID', `The parameters do not fit template '${id}'.`, { problems });
      }
      const named = backend === undefined ? undefined : await infoOf(backend, signal);
      const info = named === undefined ? await infoForRender(template, { backends, offers, signal }) : { of: () => named, problems: [] };
      return renderDry(template, value, [...problems, ...info.problems], info.of);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    async refresh(paths) {
      const changes = await library.refresh(paths);
      // A template that moved is removed at one place and added at another, which is one change of it.
      const named = new Map(changes.map(({ id, version }) => [`${id}@${version}`, { id, version }]));
      for (const { id, version } of named.values()) announce(id, version);
      told = library.list();
      keepLocks(told, bench, locks);
      return library.unsettled();
    },
    announce,
  };
}

// --- helpers ---

function placeKey({ id, version, origin }: JudgedTemplate): string {
  return JSON.stringify([id, version, origin.path]);
}

function isSame(a: JudgedTemplate | undefined, b: JudgedTemplate): boolean {
  if (a === undefined || a.runnable !== b.runnable) return false;
  return a.problems === b.problems || JSON.stringify(a.problems) === JSON.stringify(b.problems);
}

/** Says it with the nearest name. Throws TEMPLATE_NOT_FOUND. */
function unknownTemplate(library: TemplateLibrary, id: string, version: string | undefined): never {
  findTemplate(library, id, version);
  throw new CallsheetError('TEMPLATE_NOT_FOUND', `No template is called '${id}'.`);
}

function detailOf({ id, version, origin, template, problems, runnable }: LoadedTemplate, question: FormQuestion): TemplateDetail {
  const description = template?.manifest.description;
  return {
    id,
    version,
    title: template?.manifest.title ?? id,
    ...(description === undefined ? {} : { description }),
    category: template?.manifest.category ?? '',
    hash: template?.hash ?? '',
    path: origin.path,
    kind: origin.kind,
    runnable,
    parameters: template === undefined ? {} : plain(Object.fromEntries(template.parameters)),
    schema: template === undefined ? {} : plain(parameterSchema(template, formFacts(template, question))),
    steps: (template?.manifest.steps ?? []).map((step) => ({
      id: step.id,
      ...(step.title === undefined ? {} : { title: step.title }),
      ...(step.backend === undefined ? {} : { backend: step.backend }),
    })),
    ...(template === undefined || template.choices.length === 0 ? {} : { choices: template.choices.map(choiceOf) }),
    problems,
  };
}

function choiceOf({ into, after, title, pick, timeoutMs, onTimeout }: CompiledChoice) {
  return {
    into,
    after,
    ...(title === undefined ? {} : { title }),
    pick: { min: pick.min, ...(pick.max === undefined ? {} : { max: pick.max }) },
    ...(timeoutMs === undefined ? {} : { timeoutSeconds: timeoutMs / 1000, onTimeout }),
  };
}

/** Integers beyond 2^53 become decimal strings, as everywhere on the wire. */
function plain<T>(value: object): Readonly<Record<string, T>> {
  return wireForm(value) as Readonly<Record<string, T>>;
}
