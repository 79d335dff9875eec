/**
 * Set up for every test file: whatever a daemon of this process answers or tells, in any test, must fit its schema; and the schema must
 * know every member of it, or the types for other languages would not.
 */
import { subscribe } from 'node:diagnostics_channel';
import { createRequire } from 'node:module';
import type { ValidateFunction } from 'ajv';
import { afterEach } from 'vitest';
import { METHODS } from '#protocol/methods/index.ts';
import { NOTIFICATIONS } from '#protocol/notifications.ts';
import type { JsonSchema } from '#protocol/schema.ts';

const compiled = new Map<string, ValidateFunction>();
const misfits = new Set<string>();

subscribe('callsheet:answer', (message) => {
  const { method, result } = message as { readonly method: keyof typeof METHODS; readonly result: unknown };
  hold(`the result of ${method}`, METHODS[method].result.json, result);
});
subscribe('callsheet:notification', (message) => {
  const { name, params } = message as { readonly name: keyof typeof NOTIFICATIONS; readonly params: unknown };
  hold(`the notification ${name}`, NOTIFICATIONS[name].params.json, params);
});

afterEach(() => {
  const found = [...misfits];
  misfits.clear();
  if (found.length > 0) throw new Error(`What was sent does not fit its schema:\n${found.join('\n')}`);
});

// --- helpers ---

function hold(what: string, schema: JsonSchema, value: unknown): void {
  let validate = compiled.get(what);
  if (validate === undefined) {
    // At the first answer only: most test files never start a daemon.
    const { Ajv } = createRequire(import.meta.url)('ajv') as typeof import('ajv');
    validate = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true }).compile(closed(schema));
    compiled.set(what, validate);
  }
  // As it travels: absent and undefined are one there.
  if (validate(JSON.parse(JSON.stringify(value)))) return;
  for (const { instancePath, message, params } of validate.errors ?? []) {
    misfits.add(`${what}${instancePath}: ${message ?? ''} ${JSON.stringify(params)}`);
  }
}

/** The same schema without room for members that it does not name. */
function closed(schema: JsonSchema): JsonSchema {
  const within = Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => {
      if (keyword === 'properties') return [keyword, mapped(value as Readonly<Record<string, JsonSchema>>)];
      if (keyword === 'oneOf') return [keyword, (value as readonly JsonSchema[]).map(closed)];
      if ((keyword === 'items' || keyword === 'additionalProperties') && typeof value === 'object')
        return [keyword, closed(value as JsonSchema)];
      return [keyword, value];
    }),
  );
  const isOpen = schema['properties'] !== undefined && schema['oneOf'] === undefined && schema['additionalProperties'] === undefined;
  return isOpen ? { ...within, additionalProperties: false } : within;
}

function mapped(properties: Readonly<Record<string, JsonSchema>>): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, closed(schema)]));
}
