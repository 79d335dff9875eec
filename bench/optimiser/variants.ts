/** What of Callsheet is switched on for a measurement. */
import type { Switches } from './live.ts';

export interface Variant {
  readonly id: string;
  readonly switches: Switches;
  readonly together: boolean;
}

export const EVERYTHING: Variant = { id: 'everything', switches: { optimize: true, cache: true }, together: true };
