/** One parameter as JSON Schema of our own subset: what ajv checks and what clients draw forms from. */
import { type ParameterDefinition, type ParameterType, type Widget, WIDGETS } from './types.ts';

export const SEED_MAXIMUM = 2n ** 64n - 1n;
const INTEGER_MINIMUM = -(2n ** 63n);
export const DEFAULT_MAX_ITEMS = 1000;
const STRING_LENGTH = 10_000;
const TEXT_LENGTH = 1_000_000;
const PATH_LENGTH = 4096;

/** Exact bounds of a whole number as decimal strings: JSON numbers cannot hold them all. */
export interface IntegerBounds {
  readonly minimum: string;
  readonly maximum: string;
  readonly multipleOf?: string;
}

/** What a form needs beyond JSON Schema. */
export interface ParameterHints {
  readonly type: ParameterType;
  readonly of?: ParameterType;
  /** Kind of control: always there. */
  readonly widget: Widget;
  /** Place in the form, from 0: always there. */
  readonly order: number;
  /** A value must be given as soon as the parameter is shown. */
  readonly required: boolean;
  readonly group?: string;
  readonly advanced?: boolean;
  readonly blender?: string;
  readonly folder?: string;
  /** Names may carry strengths: `name:0.8`, `name:0.8:0.5`. */
  readonly weighted?: boolean;
  readonly extensions?: readonly string[];
  readonly alpha?: boolean;
  /** Titles of choices, in the order of `enum`. */
  readonly labels?: readonly string[];
  /** CEL condition over `params`. */
  readonly visible?: string;
  /** Not shown with the values that were asked about. */
  readonly hidden?: boolean;
  /** Increment of the control; no rule. */
  readonly step?: number;
  readonly unit?: string;
  /** Of a model: what the backend has, when one was asked. Other names are taken as well. */
  readonly available?: readonly string[];
}

/** No `$ref`, no combinators, no remote anything. Integers are numbers or, beyond ±(2^53−1), decimal strings. */
export interface ParameterSchema {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly (string | number | null)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly items?: ParameterSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly 'x-integer'?: IntegerBounds;
  readonly 'x-callsheet'?: ParameterHints;
}

export interface ParametersSchema {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, ParameterSchema>>;
  readonly required: readonly string[];
  readonly additionalProperties: false;
}

/** What is known about one parameter beyond its definition. */
export interface FormFacts {
  readonly hidden?: boolean;
  readonly available?: readonly string[];
}

/** The schema of all parameters of a template, in the order of the form. What may be hidden is not under `required`. */
export function parameterSchema(
  template: { readonly parameters: ReadonlyMap<string, ParameterDefinition> },
  facts: ReadonlyMap<string, FormFacts> = new Map(),
): ParametersSchema {
  const properties: [string, ParameterSchema][] = [];
  const required: string[] = [];
  const place = ({ order = Infinity }: ParameterDefinition): number => order;
  // Infinity less Infinity is no number, and stands for "as written".
  const inOrder = [...template.parameters].toSorted(([, a], [, b]) => place(a) - place(b) || 0);
  for (const [order, [name, definition]] of inOrder.entries()) {
    properties.push([name, withHints(definition, order, facts.get(name) ?? {})]);
    if (isRequired(definition) && definition.visible === undefined) required.push(name);
  }
  return { type: 'object', properties: Object.fromEntries(properties), required, additionalProperties: false };
}

/** A value must be given: asked for, or nothing else could be used. Seeds are drawn. */
export function isRequired(definition: ParameterDefinition): boolean {
  if (definition.required === true) return true;
  return definition.default === undefined && definition.type !== 'seed';
}

/** null is a value of this parameter. */
export function isOptional(definition: ParameterDefinition): boolean {
  return definition.default === null;
}

export function choiceValues(definition: ParameterDefinition): readonly (string | number)[] {
  return (definition.choices ?? []).map((choice) => (typeof choice === 'object' ? choice.value : choice));
}

function withHints(definition: ParameterDefinition, order: number, { hidden, available }: FormFacts): ParameterSchema {
  const { title, description, group, advanced, blender, folder, weighted, extensions, alpha, of, visible, step, unit } = definition;
  const labels = definition.choices?.map((choice) =>
    typeof choice === 'object' ? (choice.title ?? String(choice.value)) : String(choice),
  );
  const hints: ParameterHints = {
    type: definition.type,
    ...(of === undefined ? {} : { of }),
    widget: definition.widget ?? WIDGETS[definition.type][0],
    order,
    required: isRequired(definition),
    ...(group === undefined ? {} : { group }),
    ...(advanced === undefined ? {} : { advanced }),
    ...(blender === undefined ? {} : { blender }),
    ...(folder === undefined ? {} : { folder }),
    ...(weighted === undefined ? {} : { weighted }),
    ...(extensions === undefined ? {} : { extensions }),
    ...(alpha === undefined ? {} : { alpha }),
    ...(labels === undefined ? {} : { labels }),
    ...(visible === undefined ? {} : { visible }),
    ...(hidden === undefined ? {} : { hidden }),
    ...(step === undefined ? {} : { step }),
    ...(unit === undefined ? {} : { unit }),
    ...(available === undefined ? {} : { available }),
  };
  return {
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    ...(definition.default === undefined ? {} : { default: wireForm(definition.default) }),
    ...valueSchema(definition),
    'x-callsheet': hints,
  };
}

/** The part that decides about values. */
export function valueSchema(definition: ParameterDefinition): ParameterSchema {
  const schema = schemaOf(definition, definition.type);
  if (!isOptional(definition)) return schema;
  return {
    ...schema,
    ...(schema.type === undefined ? {} : { type: [schema.type, 'null'].flat() }),
    ...(schema.enum === undefined ? {} : { enum: [...schema.enum, null] }),
  };
}

function schemaOf(definition: ParameterDefinition, type: ParameterType): ParameterSchema {
  const { minLength, pattern } = definition;
  switch (type) {
    case 'string':
    case 'text':
      return {
        type: 'string',
        ...(minLength === undefined ? {} : { minLength }),
        maxLength: definition.maxLength ?? (type === 'string' ? STRING_LENGTH : TEXT_LENGTH),
        ...(pattern === undefined ? {} : { pattern }),
      };
    case 'integer':
      return integerSchema(definition, INTEGER_MINIMUM);
    case 'seed':
      return integerSchema(definition, 0n);
    case 'number':
      return { type: 'number', ...numberBounds(definition) };
    case 'boolean':
      return { type: 'boolean' };
    case 'choice':
      return { enum: choiceValues(definition) };
    case 'color':
      return { type: 'string', pattern: definition.alpha === true ? '^#[0-9a-f]{8}$' : '^#[0-9a-f]{6}$' };
    case 'vector': {
      const size = definition.size ?? 3;
      return { type: 'array', items: { type: 'number', ...numberBounds(definition) }, minItems: size, maxItems: size };
    }
    case 'list':
      return {
        type: 'array',
        items: schemaOf(definition, definition.of ?? 'string'),
        minItems: definition.minItems ?? 0,
        maxItems: definition.maxItems ?? DEFAULT_MAX_ITEMS,
      };
    default:
      return { type: 'string', minLength: 1, maxLength: PATH_LENGTH };
  }
}

function integerSchema(definition: ParameterDefinition, least: bigint): ParameterSchema {
  const minimum = definition.minimum === undefined ? least : bigCeil(definition.minimum);
  const maximum = definition.maximum === undefined ? SEED_MAXIMUM : bigFloor(definition.maximum);
  const { multipleOf } = definition;
  return {
    type: ['integer', 'string'],
    pattern: '^-?[0-9]{1,20}$',
    ...(isSafe(minimum) ? { minimum: Number(minimum) } : {}),
    ...(isSafe(maximum) ? { maximum: Number(maximum) } : {}),
    ...(multipleOf === undefined ? {} : { multipleOf: Number(multipleOf) }),
    'x-integer': {
      minimum: String(minimum),
      maximum: String(maximum),
      ...(Number.isSafeInteger(multipleOf) ? { multipleOf: String(multipleOf) } : {}),
    },
  };
}

function numberBounds({ minimum, maximum, multipleOf }: ParameterDefinition): ParameterSchema {
  return {
    ...(minimum === undefined ? {} : { minimum: Number(minimum) }),
    ...(maximum === undefined ? {} : { maximum: Number(maximum) }),
    ...(multipleOf === undefined ? {} : { multipleOf: Number(multipleOf) }),
  };
}

const isSafe = (value: bigint): boolean => value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
const bigCeil = (value: number | bigint): bigint => (typeof value === 'bigint' ? value : BigInt(Math.ceil(value)));
const bigFloor = (value: number | bigint): bigint => (typeof value === 'bigint' ? value : BigInt(Math.floor(value)));

/** Integers beyond ±(2^53−1) as decimal strings, as they travel and are stored. */
export function wireForm(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return value.map((item: unknown) => wireForm(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, wireForm(item)]));
}
