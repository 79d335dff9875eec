/** What a template requires: node classes, model files, versions of Callsheet and ComfyUI. */
import semver from 'semver';
import { isKnownFolder, isModelFile, modelFolder } from '#graph/models.ts';
import type { ObjectInfo } from '#graph/node-classes.ts';
import { replacementOf } from '#graph/replacements.ts';
import { modelAdvice, modelKey, type PackSource, packAdvice, type Sources } from '#graph/sources.ts';
import type { Problem } from '#protocol/problem.ts';
import { type Located, problemAt } from './locate.ts';
import type { Manifest } from './types.ts';

export interface Versions {
  /** As the server says it, e.g. `0.3.64` or `v0.33.0-9-gabc`. */
  readonly comfyui?: string;
  readonly callsheet?: string;
}

/** Packs and models that `requires` names; entries of another shape are passed over. */
export function requiredSources({ requires = {} }: Manifest): Sources {
  const packs = new Map<string, { pack: string; version?: string }>();
  const models = new Map<string, { name: string; folder?: string; url?: string }>();
  for (const [name, entry] of Object.entries(record(requires['nodes']))) {
    const { pack, version } = record(entry);
    if (typeof pack === 'string' && pack !== '') packs.set(name, typeof version === 'string' ? { pack, version } : { pack });
  }
  for (const { name, folder, url } of requiredModels(requires)) {
    models.set(modelKey(name), { name, ...(folder === undefined ? {} : { folder }), ...(url === undefined ? {} : { url }) });
  }
  return { packs, models };
}

/** Ranges that no version can be compared with; needs no server. */
export function checkRanges({ requires = {} }: Manifest, where: Located): Problem[] {
  return (['callsheet', 'comfyui'] as const).flatMap((name) => {
    const range = requires[name];
    if (typeof range !== 'string' || semver.validRange(range) !== null) return [];
    const hint = 'Write e.g. ">=0.3.45", "^0.2" or "0.3 - 0.9".';
    return [problemAt(where, ['requires', name], 'TEMPLATE_REQUIRES_INVALID', `"${range}" is not a range of versions.`, { hint })];
  });
}

export function checkVersions({ requires = {} }: Manifest, versions: Versions, where: Located): Problem[] {
  return (['callsheet', 'comfyui'] as const).flatMap((name) => {
    const range = requires[name];
    const given = versions[name];
    const lack = typeof range !== 'string' || given === undefined ? undefined : versionLack(name, range, given);
    if (lack === undefined) return [];
    const { code, message, ...details } = lack;
    return [problemAt(where, ['requires', name], code, message, details)];
  });
}

type Lack = Pick<Problem, 'code' | 'severity' | 'message'> & { readonly hint: string };

/** Undefined when the version will do, or one of the two cannot be read. `backend` names whose version it is. */
export function versionLack(name: 'callsheet' | 'comfyui', range: string, given: string, backend?: string): Lack | undefined {
  const title = { callsheet: 'Callsheet', comfyui: 'ComfyUI' }[name];
  const version = semver.parse(given) ?? semver.coerce(given);
  if (semver.validRange(range) === null || version === null) return undefined;
  // A build between two releases counts as the one that it follows.
  const plain = `${version.major}.${version.minor}.${version.patch}`;
  if (semver.satisfies(plain, range)) return undefined;
  const which = backend === undefined ? `this is ${given}` : `backend '${backend}' is ${given}`;
  const message = `The template needs ${title} ${range}, and ${which}.`;
  const hint = semver.gtr(plain, range) ? `Use an older ${title}, or a newer version of the template.` : `Update ${title}.`;
  return { code: 'TEMPLATE_REQUIRES_VERSION', severity: 'error', message, hint };
}

/** Classes and models that the server lacks; what the graphs themselves use and lack is reported there, and left out here. */
export function checkRequired(
  { requires = {} }: Manifest,
  info: ObjectInfo,
  where: Located,
  reported: { readonly classes: ReadonlySet<string>; readonly models: ReadonlySet<string> },
): Problem[] {
  const problems: Problem[] = [];
  for (const [name, entry] of Object.entries(record(requires['nodes']))) {
    if (info.classes.has(name) || reported.classes.has(name) || replacementOf(name, info) !== undefined) continue;
    const { pack, version } = record(entry);
    const source = typeof pack !== 'string' || pack === '' ? undefined : { pack, ...(typeof version === 'string' ? { version } : {}) };
    const { code, message, ...details } = lackOfNode(name, source, 'the server');
    problems.push(problemAt(where, ['requires', 'nodes', name], code, message, { ...details, key: true }));
  }
  for (const { index, ...model } of requiredModels(requires)) {
    const lack = reported.models.has(modelKey(model.name)) ? undefined : lackOfModel(model, info, 'the server');
    if (lack === undefined) continue;
    const { code, message, ...details } = lack;
    problems.push(problemAt(where, ['requires', 'models', index], code, message, details));
  }
  return problems;
}

/** `server` as it stands in a sentence. */
export function lackOfNode(name: string, pack: PackSource | undefined, server: string): Lack {
  const hint = pack === undefined ? 'Install the node pack that brings it.' : packAdvice(pack);
  const message = `The template needs the node class "${name}", which ${server} does not have.`;
  return { code: 'TEMPLATE_REQUIRES_NODE', severity: 'error', message, hint };
}

/** Undefined when the server lists the file, in whatever sub-folder and spelling, for an input that looks into its folder. */
export function lackOfModel(model: Omit<RequiredEntry, 'index'>, info: ObjectInfo, server: string): Lack | undefined {
  const folders = offeredModels(info).get(modelKey(model.name));
  const { name, folder } = model;
  const elsewhere = [...(folders ?? [])].filter((other) => other !== undefined);
  if (folders !== undefined && (folder === undefined || folders.has(folder) || folders.has(undefined) || !isKnownFolder(folder)))
    return undefined;
  const message =
    folders === undefined
      ? `The template needs the model ${name}, which ${server} does not list.`
      : `The template needs the model ${name} in models/${folder ?? ''}, and ${server} has it in models/${elsewhere.join(', models/')}.`;
  // No graph names it: it comes in as the value of a parameter, or not at all.
  return { code: 'TEMPLATE_REQUIRES_MODEL', severity: 'warning', message, hint: modelAdvice(name, model, folder) };
}

const offers = new WeakMap<ObjectInfo, ReadonlyMap<string, ReadonlySet<string | undefined>>>();

/** By key of the file name: the folders of the inputs that offer it, `undefined` for inputs whose folder is not known. */
function offeredModels(info: ObjectInfo): ReadonlyMap<string, ReadonlySet<string | undefined>> {
  const known = offers.get(info);
  if (known !== undefined) return known;
  const files = new Map<string, Set<string | undefined>>();
  for (const nodeClass of info.classes.values()) {
    for (const { name, choices = [] } of nodeClass.inputs.values()) {
      for (const choice of choices) {
        if (!isModelFile(choice)) continue;
        const key = modelKey(choice);
        const folders = files.get(key) ?? new Set();
        files.set(key, folders.add(modelFolder(nodeClass.name, name)));
      }
    }
  }
  offers.set(info, files);
  return files;
}

interface RequiredEntry {
  readonly index: number;
  readonly name: string;
  readonly folder?: string;
  readonly url?: string;
  readonly sha256?: string;
}

/** `index` is the place in the list. */
export function requiredModels(requires: Readonly<Record<string, unknown>>): RequiredEntry[] {
  const list: readonly unknown[] = Array.isArray(requires['models']) ? requires['models'] : [];
  return list.flatMap((entry, index) => {
    const { name, folder, url, sha256 } = record(entry);
    if (typeof name !== 'string') return [];
    const texts = { folder, url, sha256 };
    return [{ index, name, ...Object.fromEntries(Object.entries(texts).filter(([, text]) => typeof text === 'string')) }];
  });
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};
}
