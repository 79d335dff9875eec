/** Parts B and C: whole runs through the daemon beside a hand-written client, and what the daemon writes for them. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Endpoint } from '#protocol/client.ts';
import type { Counters, Stages } from './daemon-process.ts';
import type { GeneratorOptions, Measured } from './load-generator.ts';
import { median } from './numbers.ts';
import { startChild } from './processes.ts';
import { writeChainTemplate } from './sample-graphs.ts';

export type Kind = GeneratorOptions['kind'];

export interface Case {
  readonly steps: number;
  /** Between accepting a prompt and starting it, on the fake server. */
  readonly hopMs: number;
  /** Runs at the same time. */
  readonly lanes: number;
}

export interface Sample extends Case {
  readonly kind: Kind;
  readonly round: number;
  /** Milliseconds, one for each run. */
  readonly times: readonly number[];
  readonly runsPerSecond: number;
  /** Milliseconds of processor time a run: client and daemon, without the fake server. */
  readonly cpuMs: number;
  /** What the daemon did for one run, on average. */
  readonly written?: {
    readonly commits: number;
    readonly states: number;
    readonly events: number;
    readonly fileSyncs: number;
    readonly kb?: number;
  };
  readonly rssMb?: number;
  /** Median milliseconds between the stages of an attempt, inside the daemon. */
  readonly stages?: { readonly post: number; readonly toEnd: number; readonly toFetch: number };
  /** Requests that the fake server saw for one run, on average. */
  readonly requests: Readonly<Record<string, number>>;
}

export interface SampleOptions extends Case {
  readonly kind: Kind;
  readonly round: number;
  /** A folder of its own, on a disk that really syncs. */
  readonly dir: string;
  readonly warmUp: number;
  readonly runs: number;
  /** For the daemon, e.g. --cpu-prof. */
  readonly nodeArguments?: readonly string[];
  readonly trace?: boolean;
}

/** Fake server, daemon and client are fresh processes each time; the data directory is new. */
export async function sample(options: SampleOptions): Promise<Sample> {
  const { kind, steps, hopMs, lanes, round, dir, warmUp, runs } = options;
  const templates = join(dir, 'templates');
  writeChainTemplate(join(templates, `chain-${steps}`), `chain-${steps}`, steps);
  mkdirSync(join(dir, 'raw'), { recursive: true });
  await using started = new AsyncDisposableStack();
  const server = started.adopt(await startChild('fake-server.ts', { hopMs }), (child) => child.stop());
  const { url } = server.hello as { readonly url: string };
  const daemon =
    kind === 'callsheet'
      ? started.adopt(
          await startChild('daemon-process.ts', { dir, templates, url, trace: options.trace ?? false }, options.nodeArguments),
          (child) => child.stop(),
        )
      : undefined;
  const generator: GeneratorOptions = {
    kind,
    steps,
    lanes,
    url,
    dir: join(dir, 'raw'),
    ...(daemon === undefined ? {} : { endpoint: daemon.hello as Endpoint }),
  };
  const client = started.adopt(await startChild('load-generator.ts', generator), (child) => child.stop());
  await client.ask({ runs: warmUp });
  const before = (await daemon?.ask({})) as Counters | undefined;
  const seenBefore = ((await server.ask({})) as Seen).requests;
  const { times, wallMs, cpuMs } = (await client.ask({ runs })) as Measured;
  const after = (await daemon?.ask({})) as Counters | undefined;
  const seen = ((await server.ask({})) as Seen).requests;
  for (const line of after?.trace ?? []) console.log(line);
  const each = (name: 'commits' | 'states' | 'events' | 'fileSyncs' | 'cpuMs'): number =>
    ((after?.[name] ?? 0) - (before?.[name] ?? 0)) / runs;
  const bytes =
    after?.bytesWritten === undefined || before?.bytesWritten === undefined ? undefined : after.bytesWritten - before.bytesWritten;
  return {
    kind,
    steps,
    hopMs,
    lanes,
    round,
    times,
    runsPerSecond: (runs / wallMs) * 1000,
    cpuMs: cpuMs / runs + each('cpuMs'),
    requests: Object.fromEntries(Object.entries(seen).map(([name, count]) => [name, (count - (seenBefore[name] ?? 0)) / runs])),
    ...(after === undefined
      ? {}
      : {
          rssMb: after.rssMb,
          stages: gaps(after.stages),
          written: {
            commits: each('commits'),
            states: each('states'),
            events: each('events'),
            fileSyncs: each('fileSyncs'),
            ...(bytes === undefined ? {} : { kb: bytes / runs / 1000 }),
          },
        }),
  };
}

function gaps(stages: readonly Stages[]): NonNullable<Sample['stages']> {
  const between = (from: keyof Stages, to: keyof Stages): number =>
    median(stages.map((one) => (one[to] ?? Number.NaN) - (one[from] ?? Number.NaN)).filter((gap) => !Number.isNaN(gap)));
  return { post: between('submit', 'accepted'), toEnd: between('accepted', 'finished'), toFetch: between('finished', 'fetch') };
}

interface Seen {
  readonly requests: Readonly<Record<string, number>>;
}
