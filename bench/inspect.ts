/**
 * What being inspectable costs: events that a step machine takes each second, and whole runs each second, with no hub, with a hub at which nobody looks, and with
 * one client that reads everything, under its usual limits. Run: `npm run bench:inspect`, or with `-- --rounds 40`. docs/inspector.md says how to read it.
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { type AnyActorRef, createActor, fromCallback, fromPromise, type InspectionEvent } from 'xstate';
import type { ExecuteEvent, RunActors } from '#actors/logic.ts';
import { createInspectHub } from '#daemon/inspect/inspect-hub.ts';
import { createRunMachine } from '#machines/run-machine.ts';
import { median, percentile, show } from './numbers.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } });
const rounds = Number(values.rounds);
const SENDS = 4000;
const RUNS = 60;

type Tap = (runId: string, event: InspectionEvent) => void;

const outputs = { files: [], texts: [], cachedNodes: [] };
/** The newest one sends to the step at work. */
let sendBack: (event: ExecuteEvent) => void = () => undefined;
/** Answers at once. */
const at = (value: unknown) => fromPromise<never, never>(() => Promise.resolve(value as never));
const actors = {
  'load-template': at({ steps: [{ id: 'a', needs: [] }] }),
  'inject-parameters': at(undefined),
  'plan-step': at({ items: 1 }),
  'offer-choice': at({ skip: 'none' }),
  'prepare-step': at({ promptId: 'p', backendId: 'b' }),
  'parse-results': at({ artifacts: 1, draft: false }),
  'cancel-step': at(undefined),
  'free-backend': at({ lower: false }),
  'collect-results': at({ draft: false }),
  'release-attempts': at(undefined),
  'execute-step': fromCallback((given) => {
    ({ sendBack } = given as { readonly sendBack: typeof sendBack });
  }),
} as unknown as RunActors;
const machine = createRunMachine(actors);
/** Microseconds of processor time of this thread: what other programs do on the machine is not counted. */
const used = () => {
  const { user, system } = process.threadCpuUsage();
  return user + system;
};
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** As the run host starts a run: it listens to what is emitted, and marks what changed. */
function start(runId: string, tap: Tap | undefined) {
  let marks = 0;
  const inspect = (event: InspectionEvent) => {
    tap?.(runId, event);
    if (event.type === '@xstate.actor') (event.actorRef as AnyActorRef).on?.('*', () => (marks += 1));
    else if (event.type === '@xstate.snapshot') marks += 1;
  };
  return createActor(machine, { id: runId, input: { runId }, inspect }).start();
}

/** Microseconds that an event costs which changes the state of the step machine: its backend is lost, and back. */
async function eventCost(tap: Tap | undefined): Promise<number> {
  const actor = start('run', tap);
  await settled();
  const since = used();
  for (let nth = 0; nth < SENDS; nth += 1) sendBack({ type: 'backend.contact', status: nth % 2 === 0 ? 'lost' : 'restored' });
  const took = used() - since;
  actor.stop();
  return took / SENDS;
}

/** Microseconds that a whole run costs: nine actors are made and end. */
async function runCost(tap: Tap | undefined): Promise<number> {
  const since = used();
  for (let nth = 0; nth < RUNS; nth += 1) {
    const actor = start(`run-${String(nth)}`, tap);
    await settled();
    sendBack({ type: 'backend.finished', outputs });
    await settled();
    if (actor.getSnapshot().value !== 'succeeded') throw new Error(`a run ended as ${JSON.stringify(actor.getSnapshot().value)}`);
  }
  return (used() - since) / RUNS;
}

const idle = createInspectHub();
const watched = createInspectHub();
let bytes = 0;
let messages = 0;
watched.look({
  wants: () => true,
  send(text) {
    bytes += text.length;
    messages += 1;
    return true;
  },
});
const MODES: readonly (readonly [string, Tap | undefined])[] = [
  ['no hub', undefined],
  ['nobody looks', (runId, event) => idle.tap(runId, event)],
  ['one client', (runId, event) => watched.tap(runId, event)],
];

const costs = MODES.map(() => ({ event: [] as number[], run: [] as number[] }));
const load = loadavg()[0];
// The three take turns, so that what else the machine does is shared by all; the first round only compiles the code.
for (let round = 0; round <= rounds; round += 1) {
  for (let turn = 0; turn < MODES.length; turn += 1) {
    const nth = (turn + round) % MODES.length;
    const tap = MODES[nth]?.[1];
    const [event, run] = [await eventCost(tap), await runCost(tap)];
    if (round === 0) continue;
    costs[nth]?.event.push(event);
    costs[nth]?.run.push(run);
  }
}
/** How much more than without a hub, as the median of all rounds, each of which is compared with itself. */
const more = (nth: number, kind: 'event' | 'run') => {
  const parts = (costs[nth]?.[kind] ?? []).map(
    (cost, round) => ((cost - (costs[0]?.[kind][round] ?? 0)) / (costs[0]?.[kind][round] ?? 0)) * 100,
  );
  const [low, middle, high] = [0.25, 0.5, 0.75].map((part) => show(percentile(parts, part)));
  return nth === 0 ? '' : `, ${middle ?? ''} % more (half of the rounds: ${low ?? ''} to ${high ?? ''})`;
};
for (const [nth, [name]] of MODES.entries()) {
  const [event, run] = [median(costs[nth]?.event ?? []), median(costs[nth]?.run ?? [])];
  console.log(`${name.padEnd(13)} ${show(1e6 / event)} events/s: ${show(event)} µs each${more(nth, 'event')}`);
  console.log(`${''.padEnd(13)} ${show(1e6 / run)} runs/s: ${show(run)} µs each${more(nth, 'run')}`);
}
console.log(`The client got ${String(messages)} messages, ${show(bytes / 1e6)} MB. Actors still remembered: ${String(idle.actors)}.`);
console.log(`${String(cpus().length)} cores, Node ${process.version}, load before ${show(load)}.`);
if (idle.actors !== 0) process.exitCode = 1;
idle.close();
watched.close();
