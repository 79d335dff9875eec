// When an engine is believed to have let go of a graphics card.
import { expect, it } from 'vitest';
import type { BackendDescription } from '#backends/contract.ts';
import { letGoOf } from '#daemon/scheduler/let-go.ts';
import { CallsheetError } from '#protocol/errors.ts';

const GIB = 1024 ** 3;
const refused = () =>
  new CallsheetError('BACKEND_UNREACHABLE', 'It refuses.', { cause: Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) });
const silent = () => new CallsheetError('BACKEND_UNREACHABLE', 'No answer.');
type Look = Error | { readonly queue?: number; readonly reserved?: number };

/** What it says at each look; the last one for ever. Resolves with what happened. */
async function watched(
  looks: readonly Look[],
  { giveUpAfter = Infinity, free }: { readonly giveUpAfter?: number; readonly free?: () => Promise<void> } = {},
) {
  const log: string[] = [];
  let nth = 0;
  await letGoOf({
    backend: {
      id: 'a',
      async describe() {
        const look = looks[Math.min(nth, looks.length - 1)];
        nth += 1;
        if (look === undefined || look instanceof Error) throw look ?? silent();
        const { queue = 0, reserved } = look;
        const description: BackendDescription = { version: '1', draft: false, queueRemaining: queue, capabilities: {} };
        return reserved === undefined ? description : { ...description, reserved };
      },
      async free() {
        await free?.();
        log.push(`free at ${String(nth)}`);
      },
    },
    lookMs: 1,
    signal: new AbortController().signal,
    isGivenUp: () => nth >= giveUpAfter,
    onWait: (why) => void log.push(why.split(',')[0] ?? ''),
    onFreed: () => undefined,
    onRefusal: () => void log.push('refused to unload'),
  });
  return { log, looks: nth };
}

it('is idle, told to unload, and looked at again after that', async () => {
  expect(await watched([{}])).toEqual({ log: ['free at 1'], looks: 2 });
});

it('is waited for while it has prompts, whoever sent them, also those that came after it was told', async () => {
  const { log } = await watched([{ queue: 2 }, { queue: 1 }, {}, { queue: 1 }, {}]);
  expect(log).toEqual(['has 2 in its queue', 'has 1 in its queue', 'free at 3', 'has 1 in its queue', 'free at 5']);
});

it('is waited for until its memory is empty, or has not got emptier for some looks', async () => {
  const emptied = await watched([{ reserved: 9 * GIB }, { reserved: 9 * GIB }, { reserved: 4 * GIB }, { reserved: GIB / 10 }]);
  expect(emptied).toEqual({ log: ['free at 1', 'unloads its models', 'unloads its models'], looks: 4 });
  const stubborn = await watched([{ reserved: 9 * GIB }, { reserved: 2 * GIB }]);
  expect(stubborn.looks).toBe(7);
});

it('holds nothing when it refuses connections twice, but not when it does so once', async () => {
  expect((await watched([refused()])).looks).toBe(2);
  expect(await watched([refused(), {}])).toEqual({ log: ['free at 2'], looks: 3 });
});

it('is waited for as long as it is silent, until it is given up', async () => {
  const { log, looks } = await watched([silent()], { giveUpAfter: 4 });
  expect(looks).toBe(4);
  expect(new Set(log)).toEqual(new Set(['does not answer']));
});

it('is left with what it has when it does not take the request to unload', async () => {
  const free = () => Promise.reject(new CallsheetError('BACKEND_HTTP', 'Not found.'));
  expect(await watched([{}], { free })).toEqual({ log: ['refused to unload'], looks: 1 });
});
