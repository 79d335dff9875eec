import { describe, expect, it } from 'vitest';
import { CallsheetError } from '#protocol/errors.ts';
import { METHODS, findMethod } from '#protocol/methods/index.ts';
import type { MethodName } from '#protocol/methods/index.ts';
import { createValidator } from '#protocol/validate.ts';

const validator = createValidator();

async function problemsOf(name: MethodName, params: object): Promise<unknown[]> {
  const method = findMethod(name);
  if (method === undefined) throw new Error(`no method ${name}`);
  try {
    await validator.check(method, { ...params });
    return [];
  } catch (error) {
    if (!(error instanceof CallsheetError) || error.code !== 'INVALID_PARAMS') throw error;
    return (error.data.problems ?? []).map(({ pointer, message, hint }) => [pointer, hint ?? message]);
  }
}

describe('params', () => {
  it.each<[MethodName, object, unknown[]]>([
    ['ping', {}, []],
    ['ping', { x: 1 }, [['/x', 'This method takes no params.']]],
    ['run/get', {}, [['/runId', 'The member "runId" is missing.']]],
    [
      'run/get',
      { runID: 'a' },
      [
        ['/runId', 'The member "runId" is missing.'],
        ['/runID', 'Did you mean "runId"?'],
      ],
    ],
    ['run/get', { runId: 5 }, [['/runId', '"runId" must be a string.']]],
    ['run/list', { limit: 0 }, [['/limit', '"limit" must be >= 1.']]],
    ['run/list', { limit: 1.5 }, [['/limit', '"limit" must be an integer.']]],
    [
      'run/list',
      { status: ['nope'] },
      [['/status/0', '"status/0" must be one of queued, running, waiting, cancelling, succeeded, failed, cancelled, lost.']],
    ],
    ['event/subscribe', { since: { epoch: 'e', seq: -1 } }, [['/since/seq', '"since/seq" must be >= 0.']]],
    ['event/subscribe', { since: { epoch: 'e', seq: 1, extra: 1 } }, [['/since/extra', 'Known members: epoch, seq.']]],
    ['run/start', { template: 't', parameters: { anything: { goes: [1] } } }, []],
    ['run/start', { template: 't', parameters: [] }, [['/parameters', '"parameters" must be an object.']]],
    [
      'run/start',
      { template: 't', 'a/b~c': 1 },
      [['/a~1b~0c', 'Known members: template, version, parameters, backend, priority, optimize, cache, embed, requestKey.']],
    ],
  ])('of %s %j have the problems %j', async (name, params, expected) => {
    expect(await problemsOf(name, params)).toEqual(expected);
  });

  it('of a hostile call are answered with at most 50 problems and clipped names', async () => {
    const params = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`${'x'.repeat(500)}${at}`, at]));
    const problems = await problemsOf('ping', params);
    expect(problems).toHaveLength(50);
    expect(JSON.stringify(problems).length).toBeLessThan(20_000);
  });

  it('are never found on the prototype', async () => {
    const method = findMethod('run/get');
    const inherited: Record<string, unknown> = Object.create({ runId: 'a' });
    await expect(method === undefined ? undefined : validator.check(method, inherited)).rejects.toMatchObject({ code: 'INVALID_PARAMS' });
  });

  it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty', ''])('"%s" is no method', (name) => {
    expect(findMethod(name)).toBeUndefined();
  });

  it('have schemas that all compile', async () => {
    for (const name of Object.keys(METHODS)) expect(await problemsOf(name as MethodName, { surely: 'unknown' })).not.toEqual([]);
  });
});
