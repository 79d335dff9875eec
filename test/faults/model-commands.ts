/** What the model test does, and what it may come to: commands over a world of real processes beside a model of a few lines. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CallsheetError } from '#protocol/errors.ts';
import { RUN_ENDS } from '#protocol/views.ts';
import type { World } from './world.ts';

/** One restart costs an attempt; so many of them may use them all up. */
const RESTARTS_SURVIVED = 4;
const DEATHS_SURVIVED = 3;
/** A prompt that runs out of memory is tried once more; these templates have no lower profile. */
const STARVED_TOO_OFTEN = 2;
/** What run/retry may answer instead. */
const REFUSED: ReadonlySet<string> = new Set(['RUN_NOT_RETRYABLE']);

export interface ModelRun {
  readonly runId: string;
  cancelled: boolean;
  /** Somebody took prompts off the backend while it ran. */
  robbed: boolean;
  restarts: number;
  /** Deaths of the daemon while it was open. */
  deaths: number;
}

export interface Model {
  readonly runs: ModelRun[];
  /** How often a node was to run out of memory; the next prompt does, of whichever run it is. */
  starved: number;
}

type Command = fc.AsyncCommand<Model, World>;

function command(name: string, run: (model: Model, world: World) => Promise<void>, check: (model: Model) => boolean = () => true): Command {
  return { check, run, toString: () => name };
}

const anyRun = ({ runs }: Model) => runs.length > 0;
const each = (model: Model, change: (run: ModelRun) => void) => {
  for (const run of model.runs) change(run);
};

const submit = (template: string) =>
  fc.nat(0xffff).map((colour) =>
    command(`submit ${template}`, async (model, world) => {
      const parameters = parametersOf(template, { colour, colours: [colour, colour + 1] });
      model.runs.push({ runId: await world.start(template, parameters), cancelled: false, robbed: false, restarts: 0, deaths: 0 });
    }),
  );

const cancel = fc.nat(20).map((which) =>
  command(
    `cancel ${String(which)}`,
    async (model, world) => {
      const run = model.runs[which % model.runs.length];
      if (run === undefined) return;
      run.cancelled = true;
      await world.call('run/cancel', { runId: run.runId, requestKey: `cancel-${run.runId}` });
    },
    anyRun,
  ),
);

/** The first answer again, whatever has died since. */
const submitAgain = fc.nat(20).map((which) =>
  command(
    `submit ${String(which)} again`,
    async (model, world) => {
      const index = which % model.runs.length;
      const { run } = await world.call('run/get', { runId: model.runs[index]?.runId ?? '' });
      const again = await world.call('run/start', {
        template: run.template,
        parameters: parametersOf(run.template, run.parameters),
        requestKey: `world-${String(index + 1)}`,
      });
      assert.equal(again.runId, run.runId, 'the request key gave another run');
    },
    anyRun,
  ),
);

const look = fc.nat(20).map((which) =>
  command(
    `look at ${String(which)}`,
    async (model, world) => {
      const { run } = await world.call('run/get', { runId: model.runs[which % model.runs.length]?.runId ?? '' });
      assert.ok(run.progress >= 0 && run.progress <= 1, `progress is ${String(run.progress)}`);
      assert.equal(run.progress === 1, run.status === 'succeeded', `progress 1 and ${run.status}`);
    },
    anyRun,
  ),
);

/** An ended run goes on; one that has not ended, or has nothing to do again, says so. */
const retry = fc.nat(20).map((which) =>
  command(
    `retry ${String(which)}`,
    async (model, world) => {
      const run = model.runs[which % model.runs.length];
      if (run === undefined) return;
      const { run: before } = await world.call('run/get', { runId: run.runId });
      try {
        await world.call('run/retry', { runId: run.runId, requestKey: `retry-${run.runId}-${String(which)}` });
        // Tried again, it was neither cancelled nor robbed yet.
        Object.assign(run, { cancelled: false, restarts: 0, deaths: 0 });
      } catch (error) {
        assert.ok(
          error instanceof CallsheetError && REFUSED.has(error.code),
          `run/retry of a run that is ${before.status}: ${String(error)}`,
        );
      }
    },
    anyRun,
  ),
);

/** A pick where one is awaited. */
const choose = fc.nat(20).map((which) =>
  command(
    `choose for ${String(which)}`,
    async (model, world) => {
      const runId = model.runs[which % model.runs.length]?.runId ?? '';
      const { run } = await world.call('run/get', { runId });
      const [awaited] = run.choices?.filter(({ status }) => status === 'waiting') ?? [];
      if (awaited === undefined) return;
      try {
        await world.call('run/choose', { runId, into: awaited.into, indices: [0], requestKey: `choose-${runId}` });
      } catch (error) {
        assert.ok(error instanceof CallsheetError && error.code === 'CHOICE_NOT_WAITING', String(error));
      }
    },
    anyRun,
  ),
);

const disasters: readonly fc.Arbitrary<Command>[] = [
  fc.constant(
    command('kill the daemon', async (model, world) => {
      each(model, (run) => void (run.deaths += 1));
      await world.killDaemon();
    }),
  ),
  fc.constant(
    command('run out of memory', async (model, world) => {
      model.starved += 1;
      world.sandbox.faults.outOfMemory = 1;
    }),
  ),
  fc.constant(command('stop the daemon', (_, world) => world.stopDaemon())),
  fc.constant(
    command('restart the backend', async (model, world) => {
      each(model, (run) => void (run.restarts += 1));
      await world.restartBackend(30);
    }),
  ),
  fc.constant(
    command('clear the queue', async (model, world) => {
      each(model, (run) => void (run.robbed = true));
      await world.clear('queue');
    }),
  ),
  fc.constant(
    command('clear the history', async (model, world) => {
      each(model, (run) => void (run.robbed = true));
      await world.clear('history');
    }),
  ),
  fc.constant(command('drop the client', (_, world) => world.dropClient())),
  fc.constant(command('cut every connection', async (_, world) => world.proxy.cutAll())),
  fc.constant(command('lose an answer', async (_, world) => void (world.proxy.faults.losePromptReplies = 1))),
  fc.constant(command('halve a prompt', async (_, world) => void (world.proxy.faults.halvePrompts = 1))),
  fc.constant(command('start slowly', async (_, world) => void Object.assign(world.sandbox.faults, { slowStarts: 1, slowStartMs: 300 }))),
];

/** Those that the template has. */
function parametersOf(template: string, parameters: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return template === 'three-steps' ? { colour: parameters['colour'] } : { colours: parameters['colours'] };
}

/** The ends that a run may have after what befell it. */
export function allowed(run: ModelRun, { starved }: Model): readonly string[] {
  return [
    'succeeded',
    ...(run.cancelled ? ['cancelled'] : []),
    // Three deaths in a row set a run aside (RUN_SET_ASIDE).
    ...(run.robbed || run.deaths >= DEATHS_SURVIVED || starved >= STARVED_TOO_OFTEN ? ['failed'] : []),
    ...(run.restarts > RESTARTS_SURVIVED ? ['lost'] : []),
  ];
}

export const anyPlay = (most: number): fc.Arbitrary<Iterable<Command>> =>
  fc.commands(
    [
      submit('three-steps'),
      submit('three-steps'),
      submit('fan-out'),
      submit('with-choice'),
      cancel,
      submitAgain,
      look,
      retry,
      choose,
      ...disasters,
    ],
    {
      maxCommands: most,
      size: 'max',
    },
  );

/** Waits for the end of every run, and picks the first candidate wherever a person is asked. */
export async function settle(model: Model, world: World): Promise<ReadonlyMap<string, string>> {
  const ends = new Map<string, string>();
  while (ends.size < model.runs.length) {
    for (const { runId } of model.runs) {
      const { run } = await world.call('run/get', { runId });
      if (RUN_ENDS.includes(run.status)) ends.set(runId, run.status);
      for (const { into, status } of run.choices ?? []) {
        if (status === 'waiting') await world.call('run/choose', { runId, into, indices: [0] }).catch(() => undefined);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return ends;
}
