/** What clients see of runs, steps, attempts, artifacts, backends and templates (DESIGN 7). */
import type { ErrorData } from './errors.ts';
import type { Problem } from './problem.ts';

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
  /** Why it failed. */
  readonly error?: ErrorData;
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
  readonly error?: ErrorData;
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
  /** `low`: made with the values that the template sets for too little memory. */
  readonly profile?: 'low';
  /** Names of the template outputs that this file belongs to. */
  readonly outputs?: readonly string[];
  /** What the template's output makes of it: kind of asset, and its name for people. */
  readonly asset?: { readonly kind: string; readonly name?: string };
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
  /** How often it was tried, when more than once. */
  readonly tries?: number;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly steps: readonly StepView[];
  readonly artifacts: readonly ArtifactView[];
  /** Every choice of the template; absent when it has none. */
  readonly choices?: readonly ChoiceView[];
  readonly problems: readonly Problem[];
  readonly error?: ErrorData;
}

export type RunSummary = Omit<RunView, 'tries' | 'steps' | 'artifacts' | 'choices' | 'parameters' | 'problems'>;

export interface BackendView {
  readonly id: string;
  readonly kind: 'comfyui' | 'wan2gp' | 'sandbox';
  /** Address without credentials. */
  readonly url?: string;
  readonly status: 'unknown' | 'ready' | 'unresponsive' | 'unreachable' | 'not-comfyui';
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
