/** What flows along links inside the sandbox. */
import type { Pixels } from './images/pixels.ts';

/** A batch of pictures of equal size. `draft`: some of it was drawn by us instead of computed by a model. */
export interface ImageValue {
  readonly kind: 'image';
  readonly frames: readonly Pixels[];
  readonly draft: boolean;
}
export interface MaskValue {
  readonly kind: 'mask';
  readonly frames: readonly Pixels[];
  readonly draft: boolean;
}
export interface ModelValue {
  readonly kind: 'model';
  readonly name: string;
  /** LoRAs in order of application, e.g. `style.safetensors × 0.8`. */
  readonly loras: readonly string[];
  /** What else changes it, in order: other settings give another picture. */
  readonly marks?: readonly string[];
}
export interface ConditioningValue {
  readonly kind: 'conditioning';
  readonly texts: readonly string[];
  /** What made it besides the texts: encoder, ControlNets, areas, weights. */
  readonly marks?: readonly string[];
}
/** What a sampler was asked for: the material of a storyboard card. */
export interface Shot {
  readonly prompt: string;
  readonly negative: string;
  readonly seed: string;
  readonly steps: number;
  readonly cfg: number;
  readonly sampler: string;
  readonly model: string;
  readonly denoise: number;
  /** What is not printed on the card and still gives another picture. */
  readonly marks?: readonly string[];
}
/** No numbers of a real latent: size in pixels, the picture it was encoded from, and the shots sampled so far. */
export interface LatentValue {
  readonly kind: 'latent';
  readonly width: number;
  readonly height: number;
  readonly batch: number;
  readonly source?: ImageValue;
  readonly mask?: MaskValue;
  readonly shots: readonly Shot[];
  /** The encoder of `source`, scalings between samplers. */
  readonly marks?: readonly string[];
  /** Of a film: its pictures belong together, one after the other. */
  readonly isFilm?: boolean;
  /** Of a sound, which has no pictures. */
  readonly seconds?: number;
}
/** `draft`: a tone of ours in place of a model's sound. */
export interface AudioValue {
  readonly kind: 'audio';
  readonly sampleRate: number;
  /** One array of samples (−1 to 1) for each channel. */
  readonly channels: readonly Float32Array[];
  readonly draft: boolean;
}
export interface VideoValue {
  readonly kind: 'video';
  readonly images: ImageValue;
  readonly fps: number;
  readonly audio?: AudioValue;
}
/** No voxels or faces of a real mesh: how many there are, and the shot that they stand for. */
export interface MeshValue {
  readonly kind: 'mesh';
  readonly count: number;
  readonly shot?: Shot;
}
export interface SvgValue {
  readonly kind: 'svg';
  readonly texts: readonly string[];
  readonly draft: boolean;
}
/** Things that only have a name here: CLIP, VAE, CONTROL_NET, SAMPLER, SIGMAS … */
export interface NamedValue {
  readonly kind: 'named';
  readonly type: string;
  readonly name: string;
  readonly details?: Readonly<Record<string, string | number>>;
}
/** ComfyUI's ExecutionBlocker: everything downstream is skipped; with a message it is reported as an error that does not end the prompt. */
export interface BlockedValue {
  readonly kind: 'blocked';
  readonly message: string | null;
}

export type SlotObject =
  | ImageValue
  | MaskValue
  | ModelValue
  | ConditioningValue
  | LatentValue
  | AudioValue
  | VideoValue
  | MeshValue
  | SvgValue
  | NamedValue
  | BlockedValue;
export type SlotValue = SlotObject | null | boolean | number | bigint | string;

export function isBlocked(value: SlotValue): value is BlockedValue {
  return typeof value === 'object' && value !== null && value.kind === 'blocked';
}

/** Float32 bytes held by a value, for the cache's cap. */
export function sizeOf(value: SlotValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (value.kind === 'image' || value.kind === 'mask') return value.frames.reduce((sum, frame) => sum + frame.data.byteLength, 0);
  if (value.kind === 'audio') return value.channels.reduce((sum, samples) => sum + samples.byteLength, 0);
  if (value.kind === 'video') return sizeOf(value.images) + (value.audio === undefined ? 0 : sizeOf(value.audio));
  return value.kind === 'latent' && value.source !== undefined ? sizeOf(value.source) : 0;
}
