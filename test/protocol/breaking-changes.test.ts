import { describe, expect, it } from 'vitest';
import { type OpenRpcDocument, openRpcDocument } from '#protocol/openrpc.ts';
import { breakingChanges } from '../../scripts/protocol/breaking-changes.ts';

type Json = { [name: string]: Json } & Json[];

/** Today's document after a change, and what the gate says of it. */
function after(change: (document: Json) => void): readonly string[] {
  const changed = JSON.parse(JSON.stringify(openRpcDocument('1'))) as Json;
  change(changed);
  return breakingChanges(openRpcDocument('1'), changed as unknown as OpenRpcDocument);
}
const method = (document: Json, name: string): Json => document['methods']?.find((one) => String(one['name']) === name) as Json;
const param = (document: Json, of: string, name: string): Json =>
  method(document, of)['params']?.find((one) => String(one['name']) === name) as Json;
const result = (document: Json, of: string): Json => method(document, of)['result']?.['schema'] as Json;
const notice = (document: Json, name: string): Json => document['x-notifications']?.find((one) => String(one['name']) === name) as Json;
const json = (value: unknown): Json => value as Json;

describe('a change of the protocol breaks clients of before', () => {
  it.each<[string, (document: Json) => void, string]>([
    ['a method is gone', (d) => void d['methods']?.splice(1, 1), 'method ping: it is gone.'],
    [
      'a method needs more of a key',
      (d) => void (method(d, 'run/get')['x-scope'] = json('admin')),
      'method run/get: it needs the scope admin, and read was enough.',
    ],
    ['a param is gone', (d) => void method(d, 'run/get')['params']?.pop(), 'method run/get: param runId: it is gone.'],
    [
      'a new param is required',
      (d) => void method(d, 'ping')['params']?.push(json({ name: 'why', required: true, schema: {} })),
      'method ping: param why is new and required.',
    ],
    [
      'a param becomes required',
      (d) => void (param(d, 'run/list', 'limit')['required'] = json(true)),
      'method run/list: param limit is required, and was not.',
    ],
    [
      'a param takes less',
      (d) => void (param(d, 'run/list', 'limit')['schema'] = json({ type: 'integer', minimum: 1, maximum: 10 })),
      'method run/list, param limit: maximum is 10, and was 1000.',
    ],
    [
      'a param gets a bound',
      (d) => void (param(d, 'run/start', 'parameters')['schema'] = json({ type: 'object', additionalProperties: {}, maxProperties: 1 })),
      'method run/start, param parameters: maxProperties is 1, and there was none.',
    ],
    [
      'a param is of another type',
      (d) => void (param(d, 'run/get', 'runId')['schema'] = json({ type: 'integer' })),
      'method run/get, param runId: it was of type string and is of type integer.',
    ],
    [
      'a value of a param is gone',
      (d) => void (param(d, 'run/export', 'as')['schema'] = json({ type: 'string', enum: ['bundle'] })),
      'method run/export, param as: the value template is gone.',
    ],
    [
      'a member of a param is new and required',
      (d) => {
        const since = param(d, 'event/subscribe', 'since')['schema'] as Json;
        (since['properties'] as Json)['why'] = json({ type: 'string' });
        since['required']?.push(json('why'));
      },
      'method event/subscribe, param since: param why is new and required.',
    ],
    [
      'a member of a result is gone',
      (d) => void delete (result(d, 'backend/list')['properties']?.['backends']?.['items']?.['properties'] as Json)['status'],
      'method backend/list, result, backends[]: the member status is gone.',
    ],
    [
      'a member of a result may be absent',
      (d) => void (result(d, 'backend/list')['required'] = json([])),
      'method backend/list, result: the member backends may be absent, and never was.',
    ],
    [
      'a result is of another type',
      (d) => void ((result(d, 'daemon/status')['properties'] as Json)['pid'] = json({ type: 'number' })),
      'method daemon/status, result, pid: it was of type integer and is of type number or integer.',
    ],
    [
      'a value of a result is gone',
      (d) => void (result(d, 'run/cancel')['properties']?.['status']?.['enum'] as Json).splice(0, 1),
      'method run/cancel, result, status: the value queued is gone.',
    ],
    ['a notification is gone', (d) => void d['x-notifications']?.splice(0, 1), 'notification challenge: it is gone.'],
    [
      'a type of event is gone',
      (d) => {
        const event = notice(d, 'event')['params']?.find((one) => String(one['name']) === 'event')?.['schema'] as Json;
        (event['properties']?.['type']?.['enum'] as Json).splice(0, 1);
        (event['oneOf'] as Json).splice(0, 1);
      },
      'notification event, event, type: the value run.created is gone.',
    ],
    [
      'a member of an event is gone',
      (d) => {
        const event = notice(d, 'event')['params']?.find((one) => String(one['name']) === 'event')?.['schema'] as Json;
        delete (event['oneOf']?.[0]?.['properties'] as Json)['template'];
      },
      'notification event, event run.created: the member template is gone.',
    ],
    [
      'an error code is gone',
      (d) => void delete (d['components']?.['errors'] as Json)['RUN_NOT_FOUND'],
      'error RUN_NOT_FOUND: it is gone.',
    ],
    [
      'an error code has another number',
      (d) => void ((d['components']?.['errors']?.['RUN_NOT_FOUND'] as Json)['code'] = json(-1)),
      'error RUN_NOT_FOUND: its number was -32000 and is -1.',
    ],
  ])('when %s', (_what, change, sentence) => {
    expect(after(change)).toEqual([sentence]);
  });
});

describe('a change of the protocol breaks nobody', () => {
  it.each<[string, (document: Json) => void]>([
    ['nothing is changed', () => undefined],
    ['a method is new', (d) => void d['methods']?.push(json({ name: 'run/new', params: [], summary: '', paramStructure: 'by-name' }))],
    ['a param is new and may be absent', (d) => void method(d, 'ping')['params']?.push(json({ name: 'why', required: false, schema: {} }))],
    ['a param may be absent now', (d) => void (param(d, 'run/get', 'runId')['required'] = json(false))],
    ['a param takes more', (d) => void (param(d, 'run/list', 'limit')['schema'] = json({ type: 'number', minimum: 0, maximum: 9999 }))],
    ['a param takes one value more', (d) => void (param(d, 'run/export', 'as')['schema']?.['enum'] as Json).push(json('film'))],
    ['a result has one member more', (d) => void ((result(d, 'ping')['properties'] as Json)['why'] = json({ type: 'string' }))],
    [
      'a result can have one value more',
      (d) => void (result(d, 'run/cancel')['properties']?.['status']?.['enum'] as Json).push(json('asleep')),
    ],
    ['a notification is new', (d) => void d['x-notifications']?.push(json({ name: 'moon', params: [] }))],
    ['a sentence is another', (d) => void (method(d, 'ping')['summary'] = json('Says hello.'))],
    ['an error code is new', (d) => void ((d['components']?.['errors'] as Json)['MOON_FULL'] = json({ code: -32000 }))],
    [
      'the version of the protocol is raised with it',
      (d) => {
        (d['info'] as Json)['x-protocol'] = json(2);
        d['methods']?.splice(0, 5);
      },
    ],
  ])('when %s', (_what, change) => {
    expect(after(change)).toEqual([]);
  });
});
