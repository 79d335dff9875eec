// Faults around a run that is under way: what must never happen is a second execution, a hang without a reason, or an end that nobody proved.
import sharp from 'sharp';
import { afterEach, describe, expect, it } from 'vitest';
import type { Backend } from '#backends/contract.ts';
import { ITEMS_AT_ONCE } from '#machines/items-at-once.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { USUAL_POOL } from '#daemon/scheduler/settings.ts';
import { closeChecked } from '../faults/engine-promises.ts';
import { type Engine, type EngineOptions, startEngine } from './supervisor-harness.ts';

let engine: Engine;
afterEach(() => closeChecked(engine));

const request = { template: 'three-steps', parameters: {} };
const LOOKS = /^\/(?:queue|jobs|history)(?:\/|$)/;
const ledger = () => engine.fake.engine.ledger.map(({ promptId }) => promptId);
const firstStep = (runId: string) => engine.supervisor.get(runId).steps[0];

/** A run whose first step is held on its backend. */
async function heldRun(options: EngineOptions = {}): Promise<string> {
  engine = await startEngine(options);
  engine.fake.engine.plan = () => (ledger().length === 0 ? { holdAt: '1' } : {});
  const { runId } = await engine.supervisor.start(request);
  await engine.fake.engine.held();
  return runId;
}

describe('a prompt that the backend was seen to hold', () => {
  it('is not sent again after a restart, although the answer to its POST was lost', async () => {
    engine = await startEngine();
    engine.fake.misbehave({ method: 'POST', path: /^\/prompt$/, times: 1, mode: { kind: 'lose-reply' } });
    engine.fake.engine.plan = () => ({ holdAt: '1' });
    const { runId } = await engine.supervisor.start(request);
    await expect.poll(() => firstStep(runId)?.status).toBe('running');
    await engine.restart();
    await expect.poll(() => firstStep(runId)?.status).toBe('running');
    // Taken away by somebody, in a server that never restarted.
    engine.fake.engine.wipe();
    await engine.restart();
    expect(await engine.ended(runId)).toMatchObject({ status: 'failed', error: { code: 'PROMPT_REMOVED' } });
    expect(ledger().length).toBeLessThanOrEqual(1);
    expect(engine.fake.requests.filter(({ method, path }) => method === 'POST' && path === '/prompt')).toHaveLength(1);
  });
});

describe('a POST that never left this machine', () => {
  it.each(['EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN'])('is sent once the network is back (%s)', async (code) => {
    let failures = 2;
    const wrap = (backend: Backend): Backend => ({
      ...backend,
      submit(...args) {
        failures -= 1;
        if (failures < 0) return backend.submit(...args);
        const cause = Object.assign(new Error(code), { code });
        return Promise.reject(new CallsheetError('BACKEND_UNREACHABLE', 'The network is down.', { cause }));
      },
    });
    engine = await startEngine({ wrap });
    const { runId } = await engine.supervisor.start(request);
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(ledger()).toHaveLength(3);
  });
});

describe('a cancel', () => {
  it('is tried again until it is proven, although the backend answers with an error in between', async () => {
    const runId = await heldRun();
    engine.fake.misbehave({ path: LOOKS, times: 2, mode: { kind: 'reply', status: 500 } });
    await engine.supervisor.cancel(runId);
    const run = await engine.ended(runId);
    expect(run.status).toBe('cancelled');
    expect(engine.fake.engine.remaining()).toBe(0);
  });

  it('that cannot be proven stays cancelling with its reason, also after a restart, and ends as cancelled once it is proven', async () => {
    const runId = await heldRun();
    let locked = true;
    engine.fake.misbehave({ path: LOOKS, when: () => locked, mode: { kind: 'reply', status: 401 } });
    await engine.supervisor.cancel(runId);
    await expect.poll(() => firstStep(runId)?.reason).toContain('401');
    await engine.restart();
    await expect
      .poll(() => engine.events.at(-1)?.event)
      .toMatchObject({ status: 'cancelling', reason: expect.stringContaining('401') as unknown });
    expect(engine.supervisor.get(runId)).toMatchObject({ status: 'cancelling', steps: [{ status: 'cancelling' }, {}, {}] });
    expect(engine.fake.engine.remaining()).toBe(1);
    locked = false;
    expect(await engine.ended(runId)).toMatchObject({ status: 'cancelled', steps: [{ status: 'cancelled' }, {}, {}] });
    expect(firstStep(runId)?.reason).toBeUndefined();
    expect(engine.fake.engine.remaining()).toBe(0);
  });

  it('of a prompt whose node heeds no interrupt says so while it waits', async () => {
    const runId = await heldRun({ timeouts: { cancelMs: 60 } });
    engine.fake.misbehave({ method: 'POST', path: /^\/interrupt$/, times: 3, mode: { kind: 'reply', status: 200 } });
    await engine.supervisor.cancel(runId);
    await expect.poll(() => firstStep(runId)?.reason).toContain('has not stopped the prompt');
    engine.fake.engine.release();
    expect((await engine.ended(runId)).status).toBe('cancelled');
  });
});

describe('a backend that restarts after it saved the files and before anybody heard', () => {
  const png = sharp({ create: { width: 32, height: 32, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  const codes = () => engine.events.flatMap(({ event }) => (event.type === 'run.note' ? [event.code] : []));

  /** The first step's prompt is forgotten by a server that had written `bytes` as its file. */
  async function forgotten(bytes: Buffer, meanwhile: () => Promise<void> = () => Promise.resolve()): Promise<string> {
    const runId = await heldRun();
    engine.fake.files.set(`output/callsheet/${ledger()[0] ?? ''}/base_00001_.png`, bytes);
    await engine.fake.stop();
    engine.fake.engine.wipe();
    await expect.poll(() => firstStep(runId)?.status).toBe('unknown');
    await meanwhile();
    await engine.fake.start();
    return runId;
  }

  it('is not asked to make them again: they are the evidence', async () => {
    const runId = await forgotten(await png);
    const run = await engine.ended(runId);
    expect(run.status).toBe('succeeded');
    expect(run.steps[0]?.attempts).toMatchObject([{ attempt: 1, status: 'finished' }]);
    expect(codes()).toEqual(['OUTPUTS_FOUND']);
    // Never executed to an end that anybody saw, and not executed again.
    expect(new Set(ledger()).size).toBe(3);
  });

  it('is asked again when a file was cut short, and the log says why', async () => {
    const whole = await png;
    const runId = await forgotten(whole.subarray(0, whole.length - 20));
    const run = await engine.ended(runId);
    expect(run.status).toBe('succeeded');
    expect(run.steps[0]?.attempts.map(({ status }) => status)).toEqual(['lost', 'finished']);
    expect(codes()).toEqual(['OUTPUTS_UNPROVEN']);
    expect(new Set(ledger()).size).toBe(4);
  });

  it('while the daemon was away too, is not asked again either', async () => {
    const runId = await heldRun();
    await engine.restart([], () => {
      // Somebody cleared queue and history, or it restarted unseen: nothing proves which, and the file stands.
      engine.fake.engine.wipe();
    });
    engine.fake.files.set(`output/callsheet/${ledger()[0] ?? ''}/base_00001_.png`, await png);
    await engine.restart();
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(new Set(ledger()).size).toBe(3);
  });
});

describe('a backend that is silent', () => {
  const timeouts = { pingMs: 15, silenceMs: 60, probeMs: 60, slowMs: 80 };

  it('is named as what a cancel waits for', async () => {
    const runId = await heldRun({ timeouts });
    engine.fake.freeze();
    await engine.supervisor.cancel(runId);
    await expect.poll(() => firstStep(runId)?.reason).toContain('it does not answer');
    expect(firstStep(runId)?.status).toBe('cancelling');
    engine.fake.thaw();
    expect((await engine.ended(runId)).status).toBe('cancelled');
  });

  it('is shown as unresponsive and waited for past every grace, across a restart too: silence proves nothing', async () => {
    const runId = await heldRun({ timeouts, graceMs: 60, restartGraceMs: 60 });
    engine.fake.freeze();
    await expect.poll(() => firstStep(runId)?.status).toBe('unresponsive');
    await engine.restart();
    await expect.poll(() => firstStep(runId)?.status).toBe('unresponsive');
    // Many times the grace.
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(engine.supervisor.get(runId)).toMatchObject({ status: 'running', steps: [{ status: 'unresponsive' }, {}, {}] });
    engine.fake.thaw();
    await expect.poll(() => firstStep(runId)?.status).toBe('running');
    engine.fake.engine.release();
    const run = await engine.ended(runId);
    expect(run.status).toBe('succeeded');
    expect(run.steps[0]?.attempts).toMatchObject([{ attempt: 1, status: 'finished' }]);
    expect(ledger()).toHaveLength(3);
  });
});

describe('[F16] an attempt that stands still on a backend that answers', () => {
  const stall = { limitMs: 60, leastMs: 10, lookMs: 10, askMs: 20, action: 'note' } as const;
  const noted = () => engine.events.flatMap(({ event }) => (event.type === 'step.note' ? [event.code] : []));

  it('is said to be stalled with its reason until it moves, and nothing is done to it', async () => {
    const runId = await heldRun({ stall });
    await expect.poll(() => firstStep(runId)?.reason).toContain('which still answers');
    expect(firstStep(runId)?.status).toBe('running');
    engine.fake.engine.release();
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(firstStep(runId)?.reason).toBeUndefined();
    expect(noted()[0]).toBe('STEP_STALLED');
    expect(ledger()).toHaveLength(3);
  });

  it('whose worker has died is said so by proof, and goes on with the files it left once it is restarted', async () => {
    engine = await startEngine({ stall: { ...stall, limitMs: 600_000 } });
    engine.fake.engine.plan = () => (ledger().length === 0 ? { dies: true } : {});
    const { runId } = await engine.supervisor.start(request);
    await expect.poll(() => firstStep(runId)?.reason).toContain('the worker that executes prompts has died');
    expect(noted()).toEqual(['BACKEND_WORKER_DEAD']);
    await engine.fake.stop();
    engine.fake.engine.wipe();
    await expect.poll(() => firstStep(runId)?.status).toBe('unknown');
    await engine.fake.start();
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(new Set(ledger()).size).toBe(ledger().length);
  });

  it('is interrupted with proof where the policy says so, and tried again', async () => {
    const runId = await heldRun({ stall: { ...stall, action: 'interrupt' } });
    const run = await engine.ended(runId);
    expect(run.status).toBe('succeeded');
    expect(run.steps[0]?.attempts.map(({ status }) => status)).toEqual(['interrupted', 'finished']);
    expect(new Set(ledger()).size).toBe(4);
  });
});

describe('a backend that answers nonsense for a while', () => {
  it.each([
    [500, 'text/plain'],
    [401, 'text/plain'],
    [200, 'text/html'],
  ])('does not end a run that is taken up after a restart (%i, %s)', async (status, type) => {
    const runId = await heldRun();
    await engine.supervisor.close();
    engine.fake.misbehave({ path: LOOKS, times: 2, mode: { kind: 'reply', status, type, body: '<html>' } });
    await engine.restart();
    await expect.poll(() => firstStep(runId)?.status).toBe('unresponsive');
    engine.fake.engine.release();
    const run = await engine.ended(runId);
    expect(run.status).toBe('succeeded');
    expect(ledger()).toHaveLength(3);
  });

  it('shows its step as unresponsive until it speaks sense again', async () => {
    const runId = await heldRun();
    engine.fake.misbehave({ path: LOOKS, times: 3, mode: { kind: 'reply', status: 401 } });
    engine.fake.dropSockets();
    await expect.poll(() => firstStep(runId)?.status).toBe('unresponsive');
    await expect.poll(() => firstStep(runId)?.status).toBe('running');
    engine.fake.engine.release();
    expect((await engine.ended(runId)).status).toBe('succeeded');
  });
});

describe('a backend that stays away after a restart of the daemon', () => {
  it('ends the run with its address, and the attempt as unknown', async () => {
    const runId = await heldRun({ graceMs: 200 });
    await engine.fake.stop();
    await engine.restart();
    const run = await engine.ended(runId);
    expect(run).toMatchObject({ status: 'failed', error: { code: 'BACKEND_UNREACHABLE' } });
    expect(run.steps[0]?.attempts.map(({ status }) => status)).toEqual(['unknown']);
  });
});

describe('files of a finished prompt', () => {
  it('are fetched from a backend that takes as long as a restart to come back', async () => {
    const asked = Promise.withResolvers<void>();
    let isFirst = true;
    const wrap = (backend: Backend): Backend => ({
      ...backend,
      async fetch(...args) {
        if (isFirst) await engine.fake.stop();
        isFirst = false;
        asked.resolve();
        return backend.fetch(...args);
      },
    });
    const runId = await heldRun({ graceMs: 30, restartGraceMs: 10_000, wrap });
    engine.fake.engine.release();
    await asked.promise;
    await expect.poll(() => engine.events.some(({ event }) => event.type === 'run.note')).toBe(true);
    // Longer than the grace for a backend that was never there.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await engine.fake.start();
    expect((await engine.ended(runId)).status).toBe('succeeded');
  });
});

describe('a step with very many items', () => {
  const colours = Array.from({ length: 60 }, (_, index) => index);

  it('has only some of them at work at once, and runs all of them once', async () => {
    let sending = 0;
    let most = 0;
    const wrap = (backend: Backend): Backend => ({
      ...backend,
      async submit(...args) {
        sending += 1;
        most = Math.max(most, sending, engine.fake.engine.remaining());
        return backend.submit(...args).finally(() => {
          sending -= 1;
        });
      },
    });
    engine = await startEngine({ wrap });
    const { runId } = await engine.supervisor.start({ template: 'many', parameters: { colours } });
    const run = await engine.ended(runId);
    expect(run).toMatchObject({ status: 'succeeded', steps: [{ status: 'done', items: 60, itemsDone: 60 }] });
    expect(ledger()).toHaveLength(60);
    expect(new Set(ledger()).size).toBe(60);
    expect(most).toBeLessThanOrEqual(ITEMS_AT_ONCE);
  });

  it('goes on after a restart with those that were not started yet', async () => {
    engine = await startEngine();
    engine.fake.engine.plan = () => (ledger().length === 5 ? { holdAt: '1' } : {});
    const { runId } = await engine.supervisor.start({ template: 'many', parameters: { colours } });
    await engine.fake.engine.held();
    await engine.restart();
    engine.fake.engine.release();
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(new Set(ledger()).size).toBe(60);
    expect(ledger()).toHaveLength(60);
  });

  it('starts none of those that wait once it is cancelled', async () => {
    engine = await startEngine({ pool: { ...USUAL_POOL, backends: { comfyui: { ahead: 50 } } } });
    engine.fake.engine.plan = () => ({ holdAt: '1' });
    const { runId } = await engine.supervisor.start({ template: 'many', parameters: { colours } });
    await expect.poll(() => engine.fake.engine.remaining()).toBe(ITEMS_AT_ONCE);
    await engine.supervisor.cancel(runId);
    expect(await engine.ended(runId)).toMatchObject({ status: 'cancelled', steps: [{ status: 'cancelled' }] });
    expect(engine.fake.engine.remaining()).toBe(0);
    expect(engine.fake.requests.filter(({ method, path }) => method === 'POST' && path === '/prompt')).toHaveLength(ITEMS_AT_ONCE);
  });

  it('goes on with the others when some fail', async () => {
    engine = await startEngine();
    engine.fake.engine.plan = (item) =>
      Number(item.prompt['1']?.inputs['color']) < 20 ? { error: { node: '1', type: 'RuntimeError', message: 'too dark' } } : {};
    const { runId } = await engine.supervisor.start({ template: 'many', parameters: { colours } });
    expect(await engine.ended(runId)).toMatchObject({ status: 'failed', steps: [{ status: 'failed', items: 60, itemsDone: 40 }] });
  });
});

describe('an upload', () => {
  it('waits until the step that wants it is on disk', async () => {
    const stored: (string | null | undefined)[] = [];
    const wrap = (backend: Backend): Backend => ({
      ...backend,
      upload(...args) {
        stored.push(engine.supervisor.list({}).map(({ runId }) => engine.store.run(runId)?.snapshot)[0]);
        return backend.upload(...args);
      },
    });
    engine = await startEngine({ wrap });
    const { runId } = await engine.supervisor.start(request);
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(stored.map((snapshot) => /"step:(\w+):0"/.exec(snapshot ?? '')?.[1])).toEqual(['invert', 'grow']);
  });
});

describe('a prompt that succeeds with nothing to show for it', () => {
  it.each(['three-steps', 'no-outputs'])('is no success (%s)', async (template) => {
    engine = await startEngine();
    engine.fake.engine.plan = () => ({ outputs: {} });
    const { runId } = await engine.supervisor.start({ template, parameters: {} });
    expect(await engine.ended(runId)).toMatchObject({ status: 'failed', error: { code: 'OUTPUT_MISSING' } });
  });
});

describe('a cancel at any moment', () => {
  const moments = Array.from({ length: 12 }, (_, index) => index * 2);

  it.each([
    ['and nothing else', false],
    ['with a restart right after it', true],
  ])('ends the run once, leaves nothing on the backend and tells nothing after the end (%s)', async (_, restarts) => {
    engine = await startEngine();
    for (const moment of moments) {
      const { fake, events } = engine;
      const before = fake.requests.length;
      const { runId } = await engine.supervisor.start(request);
      await fake.until(() => fake.requests.length >= before + moment || isOver(runId));
      await engine.supervisor.cancel(runId);
      if (restarts) await engine.restart();
      const run = await engine.ended(runId);
      const told = events.filter((event) => event.runId === runId);
      const stored = engine.store.events({ runId, after: 0, limit: 1000 });
      expect(['cancelled', 'succeeded']).toContain(run.status);
      expect(fake.engine.remaining()).toBe(0);
      expect(stored.map(({ seq }) => seq)).toEqual(stored.map((event, index) => index + 1));
      expect(told).toEqual(stored);
      expect(stored.at(-1)?.event).toMatchObject({ type: 'run.status', status: run.status });
      expect(
        stored.filter(({ event }) => event.type === 'run.status' && /succeeded|failed|cancelled|lost/.test(event.status)),
      ).toHaveLength(1);
      expect(new Set(ledger()).size).toBe(ledger().length);
    }
  });

  const isOver = (runId: string) => engine.supervisor.get(runId).endedAt !== undefined;
});
