/**
 * Scenarios with deaths: a client starts a run of three prompts under a request key, the daemon is killed at the given points,
 * started again each time, and the run must end as if nothing had happened. Where the run waits for a choice, the client makes it under
 * a key of its own. `check` says everything that did not hold.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { type Client, connect } from '#protocol/client.ts';
import type { RunEvent } from '#protocol/events.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { RUN_ENDS, type RunView } from '#protocol/views.ts';
import { readRuntimeFile } from '#daemon/runtime-file.ts';
import { openStore } from '#store/store.ts';
import type { Fate } from './fates.ts';
import { type Process, startProcess } from './processes.ts';

const TEMPLATES = fileURLToPath(new URL('../fixtures/templates', import.meta.url));

export interface Played {
  readonly points: readonly string[];
  readonly kills: number;
  /** Empty when every promise held. */
  readonly broken: readonly string[];
  /** Executions that the backend's own ledger counts for the run's prompts. */
  readonly executions: number;
}

/** What each scenario comes to: prompts that are executed, files that are left, attempts beyond one for each item. */
const COMES_TO = {
  'three-steps': { prompts: 3, files: 3, retries: 0 },
  'with-choice': { prompts: 3, files: 3, retries: 0 },
  // On a backend that runs out of memory twice: the ladder down to the lower profile.
  'low-memory': { prompts: 4, files: 2, retries: 2 },
} as const;
export type Scenario = keyof typeof COMES_TO;

/** `others` are further backends of the pool. `deaths[n]` is the number of points after which the nth daemon meets its fate; later ones live. */
export async function play(
  backend: string,
  deaths: readonly number[],
  fate: Fate = 'killed',
  template: Scenario = 'three-steps',
  others: readonly string[] = [],
): Promise<Played> {
  const data = mkdtempSync(join(tmpdir(), 'callsheet-crash-'));
  const record = join(data, 'points.log');
  writeFileSync(record, '');
  const seen: RunEvent[] = [];
  const requestKey = `key-${String(Date.now())}-${String(Math.random())}`;
  let runId: string | undefined;
  let cursor: { epoch: string; seq: number } | undefined;
  let wish: readonly string[] | undefined;
  let picked: readonly string[] | undefined;
  let kills = 0;
  let view: RunView | undefined;
  let daemon: Process | undefined;
  try {
    for (let life = 0; view === undefined; life += 1) {
      if (life > deaths.length + 1) throw new Error(`the daemon died ${String(life)} times, more often than it was told to`);
      const orders = { data, templates: TEMPLATES, backend, others, root: data, record, dieAt: deaths[life] ?? 0, fate };
      daemon = await startProcess('./crash-child.ts', { CALLSHEET_CRASH_ORDERS: JSON.stringify(orders) });
      const info = daemon === undefined ? undefined : readRuntimeFile(String(daemon.ready['runtimeFile']));
      if (daemon === undefined || info === undefined) {
        kills += 1;
        continue;
      }
      try {
        view = await live(info, (event) => {
          seen.push(event);
          cursor = { epoch: event.epoch, seq: event.position };
        });
      } catch (error) {
        if (!(error instanceof CallsheetError) || !['CONNECTION_LOST', 'DAEMON_NOT_RUNNING'].includes(error.code)) throw error;
        await daemon.ended;
        kills += 1;
      }
    }
    await daemon?.stop();
    const last = view;
    const executions = (await Promise.all([backend, ...others].map((url) => executionsOf(url, last)))).flat();
    return {
      points: readFileSync(record, 'utf8').trim().split('\n'),
      kills,
      executions: executions.length,
      broken: [...(await check(data, view, template, seen, executions)), ...checkChoices(view, seen, picked)],
    };
  } finally {
    await daemon?.stop('SIGKILL');
    rmSync(data, { recursive: true, force: true });
  }

  /** One life of the daemon as a client sees it: subscribe from where it was, start (or start again), wait for the end. */
  async function live(info: { readonly url: string; readonly key: string }, onEvent: (event: RunEvent) => void): Promise<RunView> {
    const ended = Promise.withResolvers<void>();
    ended.promise.catch(() => undefined);
    const client: Client = await connect({ url: info.url, key: info.key, onClose: (error) => ended.reject(error ?? new Error('closed')) });
    try {
      await client.subscribe(cursor === undefined ? { since: { epoch: client.server.epoch, seq: 0 } } : { since: cursor }, {
        onEvent({ runId: of, seq, position, epoch, at, event: body }) {
          const event = { runId: of, seq, position, epoch, at, event: body };
          onEvent(event);
          if (event.event.type === 'run.status' && RUN_ENDS.includes(event.event.status)) ended.resolve();
          if (event.event.type === 'choice.offered') choose(client, event.event.candidates.at(-1)?.id).catch(ended.reject);
        },
      });
      const answer = await client.call('run/start', { template, parameters: {}, requestKey });
      if (runId !== undefined && answer.runId !== runId) throw new Error(`the request key gave ${answer.runId} after ${runId}`);
      runId = answer.runId;
      // Asked before the daemon died, and no answer came: the same wish again.
      if (wish !== undefined && picked === undefined) choose(client, wish[0]).catch(ended.reject);
      const before = await client.call('run/get', { runId });
      if (!RUN_ENDS.includes(before.run.status)) await ended.promise;
      return (await client.call('run/get', { runId })).run;
    } finally {
      await client.close().catch(() => undefined);
    }
  }

  async function choose(client: Client, candidate: string | undefined): Promise<void> {
    wish = [candidate ?? ''];
    const answer = await client.call('run/choose', { runId: runId ?? '', values: wish, requestKey: `${requestKey}-pick` });
    picked = answer.picked;
  }
}

/** An acknowledged pick stands, and is made once. */
function checkChoices({ choices = [] }: RunView, seen: readonly RunEvent[], picked: readonly string[] | undefined): string[] {
  const made = seen.filter(({ event }) => event.type === 'choice.made').length;
  return [
    ...(made === choices.length ? [] : [`${String(made)} picks were logged for ${String(choices.length)} choices`]),
    ...choices
      .filter((choice) => picked === undefined || JSON.stringify(choice.picked) !== JSON.stringify(picked))
      .map((choice) => `choice ${choice.into} is ${JSON.stringify(choice.picked)}, acknowledged was ${JSON.stringify(picked)}`),
  ];
}

interface Execution {
  readonly prompt_id: string;
}

async function executionsOf(backend: string, view: RunView): Promise<readonly Execution[]> {
  const response = await fetch(`${backend}/sandbox/ledger`);
  const ledger = (await response.json()) as { readonly executions: readonly Execution[] };
  const own = new Set(view.steps.flatMap((step) => step.attempts.map((attempt) => attempt.promptId)));
  return ledger.executions.filter(({ prompt_id }) => own.has(prompt_id));
}

/** The promises of the design (section 5), as far as this scenario can break them. */
async function check(
  data: string,
  view: RunView,
  template: Scenario,
  seen: readonly RunEvent[],
  executions: readonly Execution[],
): Promise<string[]> {
  const broken: string[] = [];
  const hold = (condition: boolean, promise: string) => void (condition || broken.push(promise));
  hold(view.status === 'succeeded', `the run ended as ${view.status}: ${view.error?.message ?? ''}`);
  hold(view.progress === 1, `progress is ${String(view.progress)}`);
  const { prompts, files, retries } = COMES_TO[template];
  const attempts = view.steps.reduce((sum, step) => sum + step.attempts.length - step.items, 0);
  hold(attempts === retries, `there were ${String(attempts)} attempts beyond the first, not ${String(retries)}`);
  const low = view.artifacts.filter(({ profile }) => profile === 'low').length;
  hold(low === (retries > 0 ? 1 : 0), `${String(low)} files were made with the lower profile`);
  const counts = Map.groupBy(executions, ({ prompt_id }) => prompt_id);
  for (const [promptId, times] of counts) hold(times.length === 1, `prompt ${promptId} was executed ${String(times.length)} times`);
  hold(counts.size === prompts, `${String(counts.size)} prompts were executed, not ${String(prompts)}`);
  hold(view.artifacts.length === files, `${String(view.artifacts.length)} artifacts, not ${String(files)}`);
  for (const { path, width } of view.artifacts) {
    hold(existsSync(path), `${path} does not exist`);
    if (existsSync(path)) hold((await sharp(path).metadata()).width === width, `${path} cannot be decoded as recorded`);
  }
  const store = openStore({ dir: data });
  const stored = store.events({ after: 0, limit: 1000 });
  store.close();
  hold(
    stored.every((event, index) => event.position === index + 1 && event.seq === index + 1),
    'the stored log has a gap',
  );
  hold(
    JSON.stringify(seen) === JSON.stringify(stored),
    `the client saw ${String(seen.length)} events where the log has ${String(stored.length)}, or others`,
  );
  hold(
    stored.filter(({ event }) => event.type === 'run.status' && RUN_ENDS.includes(event.status)).length === 1,
    'the run has not exactly one end',
  );
  return broken;
}
