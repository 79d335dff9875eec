/** What a template requires: node classes, model files, versions of Callsheet and ComfyUI. */
import semver from 'semver';
import { isModelFile } from '#graph/models.ts';
import type { ObjectInfo } from '#graph/node-classes.ts';
import { modelAdvice, modelKey, packAdvice, type Sources } from '#graph/sources.ts';
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
  const names = { callsheet: 'Callsheet', comfyui: 'ComfyUI' } as const;
  return (['callsheet', 'comfyui'] as const).flatMap((name) => {
    const range = requires[name];
    const given = versions[name];
    const version = given === undefined ? null : (semver.parse(given) ?? semver.coerce(given));
    if (typeof range !== 'string' || semver.validRange(range) === null || version === null) return [];
    // A build between two releases counts as the one that it follows.
    const plain = `${version.major}.${version.minor}.${version.patch}`;
    if (semver.satisfies(plain, range)) return [];
    const message = `The template needs ${names[name]} ${range}, and this is ${given}.`;
    const older = semver.gtr(plain, range);
    const hint = older ? `Use an older ${names[name]}, or a newer version of the template.` : `Update ${names[name]}.`;
    return [problemAt(where, ['requires', name], 'TEMPLATE_REQUIRES_VERSION', message, { hint })];
  });
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
    if (info.classes.has(name) || reported.classes.has(name)) continue;
    const { pack, version } = record(entry);
    const source = typeof pack !== 'string' || pack === '' ? undefined : { pack, ...(typeof version === 'string' ? { version } : {}) };
    const hint = source === undefined ? 'Install the node pack that brings it.' : packAdvice(source);
    const message = `The template needs the node class "${name}", which the server does not have.`;
    problems.push(problemAt(where, ['requires', 'nodes', name], 'TEMPLATE_REQUIRES_NODE', message, { hint, key: true }));
  }
  const offered = offeredModels(info);
  for (const [index, model] of requiredModels(requires).entries()) {
    const key = modelKey(model.name);
    if (offered.has(key) || reported.models.has(key)) continue;
    const message = `The template needs the model ${model.name}, which the server does not list.`;
    // No graph names it: it comes in as the value of a parameter, or not at all.
    const details = { hint: modelAdvice(model.name, model, model.folder), severity: 'warning' } as const;
    problems.push(problemAt(where, ['requires', 'models', index], 'TEMPLATE_REQUIRES_MODEL', message, details));
  }
  return problems;
}

function offeredModels(info: ObjectInfo): Set<string> {
  const files = new Set<string>();
  for (const nodeClass of info.classes.values()) {
    for (const { choices = [] } of nodeClass.inputs.values())
      for (const choice of choices) if (isModelFile(choice)) files.add(modelKey(choice));
  }
  return files;
}

function requiredModels(requires: Readonly<Record<string, unknown>>): { name: string; folder?: string; url?: string }[] {
  const list: readonly unknown[] = Array.isArray(requires['models']) ? requires['models'] : [];
  return list.flatMap((entry) => {
    const { name, folder, url } = record(entry);
    if (typeof name !== 'string') return [];
    return [{ name, ...(typeof folder === 'string' ? { folder } : {}), ...(typeof url === 'string' ? { url } : {}) }];
  });
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};
}
