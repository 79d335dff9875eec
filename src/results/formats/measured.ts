/** What a parser says about a file. */
export interface Measured {
  readonly width?: number;
  readonly height?: number;
  /** Seconds. */
  readonly duration?: number;
  /** Why the file is not a whole file of its kind; a clause, without a full stop. */
  readonly fault?: string;
}

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
