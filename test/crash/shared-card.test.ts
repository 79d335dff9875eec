// Two engines on one graphics card, each a real process (`callsheet sandbox`), and a daemon that is killed between them. Their ledgers are the judges.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readRuntimeFile } from '#daemon/runtime-file.ts';
import { type Client, connect } from '#protocol/client.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { RUN_ENDS } from '#protocol/views.ts';
import { type Process, startProcess } from './processes.ts';

const TEMPLATES = fileURLToPath(new URL('../fixtures/templates', import.meta.url));
const IDS = ['a', 'b'] as const;
type Id = (typeof IDS)[number];

interface Engine {
  readonly url: string;
  process: Process;
  readonly dir: string;
}

interface Studio {
  readonly engines: Readonly<Record<Id, Engine>>;
  call: Client['call'];
  /** Starts a run on that engine. */
  start(id: Id, colour: number): Promise<string>;
  /** Resolves with its status once the run has ended. */
  ended(runId: string): Promise<string>;
  died(): Promise<unknown>;
  /** SIGKILL, if it lives, and a new daemon over the same data. */
  revive(): Promise<void>;
  /** The engine is started again at the same port. */
  restart(id: Id): Promise<void>;
}

async function startEngine(dir: string, port: number): Promise<Process> {
  const args = ['sandbox', '--data', dir, '--json', '--latency', '15', '--port', String(port)];
  const started = await startProcess('../../src/cli/main.ts', {}, { args });
  if (started === undefined) throw new Error('a sandbox did not start');
  return started;
}

async function studio(options: { readonly dieBefore?: string; readonly more?: string } = {}): Promise<Studio> {
  const dir = mkdtempSync(join(tmpdir(), 'callsheet-card-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
  const open = async (id: Id): Promise<Engine> => {
    const engine = await startEngine(join(dir, id), 0);
    return { url: String(engine.ready['url']), process: engine, dir: join(dir, id) };
  };
  const engines = { a: await open('a'), b: await open('b') };
  onTestFinished(async () => {
    for (const id of IDS) {
      engines[id].process.child.kill('SIGCONT');
      await engines[id].process.stop('SIGKILL');
    }
  });
  const data = join(dir, 'data');
  const startDaemon = async (dieBefore?: string): Promise<Process> => {
    const backends = IDS.map((id) => `${id}:comfyui=${engines[id].url},gpu=0${options.more ?? ''}`);
    const orders = { data, templates: TEMPLATES, backends, root: dir, record: '', dieAt: 0, fate: 'killed', dieBefore };
    const env = { CALLSHEET_CRASH_ORDERS: JSON.stringify(orders), CALLSHEET_LOG_LEVEL: 'silent', CALLSHEET_RETRY_MS: '50' };
    const started = await startProcess('./crash-child.ts', env);
    if (started === undefined) throw new Error('the daemon did not start');
    return started;
  };
  let daemon = await startDaemon(options.dieBefore);
  let client = await openClient();
  onTestFinished(async () => {
    await client.close().catch(() => undefined);
    await daemon.stop('SIGKILL');
  });

  async function openClient(): Promise<Client> {
    const info = readRuntimeFile(String(daemon.ready['runtimeFile']));
    if (info === undefined) throw new Error('the daemon left no runtime file');
    return connect({ url: info.url, key: info.key });
  }

  /** Again and again while the daemon is dead: what changes something is given a key. */
  const call: Client['call'] = async (method, params) => {
    for (;;) {
      try {
        return await client.call(method, params);
      } catch (error) {
        if (!(error instanceof CallsheetError) || error.code !== 'CONNECTION_LOST') throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  return {
    engines,
    call,
    start: async (id, colour) => {
      const parameters = { colour };
      // What one engine made would else serve for the other.
      const request = { template: 'three-steps', parameters, backend: id, cache: false, requestKey: `run-${id}-${String(colour)}` };
      return (await call('run/start', request)).runId;
    },
    async ended(runId) {
      for (;;) {
        const { status } = (await call('run/get', { runId })).run;
        if (RUN_ENDS.includes(status)) return status;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    died: () => daemon.ended,
    async revive() {
      await daemon.stop('SIGKILL');
      daemon = await startDaemon();
      client = await openClient();
    },
    async restart(id) {
      await engines[id].process.stop('SIGKILL');
      engines[id].process = await startEngine(engines[id].dir, Number(new URL(engines[id].url).port));
    },
  };
}

interface Deed {
  readonly id: Id;
  readonly event: 'start' | 'finish' | 'freed';
  readonly at: number;
  readonly promptId?: string;
}

/** What the engines did, in the order of one clock. */
function deeds({ engines }: Studio): readonly Deed[] {
  return IDS.flatMap((id) =>
    readFileSync(join(engines[id].dir, 'standalone-sandbox/ledger.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line): Deed => {
        const { event, at, prompt_id: promptId } = JSON.parse(line) as { event: Deed['event']; at: number; prompt_id?: string };
        return { id, event, at, ...(promptId === undefined ? {} : { promptId }) };
      }),
  ).toSorted((a, b) => a.at - b.at || order(a) - order(b));
}

/** Within one millisecond an engine ends before it is freed, and is freed before another begins. */
const order = ({ event }: Deed): number => ['finish', 'freed', 'start'].indexOf(event);

/** Everything that must never happen on one card, in a sentence each. `dead`: engines whose process had died, and with it what it held. */
function broken(here: Studio, dead: readonly Id[] = []): readonly string[] {
  const found: string[] = [];
  const working = new Map<Id, string>();
  const holds = new Set<Id>();
  const started = new Set<string>();
  for (const { id, event, promptId = '' } of deeds(here)) {
    const other: Id = id === 'a' ? 'b' : 'a';
    if (event === 'freed') holds.delete(id);
    if (event === 'finish') working.delete(id);
    if (event !== 'start') continue;
    if (working.has(other)) found.push(`${id} began ${promptId} while ${other} worked on ${working.get(other) ?? ''}`);
    if (holds.has(other) && !dead.includes(other)) found.push(`${id} began ${promptId} before ${other} had let go`);
    if (started.has(promptId)) found.push(`${promptId} was begun twice`);
    started.add(promptId);
    working.set(id, promptId);
    holds.add(id);
  }
  return found;
}

const began = (here: Studio, id: Id): number => deeds(here).filter((deed) => deed.id === id && deed.event === 'start').length;

describe('one graphics card and two engines', () => {
  it('is never worked on by both, and each lets go before the other begins', async () => {
    const here = await studio();
    const runs = await Promise.all([1, 2, 3, 4].flatMap((colour) => [here.start('a', colour), here.start('b', colour)]));
    for (const runId of runs) expect(await here.ended(runId)).toBe('succeeded');
    expect([began(here, 'a'), began(here, 'b')]).toEqual([12, 12]);
    expect(broken(here)).toEqual([]);
  }, 120_000);

  it.each(['free.before', 'free.after'])(
    'is neither lost nor shared when the daemon is killed in the middle of a hand-over, at %s',
    async (point) => {
      const here = await studio({ dieBefore: point });
      const starts = [here.start('a', 1), here.start('b', 1), here.start('a', 2), here.start('b', 2)];
      await here.died();
      await here.revive();
      for (const runId of await Promise.all(starts)) expect(await here.ended(runId)).toBe('succeeded');
      expect([began(here, 'a'), began(here, 'b')]).toEqual([6, 6]);
      expect(broken(here)).toEqual([]);
    },
    120_000,
  );

  it('is neither lost nor shared when the daemon is killed with work of one on it', async () => {
    const here = await studio();
    const first = await here.start('a', 1);
    await expect.poll(() => began(here, 'a'), { timeout: 20_000 }).toBeGreaterThan(0);
    const second = await here.start('b', 1);
    await here.revive();
    expect([await here.ended(first), await here.ended(second)]).toEqual(['succeeded', 'succeeded']);
    expect([began(here, 'a'), began(here, 'b')]).toEqual([3, 3]);
    expect(broken(here)).toEqual([]);
  }, 120_000);
});

describe('one of two engines on a graphics card', () => {
  it('does not hold the card when it has died, whatever waits for it; back again, it gets its turn', async () => {
    const here = await studio();
    expect(await here.ended(await here.start('a', 1))).toBe('succeeded');
    await here.engines.a.process.stop('SIGKILL');
    await expect.poll(async () => (await here.call('backend/get', { id: 'a' })).backend.status, { timeout: 20_000 }).toBe('unreachable');
    const waits = await here.start('a', 2);
    expect(await here.ended(await here.start('b', 1))).toBe('succeeded');
    expect((await here.call('run/get', { runId: waits })).run.steps[0]?.reason).toBe("The graphics card of 'a' is with 'b'.");
    await here.restart('a');
    expect(await here.ended(waits)).toBe('succeeded');
    expect(await here.ended(await here.start('b', 2))).toBe('succeeded');
    expect(broken(here, ['a'])).toEqual([]);
  }, 120_000);

  it('keeps the card while it is silent, which is said; a person may give it up, and the other goes on', async () => {
    const here = await studio();
    expect(await here.ended(await here.start('a', 1))).toBe('succeeded');
    here.engines.a.process.child.kill('SIGSTOP');
    const runId = await here.start('b', 1);
    await expect
      .poll(async () => (await here.call('run/get', { runId })).run.steps[0]?.reason, { timeout: 30_000 })
      .toBe(
        "The graphics card of 'b' is being handed to 'b', and waits: 'a' does not answer, so nobody knows whether it holds the card; if it is gone: callsheet backends lost a.",
      );
    expect(began(here, 'b')).toBe(0);
    expect(await here.call('backend/assume-lost', { id: 'a' })).toEqual({ attempts: 0 });
    expect(await here.ended(runId)).toBe('succeeded');
    here.engines.a.process.child.kill('SIGCONT');
    // What it kept is taken from it when it is back.
    await expect
      .poll(() => deeds(here).filter(({ id, event }) => id === 'a' && event === 'freed').length, { timeout: 30_000 })
      .toBeGreaterThan(0);
    expect(await here.ended(await here.start('a', 2))).toBe('succeeded');
    expect(broken(here, ['a'])).toEqual([]);
  }, 120_000);

  it('is given up by its policy as well', async () => {
    const here = await studio({ more: ',assume-lost-after=1s' });
    expect(await here.ended(await here.start('a', 1))).toBe('succeeded');
    here.engines.a.process.child.kill('SIGSTOP');
    expect(await here.ended(await here.start('b', 1))).toBe('succeeded');
  }, 120_000);
});
