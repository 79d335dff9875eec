import { describe, expect, it } from 'vitest';
import type { Entry, Secrets } from '#daemon/inspect/messages.ts';
import { createViewer, type ViewerLimits } from '#daemon/inspect/viewer.ts';
import type { InspectMessage } from '#protocol/inspect.ts';
import { turn } from './inspected.ts';

const LIMITS: ViewerLimits = { perSecond: 1e6, burst: 1e6, catchUpMs: 1, unreadableMs: 1 };

function entryOf(sessionId: string, runId = 'r'): Entry {
  const snapshot = { status: 'active', value: sessionId } as unknown as ReturnType<Entry['actor']['getSnapshot']>;
  const actor = { logic: {} as Entry['actor']['logic'], getSnapshot: () => snapshot };
  return { runId, sessionId, rootId: sessionId, parentId: undefined, name: sessionId, since: 0, actor };
}

function view(limits: Partial<ViewerLimits> = {}) {
  const messages: InspectMessage[] = [];
  const defects: string[] = [];
  /** Of the store, and of the client: what fails now. */
  const failing = { secrets: false, send: false, reads: true };
  const secretsOf = (): Secrets => {
    if (failing.secrets) throw new Error('the database can not be read');
    return [];
  };
  const viewer = createViewer({
    send(text) {
      if (failing.send) throw new Error('broken client');
      return failing.reads && messages.push(JSON.parse(text) as InspectMessage) > 0;
    },
    wants: () => true,
    secretsOf,
    onDefect: (error) => defects.push(String(error)),
    limits: { ...LIMITS, ...limits },
  });
  const tell = (entry: Entry) => viewer.tell(entry, '@xstate.event', () => JSON.stringify({ type: '@xstate.event', secrets: secretsOf() }));
  return { viewer, messages, defects, failing, tell, types: () => messages.map(({ type }) => type) };
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
});
