/** What a parser says about a file. */
import type { FileMediaType } from '#protocol/file-formats.ts';
import type { ArtifactKind, MediaFacts } from '#protocol/views.ts';

export interface Measured {
  readonly width?: number;
  readonly height?: number;
  /** Seconds. */
  readonly duration?: number;
  readonly facts?: MediaFacts;
  /** Where the content says more than the table of formats: a picture that moves, a film without pictures. */
  readonly kind?: ArtifactKind;
  /** Where the whole file says more than its beginning. */
  readonly mediaType?: FileMediaType;
  /** Why the file is not a whole file of its kind; a clause, without a full stop. */
  readonly fault?: string;
}

/** Facts as a parser finds them: what it did not find, or what cannot be, is left out of what it says. */
export type Found = { readonly [K in keyof MediaFacts]: MediaFacts[K] | undefined };

export function faulty(fault: string): Measured {
  return { fault };
}

/** Sizes beyond this are a damaged header, whatever the format allows. */
const LONGEST_SIDE = 2 ** 24;

export function sized(width: number, height: number, duration?: number): Measured {
  const isPlausible = width > 0 && height > 0 && width <= LONGEST_SIDE && height <= LONGEST_SIDE;
  if (!isPlausible) return faulty(`its header says ${width} × ${height} pixels`);
  return { width, height, ...lasting(duration) };
}

/** Nothing when the duration is unknown or absurd (a file that is still being streamed says 0). */
export function lasting(duration: number | undefined): { readonly duration?: number } {
  return duration !== undefined && Number.isFinite(duration) && duration > 0 && duration < 1e8 ? { duration } : {};
}

const WHOLE: ReadonlySet<string> = new Set(['frames', 'channels', 'depth']);
const HIGHEST: Readonly<Record<string, number>> = { frames: 1e9, fps: 1e5, channels: 4096, sampleRate: 1e8, depth: 128 };

/** Only facts that can be true; none at all when there is none. */
export function withFacts(found: Found): { readonly facts?: MediaFacts } {
  const entries = Object.entries(found).filter(([name, value]) => {
    if (typeof value !== 'number') return value !== undefined && value !== '';
    return Number.isFinite(value) && value > 0 && value <= (HIGHEST[name] ?? 0) && (!WHOLE.has(name) || Number.isInteger(value));
  });
  return entries.length === 0 ? {} : { facts: Object.fromEntries(entries) };
}

/** Rounded to what a person would write: 23.976 stays, 23.976023976023978 does not. */
export function perSecond(count: number, seconds: number): number | undefined {
  const rate = count / seconds;
  return Number.isFinite(rate) && rate > 0 ? Math.round(rate * 1000) / 1000 : undefined;
}

/** A picture of several frames is an animation. */
export function moving(frames: number, seconds: number): { readonly found: Found; readonly kind?: 'animation' } {
  if (frames <= 1) return { found: {} };
  return { found: { frames, fps: seconds > 0 ? perSecond(frames, seconds) : undefined }, kind: 'animation' };
}
