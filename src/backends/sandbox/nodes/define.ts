/** How a node class is described: its inputs in ComfyUI's own terms, and what it does. */
import type { Json, JsonRecord } from '../json.ts';
import type { ModelLists } from '../models.ts';
import type { SlotValue } from '../values.ts';
import type { Inputs } from './inputs.ts';
import type { Storage } from '../storage.ts';

export interface Environment {
  readonly models: ModelLists;
  readonly storage: Storage;
}

/** What lists of choices are made of. */
export interface Listing {
  readonly models: ModelLists;
  readonly storage: Pick<Storage, 'inputs'>;
}

/** `options` is asked anew for every object info and validation: files and models may come and go. */
export interface InputSpec {
  readonly type: string;
  readonly options?: (listing: Listing) => readonly string[];
  readonly details?: JsonRecord;
}

export interface NodeContext {
  readonly environment: Environment;
  readonly nodeId: string;
  /** The graph and extra data as they came, for the metadata of saved files. */
  readonly prompt: JsonRecord;
  readonly extraPngInfo: JsonRecord;
  /** Whether samplers show what they have so far. */
  readonly showsSteps: boolean;
  /** Reports progress, waits one pace, and throws when the prompt was interrupted. `preview` is a JPEG or PNG. */
  step(value: number, max: number, preview?: Uint8Array): Promise<void>;
  preview(image: Uint8Array): void;
}

export interface NodeResult {
  readonly outputs: readonly SlotValue[];
  /** What the node shows: file triples under `images`, strings under `text` … Missing: nothing to show. */
  readonly ui?: Readonly<Record<string, readonly Json[]>>;
}

export interface NodeDefinition {
  readonly name: string;
  /** Null where ComfyUI has none. */
  readonly displayName: string | null;
  readonly category: string;
  readonly module: string;
  /** V3 writes combos as ["COMBO", {options}] and links as [TYPE, {}]. */
  readonly schema: 'v1' | 'v3';
  readonly description?: string;
  readonly required: Readonly<Record<string, InputSpec>>;
  readonly optional?: Readonly<Record<string, InputSpec>>;
  readonly hidden?: Readonly<Record<string, string>>;
  /** [type, name] */
  readonly outputs: readonly (readonly [string, string])[];
  readonly isOutput?: boolean;
  readonly deprecated?: boolean;
  /** Inputs that are evaluated only when `needs` names them. */
  readonly lazy?: { readonly inputs: readonly string[]; needs(inputs: Inputs): readonly string[] };
  /** Checks named inputs in place of the standard list and range checks; returns the complaint, or undefined. */
  readonly check?: {
    readonly inputs: readonly string[];
    run(inputs: JsonRecord, environment: Environment): { input: string; text: string } | undefined;
  };
  /** Joins the cache key; `NaN` means never the same. Sees constants only. */
  fingerprint?(inputs: JsonRecord, environment: Environment): string | number;
  run(inputs: Inputs, context: NodeContext): Promise<NodeResult> | NodeResult;
}

/** Of what is saved and is no picture: a prefix that asks for the size gets this. */
export const NO_SIZE = { width: 0, height: 0 } as const;
/** Largest side of a picture in ComfyUI. */
export const MAX_SIDE = 16384;
export const MAX_SEED = 18446744073709551615n;

export function link(type: string): InputSpec {
  return { type };
}
export function int(details: {
  default?: number;
  min?: number | bigint;
  max?: number | bigint;
  step?: number;
  [key: string]: Json | undefined;
}): InputSpec {
  return { type: 'INT', details: compact(details) };
}
export function float(details: {
  default?: number;
  min?: number;
  max?: number;
  step?: number;
  [key: string]: Json | undefined;
}): InputSpec {
  return { type: 'FLOAT', details: compact(details) };
}
export function text(details: JsonRecord = {}): InputSpec {
  return { type: 'STRING', details };
}
export function bool(initial?: boolean, details: JsonRecord = {}): InputSpec {
  return { type: 'BOOLEAN', details: initial === undefined ? details : { default: initial, ...details } };
}
export function combo(options: readonly string[] | ((listing: Listing) => readonly string[]), details?: JsonRecord): InputSpec {
  return { type: 'COMBO', options: typeof options === 'function' ? options : () => options, ...(details === undefined ? {} : { details }) };
}
export function modelFile(folder: string): InputSpec {
  return combo(({ models }) => models.list(folder) ?? [], {});
}
export function side(initial: number, min = 1, step = 1): InputSpec {
  return int({ default: initial, min, max: MAX_SIDE, step });
}

function compact(details: { [key: string]: Json | undefined }): JsonRecord {
  const out: JsonRecord = {};
  for (const [key, value] of Object.entries(details)) if (value !== undefined) out[key] = value;
  return out;
}
