/**
 * Hours of work with something going wrong every few seconds: `npm run soak -- --minutes N [--seed N] [--kill-every MINUTES]`.
 * Runs keep coming; sockets, answers, the backend, the client and the daemon die at random. At the end every promise is checked, and the slopes
 * of the daemon's memory, file descriptors and write-ahead log over its longest life are printed.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openWorld } from '../test/faults/world.ts';
import { generator } from '../test/crash/random.ts';
import { slopePerHour } from './numbers.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    'kill-every': { type: 'string', default: '60' },
  },
});
const minutes = Number(values.minutes);
const killEveryMs = Number(values['kill-every']) * 60_000;
const dice = generator(Number(values.seed));

/** Between two faults, in milliseconds: from this to three times this. */
const FAULT_EVERY_MS = 2000;
const SAMPLE_EVERY_MS = 1000;
const LANES = 4;
/** Share of a life that is warming up and says nothing of a leak. */
const WARM_UP = 0.25;

interface Sample {
  readonly atMs: number;
  readonly pid: number;
  readonly rssKb: number;
  readonly descriptors: number;
  readonly walKb: number;
}

const samples: Sample[] = [];
const faults = new Map<string, number>();
const statuses = new Map<string, number>();
const world = await openWorld({ latencyMs: 2, quiet: true });
const began = performance.now();
const elapsed = (): number => performance.now() - began;
const endAt = minutes * 60_000;

try {
  await Promise.all([...Array.from({ length: LANES }, submit), disturb(), observe()]);
  const broken = await world.broken();
  report(broken);
} finally {
  await world.close();
}

async function submit(): Promise<void> {
  while (elapsed() < endAt) {
    const colour = Math.floor(dice() * 0xffffff);
    const runId =
      dice() < 0.5 ? await world.start('three-steps', { colour }) : await world.start('fan-out', { colours: [colour, colour + 1] });
    if (dice() < 0.05) await world.call('run/cancel', { runId, requestKey: `cancel-${runId}` });
    const status = await world.ended(runId);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
}

async function disturb(): Promise<void> {
  const { proxy, sandbox } = world;
  const kinds: Readonly<Record<string, () => Promise<void> | void>> = {
    'every connection cut': () => proxy.cutAll(),
    'sockets cut': () => proxy.cutSockets(),
    'answer lost': () => void (proxy.faults.losePromptReplies = 1),
    'prompt halved': () => void (proxy.faults.halvePrompts = 1),
    'connections reset': () => void (proxy.faults.resetOnConnect = 2),
    silence: async () => {
      proxy.faults.blackhole = true;
      await pause(500 + dice() * 3000);
      proxy.faults.blackhole = false;
    },
    'backend restarted': () => world.restartBackend(200),
    'out of memory': () => void (sandbox.faults.outOfMemory = 1),
    'slow start': () => void Object.assign(sandbox.faults, { slowStarts: 1, slowStartMs: 1000 }),
    'queue cleared': () => world.clear('queue'),
    'client dropped': () => world.dropClient(),
  };
  const names = Object.keys(kinds);
  let killAt = killEveryMs;
  while (elapsed() < endAt) {
    await pause(FAULT_EVERY_MS * (1 + 2 * dice()));
    const name = names[Math.floor(dice() * names.length)] ?? '';
    if (killEveryMs > 0 && elapsed() > killAt) {
      killAt += killEveryMs;
      count('daemon killed');
      await world.killDaemon();
    }
    count(name);
    await kinds[name]?.();
  }
}

function count(name: string): void {
  faults.set(name, (faults.get(name) ?? 0) + 1);
}

async function observe(): Promise<void> {
  while (elapsed() < endAt) {
    await pause(SAMPLE_EVERY_MS);
    const sample = sampleOf(world.pid());
    if (sample !== undefined) samples.push(sample);
  }
}

/** Undefined where the system keeps no such books, and while a daemon is between two lives. */
function sampleOf(pid: number): Sample | undefined {
  try {
    const rssKb = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1]);
    const descriptors = readdirSync(`/proc/${String(pid)}/fd`).length;
    const walKb = statSync(join(world.data, 'callsheet.db-wal')).size / 1024;
    return { atMs: elapsed(), pid, rssKb, descriptors, walKb };
  } catch {
    return undefined;
  }
}

function report(broken: readonly string[]): void {
  const lives = [...Map.groupBy(samples, ({ pid }) => pid).values()].toSorted((a, b) => b.length - a.length);
  const longest = lives[0] ?? [];
  const steady = longest.slice(Math.floor(longest.length * WARM_UP));
  const line = (of: (sample: Sample) => number): readonly (readonly [number, number])[] =>
    steady.map((sample) => [sample.atMs, of(sample)]);
  const slopes = {
    rssMbPerHour: slopePerHour(line(({ rssKb }) => rssKb / 1024)),
    descriptorsPerHour: slopePerHour(line(({ descriptors }) => descriptors)),
    walMbPerHour: slopePerHour(line(({ walKb }) => walKb / 1024)),
  };
  const last = steady.at(-1);
  const result = {
    minutes,
    seed: Number(values.seed),
    runs: Object.fromEntries(statuses),
    faults: Object.fromEntries(faults),
    lives: lives.length,
    slopes,
    last,
    broken,
  };
  const list = (counts: ReadonlyMap<string, number>): string => [...counts].map(([name, number]) => `${name} ${String(number)}`).join(', ');
  console.log(`${String(minutes)} minutes, seed ${values.seed}: runs ${list(statuses)}`);
  console.log(`Faults: ${list(faults)}`);
  console.log(
    `Over the longest life of the daemon, warm: memory ${slopes.rssMbPerHour.toFixed(1)} MB an hour (now ${((last?.rssKb ?? 0) / 1024).toFixed(0)} MB), file descriptors ${slopes.descriptorsPerHour.toFixed(1)} an hour (now ${String(last?.descriptors)}), log ${slopes.walMbPerHour.toFixed(1)} MB an hour (now ${((last?.walKb ?? 0) / 1024).toFixed(1)} MB)`,
  );
  console.log(broken.length === 0 ? 'Every promise held.' : broken.slice(0, 20).join('\n'));
  const folder = new URL('./results/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL('soak.json', folder), `${JSON.stringify(result, undefined, 1)}\n`);
  if (broken.length > 0) process.exitCode = 1;
}
