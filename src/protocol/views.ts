/** What clients see of runs, steps, attempts, artifacts, backends and templates (DESIGN 7). */
import type { AssetView } from './assets.ts';
import type { ErrorData } from './errors.ts';
import type { Problem } from './problem.ts';
import type { CachedFrom, Conversion, SourceFile } from './provenance.ts';

export const RUN_STATUSES = ['queued', 'running', 'waiting', 'cancelling', 'succeeded', 'failed', 'cancelled', 'lost'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];
export const RUN_ENDS: readonly RunStatus[] = ['succeeded', 'failed', 'cancelled', 'lost'];

export const STEP_STATUSES = [
  'pending',
  'preparing',
  'waiting',
  'submitting',
  'queued',
  'running',
  'parsing',
  'freeing',
  'backing-off',
  'unknown',
  'unresponsive',
  'removed',
  'cancelling',
  'done',
  'cached',
  'skipped',
  'blocked',
  'failed',
  'cancelled',
  'lost',
] as const;
export type StepStatus = (typeof STEP_STATUSES)[number];

/** A step that shares the prompt of the one whose picture it takes. */
export interface FusedStep {
  readonly step: string;
  /** The picture was handed on as a file would give it; else with all its digits. */
  readonly rounds: boolean;
}

export interface AttemptView {
  /** Same as `promptId` on backends that take our id; unique per (run, step, item, attempt). */
  readonly attemptId: string;
  readonly item: number;
  /** 1-based. */
  readonly attempt: number;
  readonly backend: string;
  readonly promptId?: string;
  readonly status: string;
  /** `low`: made with the values that the template sets for too little memory; everything else, the seed included, as asked for. */
  readonly profile?: 'low';
  /** Steps that were done in the same prompt. */
  readonly fused?: readonly FusedStep[];
  /** Why it failed. */
  readonly error?: ErrorData;
}

/** `hit`: taken from the result cache. `miss`: made anew, and kept. `off`: made anew and not kept. */
export const CACHE_RESULTS = ['hit', 'miss', 'off'] as const;
export type CacheResult = (typeof CACHE_RESULTS)[number];

/** What the result cache had for an item. */
export interface CacheView {
  readonly item: number;
  /** The attempt that asked, as attempts of the item are numbered. */
  readonly attempt: number;
  readonly result: CacheResult;
  /** One sentence for people: who made it, or what differs from the nearest result that is kept. */
  readonly reason: string;
  /** Of a hit: the run that made it. */
  readonly runId?: string;
}

export interface StepView {
  readonly id: string;
  readonly title?: string;
  readonly status: StepStatus;
  /** Why it was skipped or blocked, or what it waits for where it is now: the proof of a cancel, a backend that moves nothing. */
  readonly reason?: string;
  readonly items: number;
  readonly itemsDone: number;
  readonly progress: number;
  readonly attempts: readonly AttemptView[];
  /** In order of items; absent when the result cache was not asked. */
  readonly cache?: readonly CacheView[];
  readonly error?: ErrorData;
}

/** Numbered pictures in a folder of their own. */
export interface SequenceView {
  readonly count: number;
  /** Number of the first. */
  readonly first: number;
  /** Name of each, with the digits of its number as `#`: `frame_####.png`. */
  readonly pattern: string;
  /** Of all of them together. */
  readonly bytes: number;
  /** sha256 over the sha256 of each, in order, as text. */
  readonly sha256: string;
}

/** What a file is by its content; a moving picture without sound in a picture format is an animation. */
export const ARTIFACT_KINDS = ['image', 'animation', 'video', 'audio', 'model3d', 'text', 'latent', 'file'] as const;
export type ArtifactKind = (typeof ARTIFACT_KINDS)[number];

/** What the headers of a file say of it; absent is what a kind does not have or a file does not say. */
export interface MediaFacts {
  /** Pictures in an animation or a film. */
  readonly frames?: number;
  /** Pictures a second, on average. */
  readonly fps?: number;
  /** Of a picture its colours and alpha (grey 1, RGB 3, RGBA 4); of a sound, or of a film's sound, its channels. */
  readonly channels?: number;
  /** Samples a second of a sound, or of a film's sound. */
  readonly sampleRate?: number;
  /** Bits of one colour of one pixel, or of one sample of a sound that is not compressed with loss. */
  readonly depth?: number;
  /** True when pixels can be transparent. */
  readonly alpha?: boolean;
  /** Of the picture, else of the sound: `h264`, `vp9`, `prores`, `flac`, `opus` … */
  readonly codec?: string;
  /** Of a film's sound. */
  readonly audioCodec?: string;
}

export interface ArtifactView {
  readonly artifactId: string;
  readonly runId: string;
  readonly step: string;
  readonly item: number;
  /** Name of the step's declared output, or `*` when the step declares none for this node. */
  readonly output: string;
  readonly node: string;
  /** Position among the files of this output, from 0. */
  readonly index: number;
  /** Absolute path on the daemon's machine. */
  readonly path: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly width?: number;
  readonly height?: number;
  /** Seconds. */
  readonly duration?: number;
  readonly kind: ArtifactKind;
  readonly facts?: MediaFacts;
  /** Milliseconds since 1970, when it was brought home. */
  readonly createdAt: number;
  /** The artifactId of an earlier one of this run with the same content: both names stand for the same bytes on the disk (a hard link). */
  readonly sameAs?: string;
  /** True when the sandbox drew a storyboard card instead of running a model. */
  readonly draft: boolean;
  /** Its item failed: what else the step declares did not come with it. It is there to be used, and counts for nothing. */
  readonly partial?: boolean;
  /** `low`: made with the values that the template sets for too little memory. */
  readonly profile?: 'low';
  /** It was not made by this run: which one made it. */
  readonly cachedFrom?: CachedFrom;
  /** Names of the template outputs that this file belongs to. */
  readonly outputs?: readonly string[];
  /** The attempt that made it. */
  readonly promptId?: string;
  /** What the backend gave, where the file that is kept is another: with its provenance embedded. */
  readonly source?: SourceFile;
  /** It was made of other files by the template's `convert`. */
  readonly conversion?: Conversion;
  /** It is the first of numbered files; `path`, `bytes` and `sha256` are those of the first. */
  readonly sequence?: SequenceView;
  /** What it becomes in Blender by the template's output. */
  readonly asset?: AssetView;
}

export const CHOICE_STATUSES = ['pending', 'waiting', 'made', 'skipped', 'blocked', 'failed', 'cancelled'] as const;
export type ChoiceStatus = (typeof CHOICE_STATUSES)[number];

/** One of the values that a person can pick: a file, or a text that a step or a parameter gave. */
export interface ChoiceCandidate {
  /** Place in the list, from 0. */
  readonly index: number;
  /** The artifactId where there is one; unique within the choice, the same after a restart. */
  readonly id: string;
  readonly artifactId?: string;
  /** Absolute path on the daemon's machine. */
  readonly path?: string;
  readonly mediaType?: string;
  readonly width?: number;
  readonly height?: number;
  /** The beginning of a text, or the value as text. */
  readonly text?: string;
}

export interface ChoiceView {
  /** Its name in the template: `{choices.NAME}`. */
  readonly into: string;
  /** The step after which the run waits. */
  readonly after: string;
  readonly title?: string;
  readonly status: ChoiceStatus;
  /** Why it was skipped, blocked or failed. */
  readonly reason?: string;
  /** How many may be picked. Without `max`: all that there will be. */
  readonly pick: { readonly min: number; readonly max?: number };
  /** Empty until it is offered. */
  readonly candidates: readonly ChoiceCandidate[];
  /** Milliseconds since 1970; then `onTimeout` happens. Absent: it waits for ever. */
  readonly deadline?: number;
  readonly onTimeout?: 'first' | 'fail' | 'wait';
  /** Ids of the candidates that were picked, in order. */
  readonly picked?: readonly string[];
  readonly pickedBy?: 'person' | 'timeout';
}

/** What was asked for a run besides its parameters. What is not usual is stored with the run and holds for every try of it. */
export interface RunOptions {
  /** Graphs are optimised before they are sent, unless their template says otherwise. */
  readonly optimize: boolean;
  /** Results of earlier runs may be taken where they are proven to be the same. */
  readonly cache: boolean;
  /** True: every file gets its graph and its provenance put inside, where its kind takes them. */
  readonly embed?: boolean;
}

/** What saves work, in the order of the report. */
export const PASSES = [
  'dead-nodes',
  'equal-nodes',
  'no-ops',
  'constants',
  'shared-loaders',
  'previews',
  'existing-outputs',
  'fused-steps',
  'model-order',
  'result-cache',
] as const;
export type PassName = (typeof PASSES)[number];

/** A node of the author's graph that a pass took out of what is sent. */
export interface SavedNode {
  readonly id: string;
  readonly classType: string;
  readonly title?: string;
  /** The node that gives its result in its place. */
  readonly into?: string;
}

/** Work that was not done, by which pass, and why the result is the same all the same. */
export interface Saving {
  readonly pass: PassName;
  readonly step: string;
  /** Absent: of the step as a whole. */
  readonly item?: number;
  readonly nodes: readonly SavedNode[];
  /** One sentence for people. */
  readonly why: string;
  /** By what it took in earlier runs; absent when nothing was measured. */
  readonly seconds?: number;
}

export interface OptimiserView {
  /** False: the run was asked to leave graphs as they are, or its template says so of every step. */
  readonly enabled: boolean;
  /** In the order of steps, items and passes. */
  readonly savings: readonly Saving[];
  /** Sum of those that were measured; absent when none was. */
  readonly seconds?: number;
}

export interface RunView {
  readonly runId: string;
  readonly template: string;
  readonly version: string;
  readonly status: RunStatus;
  readonly draft: boolean;
  /** 0..1, never falls. */
  readonly progress: number;
  readonly etaSeconds?: number;
  /** The rest takes between these two in about four of five cases; seconds. */
  readonly etaRange?: readonly [number, number];
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly endedAt?: number;
  /** It is never cleaned away. */
  readonly pinned?: boolean;
  /** How often it was tried, when more than once. */
  readonly tries?: number;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly options: RunOptions;
  readonly steps: readonly StepView[];
  readonly artifacts: readonly ArtifactView[];
  /** Every choice of the template; absent when it has none. */
  readonly choices?: readonly ChoiceView[];
  readonly optimiser?: OptimiserView;
  readonly problems: readonly Problem[];
  readonly error?: ErrorData;
}

export type RunSummary = Omit<RunView, 'tries' | 'steps' | 'artifacts' | 'choices' | 'parameters' | 'options' | 'optimiser' | 'problems'>;

export interface BackendView {
  readonly id: string;
  readonly kind: 'comfyui' | 'wan2gp' | 'sandbox';
  /** Address without credentials. */
  readonly url?: string;
  /** `worker-dead`: it answers and executes nothing any more; `error` has the proof and the cure. */
  readonly status: 'unknown' | 'ready' | 'unresponsive' | 'unreachable' | 'not-comfyui' | 'worker-dead';
  readonly version?: string;
  /** Prompts in its queue and at work, whoever sent them. */
  readonly queueRemaining?: number;
  /** Attempts of ours that are there, and how many may be. */
  readonly inFlight?: number;
  readonly ahead?: number;
  /** Name of the graphics card that it shares with others. */
  readonly gpu?: string;
  /** Models that the newest attempt there uses. */
  readonly models?: readonly string[];
  readonly draft: boolean;
  /** Whether somebody has allowed that files are sent there; absent for a backend on this machine. */
  readonly takesFiles?: boolean;
  readonly error?: ErrorData;
}

export interface TemplateSummary {
  readonly id: string;
  readonly version: string;
  readonly title: string;
  readonly category: string;
  readonly steps: readonly string[];
  readonly parameters: number;
  readonly runnable: boolean;
  readonly problems: number;
  /** Of an imported template: whether a person approved its present content. Absent for templates of the user's own folders. */
  readonly approval?: 'pending' | 'approved';
}
