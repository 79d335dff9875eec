import { describe, expect, it } from 'vitest';
import { type OpenRpcDocument, openRpcDocument } from '#protocol/openrpc.ts';
import { breakingChanges } from '../../scripts/protocol/breaking-changes.ts';

type Json = Record<string, unknown>;

/** Today's document after a change, and what the gate says of it. */
function after(change: (document: Json) => void): readonly string[] {
  const changed = JSON.parse(JSON.stringify(openRpcDocument('1'))) as Json;
  change(changed);
  return breakingChanges(openRpcDocument('1'), changed as unknown as OpenRpcDocument);
}

/** What lies at the end of a path of names and places; an item of a list of named things by its name. */
function at(from: unknown, ...path: readonly (string | number)[]): Json {
  let here = from;
  for (const step of path) {
    const items = here as readonly Json[];
    here = Array.isArray(here) && typeof step === 'string' ? items.find(({ name }) => name === step) : (here as Json)[step];
    if (here === undefined) throw new Error(`there is no ${String(step)} in the document`);
  }
  return here as Json;
}
const list = (from: unknown, ...path: readonly (string | number)[]): unknown[] => at(from, ...path) as unknown as unknown[];
const method = (document: Json, name: string): Json => at(document, 'methods', name);
const param = (document: Json, of: string, name: string): Json => at(method(document, of), 'params', name);
const result = (document: Json, of: string): Json => at(method(document, of), 'result', 'schema');
const eventSchema = (document: Json): Json => at(document, 'x-notifications', 'event', 'params', 'event', 'schema');

describe('a change of the protocol breaks clients of before', () => {
  it.each<[string, (document: Json) => void, string]>([
    ['a method is gone', (d) => void list(d, 'methods').splice(1, 1), 'method ping: it is gone.'],
    [
      'a method needs more of a key',
      (d) => void (method(d, 'run/get')['x-scope'] = 'admin'),
      'method run/get: it needs the scope admin, and read was enough.',
    ],
    ['a param is gone', (d) => void list(method(d, 'run/get'), 'params').pop(), 'method run/get: param runId: it is gone.'],
    [
      'a new param is required',
      (d) => void list(method(d, 'ping'), 'params').push({ name: 'why', required: true, schema: {} }),
      'method ping: param why is new and required.',
    ],
    [
      'a param becomes required',
      (d) => void (param(d, 'run/list', 'limit')['required'] = true),
      'method run/list: param limit is required, and was not.',
    ],
    [
      'a param takes less',
      (d) => void (param(d, 'run/list', 'limit')['schema'] = { type: 'integer', minimum: 1, maximum: 10 }),
      'method run/list, param limit: maximum is 10, and was 1000.',
    ],
    [
      'a param gets a bound',
      (d) => void (param(d, 'run/start', 'parameters')['schema'] = { type: 'object', additionalProperties: {}, maxProperties: 1 }),
      'method run/start, param parameters: maxProperties is 1, and there was none.',
    ],
    [
      'a param is of another type',
      (d) => void (param(d, 'run/get', 'runId')['schema'] = { type: 'integer' }),
      'method run/get, param runId: it was of type string and is of type integer.',
    ],
    [
      'a value of a param is gone',
      (d) => void (param(d, 'run/export', 'as')['schema'] = { type: 'string', enum: ['bundle'] }),
      'method run/export, param as: the value template is gone.',
    ],
    [
      'a member of a param is new and required',
      (d) => {
        at(param(d, 'event/subscribe', 'since'), 'schema', 'properties')['why'] = { type: 'string' };
        list(param(d, 'event/subscribe', 'since'), 'schema', 'required').push('why');
      },
      'method event/subscribe, param since: param why is new and required.',
    ],
    [
      'a member of a result is gone',
      (d) => void delete at(result(d, 'backend/list'), 'properties', 'backends', 'items', 'properties')['status'],
      'method backend/list, result, backends[]: the member status is gone.',
    ],
    [
      'a member of a result may be absent',
      (d) => void (result(d, 'backend/list')['required'] = []),
      'method backend/list, result: the member backends may be absent, and never was.',
    ],
    [
      'a result is of another type',
      (d) => void (at(result(d, 'daemon/status'), 'properties')['pid'] = { type: 'number' }),
      'method daemon/status, result, pid: it was of type integer and is of type number or integer.',
    ],
    [
      'a value of a result is gone',
      (d) => void list(result(d, 'run/cancel'), 'properties', 'status', 'enum').splice(0, 1),
      'method run/cancel, result, status: the value queued is gone.',
    ],
    ['a notification is gone', (d) => void list(d, 'x-notifications').splice(0, 1), 'notification challenge: it is gone.'],
    [
      'a type of event is gone',
      (d) => {
        list(eventSchema(d), 'properties', 'type', 'enum').splice(0, 1);
        list(eventSchema(d), 'oneOf').splice(0, 1);
      },
      'notification event, event, type: the value run.created is gone.',
    ],
    [
      'a member of an event is gone',
      (d) => {
        delete at(eventSchema(d), 'oneOf', 0, 'properties')['template'];
      },
      'notification event, event run.created: the member template is gone.',
    ],
    ['an error code is gone', (d) => void delete at(d, 'components', 'errors')['RUN_NOT_FOUND'], 'error RUN_NOT_FOUND: it is gone.'],
    [
      'an error code has another number',
      (d) => void (at(d, 'components', 'errors', 'RUN_NOT_FOUND')['code'] = -1),
      'error RUN_NOT_FOUND: its number was -32000 and is -1.',
    ],
  ])('when %s', (_what, change, sentence) => {
    expect(after(change)).toEqual([sentence]);
  });
});

describe('a change of the protocol breaks nobody', () => {
  it.each<[string, (document: Json) => void]>([
    ['nothing is changed', () => undefined],
    ['a method is new', (d) => void list(d, 'methods').push({ name: 'run/new', params: [], summary: '', paramStructure: 'by-name' })],
    ['a param is new and may be absent', (d) => void list(method(d, 'ping'), 'params').push({ name: 'why', required: false, schema: {} })],
    ['a param may be absent now', (d) => void (param(d, 'run/get', 'runId')['required'] = false)],
    ['a param takes more', (d) => void (param(d, 'run/list', 'limit')['schema'] = { type: 'number', minimum: 0, maximum: 9999 })],
    ['a param takes one value more', (d) => void list(param(d, 'run/export', 'as'), 'schema', 'enum').push('film')],
    ['a result has one member more', (d) => void (at(result(d, 'ping'), 'properties')['why'] = { type: 'string' })],
    ['a result can have one value more', (d) => void list(result(d, 'run/cancel'), 'properties', 'status', 'enum').push('asleep')],
    ['a notification is new', (d) => void list(d, 'x-notifications').push({ name: 'moon', params: [] })],
    ['a sentence is another', (d) => void (method(d, 'ping')['summary'] = 'Says hello.')],
    ['an error code is new', (d) => void (at(d, 'components', 'errors')['MOON_FULL'] = { code: -32000 })],
    [
      'the version of the protocol is raised with it',
      (d) => {
        at(d, 'info')['x-protocol'] = 2;
        list(d, 'methods').splice(0, 5);
      },
    ],
  ])('when %s', (_what, change) => {
    expect(after(change)).toEqual([]);
  });
});
