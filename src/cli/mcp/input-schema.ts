/** The parameters of a template as the input schema of a tool: plain JSON Schema that every client and model takes. */
import type { JsonSchema } from '#protocol/schema.ts';
import type { ParameterHints, ParameterSchema, ParametersSchema } from '#templates/parameter-schema.ts';
import { MEDIA_TYPES } from '#templates/types.ts';

const MEDIA: ReadonlySet<unknown> = new Set(MEDIA_TYPES);

/** As `template/get` gives it → `{type: 'object', properties, required, additionalProperties: false}`. */
export function inputSchema({ properties, required }: ParametersSchema): JsonSchema & { readonly properties: JsonSchema } {
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, property(schema)])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

// --- helpers ---

function property(schema: ParameterSchema): JsonSchema {
  const hints = schema['x-callsheet'];
  const description = describe(schema, hints);
  const fallback = schema.default ?? undefined;
  return {
    ...(schema.title === undefined ? {} : { title: schema.title }),
    ...(description === '' ? {} : { description }),
    ...value(schema, hints?.type === 'list' ? hints.of : hints?.type),
    ...(fallback === undefined ? {} : { default: fallback }),
  };
}

/**
 * The rules for one value. null is left out everywhere: a parameter that takes it takes its absence alike. Patterns of templates are
 * words in the description: their syntax is RE2's, and a client that compiles another one would refuse the whole list.
 */
function value(schema: ParameterSchema, kind: ParameterHints['type'] | undefined): JsonSchema {
  const bounds = keep(schema, ['minimum', 'maximum', 'multipleOf', 'minLength', 'maxLength', 'minItems', 'maxItems']);
  if (schema.enum !== undefined) {
    const values = schema.enum.filter((each) => each !== null);
    const kinds = [...new Set(values.map((each) => typeof each))];
    return { ...(kinds.length === 1 ? { type: kinds[0] } : {}), enum: values };
  }
  if (schema['x-integer'] !== undefined) return integer(schema, keep(schema, ['minimum', 'maximum', 'multipleOf']));
  const type = [schema.type ?? []].flat().find((each) => each !== 'null');
  return {
    ...(type === undefined ? {} : { type }),
    ...bounds,
    ...(kind === 'color' && schema.pattern !== undefined ? { pattern: schema.pattern } : {}),
    ...(schema.items === undefined ? {} : { items: value(schema.items, kind) }),
  };
}

/** JSON numbers of most clients end at 2^53: where a value can lie beyond, its digits are taken too. */
function integer(schema: ParameterSchema, bounds: JsonSchema): JsonSchema {
  const within = schema.minimum !== undefined && schema.maximum !== undefined;
  if (within) return { type: 'integer', ...bounds };
  return {
    anyOf: [
      { type: 'integer', ...bounds },
      { type: 'string', pattern: '^-?[0-9]{1,20}$' },
    ],
  };
}

function keep(schema: ParameterSchema, names: readonly (keyof ParameterSchema)[]): JsonSchema {
  return Object.fromEntries(names.flatMap((name) => (schema[name] === undefined ? [] : [[name, schema[name]]])));
}

function describe(schema: ParameterSchema, hints: Partial<ParameterHints> = {}): string {
  const { type, of, unit, folder, labels, visible, extensions, weighted } = hints;
  const kind = type === 'list' ? of : type;
  const titles = labels?.map((label, index) => [String(schema.enum?.[index]), label] as const).filter(([each, label]) => each !== label);
  return [
    schema.description,
    unit === undefined ? undefined : `In ${unit}.`,
    MEDIA.has(kind)
      ? `${kind === 'file' ? 'File' : `File (${kind ?? ''})`}: absolute path below an approved root, asset:ID, or callsheet://artifact/ID of an earlier result.`
      : undefined,
    extensions === undefined ? undefined : `Ends in ${extensions.join(', ')}.`,
    kind === 'seed' ? 'Drawn when absent; the same seed gives the same result.' : undefined,
    kind === 'color' ? 'Hexadecimal, lower case.' : undefined,
    kind === 'directory' ? 'Absolute path of a folder below an approved root.' : undefined,
    kind === 'model'
      ? `Name of a model${folder === undefined ? '' : ` of the folder ${folder}`}${weighted === true ? ', with strengths behind colons (name:0.8)' : ''}; describe_template with a backend lists them.`
      : undefined,
    titles === undefined || titles.length === 0 ? undefined : `${titles.map(([each, label]) => `${each}: ${label}`).join('; ')}.`,
    schema.pattern !== undefined && (kind === 'string' || kind === 'text') ? `Must match ${schema.pattern}` : undefined,
    visible === undefined ? undefined : `Only used when ${visible}.`,
  ]
    .filter((text) => text !== undefined)
    .join(' ');
}
