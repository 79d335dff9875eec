// The matrix of methods and scopes, made from the table of methods and asserted cell by cell against a whole daemon.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCOPES } from '#protocol/methods/define.ts';
import { METHODS, type MethodName } from '#protocol/methods/index.ts';
import { rawSocket } from './door-harness.ts';
import { CALLS, openWorld, type World } from './every-method.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const CLIENT = { name: 'matrix', version: '1' };
const HELD = ['none', ...SCOPES] as const;
const cells = Object.values(METHODS).flatMap(({ name, scope }) =>
  HELD.map((held) => ({
    method: name as MethodName,
    needed: scope,
    held,
    isAllowed: SCOPES.indexOf(held as 'read') >= SCOPES.indexOf(scope),
  })),
);
/** Answers with an error for a reason of its own, once it is allowed: nothing is lost here. */
const OWN_ERRORS: Readonly<Record<string, string>> = { 'backend/assume-lost': 'BACKEND_ANSWERS' };

async function open(held: (typeof HELD)[number]) {
  const socket = await rawSocket(world.daemon.url, held === 'none' ? {} : { Authorization: `Bearer ${world.keyOf(held)}` });
  if (held === 'none') await socket.next((frame) => frame.includes('"challenge"'));
  return socket;
}

async function call(socket: Awaited<ReturnType<typeof open>>, method: string, params: object) {
  socket.send({ jsonrpc: '2.0', id: method, method, params });
  const answer: { readonly result?: unknown; readonly error?: { readonly data: { readonly code: string } } } = JSON.parse(
    await socket.next((frame) => frame.includes(`"id":${JSON.stringify(method)}`)),
  );
  return answer;
}

const paramsOf = async (method: MethodName): Promise<object> => (method === 'initialize' ? { client: CLIENT } : CALLS[method](world));
/** A call that is refused leaves what it is about as it was, for the next one. */
const shared = new Map<MethodName, Promise<object>>();
function sharedParams(method: MethodName): Promise<object> {
  const known = shared.get(method) ?? paramsOf(method);
  shared.set(method, known);
  return known;
}

function differences(before: readonly string[], after: readonly string[]): readonly string[] {
  return [...after.filter((line) => !before.includes(line)), ...before.filter((line) => !after.includes(line))];
}

// Whoever shuts the daemon down does so last.
const ends = (cell: (typeof cells)[number]): boolean => cell.method === 'daemon/shutdown' && cell.isAllowed;

describe('the method', () => {
  it.each(cells.filter(({ isAllowed }) => !isAllowed))(
    '$method, which needs $needed, is refused with $held, and nothing changes',
    async ({ method, held }) => {
      const params = await sharedParams(method);
      const before = await world.state();
      const socket = await open(held);
      if (held !== 'none') await call(socket, 'initialize', { client: CLIENT });
      const { error } = await call(socket, method, params);
      // Whoever has no key is sent away as well.
      const code = held === 'none' ? (await socket.closed).code : undefined;
      expect([error?.data.code, code]).toEqual(held === 'none' ? ['UNAUTHORIZED', 4401] : ['FORBIDDEN', undefined]);
      socket.socket.close();
      expect(differences(before, await world.state())).toEqual([]);
    },
  );

  it.each([...cells.filter((cell) => cell.isAllowed && !ends(cell)), ...cells.filter(ends)])(
    '$method, which needs $needed, is answered with $held',
    async ({ method, held }) => {
      const params = await paramsOf(method);
      const socket = await open(held);
      if (method !== 'initialize') await call(socket, 'initialize', { client: CLIENT });
      const { result, error } = await call(socket, method, params);
      expect([error?.data.code, typeof result]).toEqual(method in OWN_ERRORS ? [OWN_ERRORS[method], 'undefined'] : [undefined, 'object']);
      socket.socket.close();
    },
  );

  it('of a row of the table is in the matrix once with each key, and without one', () => {
    expect(cells).toHaveLength(Object.keys(METHODS).length * 4);
    expect(new Set(cells.map(({ method, held }) => `${method} ${held}`)).size).toBe(cells.length);
  });
});

describe('what the matrix looks at', () => {
  // A state that never changes would prove nothing.
  it.each([
    'run/start',
    'run/pin',
    'run/cancel',
    'template/import',
    'template/approve',
    'queue/pause',
    'cache/clear',
    'run/clean',
  ] as const)('is another after %s', async (method) => {
    await using own = await openWorld();
    const params = await CALLS[method](own);
    const before = await own.state();
    await own.admin.call(method, params);
    await expect.poll(async () => differences(before, await own.state()).length).toBeGreaterThan(0);
  });
});
