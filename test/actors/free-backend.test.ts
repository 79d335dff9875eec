// Freeing a backend is told to the pool, which else would go on to send it what needs the models that are gone.
import { expect, it } from 'vitest';
import { createActor, toPromise } from 'xstate';
import type { ActorDeps } from '#actors/deps.ts';
import { createFreeBackend } from '#actors/free-backend.ts';
import type { Backend } from '#backends/contract.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { compiled, manifest } from '../templates/support.ts';

async function free(answer: () => Promise<void>) {
  const freed: string[] = [];
  const notes: unknown[] = [];
  const deps = {
    committed: async () => undefined,
    backend: () => ({ free: answer }) as Backend,
    places: { freed: (id: string) => void freed.push(id) },
    memory: () => ({ template: compiled(manifest()) }),
  } as unknown as ActorDeps;
  const actor = createActor(createFreeBackend(deps), { input: { runId: 'r', step: 'a', item: 0, backendId: 'b' } as never });
  actor.on('*', (note) => void notes.push(note));
  actor.start();
  await toPromise(actor);
  return { freed, notes };
}

it('tells the pool that the models are gone', async () => {
  expect(await free(async () => undefined)).toEqual({ freed: ['b'], notes: [] });
});

it('tells it nothing when the backend could not be asked', async () => {
  const { freed, notes } = await free(() => Promise.reject(new CallsheetError('BACKEND_UNREACHABLE', 'It refuses.')));
  expect(freed).toEqual([]);
  expect(notes).toMatchObject([{ type: 'run.note', code: 'BACKEND_NOT_FREED' }]);
});
