/** Real runs through a real daemon against the sandbox that counts costs; what was sent is taken down for the naive client. */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Backend } from '#backends/contract.ts';
import type { Sandbox } from '#backends/sandbox/options.ts';
import { parseConfig } from '#daemon/config.ts';
import { type Daemon, startDaemon } from '#daemon/daemon.ts';
import { type Client, connect } from '#protocol/client.ts';
import { RUN_ENDS, type RunView } from '#protocol/views.ts';
import { type PlainAction, setFailure } from './plain.ts';
import type { Request, Sequence } from './spec.ts';
import type { Variant } from './variants.ts';

export interface LiveOptions {
  readonly dir: string;
  readonly url: string;
  /** Absent with a server that can neither be restarted nor made to fail. */
  readonly sandbox?: Sandbox;
  readonly templates: string;
  readonly unfused: string;
  readonly pictures: ReadonlyMap<string, string>;
  /** Without `order`, each request waits for the one before, as a plain client's would; else batches are queued together. */
  readonly variant: Variant;
}

export interface Outcome {
  readonly status: string;
  /** Pixels of what the template gives out, in order, by name of the output. */
  readonly outputs: readonly string[];
  readonly run: RunView;
}

export interface LiveRun {
  /** One for each request, in the order in which they were made. */
  readonly outcomes: readonly Outcome[];
  readonly actions: readonly PlainAction[];
  /** From the first request to the last result, without restarts; of this machine's clock. */
  readonly wallSeconds: number;
}

export async function playLive(sequence: Sequence, options: LiveOptions): Promise<LiveRun> {
  const { dir, sandbox, variant } = options;
  const switches = { optimize: variant.on.has('passes'), cache: variant.on.has('cache') };
  const recorder = createRecorder(join(dir, 'uploads'));
  let daemon = await openDaemon(options, recorder.wrap);
  let client = await connect(daemon.endpoint);
  const outcomes: Outcome[] = [];
  let wallMs = 0;
  try {
    for (const event of sequence.events) {
      if ('fail' in event) {
        recorder.note({ type: 'fail', class: event.fail.class });
        if (sandbox !== undefined) setFailure(sandbox, event.fail.class);
        continue;
      }
      if ('restart' in event && event.restart === 'server') {
        recorder.note({ type: 'restart' });
        await sandbox?.restart();
      } else if ('restart' in event) {
        await client.close();
        await daemon.close();
        daemon = await openDaemon(options, recorder.wrap);
        client = await connect(daemon.endpoint);
      } else {
        const requests = 'start' in event ? [event.start] : event.batch;
        const startMs = performance.now();
        const runs = await (variant.on.has('order') ? all(client, requests) : oneByOne(client, requests));
        wallMs += performance.now() - startMs;
        for (const run of runs) outcomes.push({ status: run.status, outputs: await pixelsOf(run), run });
      }
      recorder.note({ type: 'fail', class: undefined });
      if (sandbox !== undefined) setFailure(sandbox, undefined);
    }
  } finally {
    await client.close();
    await daemon.close();
  }
  return { outcomes, actions: recorder.actions, wallSeconds: wallMs / 1000 };

  async function oneByOne(over: Client, requests: readonly Request[]): Promise<RunView[]> {
    const ended: RunView[] = [];
    for (const request of requests) ended.push(await finish(over, request, await begin(over, request)));
    return ended;
  }

  async function all(over: Client, requests: readonly Request[]): Promise<RunView[]> {
    await over.call('queue/pause', {});
    const ids: string[] = [];
    for (const request of requests) ids.push(await begin(over, request));
    await over.call('queue/resume', {});
    return Promise.all(requests.map((request, place) => finish(over, request, ids[place] ?? '')));
  }

  async function begin(over: Client, { template, parameters }: Request): Promise<string> {
    const given = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, resolve(value)]));
    const { runId } = await over.call('run/start', { template, parameters: given, ...switches });
    return runId;
  }

  function resolve(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || !('picture' in value)) return value;
    return options.pictures.get(String(value.picture)) ?? value;
  }
}

async function openDaemon(options: LiveOptions, wrapBackend: (backend: Backend) => Backend): Promise<Daemon> {
  const { dir, url, pictures, variant } = options;
  const templates = variant.on.has('fusion') ? options.templates : options.unfused;
  const environment = { CALLSHEET_RUNTIME_DIR: join(dir, 'runtime'), CALLSHEET_LOG_LEVEL: 'silent' };
  const roots = [...pictures.values()];
  const config = parseConfig(
    { data: join(dir, 'data'), out: join(dir, 'out'), backends: [`comfyui=${url}`], templates: [templates], roots },
    environment,
    dir,
  );
  return startDaemon(config, { wrapBackend });
}

async function finish(client: Client, request: Request, runId: string): Promise<RunView> {
  for (;;) {
    const { run } = await client.call('run/get', { runId });
    if (RUN_ENDS.includes(run.status)) return run;
    for (const choice of run.choices ?? []) {
      const indices = request.choose?.[choice.into];
      if (choice.status === 'waiting' && indices !== undefined) await client.call('run/choose', { runId, into: choice.into, indices });
    }
    await new Promise((proceed) => setTimeout(proceed, 20));
  }
}

/** `OUTPUT #N sha256`, sorted: metadata in the files differ from run to run, pixels must not. */
async function pixelsOf(run: RunView): Promise<readonly string[]> {
  const counts = new Map<string, number>();
  const found: string[] = [];
  const files = run.artifacts.toSorted((a, b) => a.item - b.item || a.index - b.index);
  for (const { outputs = [], path } of files)
    for (const name of outputs) {
      const number = counts.get(name) ?? 0;
      counts.set(name, number + 1);
      found.push(`${name} #${number} ${await pixelHash(path)}`);
    }
  return found.toSorted();
}

async function pixelHash(path: string): Promise<string> {
  const { data, info } = await sharp(path).raw().toBuffer({ resolveWithObject: true });
  return createHash('sha256').update(`${info.width}x${info.height}x${info.channels}`).update(data).digest('hex').slice(0, 24);
}

/**
 * Takes down what goes to the backend. A plain client would upload a picture under one name for ever; here files of equal pixels differ in what
 * the server wrote into them, so names are made of the pixels.
 */
function createRecorder(dir: string) {
  mkdirSync(dir, { recursive: true });
  const actions: PlainAction[] = [];
  const names = new Map<string, string>();
  const uploaded = new Set<string>();
  const wrap = (backend: Backend): Backend => ({
    ...backend,
    async upload(file, signal) {
      const stored = await backend.upload(file, signal);
      const name = `${await pixelHash(file.path)}.png`;
      names.set(stored, name);
      if (!uploaded.has(name)) {
        uploaded.add(name);
        copyFileSync(file.path, join(dir, name));
        actions.push({ type: 'upload', name, path: join(dir, name) });
      }
      return stored;
    },
    submit(attempt, payload, signal) {
      let graph = payload.text;
      for (const [stored, name] of names) graph = graph.replaceAll(JSON.stringify(stored), JSON.stringify(name));
      actions.push({ type: 'prompt', graph, outputNodes: payload.outputNodes });
      return backend.submit(attempt, payload, signal);
    },
  });
  return { actions, wrap, note: (action: PlainAction) => void actions.push(action) };
}
