/** What clients do in a session: each is recorded once for each release, with the client of that release (record.ts), and replayed for ever. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { waitForRun } from '../../../src/client.ts';
import type { Client } from '#protocol/client.ts';
import type { World } from '../../daemon/every-method.ts';

export type Scenario = (client: Client, world: Pick<World, 'root' | 'loose'>) => Promise<void>;

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  /** The add-on: what is there, a form, a run with a request key, its files, the same wish again. */
  async render(client) {
    await client.call('daemon/status');
    await client.call('template/list');
    await client.call('template/get', { id: 'card', backend: 'sandbox', parameters: {} });
    const wish = { template: 'card', parameters: { name: 'shot' }, priority: 1, requestKey: randomUUID() };
    const { runId } = await client.call('run/start', wish);
    await waitForRun(client, runId);
    await client.call('run/start', wish);
    await client.call('run/get', { runId });
    const { artifacts } = await client.call('artifact/list', { runId, limit: 10 });
    await client.call('artifact/get', { artifactId: artifacts[0]?.artifactId ?? '', graph: true, embedded: true });
    await client.call('run/list', { status: ['succeeded'], template: 'card', limit: 5 });
  },
  /** A person who follows everything and picks. */
  async choose(client) {
    const offered = Promise.withResolvers<void>();
    const subscription = await client.subscribe(
      { previews: true },
      { onEvent: ({ event }) => void (event.type === 'choice.offered' && offered.resolve()), onSnapshot: () => undefined },
    );
    const { runId } = await client.call('run/start', { template: 'with-choice', cache: false });
    await offered.promise;
    await client.call('run/get', { runId });
    await client.call('run/choose', { runId, into: 'picked', indices: [1], requestKey: randomUUID() });
    await waitForRun(client, runId);
    await subscription.unsubscribe();
  },
  /** A run that is cancelled, looked at and tried again from a step. */
  async retry(client) {
    let offered = Promise.withResolvers<void>();
    const since = { epoch: client.server.epoch, seq: 0 };
    const { runId } = await client.call('run/start', { template: 'with-choice', optimize: false, embed: true });
    await client.subscribe({ runId, since }, { onEvent: ({ event }) => void (event.type === 'choice.offered' && offered.resolve()) });
    await offered.promise;
    await client.call('run/cancel', { runId, requestKey: randomUUID() });
    await waitForRun(client, runId);
    await client.call('run/get', { runId });
    offered = Promise.withResolvers();
    await client.call('run/retry', { runId, from: 'paint', requestKey: randomUUID() });
    await offered.promise;
    await client.call('run/cancel', { runId });
    await waitForRun(client, runId);
  },
  /** An author: checks, a dry run, what a file would become, a bundle out and a bundle in. */
  async author(client, { root, loose }) {
    await client.call('template/check', { path: join(root, 'templates'), backend: 'sandbox' }, { onProgress: () => undefined });
    await client.call('template/render', { id: 'card', parameters: { name: 'x' }, backend: 'sandbox' });
    await client.call('template/adopt', { file: loose, name: 'loose.json', suggest: true });
    await client.call('template/migrate', { path: join(root, 'templates', 'card'), backend: 'sandbox' });
    await client.call('template/export', { id: 'card' });
    const { template } = await client.call('template/import', { file: join(root, 'guest.callsheet'), requestKey: randomUUID() });
    await client.call('template/get', { id: template.id });
    await client.call('template/approve', { id: template.id, version: template.version, hash: template.hash });
  },
  /** Whoever looks after the machine. */
  async keep(client) {
    await client.call('ping');
    await client.call('queue/pause');
    await client.call('queue/resume', { requestKey: randomUUID() });
    await client.call('backend/list');
    await client.call('backend/get', { id: 'sandbox' });
    await client.call('backend/free', { id: 'sandbox' });
    const { runId } = await client.call('run/start', { template: 'card', cache: false });
    await waitForRun(client, runId);
    await client.call('run/pin', { runId });
    await client.call('run/clean', { keep: 0, dryRun: true });
    await client.call('run/pin', { runId, pinned: false });
    await client.call('run/export', { runId, as: 'bundle' });
    await client.call('cache/clear');
  },
  /** What goes wrong, by its code. */
  async mistakes(client) {
    const wrong = [
      client.call('run/get', { runId: 'nope' }),
      client.call('template/get', { id: 'nope' }),
      client.call('run/start', { template: 'card', parameters: { nmae: 'x' } }),
      client.call('run/list', { limit: 0 }),
      client.call('backend/get', { id: 'nope' }),
      client.call('artifact/get', { artifactId: 'nope' }),
      client.call('template/check', { path: '/etc' }),
      client.call('event/subscribe', { since: { epoch: 'other', seq: 1 } }),
      client.call('backend/assume-lost', { id: 'sandbox' }),
      client.call('nope' as 'ping'),
    ];
    await Promise.allSettled(wrong);
  },
};
