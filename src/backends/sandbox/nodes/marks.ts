/** Notes of what would change a picture, for drafts: nothing of it is computed, and yet another setting must give another draft. */
import { createHash } from 'node:crypto';
import type { ConditioningValue, ImageValue, LatentValue, MaskValue, ModelValue, NamedValue, SlotValue } from '../values.ts';
import { asText } from './primitive.ts';
import type { Inputs } from './inputs.ts';

type Markable = ModelValue | ConditioningValue | LatentValue;

export function marked<V extends Markable>(value: V, mark: string): V {
  return { ...value, marks: [...(value.marks ?? []), mark] };
}

/** A text encoder that something was done to. */
export function renamed(value: NamedValue, what: string): NamedValue {
  return { ...value, name: `${value.name}, ${what}` };
}

/** Class and settings in one line: constants as text, pictures by what is on them. */
export function describe(name: string, inputs: Inputs, settings: readonly string[]): string {
  return [name, ...settings.map((setting) => word(inputs.raw(setting)))].join(' ');
}

function word(value: SlotValue | undefined): string {
  if (typeof value !== 'object' || value === null) return asText(value);
  if (value.kind === 'image' || value.kind === 'mask') return digest(value);
  return value.kind === 'named' ? value.name : JSON.stringify(value);
}

function digest({ frames }: ImageValue | MaskValue): string {
  const hash = createHash('sha256');
  for (const { width, height, data } of frames) {
    hash.update(`${width}x${height}`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex').slice(0, 16);
}
