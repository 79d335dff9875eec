import { readFileSync } from 'node:fs';
import { default as metaSchema } from '@open-rpc/meta-schema';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { createBrowserRoutes } from '#daemon/browser/routes.ts';
import { metricsRoute } from '#daemon/metrics/route.ts';
import { createRoutes } from '#daemon/routes.ts';
import { VERSION } from '#daemon/version.ts';
import { ERRORS } from '#protocol/errors.ts';
import { METHODS } from '#protocol/methods/index.ts';
import { CLIENT_NOTIFICATIONS, NOTIFICATIONS } from '#protocol/notifications.ts';
import { type OpenRpcDocument, openRpcDocument } from '#protocol/openrpc.ts';
import { ROUTES } from '#protocol/routes.ts';
import type { ObjectSchema } from '#protocol/schema.ts';
import { breakingChanges } from '../../scripts/protocol/breaking-changes.ts';
import { pageWithTables } from '../../scripts/protocol/page.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = read('docs/protocol.md');

describe('docs/protocol.md', () => {
  it('has the tables of methods, notifications, events and routes as the code has them', () => {
    expect(pageWithTables(page)).toBe(page);
  });

  it('names every method, notification and event type', () => {
    const types = (NOTIFICATIONS.event.params.json as ObjectSchema).properties?.['event']?.['properties'] as { type: { enum: string[] } };
    for (const name of [...Object.keys(METHODS), ...Object.keys(NOTIFICATIONS), ...types.type.enum])
      expect(page).toContain(`| \`${name}\` |`);
  });

  it('has every route that the daemon serves, with its scope, and no other', () => {
    const routes = [
      ...createRoutes({} as Parameters<typeof createRoutes>[0]),
      ...createBrowserRoutes({} as Parameters<typeof createBrowserRoutes>[0]),
      metricsRoute({} as Parameters<typeof metricsRoute>[0]),
    ];
    const told = ROUTES.map(({ route, scope }) => {
      const [method = '', path = ''] = route.split(' ');
      // Ids of both kinds are made of these.
      const target = path.replaceAll(/\{\w+\}/g, 'a'.repeat(64));
      return { route, scope, served: routes.filter((one) => one.method === method && one.scope === scope && one.path.test(target)).length };
    });
    expect(told.filter(({ served }) => served !== 1)).toEqual([]);
    expect(told).toHaveLength(routes.length);
  });
});

describe('the OpenRPC document', () => {
  it('has every method with its params, scope and errors, and survives JSON', () => {
    const document = JSON.parse(JSON.stringify(openRpcDocument('0.1.0')));
    expect(document).toMatchObject({ openrpc: '1.3.2', info: { version: '0.1.0' } });
    const names = document.methods.map(({ name }: { name: string }) => name);
    expect(names).toEqual([...Object.keys(METHODS), ...Object.keys(CLIENT_NOTIFICATIONS)]);
    const start = document.methods.find(({ name }: { name: string }) => name === 'run/start');
    expect(start).toMatchObject({ 'x-scope': 'run', 'x-mutation': true, paramStructure: 'by-name' });
    expect(start.params.map(({ name, required }: { name: string; required: boolean }) => [name, required])).toEqual([
      ['template', true],
      ['version', false],
      ['parameters', false],
      ['backend', false],
      ['priority', false],
      ['optimize', false],
      ['cache', false],
      ['embed', false],
      ['requestKey', false],
    ]);
  });

  it('keeps to the subset: no references, and no combinators but for the types of events and of inspection messages', () => {
    const { methods, 'x-notifications': notices } = openRpcDocument('0');
    const combined = [...methods, ...notices].flatMap((one) =>
      [...JSON.stringify(one).matchAll(/"(\$ref|allOf|anyOf|oneOf|not|if|\$data)":/g)].map(([, key]) => `${one.name} ${key ?? ''}`),
    );
    expect(combined).toEqual(['event/list oneOf', 'event oneOf', 'inspect oneOf']);
  });

  it('has every notification of the daemon, and every error code', () => {
    const { components, 'x-notifications': notices } = openRpcDocument('0');
    expect(notices.map(({ name }) => name)).toEqual(Object.keys(NOTIFICATIONS));
    expect(Object.keys(components.errors)).toEqual(Object.keys(ERRORS));
  });

  it('is an OpenRPC document by the schema of OpenRPC', () => {
    // It asks for JSON Schema at an address of its own; ours are of draft 7, which ajv has.
    const text = JSON.stringify(metaSchema)
      .replaceAll('{"$ref":"https://meta.json-schema.tools"}', '{"$ref":"http://json-schema.org/draft-07/schema#"}')
      .replaceAll('{"$ref":"https://meta.json-schema.tools/#/definitions/JSONSchemaObject/properties/$ref"}', '{"type":"string"}');
    const { $schema: _, ...meta } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
    const validate = ajv.compile(meta);
    const document = JSON.parse(read('docs/openrpc.json')) as OpenRpcDocument;
    expect([validate(document), validate.errors]).toEqual([true, null]);
    expect(validate({ ...document, methods: [{ name: 'x' }] })).toBe(false);
  });

  it('is the one that stands in docs/openrpc.json', () => {
    expect(`${JSON.stringify(openRpcDocument(VERSION), undefined, 1)}\n`).toBe(read('docs/openrpc.json'));
  });

  it('takes nothing away from clients of before', () => {
    expect(breakingChanges(JSON.parse(read('docs/openrpc.json')) as OpenRpcDocument, openRpcDocument(VERSION))).toEqual([]);
  });

  it('gives every mutation a requestKey', () => {
    for (const { name, mutation, params } of Object.values(METHODS)) {
      expect([name, 'requestKey' in ((params.json['properties'] as object | undefined) ?? {})]).toEqual([name, mutation]);
    }
  });
});
