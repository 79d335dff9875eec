/** One measurement in a process of its own: one client of one kind, runs one after the other or in several lanes, the time of each. */
import { connect } from '#protocol/client.ts';
import type { Endpoint } from '#protocol/client.ts';
import type { RunEventBody } from '#protocol/events.ts';
import { RUN_ENDS } from '#protocol/views.ts';
import { childOptions, serveParent, tell } from './processes.ts';
import { connectRaw } from './raw-client.ts';
import { textToImage } from './sample-graphs.ts';

export interface GeneratorOptions {
  readonly kind: 'raw' | 'raw-files' | 'callsheet';
  readonly steps: number;
  /** Runs at the same time. */
  readonly lanes: number;
  /** Address of the fake server, for the raw kinds. */
  readonly url: string;
  /** Of the daemon, for `callsheet`. */
  readonly endpoint?: Endpoint;
  /** Where `raw-files` writes. */
  readonly dir: string;
}

export interface Measured {
  /** Milliseconds, one for each run. */
  readonly times: readonly number[];
  /** Milliseconds for all of them together. */
  readonly wallMs: number;
  readonly cpuMs: number;
}

type RunEnd = Extract<RunEventBody, { readonly type: 'run.status' }>;

interface Engine {
  run(index: number): Promise<void>;
  close(): Promise<void> | void;
}

async function rawEngine({ url, steps, kind, dir }: GeneratorOptions): Promise<Engine> {
  const client = await connectRaw(url, kind === 'raw-files' ? dir : undefined);
  return {
    async run(index) {
      for (let step = 1; step <= steps; step += 1) await client.run(textToImage(`take ${index}, step ${step}`, index * 10 + step));
    },
    close: () => client.close(),
  };
}

/** As a person's client does it: one subscription to the whole log, run/start, done when the log says that the run has ended. */
async function callsheetEngine({ endpoint, steps }: GeneratorOptions): Promise<Engine> {
  if (endpoint === undefined) throw new Error('The daemon has no address.');
  const client = await connect(endpoint);
  const ended = new Map<string, RunEnd>();
  const waiting = new Map<string, (end: RunEnd) => void>();
  await client.subscribe(
    {},
    {
      onEvent({ runId, event }) {
        if (event.type !== 'run.status' || !RUN_ENDS.includes(event.status)) return;
        const tellEnd = waiting.get(runId);
        waiting.delete(runId);
        if (tellEnd === undefined) ended.set(runId, event);
        else tellEnd(event);
      },
    },
  );
  return {
    async run(index) {
      const parameters = { prompt: `take ${index}`, seed: index };
      const { runId } = await client.call('run/start', { template: `chain-${steps}`, parameters });
      const early = ended.get(runId);
      ended.delete(runId);
      const { status, error } = early ?? (await new Promise<RunEnd>((resolve) => waiting.set(runId, resolve)));
      if (status !== 'succeeded') throw new Error(`Run ${runId}, number ${index}, ended as ${status}: ${error?.message ?? 'no reason'}`);
    },
    close: () => client.close(),
  };
}

const options = childOptions() as GeneratorOptions;
const engine = await (options.kind === 'callsheet' ? callsheetEngine(options) : rawEngine(options));
let next = 0;
serveParent(
  async ({ runs }): Promise<Measured> => {
    const times: number[] = [];
    const before = process.cpuUsage();
    const start = performance.now();
    let left = Number(runs);
    const lane = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        next += 1;
        const begin = performance.now();
        await engine.run(next);
        times.push(performance.now() - begin);
      }
    };
    await Promise.all(Array.from({ length: options.lanes }, lane));
    const { user, system } = process.cpuUsage(before);
    return { times, wallMs: performance.now() - start, cpuMs: (user + system) / 1000 };
  },
  () => engine.close(),
);
tell('ready');
