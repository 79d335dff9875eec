import { describe, expect, it } from 'vitest';
import type { Entry, Secrets } from '#daemon/inspect/messages.ts';
import { createViewer, type ViewerLimits } from '#daemon/inspect/viewer.ts';
import type { InspectMessage } from '#protocol/inspect.ts';
import { turn } from './inspected.ts';

const LIMITS: ViewerLimits = { perSecond: 1e6, burst: 1e6, catchUpMs: 1, unreadableMs: 1, owed: 2000 };

function entryOf(sessionId: string, runId = 'r'): Entry {
  const snapshot = { status: 'active', value: sessionId } as unknown as ReturnType<Entry['actor']['getSnapshot']>;
  const actor = { logic: {} as Entry['actor']['logic'], getSnapshot: () => snapshot };
  return { runId, sessionId, rootId: sessionId, parentId: undefined, name: sessionId, since: 0, actor };
}

function view(limits: Partial<ViewerLimits> = {}) {
  const messages: InspectMessage[] = [];
  const defects: string[] = [];
  let tries = 0;
  /** Of the store, and of the client: what fails now. */
  const failing = { secrets: false, send: false, reads: true };
  const secretsOf = (): Secrets => {
    if (failing.secrets) throw new Error('the database can not be read');
    return [];
  };
  const viewer = createViewer({
    send(text) {
      tries += 1;
      if (failing.send) throw new Error('broken client');
      return failing.reads && messages.push(JSON.parse(text) as InspectMessage) > 0;
    },
    wants: () => true,
    secretsOf,
    onDefect: (error) => defects.push(String(error)),
    limits: { ...LIMITS, ...limits },
  });
  const tell = (entry: Entry) => viewer.tell(entry, '@xstate.event', () => JSON.stringify({ type: '@xstate.event', secrets: secretsOf() }));
  return { viewer, messages, defects, failing, tell, tries: () => tries, types: () => messages.map(({ type }) => type) };
}

describe('a viewer', () => {
  it.each(['secrets', 'send'] as const)(
    'counts what failed by its %s as skipped, says how all stand afterwards, and hears on',
    async (what) => {
      const seen = view();
      const entry = entryOf('a');
      seen.viewer.meet(entry);
      await turn();
      seen.failing[what] = true;
      for (let nth = 0; nth < 3; nth += 1) seen.tell(entry);
      expect([seen.types(), seen.defects.length]).toEqual([['@xstate.actor'], 1]);
      seen.failing[what] = false;
      await expect.poll(seen.types).toEqual(['@xstate.actor', 'callsheet.skipped', '@xstate.snapshot']);
      expect(seen.messages[1]).toMatchObject({ count: 3 });
      seen.tell(entry);
      expect(seen.types().at(-1)).toBe('@xstate.event');
      seen.viewer.close();
    },
  );

  it('owes a client that does not read the newest actors alone of those that have ended, and counts the others', async () => {
    const seen = view({ owed: 3 });
    seen.failing.reads = false;
    const live = entryOf('live');
    for (const entry of [live, ...['a', 'b', 'c', 'd', 'e'].map((id) => ({ ...entryOf(id), closedAt: 1 }))]) seen.viewer.meet(entry);
    await turn();
    seen.failing.reads = true;
    await expect.poll(seen.types).toEqual(['@xstate.actor', '@xstate.actor', '@xstate.actor', 'callsheet.skipped']);
    expect(seen.messages).toMatchObject([{ sessionId: 'live' }, { sessionId: 'd' }, { sessionId: 'e' }, { count: 3 }]);
    seen.viewer.close();
  });

  it('owes it no more last states than that of those that it knows', async () => {
    const seen = view({ owed: 2 });
    const entries = ['a', 'b', 'c', 'd'].map((id) => entryOf(id));
    for (const entry of entries) seen.viewer.meet(entry);
    await turn();
    seen.messages.length = 0;
    seen.failing.reads = false;
    for (const entry of entries) {
      entry.closedAt = 1;
      seen.tell(entry);
    }
    // Until it has tried once to catch up.
    await expect.poll(() => seen.tries()).toBeGreaterThan(2 * entries.length);
    seen.failing.reads = true;
    await expect.poll(seen.types).toEqual(['callsheet.skipped', '@xstate.snapshot', '@xstate.snapshot']);
    expect(seen.messages).toMatchObject([{ count: 6 }, { sessionId: 'c' }, { sessionId: 'd' }]);
    seen.viewer.close();
  });
});
