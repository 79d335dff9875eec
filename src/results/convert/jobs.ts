/** What the converter's own process is asked to do, and what it answers: plain data that goes through its channel. */

/** One picture to another, by sharp. */
export interface StillJob {
  readonly kind: 'still';
  readonly input: string;
  readonly output: string;
  readonly to: 'png' | 'jpg' | 'webp' | 'tiff';
  readonly quality: number;
  /** Longest side; smaller pictures stay as they are. */
  readonly maxSize?: number;
}

/** One picture to bare numbers in linear light, plane by plane in the order green, blue, red, alpha: what OpenEXR is made of. */
export interface LinearJob {
  readonly kind: 'linear';
  readonly input: string;
  readonly output: string;
  readonly maxSize?: number;
}

/** The frames of a moving picture in a picture format, each as `000001.png` … in `directory`. */
export interface FramesJob {
  readonly kind: 'frames';
  readonly input: string;
  readonly directory: string;
}

/** Another program, without a shell. */
export interface ProgramJob {
  readonly kind: 'program';
  readonly program: string;
  readonly args: readonly string[];
  readonly directory: string;
}

export type Job = StillJob | LinearJob | FramesJob | ProgramJob;

export interface Caps {
  readonly timeoutMs: number;
  /** Of the process that does the work, as the system counts it; watched where the system says it. */
  readonly memoryBytes: number;
}

/** Facts that only the work itself found out. */
export interface JobFacts {
  readonly width?: number;
  readonly height?: number;
  readonly alpha?: boolean;
  readonly frames?: number;
  readonly fps?: number;
}

/** `message` is a clause for people. */
export type JobAnswer = { readonly ok: true; readonly facts: JobFacts } | { readonly ok: false; readonly message: string };
