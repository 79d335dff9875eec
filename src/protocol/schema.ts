/** Builds JSON schemas and their TypeScript types in one go: our own subset, without `$ref`, and without combinators in what is sent to us (docs/protocol.md). */

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A JSON schema together with the type of the values that fit it. `optional` says whether an object may lack the member. */
export interface Schema<T, Optional extends boolean = boolean> {
  readonly json: JsonSchema;
  readonly optional: Optional;
  /** Never set: carries the type only. */
  readonly type?: T;
}

export type Infer<S> = S extends Schema<infer T> ? T : never;

type Members = Readonly<Record<string, Schema<unknown>>>;
type Flat<T> = { [K in keyof T]: T[K] };
type Shape<M extends Members> = Flat<
  { readonly [K in keyof M as M[K] extends Schema<unknown, true> ? never : K]: Infer<M[K]> } & {
    readonly [K in keyof M as M[K] extends Schema<unknown, true> ? K : never]?: Infer<M[K]>;
  }
>;

export const string = (rules: JsonSchema = {}): Schema<string, false> => make({ type: 'string', ...rules });
export const integer = (rules: JsonSchema = {}): Schema<number, false> => make({ type: 'integer', ...rules });
export const number = (rules: JsonSchema = {}): Schema<number, false> => make({ type: 'number', ...rules });
export const boolean = (): Schema<boolean, false> => make({ type: 'boolean' });
/** A string or an integer. */
export const stringOrInteger = (): Schema<string | number, false> => make({ type: ['string', 'integer'] });
/** Any JSON value. */
export const nothing = (): Schema<null, false> => make({ type: 'null' });
export const json = (): Schema<unknown, false> => make({});

export const oneOf = <const T extends readonly string[]>(values: T): Schema<T[number], false> => make({ type: 'string', enum: values });

export const array = <T>(items: Schema<T>, rules: JsonSchema = {}): Schema<readonly T[], false> =>
  make({ type: 'array', items: items.json, ...rules });

/** Exactly two. */
export const pair = <T>(items: Schema<T>): Schema<readonly [T, T], false> =>
  make({ type: 'array', items: items.json, minItems: 2, maxItems: 2 });

export const record = <T>(values: Schema<T>, rules: JsonSchema = {}): Schema<Readonly<Record<string, T>>, false> =>
  make({ type: 'object', additionalProperties: values.json, ...rules });

/** Lets members through that it does not name: for results, where clients ignore what they do not know. */
export const object = <M extends Members>(members: M): Schema<Shape<M>, false> => make(describeMembers(members));

/** Refuses members that it does not name: for params. */
export const closed = <M extends Members>(members: M): Schema<Shape<M>, false> =>
  make({ ...describeMembers(members), additionalProperties: false });

/** Objects told apart by their member `type`: one schema for each of its values. The one combinator that we use, and in notifications alone. */
export const tagged = <T extends { readonly type: string }>(variants: {
  readonly [K in T['type']]: Schema<Omit<Extract<T, { readonly type: K }>, 'type'>>;
}): Schema<T, false> => {
  const all = Object.entries<Schema<unknown>>(variants);
  return make({
    type: 'object',
    properties: { type: { type: 'string', enum: all.map(([tag]) => tag) } },
    required: ['type'],
    oneOf: all.map(([tag, { json: variant }]) => {
      const { properties = {}, required = [] } = variant as ObjectSchema;
      return { type: 'object', properties: { type: { const: tag }, ...properties }, required: ['type', ...required] };
    }),
  });
};

/** What a schema of `object` and `closed` looks like to those who read it. */
export interface ObjectSchema extends JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

export const optional = <T>(schema: Schema<T>): Schema<T, true> => ({ json: schema.json, optional: true });

export const described = <T, O extends boolean>(schema: Schema<T, O>, description: string): Schema<T, O> => ({
  json: { ...schema.json, description },
  optional: schema.optional,
});

// --- helpers ---

function make<T>(schema: JsonSchema): Schema<T, false> {
  return { json: schema, optional: false };
}

function describeMembers(members: Members): JsonSchema {
  const required = Object.keys(members).filter((name) => members[name]?.optional === false);
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(members).map(([name, schema]) => [name, schema.json])),
    ...(required.length === 0 ? {} : { required }),
  };
}
