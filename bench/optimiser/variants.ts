/** What of Callsheet is switched on for a measurement. */
import { type Saver, SAVERS } from './result.ts';

export interface Variant {
  readonly id: string;
  readonly on: ReadonlySet<Saver>;
}

export const EVERYTHING: Variant = { id: 'everything', on: new Set(SAVERS) };
export const NOTHING: Variant = { id: 'nothing', on: new Set() };

/** Steps share prompts only where graphs are optimised: fusion comes with the passes, and goes with them. */
export function alone(saver: Saver): Variant {
  return { id: `${saver} alone`, on: new Set(saver === 'fusion' ? ['passes', 'fusion'] : [saver]) };
}

export function without(saver: Saver): Variant {
  const off = saver === 'passes' ? ['passes', 'fusion'] : [saver];
  return { id: `all but ${off.join(' and ')}`, on: new Set(SAVERS.filter((one) => !off.includes(one))) };
}
