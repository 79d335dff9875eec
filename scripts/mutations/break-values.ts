/** Breaks 29 to 43 of docs/checking.md: values. */
import { constantOf, isAmong } from '#graph/input-values.ts';
import type { JsonValue } from '#graph/types.ts';
import type { Break } from './break-nodes.ts';
import { edited, type Place, withInput } from './target.ts';

const MODEL_FILE = /\.(?:safetensors|ckpt|pth?|bin|sft|gguf|onnx)$/i;

const value =
  (fits: (place: Place) => boolean, change: (given: JsonValue, place: Place) => JsonValue | undefined): Break =>
  (target, random) => {
    const place = random.pick(target.values.filter(fits));
    if (place === undefined) return undefined;
    const made = change(constantOf(place.given.value), place);
    return made === undefined ? undefined : withInput(target, place, made);
  };

/** A combo with a known list that holds what the graph has. */
function isChoice({ spec, given }: Place): boolean {
  return spec.type === 'COMBO' && spec.choices !== undefined && isAmong(constantOf(given.value), spec.choices);
}

const isModel = (place: Place): boolean =>
  isChoice(place) && place.given.value.kind === 'string' && MODEL_FILE.test(place.given.value.value);
const isOption = (place: Place): boolean => isChoice(place) && !isModel(place);
const isNumber = ({ spec }: Place): boolean => spec.type === 'INT' || spec.type === 'FLOAT';
const isWhole = ({ spec }: Place): boolean => spec.type === 'INT';

const otherwise =
  (change: (text: string) => JsonValue) =>
  (given: JsonValue, { spec }: Place): JsonValue | undefined => {
    const made = typeof given === 'string' && given !== '' ? change(given) : undefined;
    return made === undefined || isAmong(made, spec.choices ?? []) ? undefined : made;
  };

function otherCase(text: string): string {
  return text === text.toLowerCase() ? text.toUpperCase() : text.toLowerCase();
}

/** One past a bound; undefined for bounds that nothing is past. */
function past(bound: JsonValue | undefined, step: 1 | -1): JsonValue | undefined {
  if (typeof bound === 'bigint') return bound + BigInt(step);
  if (typeof bound !== 'number' || !Number.isFinite(bound)) return undefined;
  return Number.isSafeInteger(bound + step) || bound + step !== bound ? bound + step : bound * 2;
}

export const VALUE_BREAKS: Readonly<Record<number, Break>> = {
  29: (target, random) => {
    const place = random.pick(target.values.filter(({ spec }) => spec.required));
    return place === undefined ? undefined : withInput(target, place, undefined);
  },
  30: (target, random) => {
    const place = random.pick([...target.values, ...target.links].filter(({ spec }) => spec.required));
    if (place === undefined) return undefined;
    const text = edited(target, (nodes) => {
      const inputs = nodes[place.id]?.inputs;
      const given = inputs?.[place.input];
      if (inputs === undefined || given === undefined) return;
      delete inputs[place.input];
      inputs[`${place.input}s`] = given;
    });
    return { where: `${place.id}.${place.input}s`, text };
  },
  31: value(
    isOption,
    otherwise((text) => `${text.slice(0, 2)}q${text.slice(2)}`),
  ),
  32: value(isOption, otherwise(otherCase)),
  33: value(isOption, (_given, { spec }) => (isAmong(987654, spec.choices ?? []) ? undefined : 987654)),
  34: value(isOption, () => null),
  35: value(isModel, (given) => (typeof given === 'string' ? `missing-${given}` : undefined)),
  36: value(isNumber, (_given, { spec }) => past(spec.options['max'], 1)),
  37: value(isNumber, (_given, { spec }) => past(spec.options['min'], -1)),
  38: value(isNumber, () => 'many'),
  39: value(isNumber, () => null),
  40: value(isNumber, () => ({ value: 1 })),
  41: value(isWhole, () => '1.5'),
  42: value(isWhole, () => Number.NaN),
  43: value(
    ({ spec }) => spec.required,
    () => [512, 512],
  ),
};
