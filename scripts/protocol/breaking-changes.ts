/**
 * What a change of the protocol breaks for clients of before (docs/protocol.md, Versions): pure, over two OpenRPC documents.
 * Params may only take more, results and notifications may only say more, and what was named once stays.
 */
import type { OpenRpcDocument } from '#protocol/openrpc.ts';
import type { JsonSchema } from '#protocol/schema.ts';

/** One sentence for each thing that a client of `before` would trip over; empty where there is none. */
export function breakingChanges(before: OpenRpcDocument, now: OpenRpcDocument): readonly string[] {
  if (now.info['x-protocol'] > before.info['x-protocol']) return [];
  const found: string[] = [];
  compareNamed('method', before.methods, now.methods, found, (was, is) => {
    const where = `method ${was.name}`;
    compareParams(where, was.params, is.params, found);
    if (was.result !== undefined && is.result === undefined) found.push(`${where}: it is not answered any more.`);
    if (was.result !== undefined && is.result !== undefined) {
      compareGiven(`${where}, result`, was.result.schema, is.result.schema, found);
    }
    const scopes = ['read', 'run', 'admin'];
    if (scopes.indexOf(is['x-scope'] ?? 'read') > scopes.indexOf(was['x-scope'] ?? 'read')) {
      found.push(`${where}: it needs the scope ${String(is['x-scope'])}, and ${String(was['x-scope'])} was enough.`);
    }
  });
  compareNamed('notification', before['x-notifications'], now['x-notifications'], found, (was, is) => {
    const given = (one: typeof was): JsonSchema => ({
      type: 'object',
      properties: Object.fromEntries(one.params.map(({ name, schema }) => [name, schema])),
      required: one.params.filter(({ required }) => required === true).map(({ name }) => name),
    });
    compareGiven(`notification ${was.name}`, given(was), given(is), found);
  });
  for (const [code, was] of Object.entries(before.components.errors)) {
    const is = now.components.errors[code];
    if (is === undefined) found.push(`error ${code}: it is gone.`);
    else if (is.code !== was.code) found.push(`error ${code}: its number was ${String(was.code)} and is ${String(is.code)}.`);
  }
  return found;
}

// --- helpers ---

interface Param {
  readonly name: string;
  readonly required?: boolean;
  readonly schema: JsonSchema;
}

function compareNamed<T extends { readonly name: string }>(
  what: string,
  before: readonly T[],
  now: readonly T[],
  found: string[],
  compare: (was: T, is: T) => void,
): void {
  for (const was of before) {
    const is = now.find(({ name }) => name === was.name);
    if (is === undefined) found.push(`${what} ${was.name}: it is gone.`);
    else compare(was, is);
  }
}

function compareParams(where: string, before: readonly Param[], now: readonly Param[], found: string[]): void {
  compareNamed(`${where}: param`, before, now, found, (was, is) => {
    if (is.required === true && was.required !== true) found.push(`${where}: param ${was.name} is required, and was not.`);
    compareTaken(`${where}, param ${was.name}`, was.schema, is.schema, found);
  });
  for (const is of now) {
    if (is.required === true && !before.some(({ name }) => name === is.name)) {
      found.push(`${where}: param ${is.name} is new and required.`);
    }
  }
}

/** Keywords with which a schema takes less the larger (`min`) or smaller (`max`) they are. */
const BOUNDS = [
  ...['minimum', 'minLength', 'minItems', 'minProperties'].map((keyword) => ({ keyword, tighter: (was: number, is: number) => is > was })),
  ...['maximum', 'maxLength', 'maxItems', 'maxProperties'].map((keyword) => ({ keyword, tighter: (was: number, is: number) => is < was })),
];

/** What a client sends: everything that was taken must be taken still. */
function compareTaken(where: string, was: JsonSchema, is: JsonSchema, found: string[]): void {
  compareTypes(where, was, is, found, (a, b) => a.filter((type) => !b.includes(type)));
  compareEnums(where, was, is, found);
  for (const { keyword, tighter } of BOUNDS) {
    const [old, fresh] = [was[keyword], is[keyword]];
    if (typeof fresh === 'number' && (typeof old !== 'number' || tighter(old, fresh))) {
      found.push(
        `${where}: ${keyword} is ${String(fresh)}${typeof old === 'number' ? `, and was ${String(old)}` : ', and there was none'}.`,
      );
    }
  }
  if (is['pattern'] !== undefined && is['pattern'] !== was['pattern']) found.push(`${where}: it has another pattern.`);
  if (is['additionalProperties'] === false && was['additionalProperties'] !== false && was['properties'] !== undefined) {
    found.push(`${where}: unknown members were taken, and are refused.`);
  }
  const [before, now] = [membersOf(was), membersOf(is)];
  compareParams(where, before, now, found);
  into(was, is, (part, a, b) => compareTaken(`${where}${part}`, a, b, found));
}

/** What a client is given: everything that was said must be said still, and in the same form. */
function compareGiven(where: string, was: JsonSchema, is: JsonSchema, found: string[]): void {
  compareTypes(where, was, is, found, (a, b) => b.filter((type) => !a.includes(type)));
  compareEnums(where, was, is, found);
  const now = membersOf(is);
  for (const old of membersOf(was)) {
    const fresh = now.find(({ name }) => name === old.name);
    if (fresh === undefined) found.push(`${where}: the member ${old.name} is gone.`);
    else if (old.required === true && fresh.required !== true) found.push(`${where}: the member ${old.name} may be absent, and never was.`);
    if (fresh !== undefined) compareGiven(`${where}, ${old.name}`, old.schema, fresh.schema, found);
  }
  into(was, is, (part, a, b) => compareGiven(`${where}${part}`, a, b, found));
}

function compareTypes(
  where: string,
  was: JsonSchema,
  is: JsonSchema,
  found: string[],
  lost: (was: readonly string[], is: readonly string[]) => readonly string[],
): void {
  const [before, now] = [typesOf(was), typesOf(is)];
  if (before.length === 0 && now.length === 0) return;
  const isLost = before.length === 0 || now.length === 0 ? before.join() !== now.join() : lost(before, now).length > 0;
  if (isLost) found.push(`${where}: it was of type ${before.join(' or ') || 'any'} and is of type ${now.join(' or ') || 'any'}.`);
}

/** An integer is a number, so that whoever takes numbers takes it. */
function typesOf({ type }: JsonSchema): readonly string[] {
  const types = Array.isArray(type) ? type.map(String) : typeof type === 'string' ? [type] : [];
  return types.includes('number') ? [...types, 'integer'] : types;
}

function compareEnums(where: string, was: JsonSchema, is: JsonSchema, found: string[]): void {
  const now = is['enum'];
  const before = was['enum'];
  if (!Array.isArray(before)) {
    if (Array.isArray(now)) found.push(`${where}: it is one of ${now.join(', ')}, and could be anything.`);
    return;
  }
  if (!Array.isArray(now)) return;
  for (const value of before) if (!now.includes(value)) found.push(`${where}: the value ${String(value)} is gone.`);
}

function membersOf({ properties = {}, required = [] }: JsonSchema): readonly Param[] {
  return Object.entries(properties as Readonly<Record<string, JsonSchema>>).map(([name, schema]) => ({
    name,
    required: (required as readonly string[]).includes(name),
    schema,
  }));
}

/** Items of lists, values of maps, and variants by their tag. */
function into(was: JsonSchema, is: JsonSchema, compare: (part: string, was: JsonSchema, is: JsonSchema) => void): void {
  for (const [keyword, part] of [
    ['items', '[]'],
    ['additionalProperties', '{}'],
  ] as const) {
    const [a, b] = [was[keyword], is[keyword]];
    if (isSchema(a) && isSchema(b)) compare(part, a, b);
  }
  const variants = (one: JsonSchema) =>
    new Map(((one['oneOf'] ?? []) as readonly JsonSchema[]).map((variant) => [tagOf(variant), variant]));
  const now = variants(is);
  for (const [tag, variant] of variants(was)) {
    // A variant that is gone is told as a value of `type` that is gone.
    const fresh = now.get(tag);
    if (fresh !== undefined) compare(` ${tag}`, variant, fresh);
  }
}

function tagOf({ properties }: JsonSchema): string {
  return String((properties as { readonly type?: { readonly const?: unknown } } | undefined)?.type?.const);
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
