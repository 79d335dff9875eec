// The fold of a run's log against a whole daemon with its real actors: every machine went through the states that its log tells, in that order.
import { describe, expect, it } from 'vitest';
import { connect } from '#protocol/client.ts';
import type { InspectMessage } from '#protocol/inspect.ts';
import { foldRun } from '#machines/replay/fold-run.ts';
import type { RunEvent } from '#protocol/events.ts';
import { dotted } from '../../../dashboard/inspector/chart-moves.ts';
import { openWaitingRun, type WaitingRun } from './waiting-run.ts';

/** States that no event may tell of (docs/inspector.md). */
const SILENT = new Set(['injecting', 'parsing', 'offering']);

/** Each machine's states as they followed one another. */
type Ways = Map<string, string[]>;

function go(ways: Ways, id: string, value: string): void {
  const way = ways.get(id) ?? [];
  if (way.at(-1) !== value) way.push(value);
  ways.set(id, way);
}

function foldedWays(events: readonly RunEvent[], ids: readonly string[]): Ways {
  const ways: Ways = new Map();
  for (let count = 1; count <= events.length; count += 1) {
    for (const { id, value } of foldRun(events.slice(0, count), { ids }).machines.values()) go(ways, id, value);
  }
  return ways;
}

function liveWays(messages: readonly InspectMessage[], runId: string): Ways {
  const names = new Map<string, string>();
  const ways: Ways = new Map();
  for (const message of messages) {
    if (!('runId' in message) || message.runId !== runId) continue;
    if (message.type === '@xstate.actor' && 'states' in (JSON.parse(message.definition) as object)) {
      names.set(message.sessionId, message.parentId === undefined ? 'run' : message.name);
    }
    const id = names.get(message.sessionId);
    if (id === undefined || (message.type !== '@xstate.actor' && message.type !== '@xstate.snapshot')) continue;
    go(ways, id, dotted((message.snapshot as { readonly value: unknown }).value));
  }
  return ways;
}

/** Runs the template from its beginning to its end while somebody looks. */
async function watched(
  place: WaitingRun,
  cache: boolean,
): Promise<{ readonly live: Ways; readonly folded: Ways; readonly skipped: number }> {
  const messages: InspectMessage[] = [];
  const client = await connect({
    ...place.daemon.endpoint,
    onNotification: (name, params) => {
      if (name === 'inspect') messages.push((params as { readonly message: InspectMessage }).message);
    },
  });
  await client.call('inspect/subscribe', {});
  const { runId } = await client.call('run/start', { template: 'pick', parameters: {}, cache });
  await expect.poll(async () => (await client.call('run/get', { runId })).run.status).toBe('waiting');
  await client.call('run/choose', { runId, indices: [0] });
  const { steps, choices = [] } = await place.ended(runId);
  const { events } = await client.call('event/list', { runId, limit: 1000 });
  await expect.poll(() => liveWays(messages, runId).get('run')?.at(-1)).toBe('succeeded');
  await client.close();
  const skipped = messages.filter(({ type }) => type === 'callsheet.skipped').length;
  const ids = [...steps.map(({ id }) => id), ...choices.map(({ into }) => `choices.${into}`)];
  return { live: liveWays(messages, runId), folded: foldedWays(events, ids), skipped };
}

describe('the fold of a real run', () => {
  it.each([
    ['that makes everything', false],
    ['that takes everything from the cache', true],
  ])('tells every state that its machines were in, of a run %s', async (_, cache) => {
    await using place = await openWaitingRun();
    if (cache) await watched(place, true);
    const { live, folded, skipped } = await watched(place, cache);
    expect(skipped).toBe(0);
    const told = (ways: Ways) => Object.fromEntries([...ways].map(([id, way]) => [id, way.filter((value) => !SILENT.has(value))]));
    expect(told(folded)).toEqual(told(live));
    expect(folded.get('step:draw:0')?.at(-1)).toBe(cache ? 'cached' : 'done');
    expect([...live.keys()].toSorted()).toEqual(['choice:best', 'run', 'step:again:0', 'step:draw:0']);
  });
});
