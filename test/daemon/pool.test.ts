import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Sandbox } from '#backends/sandbox/options.ts';
import { startSandbox } from '#backends/sandbox/server.ts';
import { USUAL_POOL } from '#daemon/scheduler/settings.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { RunView } from '#protocol/views.ts';
import { type Engine, type EngineOptions, startEngine } from './supervisor-harness.ts';

let engine: Engine;
afterEach(() => engine.close());

const request = { template: 'three-steps', parameters: {} };
const two = (options: EngineOptions = {}) => startEngine({ backends: ['a', 'b'], ...options });
const ledgerOf = (id: string) => engine.fakeOf(id).engine.ledger.map(({ promptId }) => promptId);
const hold = (...ids: readonly string[]) => {
  for (const id of ids) engine.fakeOf(id).engine.plan = () => ({ holdAt: '1' });
};
const letGo = (...ids: readonly string[]) => {
  for (const id of ids) {
    engine.fakeOf(id).engine.plan = () => ({});
    engine.fakeOf(id).engine.release();
  }
};
const startMany = async (count: number, changes: object = {}) =>
  Promise.all(Array.from({ length: count }, async () => (await engine.supervisor.start({ ...request, ...changes })).runId));
const attemptsOf = (run: RunView) => run.steps.flatMap(({ attempts }) => attempts.map(({ backend, status }) => [backend, status]));
const notesOf = (runId: string) =>
  engine.store.events({ runId, after: 0, limit: 1000 }).flatMap(({ event }) => (event.type === 'run.note' ? event.code : []));
const notesOfSteps = (runId: string) =>
  engine.store.events({ runId, after: 0, limit: 1000 }).flatMap(({ event }) => (event.type === 'step.note' ? event.code : []));
/** Which of all executions on the first backend was the first of this run. */
const firstTurnOf = (runId: string) =>
  ledgerOf('comfyui').indexOf(engine.store.attempts(runId).find(({ step }) => step === 'base')?.promptId ?? '');
/** Resolves once the daemon knows how both are. */
const looked = async () => await expect.poll(() => engine.supervisor.queue.backends().every(({ status }) => status === 'ready')).toBe(true);

describe('a pool of two backends', () => {
  it('works off runs on both, and executes nothing twice', async () => {
    engine = await two();
    await looked();
    hold('a', 'b');
    const runs = await startMany(4);
    await engine.fakeOf('a').engine.held();
    await engine.fakeOf('b').engine.held();
    letGo('a', 'b');
    for (const runId of runs) expect((await engine.ended(runId)).status).toBe('succeeded');
    expect([...ledgerOf('a'), ...ledgerOf('b')]).toHaveLength(12);
    expect(new Set([...ledgerOf('a'), ...ledgerOf('b')]).size).toBe(12);
  });

  it('sends no more ahead than it was told to', async () => {
    engine = await two({ pool: { ...USUAL_POOL, backends: { a: { ahead: 1 }, b: { ahead: 3 } } } });
    await looked();
    hold('a', 'b');
    const runs = await startMany(10);
    await expect.poll(() => [engine.fakeOf('a').engine.remaining(), engine.fakeOf('b').engine.remaining()]).toEqual([1, 3]);
    expect(engine.supervisor.queue.backends().map(({ id, inFlight, ahead }) => [id, inFlight, ahead])).toEqual([
      ['a', 1, 1],
      ['b', 3, 3],
    ]);
    letGo('a', 'b');
    for (const runId of runs) expect((await engine.ended(runId)).status).toBe('succeeded');
  });

  it('gives a run that names its backend to that one alone', async () => {
    engine = await two();
    const runs = await startMany(3, { backend: 'b' });
    for (const runId of runs) expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(ledgerOf('a')).toEqual([]);
  });

  it('leaves a backend out that refuses connections, without waiting for it', async () => {
    engine = await two({ graceMs: 60_000 });
    await engine.fakeOf('a').stop();
    const [runId = ''] = await startMany(1);
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(ledgerOf('b')).toHaveLength(3);
    await engine.fakeOf('a').start();
  });

  it('makes the attempts of a backend that died anew on the other, once the refused connection has proven the loss', async () => {
    engine = await two({ graceMs: 200, restartGraceMs: 60_000 });
    await looked();
    hold('a');
    engine.fakeOf('b').engine.plan = () => ({});
    const [runId = ''] = await startMany(1);
    await engine.fakeOf('a').engine.held();
    await engine.fakeOf('a').stop();
    const run = await engine.ended(runId);
    expect(run.status).toBe('succeeded');
    expect(attemptsOf(run).slice(0, 2)).toEqual([
      ['a', 'lost'],
      ['b', 'finished'],
    ]);
    await engine.fakeOf('a').start();
  });
});

describe('a backend of the pool that does not answer', () => {
  async function partitioned(options: EngineOptions = {}): Promise<string> {
    engine = await two(options);
    await looked();
    hold('a');
    const [runId = ''] = await startMany(1);
    await engine.fakeOf('a').engine.held();
    engine.fakeOf('a').freeze();
    return runId;
  }

  it('keeps its attempts until a person gives them up; what they still give is written down and not used', async () => {
    const runId = await partitioned();
    await expect.poll(() => engine.supervisor.queue.backends()[0]?.status, { timeout: 10_000 }).toBe('unresponsive');
    expect(attemptsOf(engine.supervisor.get(runId)).map(([backend]) => backend)).toEqual(['a']);
    await expect(engine.supervisor.queue.assumeLost('b')).rejects.toMatchObject({ code: 'BACKEND_ANSWERS' });
    expect(await engine.supervisor.queue.assumeLost('a')).toEqual({ attempts: 1 });
    const run = await engine.ended(runId);
    expect(run.status).toBe('succeeded');
    expect(attemptsOf(run).slice(0, 2)).toEqual([
      ['a', 'assumed-lost'],
      ['b', 'finished'],
    ]);
    expect(notesOf(runId)).toEqual(['ATTEMPT_ASSUMED_LOST']);
    // It finishes while nobody can ask, and is found when the backend is back.
    letGo('a');
    engine.fakeOf('a').thaw();
    await expect.poll(() => notesOf(runId), { timeout: 10_000 }).toEqual(['ATTEMPT_ASSUMED_LOST', 'ATTEMPT_LATE']);
    expect(engine.store.attempts(runId).map(({ status }) => status)).toContain('late');
    expect(engine.supervisor.get(runId)).toMatchObject({ status: 'succeeded', artifacts: { length: 3 } });
    expect(engine.store.assumedLost()).toEqual([]);
  });

  it('still looks for one whose POST was answered only after it was given up', async () => {
    const answered = Promise.withResolvers<undefined>();
    let isSilent = false;
    engine = await two({
      wrap: (backend) => ({
        ...backend,
        async submit(...given) {
          const receipt = await backend.submit(...given);
          if (backend.id === 'a') await answered.promise;
          return receipt;
        },
        async describe(signal) {
          if (backend.id === 'a' && isSilent) throw new CallsheetError('BACKEND_UNREACHABLE', 'Silence.');
          return backend.describe(signal);
        },
      }),
    });
    await looked();
    hold('a');
    const [runId = ''] = await startMany(1);
    await engine.fakeOf('a').engine.held();
    isSilent = true;
    expect(await engine.supervisor.queue.assumeLost('a')).toEqual({ attempts: 1 });
    expect((await engine.ended(runId)).status).toBe('succeeded');
    answered.resolve(undefined);
    isSilent = false;
    await expect.poll(() => notesOf(runId), { timeout: 10_000 }).toEqual(['ATTEMPT_ASSUMED_LOST', 'ATTEMPT_LATE']);
    await expect.poll(() => engine.fakeOf('a').engine.remaining()).toBe(0);
  });

  it('has them given up by its policy', async () => {
    const runId = await partitioned({ pool: { ...USUAL_POOL, backends: { a: { assumeLostAfterMs: 1 } } } });
    const run = await engine.ended(runId);
    expect(run.status).toBe('succeeded');
    expect(attemptsOf(run)[0]).toEqual(['a', 'assumed-lost']);
    // What is still queued or running there is taken off.
    engine.fakeOf('a').thaw();
    await expect.poll(() => notesOf(runId), { timeout: 10_000 }).toContain('ATTEMPT_LATE');
    await expect.poll(() => engine.fakeOf('a').engine.remaining()).toBe(0);
  });
});

describe('runs that wait', () => {
  it('begin only when there is room, survive a restart and all end', async () => {
    engine = await two();
    await looked();
    hold('a', 'b');
    const runs = await startMany(40);
    expect(engine.supervisor.counts()).toMatchObject({ open: 40, held: 0 });
    expect(engine.supervisor.counts().queued).toBeGreaterThan(20);
    expect(engine.supervisor.get(runs.at(-1) ?? '')).toMatchObject({
      status: 'queued',
      progress: 0,
      steps: [{ status: 'pending' }, {}, {}],
    });
    await engine.restart();
    expect(engine.supervisor.counts()).toMatchObject({ open: 40, held: 0 });
    letGo('a', 'b');
    for (const runId of runs) expect((await engine.ended(runId)).status).toBe('succeeded');
    expect([...ledgerOf('a'), ...ledgerOf('b')]).toHaveLength(120);
    expect(new Set([...ledgerOf('a'), ...ledgerOf('b')]).size).toBe(120);
  });

  it('are cancelled at once, and nothing of them is sent', async () => {
    engine = await two();
    hold('a', 'b');
    const runs = await startMany(30);
    const last = runs.at(-1) ?? '';
    expect(await engine.supervisor.cancel(last)).toEqual({ status: 'cancelled' });
    expect(engine.store.events({ runId: last, after: 0, limit: 10 }).map(({ event }) => event)).toEqual([
      { type: 'run.created', template: 'three-steps', version: '1.0.0' },
      { type: 'run.status', status: 'cancelled' },
    ]);
    expect(engine.store.attempts(last)).toEqual([]);
  });

  it('go by priority, whoever came first', async () => {
    engine = await startEngine();
    hold('comfyui');
    const before = await startMany(20);
    const [urgent = ''] = await startMany(1, { priority: 10 });
    letGo('comfyui');
    await engine.ended(urgent);
    await engine.ended(before.at(-1) ?? '');
    // Only what was sent already, and one that was taken in the same moment, went before it.
    expect(firstTurnOf(urgent)).toBeLessThanOrEqual(3);
    expect(firstTurnOf(before.at(-1) ?? '')).toBeGreaterThan(10);
  });

  it('give each client its share', async () => {
    engine = await startEngine();
    hold('comfyui');
    const many = await startMany(20, { client: 'many' });
    const [one = ''] = await startMany(1, { client: 'one' });
    letGo('comfyui');
    await engine.ended(one);
    await engine.ended(many.at(-1) ?? '');
    expect(firstTurnOf(one)).toBeLessThanOrEqual(7);
    expect(firstTurnOf(many.at(-1) ?? '')).toBeGreaterThan(10);
  });

  it('wait on while nothing is up, and go on when something is', async () => {
    engine = await startEngine({ graceMs: 100 });
    hold('comfyui');
    const runs = await startMany(12);
    await engine.fake.engine.held();
    await engine.fake.stop();
    await expect.poll(() => engine.supervisor.queue.backends()[0]?.status, { timeout: 10_000 }).toBe('unreachable');
    const waiting = runs.filter((runId) => engine.supervisor.get(runId).status === 'queued');
    expect(waiting.length).toBeGreaterThan(3);
    letGo('comfyui');
    engine.fake.engine.wipe();
    await engine.fake.start();
    for (const runId of waiting) expect((await engine.ended(runId)).status).toBe('succeeded');
  });

  it('are refused beyond the limit, with a time to come again; a request key still gives its first answer', async () => {
    engine = await startEngine({ pool: { ...USUAL_POOL, maxOpenRuns: 2 } });
    hold('comfyui');
    const first = await engine.supervisor.start({ ...request, requestKey: 'k' });
    await startMany(1);
    await expect(engine.supervisor.start(request)).rejects.toMatchObject({
      code: 'TOO_MANY_REQUESTS',
      data: { retryable: true, details: { retryAfterMs: expect.any(Number) } },
    });
    expect(await engine.supervisor.start({ ...request, requestKey: 'k', client: 'another' })).toEqual(first);
  });
});

describe('a backend of the pool whose worker has died', () => {
  const stall = { limitMs: 600_000, leastMs: 600_000, lookMs: 20, askMs: 50, action: 'note' } as const;
  const statusOf = (id: string) => engine.supervisor.queue.backend(id).backend.status;

  /** Two sandboxes; the worker of the first dies with the next prompt that it takes. */
  async function withDeadWorker(ids: readonly string[], timeouts: EngineOptions['timeouts'] = {}) {
    const sandboxes = await Promise.all(
      ids.map((id) => startSandbox({ dir: mkdtempSync(join(tmpdir(), `callsheet-${id}-`)), latencyMs: 0 })),
    );
    onTestFinished(async () => void (await Promise.all(sandboxes.map((sandbox) => sandbox.close()))));
    const [first] = sandboxes;
    if (first === undefined) throw new Error('no sandbox');
    first.faults.crashWorker = true;
    engine = await startEngine({
      stall,
      timeouts,
      servers: Object.fromEntries(ids.map((id, index) => [id, { url: sandboxes[index]?.url ?? '' }])),
    });
    await expect.poll(() => engine.supervisor.queue.backends().every(({ status }) => status === 'ready')).toBe(true);
    return { first, sandboxes };
  }
  const executions = (sandboxes: readonly Sandbox[]) => sandboxes.flatMap((sandbox) => sandbox.ledger().map(({ prompt_id }) => prompt_id));

  it('is shown with the proof and the cure, is left by what it had, and gets nothing more until it has restarted', async () => {
    const { first, sandboxes } = await withDeadWorker(['a', 'b']);
    const start = (colour: number, changes: object = {}) =>
      engine.supervisor.start({ template: 'three-steps', parameters: { colour }, ...changes });
    const runs = await Promise.all([1, 2, 3, 4, 5, 6].map(async (colour) => (await start(colour)).runId));
    await expect.poll(() => statusOf('a'), { timeout: 20_000 }).toBe('worker-dead');
    expect(engine.supervisor.queue.backend('a').backend.error).toMatchObject({
      code: 'BACKEND_WORKER_DEAD',
      message: expect.stringContaining('its own log has the end of that thread') as unknown,
      hint: expect.stringContaining('Restart it') as unknown,
    });
    for (const runId of runs) expect((await engine.ended(runId)).status).toBe('succeeded');
    // One was at work there when the worker died, and one was queued behind it.
    const left = runs.flatMap((runId) => engine.store.attempts(runId)).filter(({ backend }) => backend === 'a');
    expect(left.map(({ status, error }) => [status, error?.code])).toEqual(left.map(() => ['lost', 'BACKEND_WORKER_DEAD']));
    expect(left.length).toBeGreaterThan(0);
    expect(first.ledger()).toEqual([]);

    first.faults.crashWorker = false;
    await first.restart({ downMs: 500 });
    await expect.poll(() => statusOf('a'), { timeout: 20_000 }).toBe('ready');
    const again = await start(7, { backend: 'a' });
    expect((await engine.ended(again.runId)).status).toBe('succeeded');
    expect(first.ledger()).toHaveLength(3);
    expect(new Set(executions(sandboxes)).size).toBe(21);
    expect(executions(sandboxes)).toHaveLength(21);
  }, 60_000);

  it('is followed by no more than one other that dies of the same prompt', async () => {
    const { sandboxes } = await withDeadWorker(['a', 'b', 'c']);
    const [, second] = sandboxes;
    if (second !== undefined) second.faults.crashWorker = true;
    const { runId } = await engine.supervisor.start({ template: 'three-steps', parameters: { colour: 1 } });
    const run = await engine.ended(runId);
    expect(run.status).toBe('failed');
    expect(run.steps[0]?.error).toMatchObject({
      code: 'BACKEND_WORKER_DEAD',
      message: expect.stringContaining("as that of 'a' had before") as unknown,
    });
    expect(attemptsOf(run)).toEqual([
      ['a', 'lost'],
      ['b', 'failed'],
    ]);
    expect(executions(sandboxes)).toEqual([]);
    expect(statusOf('c')).toBe('ready');
  }, 60_000);

  it('is proof enough that a run which is cancelled has stopped, at work or queued behind it', async () => {
    await withDeadWorker(['a'], { cancelMs: 100 });
    const start = async (colour: number) => (await engine.supervisor.start({ template: 'three-steps', parameters: { colour } })).runId;
    const runs = [await start(1), await start(2)];
    await expect.poll(() => statusOf('a'), { timeout: 20_000 }).toBe('worker-dead');
    for (const runId of runs) await engine.supervisor.cancel(runId);
    for (const runId of runs) expect((await engine.ended(runId)).status).toBe('cancelled');
  }, 60_000);

  it('is waited for where there is no other: nothing more is sent there, and what waits says why', async () => {
    const { first, sandboxes } = await withDeadWorker(['a']);
    const start = async (colour: number) => (await engine.supervisor.start({ template: 'three-steps', parameters: { colour } })).runId;
    const stuck = await start(1);
    await expect.poll(() => statusOf('a'), { timeout: 20_000 }).toBe('worker-dead');
    const later = await start(2);
    await expect.poll(() => engine.supervisor.get(later).steps[0]?.reason).toMatch(/none can work\. .* has died: .* Restart it/);
    expect(engine.store.attempts(later)).toEqual([]);
    await expect.poll(() => engine.supervisor.get(stuck).steps[0]?.reason).toContain('has died');
    first.faults.crashWorker = false;
    await first.restart({ downMs: 500 });
    for (const runId of [stuck, later]) expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(new Set(executions(sandboxes)).size).toBe(6);
  }, 60_000);
});

describe('a paused queue', () => {
  it('sends nothing, takes runs, and stays paused across restarts', async () => {
    engine = await startEngine();
    expect(await engine.supervisor.queue.pause()).toMatchObject({ paused: true });
    const [runId = ''] = await startMany(1);
    await engine.restart();
    expect(engine.supervisor.queue.status()).toEqual({ paused: true, waitingRuns: 1, waitingItems: 0 });
    expect(engine.supervisor.get(runId).status).toBe('queued');
    expect(ledgerOf('comfyui')).toEqual([]);
    expect(await engine.supervisor.queue.resume()).toMatchObject({ paused: false });
    expect((await engine.ended(runId)).status).toBe('succeeded');
  });

  it('lets what is on a backend go on, and holds what follows it', async () => {
    engine = await startEngine();
    hold('comfyui');
    const [runId = ''] = await startMany(1);
    await engine.fake.engine.held();
    await engine.supervisor.queue.pause('p');
    letGo('comfyui');
    await expect.poll(() => engine.supervisor.get(runId).steps.map(({ status }) => status)).toEqual(['done', 'waiting', 'pending']);
    expect(ledgerOf('comfyui')).toHaveLength(1);
    await engine.supervisor.queue.resume();
    // The same wish again is the first one's answer, and pauses nothing.
    expect(await engine.supervisor.queue.pause('p')).toMatchObject({ paused: true });
    expect(engine.supervisor.queue.status().paused).toBe(false);
    expect((await engine.ended(runId)).status).toBe('succeeded');
  });
});

describe('an attempt that is written down when the queue is paused', () => {
  /** Pauses in the very commit that writes the first intent down: what waited for that commit has not been sent yet. */
  async function pausedInBetween(): Promise<string> {
    let isPaused = false;
    engine = await startEngine({
      wrapStore: (store) => ({
        ...store,
        commit(batch) {
          const events = store.commit(batch);
          if (!isPaused && batch.attempts?.some(({ status }) => status === 'prepared') === true) {
            isPaused = true;
            void engine.supervisor.queue.pause();
          }
          return events;
        },
      }),
    });
    const [runId = ''] = await startMany(1);
    await expect.poll(() => engine.supervisor.get(runId).steps[0]?.reason).toMatch('The queue is paused.');
    return runId;
  }

  it('is not sent, across restarts, until the queue goes on', async () => {
    const runId = await pausedInBetween();
    await engine.restart();
    await expect.poll(() => notesOfSteps(runId)).toEqual(['QUEUE_PAUSED', 'QUEUE_PAUSED']);
    expect(ledgerOf('comfyui')).toEqual([]);
    await engine.supervisor.queue.resume();
    const run = await engine.ended(runId);
    expect(run.status).toBe('succeeded');
    expect(run.steps.map(({ attempts }) => attempts.length)).toEqual([1, 1, 1]);
    expect(ledgerOf('comfyui')).toHaveLength(3);
  });

  it('is cancelled without a question to its backend, which may be gone', async () => {
    const runId = await pausedInBetween();
    await engine.fake.stop();
    await engine.supervisor.cancel(runId);
    expect((await engine.ended(runId)).status).toBe('cancelled');
    await engine.fake.start();
    expect(ledgerOf('comfyui')).toEqual([]);
  });
});

describe('two backends on one graphics card', () => {
  it('are never given work at the same time, and unload before the other begins', async () => {
    engine = await two({ pool: { ...USUAL_POOL, backends: { a: { gpu: '0' }, b: { gpu: '0' } } } });
    await looked();
    const log: string[] = [];
    for (const id of ['a', 'b']) {
      engine.fakeOf(id).engine.plan = () => {
        log.push(id);
        const other = id === 'a' ? 'b' : 'a';
        if (engine.fakeOf(other).engine.remaining() > 0) log.push(`${other} was busy`);
        return {};
      };
    }
    const runs = [...(await startMany(2, { backend: 'a' })), ...(await startMany(2, { backend: 'b' }))];
    for (const runId of runs) expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(log.filter((line) => line.endsWith('busy'))).toEqual([]);
    expect(new Set(log)).toEqual(new Set(['a', 'b']));
    expect(engine.fakeOf('a').requests.filter(({ path }) => path.endsWith('/free')).length).toBeGreaterThan(0);
  });

  const onOneCard = (options: EngineOptions = {}) =>
    two({ pool: { ...USUAL_POOL, backends: { a: { gpu: '0' }, b: { gpu: '0' } } }, timeouts: { pollOfflineMs: 20 }, ...options });

  it('wait for the prompts of others on it, and for none of them any more once nobody wants the card', async () => {
    engine = await onOneCard();
    await looked();
    const [first = ''] = await startMany(1, { backend: 'a' });
    expect((await engine.ended(first)).status).toBe('succeeded');
    hold('a');
    const foreign = {
      prompt: { '1': { class_type: 'EmptyImage', inputs: {} }, '9': { class_type: 'SaveImage', inputs: { images: ['1', 0] } } },
    };
    await fetch(`${engine.fakeOf('a').url}/prompt`, { method: 'POST', body: JSON.stringify(foreign) });
    await engine.fakeOf('a').engine.held();
    const [waits = ''] = await startMany(1, { backend: 'b' });
    await expect
      .poll(() => engine.supervisor.get(waits).steps[0]?.reason)
      .toBe("The graphics card of 'b' is being handed to 'b', and waits: 'a' has 1 in its queue.");
    const [goesOn = ''] = await startMany(1, { backend: 'a' });
    await expect.poll(() => engine.supervisor.get(goesOn).steps[0]?.reason).toMatch("is being handed to 'b'");
    await engine.supervisor.cancel(waits);
    expect((await engine.ended(waits)).status).toBe('cancelled');
    await expect.poll(() => engine.supervisor.get(goesOn).steps[0]?.status).toBe('queued');
    letGo('a');
    expect((await engine.ended(goesOn)).status).toBe('succeeded');
    expect(ledgerOf('b')).toEqual([]);
  });

  it('do not get the card while they are down, and hold nothing that another one waits for', async () => {
    engine = await onOneCard({ restartGraceMs: 60_000 });
    await looked();
    hold('a');
    const [died = ''] = await startMany(1, { backend: 'a' });
    await engine.fakeOf('a').engine.held();
    await engine.fakeOf('a').stop();
    // What was on it waits for its restart, which is no reason for the other to wait.
    const runs = await startMany(2, { backend: 'b' });
    for (const runId of runs) expect((await engine.ended(runId)).status).toBe('succeeded');
    engine.fakeOf('a').engine.wipe();
    letGo('a');
    await engine.fakeOf('a').start();
    expect((await engine.ended(died)).status).toBe('succeeded');
  });
});

describe('an attempt that is prepared for one of two backends on a graphics card', () => {
  it('is not sent while the other has the card, although its backend is back, and is sent when that is done', async () => {
    engine = await two({ pool: { ...USUAL_POOL, backends: { a: { gpu: '0' }, b: { gpu: '0' } } }, graceMs: 60_000 });
    await looked();
    const [first = ''] = await startMany(1, { backend: 'a' });
    expect((await engine.ended(first)).status).toBe('succeeded');
    await engine.fakeOf('a').stop();
    // It has the card still, so this one is given to it and meets a closed door.
    const [refused = ''] = await startMany(1, { backend: 'a' });
    await expect.poll(() => engine.store.attempts(refused).map(({ status }) => status)).toEqual(['prepared']);
    await expect.poll(() => engine.supervisor.queue.backend('a').backend.status, { timeout: 20_000 }).toBe('unreachable');
    hold('b');
    const [other = ''] = await startMany(1, { backend: 'b' });
    await engine.fakeOf('b').engine.held();
    await engine.fakeOf('a').start();
    await expect.poll(() => notesOfSteps(refused)).toContain('CARD_WAITED_FOR');
    await expect.poll(() => engine.supervisor.queue.backend('a').backend.status, { timeout: 20_000 }).toBe('ready');
    expect(ledgerOf('a')).toHaveLength(3);
    letGo('b');
    expect([(await engine.ended(other)).status, (await engine.ended(refused)).status]).toEqual(['succeeded', 'succeeded']);
    expect(engine.supervisor.get(refused).steps.map(({ attempts }) => attempts.length)).toEqual([1, 1, 1]);
  }, 60_000);
});

describe('a run that was left to the pool', () => {
  it('is held by a daemon that has nothing but a sandbox, and goes on with another one of the pool', async () => {
    engine = await startEngine({ backends: ['a', 'b', 'sandbox'] });
    await engine.supervisor.queue.pause();
    const [runId = ''] = await startMany(1);
    await engine.restart(['sandbox']);
    expect(engine.supervisor.get(runId)).toMatchObject({ status: 'queued', problems: [{ code: 'RUN_HELD' }] });
    await engine.supervisor.queue.resume();
    await engine.restart(['b', 'sandbox']);
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(ledgerOf('sandbox')).toEqual([]);
    expect(ledgerOf('b')).toHaveLength(3);
  });
});
