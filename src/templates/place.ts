/** What one place of a library holds, as plain data: what the last reading of its files gave, and which version last worked. */
import { basename } from 'node:path';
import type { Problem } from '#protocol/problem.ts';
import { ADOPTED_VERSION, idOf } from './adopt.ts';
import type { CompiledTemplate } from './compiled.ts';
import { type LoadResult, namesOf } from './load.ts';
import { needsOf, type Spot, type TemplateNeeds } from './needs.ts';
import { isTrusted, type Stamp } from './stamp.ts';
import type { TemplateOrigin } from './types.ts';

/** What lists show of a template, so that it need not be compiled for them. */
export interface Facts {
  readonly title: string;
  readonly category: string;
  readonly steps: readonly string[];
  /** How many. */
  readonly parameters: number;
}

export interface Place {
  readonly origin: TemplateOrigin;
  /** Full paths of all files that count. */
  readonly files: readonly string[];
  /** Text of the stamp of `files` when they were read. */
  readonly stamp: string;
  /** An equal stamp means equal content. */
  readonly trusted: boolean;
  /** JSON of another kind: remembered only so that it is not read again. */
  readonly foreign: boolean;
  readonly id: string;
  readonly version: string;
  /** Of the last version that compiled; both undefined when none did. */
  readonly hash?: string;
  readonly facts?: Facts;
  /** Of the same version: what it needs of backends; files by their full paths. */
  readonly needs?: TemplateNeeds;
  /** Of the files as they are now. */
  readonly problems: readonly Problem[];
  /** The files as they are now compiled. */
  readonly runnable: boolean;
}

/** A broken save keeps the last good version. `readAt` in milliseconds since 1970, before the first byte was read. */
export function placeOf(loaded: LoadResult, stamp: Stamp, before: Place | undefined, readAt: number): Place {
  const { origin, problems, template, claimed, files } = loaded;
  const read = { origin, files, stamp: stamp.text, trusted: isTrusted(stamp, readAt), problems };
  if (template !== undefined) {
    const { id, version, hash } = template;
    return { ...read, foreign: false, id, version, hash, facts: factsOf(template), needs: placedNeeds(loaded, template), runnable: true };
  }
  const last = before?.hash === undefined ? undefined : before;
  const id = last?.id ?? claimed.id ?? (idOf(basename(origin.path)) || 'unnamed');
  const version = last?.version ?? claimed.version ?? ADOPTED_VERSION;
  const foreign = loaded.foreign === true && (before === undefined || before.foreign);
  const { hash, facts, needs } = last ?? {};
  return {
    ...read,
    foreign,
    id,
    version,
    ...(hash === undefined ? {} : { hash }),
    ...(facts === undefined ? {} : { facts }),
    ...(needs === undefined ? {} : { needs }),
    runnable: false,
  };
}

function factsOf({ id, manifest, parameters }: CompiledTemplate): Facts {
  const { title = id, category = '', steps } = manifest;
  return { title, category, steps: steps.map((step) => step.id), parameters: parameters.size };
}

/** With files as problems call them, and without lines of a graph that was made of another file. */
function placedNeeds({ origin, original, converted = [] }: LoadResult, template: CompiledTemplate): TemplateNeeds {
  const file = namesOf(origin);
  const isMade = (name: string): boolean => original !== undefined || converted.includes(name);
  const place = <T extends { readonly spot: Spot }>(need: T): T => {
    const { file: name, line, column, pointer, ...rest } = need.spot;
    return {
      ...need,
      spot: {
        ...rest,
        file: file(name),
        ...(isMade(name) || line === undefined || column === undefined || pointer === undefined ? {} : { line, column, pointer }),
      },
    };
  };
  const { callsheet, comfyui, converter, vram, nodes, models, steps } = needsOf(template, original);
  return {
    ...(callsheet === undefined ? {} : { callsheet: place(callsheet) }),
    ...(comfyui === undefined ? {} : { comfyui: place(comfyui) }),
    ...(converter === undefined ? {} : { converter: place(converter) }),
    ...(vram === undefined ? {} : { vram: place(vram) }),
    nodes: nodes.map(place),
    models: models.map(place),
    steps: steps.map((step) => ({ ...step, classes: step.classes.map(place), models: step.models.map(place) })),
  };
}
