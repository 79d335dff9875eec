/** What one place of a library holds, as plain data: what the last reading of its files gave, and which version last worked. */
import { basename } from 'node:path';
import type { Problem } from '#protocol/problem.ts';
import { ADOPTED_VERSION, idOf } from './adopt.ts';
import type { CompiledTemplate } from './compiled.ts';
import type { LoadResult } from './load.ts';
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
    return { ...read, foreign: false, id, version, hash, facts: factsOf(template), runnable: true };
  }
  const last = before?.hash === undefined ? undefined : before;
  const id = last?.id ?? claimed.id ?? (idOf(basename(origin.path)) || 'unnamed');
  const version = last?.version ?? claimed.version ?? ADOPTED_VERSION;
  const foreign = loaded.foreign === true && (before === undefined || before.foreign);
  const { hash, facts } = last ?? {};
  return {
    ...read,
    foreign,
    id,
    version,
    ...(hash === undefined ? {} : { hash }),
    ...(facts === undefined ? {} : { facts }),
    runnable: false,
  };
}

function factsOf({ id, manifest, parameters }: CompiledTemplate): Facts {
  const { title = id, category = '', steps } = manifest;
  return { title, category, steps: steps.map((step) => step.id), parameters: parameters.size };
}
