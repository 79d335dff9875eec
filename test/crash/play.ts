/**
 * One scenario with deaths: a client starts a run under a request key, the daemon meets its fate at the given points and is started again each
 * time, and the run must end as if nothing had happened. What the client wishes on the way it asks for under keys of its own, until it is answered.
 */
import { appendFileSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { Sandbox } from '#backends/sandbox/options.ts';
import { startSandbox } from '#backends/sandbox/server.ts';
import { type Client, connect } from '#protocol/client.ts';
import type { RunEvent } from '#protocol/events.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { RUN_ENDS, type RunView } from '#protocol/views.ts';
import { readRuntimeFile } from '#daemon/runtime-file.ts';
import { openStore } from '#store/store.ts';
import { brokenPromises } from '../faults/promises.ts';
import type { Fate } from './fates.ts';
import { type Process, startProcess } from './processes.ts';
import type { Scenario, Wish } from './scenarios.ts';

const TEMPLATES = fileURLToPath(new URL('../fixtures/templates', import.meta.url));
const PICTURE = sharp({ create: { width: 16, height: 16, channels: 3, background: 'teal' } })
  .png()
  .toBuffer();

/** Longer than any play on a machine that has other things to do. */
const PATIENCE_MS = 300_000;
/** Marks the start of a daemon among the points. */
const START = 'start';

/** What daemons of earlier plays found in the templates: reading them again costs half of a start. Results they kept would spare later plays the work. It goes with this process. */
const known = mkdtempSync(join(tmpdir(), 'callsheet-crash-known-'));
process.once('exit', () => rmSync(known, { recursive: true, force: true }));

export interface Played {
  /** Names of the points that were passed, by each daemon in turn. */
  readonly lives: readonly (readonly string[])[];
  readonly kills: number;
  /** Empty when every promise held. */
  readonly broken: readonly string[];
  /** Executions that the backends' own ledgers count. */
  readonly executions: number;
  readonly status: string;
}

export interface PlayOptions {
  readonly fate?: Fate;
  /** Where what is left of a play goes in which something broke. */
  readonly keepIn?: string;
  /** Arguments of strace, under which the first daemon runs. */
  readonly strace?: readonly string[];
}

/** `deaths[n]` is the number of points after which the nth daemon meets its fate; later ones live. */
export async function play(
  scenario: Scenario,
  deaths: readonly number[],
  { fate = 'killed', keepIn, strace }: PlayOptions = {},
): Promise<Played> {
  const dir = mkdtempSync(join(tmpdir(), 'callsheet-crash-'));
  const data = join(dir, 'data');
  const record = join(dir, 'points.log');
  const picture = join(dir, 'picture.png');
  writeFileSync(record, '');
  writeFileSync(picture, await PICTURE);
  const sandboxes: Sandbox[] = [];
  for (let n = 0; n < (scenario.backends ?? 1); n += 1)
    sandboxes.push(await startSandbox({ dir: join(dir, `sandbox-${String(n)}`), latencyMs: 1 }));
  const living = [...sandboxes];
  const stage = { sandboxes: living, kill: (one: Sandbox) => void living.splice(living.indexOf(one), 1)[0]?.close() };
  const orders = { data, templates: TEMPLATES, backends: sandboxes.map(({ url }) => url), root: dir, record, fate };

  const seen: RunEvent[] = [];
  const wishes = new Map<Wish['method'], Wish>();
  const answers = new Map<Wish['method'], unknown>();
  const parameters = scenario.parameters?.(picture) ?? {};
  let runId: string | undefined;
  let kills = 0;
  let view: RunView | undefined;
  let daemon: Process | undefined;
  let isBroken = true;
  let isLate = false;
  const patience = setTimeout(() => {
    isLate = true;
    void daemon?.stop('SIGKILL');
  }, PATIENCE_MS);
  scenario.prepare?.(stage);
  takeTemplates(known, join(data, 'cache'));
  try {
    for (let life = 0; view === undefined; life += 1) {
      if (isLate) throw new Error(`it did not end within ${String(PATIENCE_MS / 1000)} seconds`);
      if (life > deaths.length + (strace === undefined ? 1 : 2))
        throw new Error(`the daemon died ${String(life)} times, more often than it was told to`);
      const dieAt = deaths[life] ?? 0;
      appendFileSync(record, `${START}\n`);
      const env = { ...scenario.env, CALLSHEET_CRASH_ORDERS: JSON.stringify({ ...orders, dieAt }) };
      daemon = await startProcess('./crash-child.ts', env, life === 0 ? { strace } : {});
      const info = daemon === undefined ? undefined : readRuntimeFile(String(daemon.ready['runtimeFile']));
      if (daemon === undefined || info === undefined) {
        kills += 1;
        continue;
      }
      try {
        view = await live(info);
        await daemon.stop();
        // Killed while it stopped: what it left is taken up by the next, as after any death.
        if (daemon.child.signalCode === 'SIGKILL') {
          kills += 1;
          view = undefined;
        }
      } catch (error) {
        if (!isLoss(error)) throw error;
        await daemon.ended;
        kills += 1;
      }
    }
    const executions = sandboxes.flatMap((sandbox) => sandbox.ledger());
    const lives = livesOf(readFileSync(record, 'utf8'));
    const broken = [
      ...(await judge(view, executions)),
      ...(fate === 'killed' && strace === undefined ? ownDeaths(lives, deaths, kills) : []),
    ];
    isBroken = broken.length > 0;
    if (!existsSync(join(known, 'templates.db'))) takeTemplates(join(data, 'cache'), known);
    return { lives, kills, executions: executions.length, status: view.status, broken };
  } finally {
    clearTimeout(patience);
    await daemon?.stop('SIGKILL');
    await Promise.all(living.map((sandbox) => sandbox.close()));
    if (isBroken && keepIn !== undefined) cpSync(dir, keepIn, { recursive: true });
    rmSync(dir, { recursive: true, force: true });
  }

  /** One life of the daemon as a client sees it: subscribe from where it was, start (or start again), wish (or wish again), wait for the end. */
  async function live(info: { readonly url: string; readonly key: string }): Promise<RunView> {
    const over = Promise.withResolvers<void>();
    over.promise.catch(() => undefined);
    const client = await connect({ url: info.url, key: info.key, onClose: (error) => over.reject(error ?? new Error('closed')) });
    const look = () => {
      const ends = seen.filter(({ event }) => event.type === 'run.status' && RUN_ENDS.includes(event.status));
      if (ends.length >= (scenario.tries ?? 1) && answers.size === wishes.size) over.resolve();
    };
    const ask = (wish: Wish) => {
      askFor(client, wish).then((answer) => {
        answers.set(wish.method, answer);
        look();
      }, over.reject);
    };
    try {
      const last = seen.at(-1);
      const since = { epoch: last?.epoch ?? client.server.epoch, seq: last?.position ?? 0 };
      const { runId: given } = await begin(client);
      await client.subscribe(
        { since },
        {
          onEvent({ runId: of, seq, position, epoch, at, event }) {
            seen.push({ runId: of, seq, position, epoch, at, event });
            const wish = scenario.react?.(event, stage);
            if (wish !== undefined && !wishes.has(wish.method)) {
              wishes.set(wish.method, wish);
              ask(wish);
            }
            look();
          },
        },
      );
      // Asked before the daemon died, and no answer came: the same wishes again.
      for (const [method, wish] of wishes) if (!answers.has(method)) ask(wish);
      look();
      await over.promise;
      return (await client.call('run/get', { runId: given })).run;
    } finally {
      await client.close().catch(() => undefined);
    }
  }

  async function begin(client: Client): Promise<{ readonly runId: string }> {
    const answer = await patiently(() => client.call('run/start', { template: scenario.template, parameters, requestKey: 'start' }));
    if (runId !== undefined && answer.runId !== runId) throw new Error(`the request key gave ${answer.runId} after ${runId}`);
    runId = answer.runId;
    return answer;
  }

  function askFor(client: Client, wish: Wish): Promise<unknown> {
    const requestKey = `wish-${wish.method}`;
    const of = { runId: runId ?? '', requestKey };
    return patiently<unknown>(() =>
      wish.method === 'run/choose' ? client.call(wish.method, { ...of, values: wish.values }) : client.call(wish.method, of),
    );
  }

  async function judge(run: RunView, executions: ReturnType<Sandbox['ledger']>): Promise<string[]> {
    const { prompts: any, undisturbed } = scenario;
    const [least, most] = kills > 0 || undisturbed === undefined ? any : [undisturbed, undisturbed];
    const prompts = new Set(executions.map(({ prompt_id }) => prompt_id)).size;
    const store = openStore({ dir: data });
    const evidence = { store, outputDir: join(data, 'output'), executions, acknowledged: [run.runId], seen };
    const broken = [...(await brokenPromises(evidence)), ...(await leftOn(living)), ...unkeptPicks(run, seen, answers.get('run/choose'))];
    store.close();
    const ends = kills === 0 ? scenario.ends.slice(0, 1) : scenario.ends;
    if (!ends.includes(run.status)) broken.push(`the run ended as ${run.status}: ${run.error?.message ?? ''}`);
    if ((run.progress === 1) !== (run.status === 'succeeded')) broken.push(`progress is ${String(run.progress)} and the run ${run.status}`);
    if (scenario.shared === true && kills === 0 && sandboxes.some((sandbox) => sandbox.ledger().length === 0))
      broken.push('a backend had nothing to do');
    if (prompts < least || prompts > most) broken.push(`${String(prompts)} prompts were executed, not ${String(least)} to ${String(most)}`);
    return broken;
  }
}

function livesOf(record: string): readonly (readonly string[])[] {
  return record
    .split(`${START}\n`)
    .slice(1)
    .map((life) => life.split('\n').filter((name) => name !== ''));
}

/** Deaths that nobody ordered. */
function ownDeaths(lives: Played['lives'], deaths: readonly number[], kills: number): readonly string[] {
  return lives.slice(0, kills).flatMap(({ length }, life) => {
    const ordered = deaths[life] ?? 0;
    return length === ordered ? [] : [`daemon ${String(life + 1)} died after ${String(length)} points, by itself`];
  });
}

/** What was read of the templates, and nothing that was made. */
function takeTemplates(from: string, to: string): void {
  if (!existsSync(from)) return;
  for (const name of readdirSync(from).filter((one) => one.startsWith('templates.db')))
    cpSync(join(from, name), join(to, name), { recursive: true });
}

/** A disk that failed once is told, and the same request is made again under its key. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let left = 100; ; left -= 1) {
    try {
      return await ask();
    } catch (error) {
      if (left === 0 || !(error instanceof CallsheetError) || error.code !== 'STORAGE_FAILED') throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

function isLoss(error: unknown): boolean {
  return error instanceof CallsheetError && ['CONNECTION_LOST', 'DAEMON_NOT_RUNNING'].includes(error.code);
}

/** An ended run has nothing at work or queued. */
async function leftOn(sandboxes: readonly Sandbox[]): Promise<readonly string[]> {
  const queues = await Promise.all(
    sandboxes.map(async ({ url }) => (await fetch(`${url}/queue`)).json() as Promise<Record<string, unknown[]>>),
  );
  const left = queues.flatMap((queue) => Object.values(queue).flat()).length;
  return left === 0 ? [] : [`${String(left)} prompts are left on the backend`];
}

/** An acknowledged pick stands, and is made once. */
function unkeptPicks({ choices = [] }: RunView, seen: readonly RunEvent[], answer: unknown): readonly string[] {
  const made = seen.filter(({ event }) => event.type === 'choice.made').length;
  const { picked } = (answer ?? {}) as { readonly picked?: unknown };
  return [
    ...(made === choices.length ? [] : [`${String(made)} picks were logged for ${String(choices.length)} choices`]),
    ...choices
      .filter((choice) => JSON.stringify(choice.picked) !== JSON.stringify(picked))
      .map((choice) => `choice ${choice.into} is ${JSON.stringify(choice.picked)}, acknowledged was ${JSON.stringify(picked)}`),
  ];
}
