/** Types of templates: the manifest as written, the template as loaded, and values as they travel from a client into a graph. */
import type { ColorSpace, ConversionTarget, FrameFormat, MaterialMap } from '#protocol/assets.ts';
import type { Problem } from '#protocol/problem.ts';

export const PARAMETER_TYPES = [
  'string',
  'text',
  'integer',
  'number',
  'boolean',
  'choice',
  'seed',
  'color',
  'vector',
  'image',
  'mask',
  'video',
  'audio',
  'model3d',
  'file',
  'directory',
  'model',
  'list',
] as const;
export type ParameterType = (typeof PARAMETER_TYPES)[number];

/** Types whose value is a file that is handed to the backend. */
export const MEDIA_TYPES = ['image', 'mask', 'video', 'audio', 'model3d', 'file'] as const;
export type MediaParameterType = (typeof MEDIA_TYPES)[number];

/** Kinds of control; the first of each list is what a form shows when the manifest names none. */
export const WIDGETS = {
  string: ['line', 'area'],
  text: ['area', 'line'],
  integer: ['number', 'slider'],
  number: ['number', 'slider'],
  boolean: ['checkbox', 'switch'],
  choice: ['menu', 'radio'],
  seed: ['seed'],
  color: ['color'],
  vector: ['vector'],
  image: ['file'],
  mask: ['file'],
  video: ['file'],
  audio: ['file'],
  model3d: ['file'],
  file: ['file'],
  directory: ['folder'],
  model: ['model'],
  list: ['list'],
} as const satisfies Readonly<Record<ParameterType, readonly [string, ...string[]]>>;
export type Widget = (typeof WIDGETS)[ParameterType][number];

export interface ParameterDefinition {
  readonly type: ParameterType;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly required?: boolean;
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
  readonly multipleOf?: number | bigint;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly choices?: readonly (string | number | { readonly value: string | number; readonly title?: string })[];
  readonly of?: ParameterType;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly size?: number;
  readonly alpha?: boolean;
  readonly folder?: string;
  /** Of model names: each may carry strengths, `name:0.8` or `name:0.8:0.5`. */
  readonly weighted?: boolean;
  readonly extensions?: readonly string[];
  readonly blender?: string;
  readonly group?: string;
  readonly advanced?: boolean;
  /** CEL condition over `params`: while it is false the parameter is not shown, not asked for, and takes its default. */
  readonly visible?: string;
  readonly widget?: Widget;
  /** Increment of the control in forms; no rule for values. */
  readonly step?: number;
  /** Shown behind the number. */
  readonly unit?: string;
  /** Place in forms: smaller first; without it the place in the manifest. */
  readonly order?: number;
  /** Where an adopted parameter comes from, in words. */
  readonly origin?: string;
}

/** A change of the graph: exactly one of `bypass`, `loras` and `swap` is there. */
export interface PatchDefinition {
  readonly when?: string;
  readonly bypass?: string | readonly string[];
  readonly loras?: string;
  readonly after?: string | readonly string[];
  readonly strength?: number | string;
  readonly swap?: string;
  readonly nodes?: Readonly<
    Record<string, { readonly class_type: string; readonly title?: string; readonly inputs?: Readonly<Record<string, unknown>> }>
  >;
  readonly outputs?: Readonly<Record<string, readonly [string, number]>>;
}

export interface StepDefinition {
  readonly id: string;
  readonly title?: string;
  readonly backend?: 'comfyui' | 'wan2gp' | 'sandbox';
  readonly workflow: string;
  readonly needs?: readonly string[];
  readonly when?: string;
  readonly each?: string;
  readonly set?: Readonly<Record<string, unknown>>;
  /** What is set besides when the backend ran out of memory: the step's lower profile. */
  readonly lowMemory?: { readonly set: Readonly<Record<string, unknown>> };
  readonly patch?: readonly PatchDefinition[];
  /** True when absent. */
  readonly optimize?: boolean;
  /** That of the manifest when absent. */
  readonly cache?: boolean;
  readonly fuse?: boolean;
  readonly outputs?: Readonly<Record<string, string>>;
}

export interface ChoiceDefinition {
  readonly after: string;
  readonly from: string;
  /** So many; or a range, whose pick is always a list. 1 when absent. */
  readonly pick?: number | PickRange;
  readonly into: string;
  readonly title?: string;
  /** Seconds that are waited; for ever when absent. */
  readonly timeout?: number;
  /** `fail` when absent. */
  readonly onTimeout?: TimeoutPolicy;
}

export interface PickRange {
  /** 1 when absent. */
  readonly min?: number;
  /** All that there are when absent. */
  readonly max?: number;
}

/** What becomes of a choice that nobody made in time: the first candidates are taken, it fails, or the run waits on with a note. */
export const TIMEOUT_POLICIES = ['first', 'fail', 'wait'] as const;
export type TimeoutPolicy = (typeof TIMEOUT_POLICIES)[number];

export interface OutputDefinition {
  readonly from: string;
  readonly title?: string;
  readonly embed?: boolean;
  readonly convert?: ConvertDefinition;
  readonly asset?: AssetDefinition;
}

export interface ConvertDefinition {
  readonly to: ConversionTarget;
  /** 1 to 100. */
  readonly quality?: number;
  readonly fps?: number;
  /** Longest side in pixels. */
  readonly maxSize?: number;
  readonly format?: FrameFormat;
}

export interface AssetDefinition {
  /** One of `ASSET_KINDS`, or an older name of one. */
  readonly kind: string;
  readonly name?: string;
  readonly collection?: string;
  readonly colorSpace?: ColorSpace;
  readonly map?: MaterialMap;
}

export interface Manifest {
  readonly format: 1;
  readonly id: string;
  readonly version: string;
  readonly title?: string;
  readonly description?: string;
  readonly category?: string;
  readonly tags?: readonly string[];
  readonly author?: string;
  readonly license?: string;
  /** True when absent; false holds for every step. */
  readonly optimize?: boolean;
  /** Holds for steps that say nothing themselves. */
  readonly cache?: boolean;
  readonly requires?: Readonly<Record<string, unknown>>;
  readonly parameters?: Readonly<Record<string, ParameterDefinition>>;
  readonly steps: readonly StepDefinition[];
  readonly choices?: readonly ChoiceDefinition[];
  readonly outputs?: Readonly<Record<string, OutputDefinition>>;
}

/**
 * A template's content and nothing else: what a run pins. Plain JSON, so it can be stored and compiled again after a restart.
 * `hash` is the sha256 over manifest and workflow texts.
 */
export interface TemplateSource {
  readonly hash: string;
  /** Text of template.json (or of the generated manifest of an adopted workflow). */
  readonly manifest: string;
  /** Workflow file name → text, exactly as on disk. */
  readonly workflows: Readonly<Record<string, string>>;
  /** Workflow file name → the author's own file in UI format that it was made of, where there is one. Not part of the hash: it runs nowhere. */
  readonly originals?: Readonly<Record<string, string>>;
}

/** Where a template was found, for messages. */
export interface TemplateOrigin {
  /** Absolute path of the folder or of the adopted file. */
  readonly path: string;
  readonly kind: 'folder' | 'adopted';
}

/** A media value inside a run: the file was checked and hashed at the door. */
export interface MediaValue {
  readonly $media: 'media';
  /** Absolute. */
  readonly path: string;
  readonly name: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly mediaType: string;
}

export function isMedia(value: unknown): value is MediaValue {
  return typeof value === 'object' && value !== null && '$media' in value && value.$media === 'media';
}

/**
 * A parameter's value after the door: JSON plus bigint (integers beyond 2^53) and MediaValue.
 * Stored and sent with bigints as decimal strings; `reviveParameters` turns them back by the parameter's type.
 */
export type Value = null | boolean | number | bigint | string | MediaValue | readonly Value[] | { readonly [key: string]: Value };
export type Values = Readonly<Record<string, Value>>;

/** What a finished step offers to later steps: output name → files (or texts), in order; null for a skipped step. */
export type StepOutputs = Readonly<Record<string, readonly Value[]>> | null;

/** Everything a reference can see while a step is rendered. */
export interface Scope {
  readonly params: Values;
  readonly steps: Readonly<Record<string, StepOutputs>>;
  readonly choices: Readonly<Record<string, Value>>;
  readonly each?: Value;
  /** Number of the item, from 0. */
  readonly index?: number;
  /** The backend that the step goes to, for `when`; without it the step's own kind and an empty id. */
  readonly backend?: { readonly id: string; readonly kind: string };
}

export interface Checked<T> {
  readonly value: T | undefined;
  readonly problems: readonly Problem[];
}

/** What was compiled although there are errors: good for nothing but finding more of them. */
export interface CheckedInPart<T> extends Checked<T> {
  readonly partial?: T;
}
