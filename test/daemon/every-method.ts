/** A whole daemon on the sandbox in which every method can succeed, with keys of every scope, and what to call each method with. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createAuth } from '#daemon/auth.ts';
import { parseConfig } from '#daemon/config.ts';
import { startDaemon } from '#daemon/daemon.ts';
import { waitForRun } from '../../src/client.ts';
import { connect } from '#protocol/client.ts';
import type { MethodScope } from '#protocol/methods/define.ts';
import type { MethodName, ParamsOf } from '#protocol/methods/index.ts';
import { bundle, GRAPH, manifest } from './exchange/exchange-harness.ts';

const WITH_CHOICE = fileURLToPath(new URL('../fixtures/templates/with-choice', import.meta.url));

export type World = Awaited<ReturnType<typeof openWorld>>;

export async function openWorld() {
  const dir = mkdtempSync(join(tmpdir(), 'callsheet-world-'));
  const root = join(dir, 'project');
  const card = join(root, 'templates', 'card');
  mkdirSync(card, { recursive: true });
  writeFileSync(join(card, 'template.json'), JSON.stringify(manifest('card'), null, 2));
  writeFileSync(join(card, 'draw.json'), JSON.stringify(GRAPH, null, 2));
  writeFileSync(join(root, 'loose.json'), JSON.stringify(GRAPH, null, 2));
  writeFileSync(join(root, 'guest.callsheet'), bundle('guest'));
  cpSync(WITH_CHOICE, join(root, 'templates', 'with-choice'), { recursive: true });
  const env = { HOME: dir, CALLSHEET_DATA: join(dir, 'data'), CALLSHEET_RUNTIME_DIR: join(dir, 'rt'), CALLSHEET_LOG_LEVEL: 'silent' };
  const config = parseConfig({ templates: [join(root, 'templates')], roots: [root], backends: ['sandbox'] }, env, dir);
  const auth = createAuth();
  const daemon = await startDaemon(config, { auth });
  const admin = await connect(daemon.endpoint);
  let made = 0;

  async function run(template = 'card'): Promise<string> {
    made += 1;
    const { runId } = await admin.call('run/start', {
      template,
      ...(template === 'card' ? { parameters: { name: `card-${String(made)}` } } : {}),
    });
    return runId;
  }
  async function ended(): Promise<string> {
    const runId = await run();
    await waitForRun(admin, runId);
    return runId;
  }
  async function waiting(): Promise<string> {
    const runId = await run('with-choice');
    const offered = Promise.withResolvers<void>();
    const since = { epoch: admin.server.epoch, seq: 0 };
    const subscription = await admin.subscribe(
      { runId, since },
      { onEvent: ({ event }) => void (event.type === 'choice.offered' && offered.resolve()) },
    );
    await offered.promise;
    await subscription.unsubscribe();
    return runId;
  }
  async function cancelled(): Promise<string> {
    const runId = await waiting();
    await admin.call('run/cancel', { runId });
    await waitForRun(admin, runId);
    return runId;
  }
  function bundleFile(): string {
    made += 1;
    const path = join(root, `guest-${String(made)}.callsheet`);
    writeFileSync(path, bundle(`guest-${String(made)}`));
    return path;
  }

  async function lines(): Promise<readonly string[]> {
    const { position, queue, runs, cache } = await admin.call('daemon/status');
    const answers = [await admin.call('run/list'), await admin.call('template/list'), await admin.call('artifact/list')];
    const parts = answers.flatMap((answer) => Object.values(answer)).flat() as readonly object[];
    const facts = { position, queue, runs, entries: cache.entries };
    return [JSON.stringify(facts), ...parts.map((part) => JSON.stringify(part)), ...filesIn(dir)];
  }

  return {
    dir,
    root,
    daemon,
    admin,
    keyOf: (scope: MethodScope) => auth.keyOf(scope),
    run,
    ended,
    waiting,
    cancelled,
    bundleFile,
    loose: join(root, 'loose.json'),
    /** Everything that a call could change, a line each: what clients see and which files there are. Waits for what is still being written. */
    async state(): Promise<readonly string[]> {
      for (let last = await lines(); ;) {
        await sleep(20);
        const now = await lines();
        if (now.join('\n') === last.join('\n')) return now;
        last = now;
      }
    },
    async [Symbol.asyncDispose]() {
      await admin.close();
      await daemon.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** What each method is called with to succeed; it may have to make what the call is about. */
export const CALLS: { readonly [M in Exclude<MethodName, 'initialize'>]: (world: World) => ParamsOf<M> | Promise<ParamsOf<M>> } = {
  ping: () => ({}),
  'rpc.discover': () => ({}),
  'daemon/status': () => ({}),
  'daemon/shutdown': () => ({}),
  'session/open': () => ({}),
  'template/list': () => ({}),
  'template/get': () => ({ id: 'card', backend: 'sandbox' }),
  'template/check': ({ root }) => ({ path: join(root, 'templates'), backend: 'sandbox' }),
  'template/adopt': ({ loose }) => ({ file: loose, name: 'loose.json', backend: 'sandbox', suggest: true }),
  'template/migrate': ({ root }) => ({ path: join(root, 'templates', 'card'), backend: 'sandbox' }),
  'template/render': () => ({ id: 'card' }),
  'template/import': ({ bundleFile }) => ({ file: bundleFile() }),
  'template/export': () => ({ id: 'card' }),
  async 'template/approve'({ admin, bundleFile }) {
    const { template } = await admin.call('template/import', { file: bundleFile() });
    return { id: template.id, version: template.version, hash: template.hash };
  },
  'run/start': () => ({ template: 'card' }),
  'run/get': async ({ ended }) => ({ runId: await ended() }),
  'run/graph': async ({ admin, ended }) => {
    const runId = await ended();
    const { run } = await admin.call('run/get', { runId });
    return { runId, step: run.steps[0]?.id ?? '' };
  },
  'run/list': () => ({ limit: 10 }),
  'run/cancel': async ({ waiting }) => ({ runId: await waiting() }),
  'run/retry': async ({ cancelled }) => ({ runId: await cancelled() }),
  'run/choose': async ({ waiting }) => ({ runId: await waiting(), indices: [0] }),
  'run/export': async ({ ended }) => ({ runId: await ended(), as: 'bundle' }),
  'run/pin': async ({ ended }) => ({ runId: await ended() }),
  async 'run/clean'({ ended }) {
    await ended();
    return { keep: 0 };
  },
  'artifact/list': () => ({}),
  async 'artifact/get'({ admin, ended }) {
    const { artifacts } = await admin.call('artifact/list', { runId: await ended() });
    return { artifactId: artifacts[0]?.artifactId ?? '', graph: true, embedded: true };
  },
  'backend/list': () => ({}),
  'backend/get': () => ({ id: 'sandbox' }),
  'backend/free': () => ({ id: 'sandbox' }),
  'backend/assume-lost': () => ({ id: 'sandbox' }),
  'backend/allow': () => ({ id: 'sandbox', allowed: true }),
  'queue/pause': () => ({}),
  'queue/resume': () => ({}),
  async 'cache/clear'({ ended }) {
    await ended();
    return {};
  },
  'event/list': async ({ ended }) => ({ runId: await ended() }),
  'inspect/subscribe': () => ({}),
  'inspect/unsubscribe': () => ({ subscription: 'none' }),
  'inspect/ticket': () => ({}),
  'event/subscribe': () => ({ previews: true, snapshot: true }),
  'event/unsubscribe': () => ({ subscription: 'none' }),
};

// --- helpers ---

/** Files with their sizes; the database and the log change by being read, and notes of runs are written at leisure. */
function filesIn(dir: string): readonly string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.db(?:-\w+)?$|\.log$|^runtime/.test(entry.name) && !entry.parentPath.includes('.callsheet'))
    .map(({ parentPath, name }) => `${join(parentPath, name)} ${String(statSync(join(parentPath, name)).size)}`)
    .toSorted();
}
