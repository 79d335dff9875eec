/** What of Callsheet is switched on for a measurement. */
import { type Saver, SAVERS } from './result.ts';

export interface Variant {
  readonly id: string;
  readonly on: ReadonlySet<Saver>;
}

export const EVERYTHING: Variant = { id: 'everything', on: new Set(SAVERS) };
export const NOTHING: Variant = { id: 'nothing', on: new Set() };

export function alone(saver: Saver): Variant {
  return { id: `${saver} alone`, on: new Set([saver]) };
}

export function without(saver: Saver): Variant {
  return { id: `all but ${saver}`, on: new Set(SAVERS.filter((one) => one !== saver)) };
}
