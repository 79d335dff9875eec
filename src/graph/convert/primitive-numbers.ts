/** What becomes of a primitive's number on its way into a widget: the page brings it into range and rounds it to the step. */
import type { InputSpec } from '../node-classes.ts';
import type { JsonValue } from '../types.ts';
import { changedValue, type Value } from './value.ts';

type Options = InputSpec['options'];

interface NumberSpec {
  readonly type: 'INT' | 'FLOAT';
  readonly options: Options;
}

/**
 * The number that a primitive shows and sends: within what all of its targets take, as far as their classes agree. Specs in the
 * order of its links; undefined for a target that has none.
 */
export function primitiveNumber(value: Value, specs: readonly (InputSpec | undefined)[]): Value {
  let config = specs[0] === undefined ? undefined : numberSpec(specs[0]);
  let shown = value;
  if (config === undefined) return shown;
  for (const spec of specs) {
    const other = spec === undefined ? undefined : numberSpec(spec);
    const merged: NumberSpec | undefined = other === undefined ? undefined : merge(config, other);
    if (merged === undefined) continue;
    config = merged;
    const { min, max } = merged.options;
    shown = changed(shown, (number) => rounded(clamp(number, numberOr(min, -Infinity), numberOr(max, Infinity)), merged));
  }
  return shown;
}

/** The number as the widget of this input takes it. Texts that are no number (placeholders of a template) stay. */
export function intoWidget(value: Value, spec: InputSpec): Value {
  const target = numberSpec(spec);
  return target === undefined ? value : changed(value, (number) => rounded(number, target));
}

function numberSpec({ type, options }: InputSpec): NumberSpec | undefined {
  return type === 'INT' || type === 'FLOAT' ? { type, options } : undefined;
}

/** Keeps the spelling of the file where the number stays the same, and with it the digits of 64-bit seeds. */
function changed(value: Value, change: (number: number) => number): Value {
  const text = value.kind === 'number' ? value.json : value.text?.trim();
  const number = text === undefined || text === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(number)) return value;
  const result = change(number);
  return result === number && value.kind === 'number' ? value : changedValue(value, Object.is(result, -0) ? 0 : result);
}

/** The page's own rules for INT (a multiple of the step, counted from the minimum) and FLOAT (so many digits, then the range). */
function rounded(value: number, { type, options }: NumberSpec): number {
  if (type === 'INT') {
    const step = numberOr(options['step'], 1) || 1;
    if (step === 1) return Math.round(value);
    const offset = numberOr(options['min'], 0) % step || 0;
    return Math.round((value - offset) / step) * step + offset;
  }
  const precision = digitsOf(numberOr(options['step'], 0.5));
  const own = numberOr(options['round'], 0);
  const round = own === 0 && precision > 0 ? 10 ** -precision : own;
  if (round === 0) return value;
  const near = Number((Math.round(value / round) * round).toFixed(Math.min(precision, 100)));
  return clamp(near, numberOr(options['min'], 0), numberOr(options['max'], 2048));
}

const digitsOf = (step: number): number => Math.max(0, -Math.floor(Math.log10(step))) || 0;

const clamp = (value: number, min: number, max: number): number => Math.min(Math.max(value, min), max);

/** Words for people and what a merged range replaces need not be the same on both sides. */
const FREE = new Set(['default', 'forceInput', 'defaultInput', 'control_after_generate', 'multiline', 'tooltip', 'dynamicPrompts']);
const MERGED = new Set(['min', 'max', 'step']);

/** What both take; undefined when the page would not let one primitive feed both. */
function merge(one: NumberSpec, other: NumberSpec): NumberSpec | undefined {
  if (one.type !== other.type) return undefined;
  const [min, max] = [
    Math.max(numberOr(one.options['min'], -Infinity), numberOr(other.options['min'], -Infinity)),
    Math.min(numberOr(one.options['max'], Infinity), numberOr(other.options['max'], Infinity)),
  ];
  if (min > max) return undefined;
  const keys = new Set([...Object.keys(one.options), ...Object.keys(other.options)]);
  for (const key of keys) {
    const [a, b] = [one.options[key] ?? undefined, other.options[key] ?? undefined];
    if (!FREE.has(key) && !MERGED.has(key) && a !== b) return undefined;
  }
  const step = commonMultiple(numberOr(one.options['step'], 1), numberOr(other.options['step'], 1));
  return { type: one.type, options: { ...one.options, ...other.options, min, max, step } };
}

function commonMultiple(a: number, b: number): number {
  if (a === b) return a;
  let [high, low] = [a, b];
  for (let left = 100; low > 1e-9 && left > 0; left -= 1) [high, low] = [low, high % low];
  return high > 0 ? (a * b) / high : a;
}

const numberOr = (value: JsonValue | undefined, fallback: number): number =>
  typeof value === 'number' || typeof value === 'bigint' ? Number(value) : fallback;
