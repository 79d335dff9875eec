// Nobody checks at run time that our own schemas are schemas: it is checked here.
import { Ajv } from 'ajv';
import { expect, it } from 'vitest';
import { METHODS } from '#protocol/methods/index.ts';
import { CLIENT_NOTIFICATIONS, NOTIFICATIONS } from '#protocol/notifications.ts';
import { MANIFEST_SCHEMA } from '#templates/manifest-schema.ts';

const schemas: readonly (readonly [string, object])[] = [
  ...Object.values(METHODS).flatMap(({ name, params, result }) => [
    [`the params of ${name}`, params.json] as const,
    [`the result of ${name}`, result.json] as const,
  ]),
  ...Object.entries({ ...NOTIFICATIONS, ...CLIENT_NOTIFICATIONS }).map(
    ([name, { params }]) => [`the params of ${name}`, params.json] as const,
  ),
  ['the manifest of a template', MANIFEST_SCHEMA],
];

it.each(schemas)('%s are described by a schema that is one', (_, schema) => {
  const ajv = new Ajv({ strict: true, allowUnionTypes: true });
  expect({ valid: ajv.validateSchema(schema), errors: ajv.errors ?? null }).toEqual({ valid: true, errors: null });
  expect(() => ajv.compile(schema)).not.toThrow();
});
