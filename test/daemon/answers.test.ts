import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { METHODS } from '#protocol/methods/index.ts';
import { openSession, openTestDoor } from './door-harness.ts';

const PARAMS: Readonly<Record<string, object>> = {
  'template/get': { id: 'hero' },
  'template/check': { id: 'hero' },
  'template/adopt': { file: '/nowhere', name: 'w.json' },
  'template/migrate': { path: '/nowhere', backend: 'main' },
  'template/render': { id: 'hero' },
  'template/import': { file: '/nowhere' },
  'template/export': { id: 'hero' },
  'template/approve': { id: 'hero', version: '1.0.0', hash: 'a'.repeat(64) },
  'run/export': { runId: 'r', as: 'bundle' },
  'run/start': { template: 'hero' },
  'run/get': { runId: 'r' },
  'run/pin': { runId: 'r' },
  'run/cancel': { runId: 'r' },
  'run/retry': { runId: 'r' },
  'run/choose': { runId: 'r', indices: [0] },
  'backend/get': { id: 'comfyui' },
  'backend/free': { id: 'comfyui' },
  'backend/assume-lost': { id: 'comfyui' },
  'backend/allow': { id: 'comfyui', allowed: true },
  'event/subscribe': { runId: 'r' },
  'event/unsubscribe': { subscription: 'none' },
  'event/list': { runId: 'r' },
  'inspect/unsubscribe': { subscription: 'none' },
};

/** The first call of a session, and what needs a run that made a file, or has a graph: provenance.test.ts, run-graph.test.ts. */
const ELSEWHERE = new Set(['initialize', 'artifact/get', 'run/graph']);

describe('the answer of every method', () => {
  it.each(Object.values(METHODS).filter(({ name }) => !ELSEWHERE.has(name)))(
    'fits the schema that $name publishes',
    async ({ name, result }) => {
      await using door = await openTestDoor();
      door.runs.create('r');
      const session = await openSession(door);
      session.send({ jsonrpc: '2.0', id: 9, method: name, params: PARAMS[name] ?? {} });
      const answer: { result: unknown } = JSON.parse(await session.next());
      const validate = new Ajv({ allErrors: true }).compile(result.json);
      validate(answer.result);
      expect(validate.errors).toBeNull();
    },
  );

  it.each([
    ['run/get', { runId: 'nope' }, 'RUN_NOT_FOUND'],
    ['artifact/list', { runId: 'nope' }, 'RUN_NOT_FOUND'],
    ['event/subscribe', { runId: 'nope' }, 'RUN_NOT_FOUND'],
    ['template/get', { id: 'nope' }, 'TEMPLATE_NOT_FOUND'],
    ['template/check', {}, 'INVALID_PARAMS'],
    ['template/check', { id: 'hero', path: '/x' }, 'INVALID_PARAMS'],
    ['no/such', {}, 'METHOD_NOT_FOUND'],
  ])('of %s %j is the error %s', async (method, params, code) => {
    await using door = await openTestDoor();
    const session = await openSession(door);
    session.send({ jsonrpc: '2.0', id: 9, method, params });
    expect(JSON.parse(await session.next())).toMatchObject({ id: 9, error: { data: { code, retryable: false } } });
  });
});
