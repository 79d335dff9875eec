/** What the model test does, and what it may come to: commands over a world of real processes beside a model of a few lines. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { World } from './world.ts';

/** One restart costs an attempt; so many of them may use them all up. */
const RESTARTS_SURVIVED = 2;
export interface ModelRun {
  readonly runId: string;
  cancelled: boolean;
  /** Somebody took prompts off the backend while it ran. */
  robbed: boolean;
  restarts: number;
}

export interface Model {
  readonly runs: ModelRun[];
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
      const parameters = template === 'three-steps' ? { colour } : { colours: [colour, colour + 1] };
      model.runs.push({ runId: await world.start(template, parameters), cancelled: false, robbed: false, restarts: 0 });
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

const disasters: readonly fc.Arbitrary<Command>[] = [
  fc.constant(command('kill the daemon', (_, world) => world.killDaemon())),
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

function parametersOf(template: string, parameters: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return template === 'three-steps' ? { colour: parameters['colour'] } : { colours: parameters['colours'] };
}

/** The ends that a run may have after what befell it. */
export function allowed(run: ModelRun): readonly string[] {
  return [
    'succeeded',
    ...(run.cancelled ? ['cancelled'] : []),
    ...(run.robbed ? ['failed'] : []),
    ...(run.restarts > RESTARTS_SURVIVED ? ['lost'] : []),
  ];
}

export const anyPlay = (most: number): fc.Arbitrary<Iterable<Command>> =>
  fc.commands([submit('three-steps'), submit('three-steps'), submit('fan-out'), cancel, submitAgain, look, ...disasters], {
    maxCommands: most,
    size: 'max',
  });
