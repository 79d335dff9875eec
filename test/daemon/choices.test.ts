// Choices on a real engine over a fake ComfyUI: asked, picked, waited for across restarts, timed out, cancelled.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallsheetError } from '#protocol/errors.ts';
import type { RunEventBody } from '#protocol/events.ts';
import type { Store } from '#store/types.ts';
import { type Engine, type EngineOptions, startEngine } from './supervisor-harness.ts';

const FIXTURE = fileURLToPath(new URL('../fixtures/templates/with-choice', import.meta.url));

let templates: string;
let engine: Engine;
beforeEach(() => {
  templates = mkdtempSync(join(tmpdir(), 'callsheet-choices-'));
});
afterEach(async () => {
  await engine.close();
  rmSync(templates, { recursive: true, force: true });
});

interface Manifest {
  readonly id: string;
  readonly parameters: object;
  readonly steps: readonly object[];
  readonly choices: readonly object[];
}

/** Starts a run of the fixture, changed, on a fresh engine. */
async function start(
  change: (manifest: Manifest) => object = () => ({}),
  before: () => void = () => undefined,
  options: EngineOptions = {},
): Promise<string> {
  const folder = join(templates, 'changed');
  cpSync(FIXTURE, folder, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(FIXTURE, 'template.json'), 'utf8')) as Manifest;
  writeFileSync(join(folder, 'template.json'), JSON.stringify({ ...manifest, id: 'changed', ...change(manifest) }));
  engine = await startEngine({ templates, ...options });
  before();
  const { runId } = await engine.supervisor.start({ template: 'changed', parameters: {} });
  return runId;
}
/** The choice of the fixture with other fields. */
const choice = (fields: object) => (manifest: Manifest) => ({ choices: manifest.choices.map((one) => ({ ...one, ...fields })) });
const ofTwo = { workflow: 'invert.json', each: '{choices.picked}', set: { '1.image': '{each}' }, outputs: { picture: '3' } };
const list = (fields: object) => (manifest: Manifest) => ({
  ...choice(fields)(manifest),
  steps: [...manifest.steps.slice(0, 1), { id: 'last', ...ofTwo }],
});

/** Resolves once the run has said so. */
async function says(runId: string, what: (event: RunEventBody) => boolean): Promise<void> {
  const has = () => engine.events.some((event) => event.runId === runId && what(event.event));
  if (has()) return;
  await new Promise<void>((resolve) => {
    const stop = engine.supervisor.onEvents(() => {
      if (!has()) return;
      stop();
      resolve();
    });
  });
}
const asks = (runId: string) => says(runId, ({ type }) => type === 'choice.offered');
const view = (runId: string) => engine.supervisor.get(runId).choices?.[0];
const candidates = (runId: string) => view(runId)?.candidates ?? [];
const choose = (runId: string, ...values: string[]) => engine.supervisor.choose({ runId, values });
const statuses = (runId: string) => Object.fromEntries(engine.supervisor.get(runId).steps.map(({ id, status }) => [id, status]));

describe('a run with a choice', () => {
  it('[TC1] waits after its step, and goes on with what is picked', async () => {
    const runId = await start();
    await asks(runId);
    const waiting = engine.supervisor.get(runId);
    expect(waiting).toMatchObject({ status: 'waiting', choices: [{ into: 'picked', after: 'paint', status: 'waiting' }] });
    expect(engine.supervisor.list({ status: ['waiting'] })).toMatchObject([{ runId, status: 'waiting' }]);
    expect(waiting.etaSeconds).toBeUndefined();
    const second = candidates(runId)[1]?.id ?? '';
    expect(await choose(runId, second)).toEqual({ into: 'picked', picked: [second], status: 'running' });
    const run = await engine.ended(runId);
    expect(run).toMatchObject({ status: 'succeeded', progress: 1, choices: [{ status: 'made', picked: [second], pickedBy: 'person' }] });
    const told = engine.events.flatMap(({ event }) => (event.type === 'run.status' ? [event.status] : []));
    expect(told).toEqual(['running', 'waiting', 'running', 'succeeded']);
  });

  it('[TC1] lets steps that do not need the pick go on meanwhile', async () => {
    const free = { id: 'free', needs: ['paint'], workflow: 'paint.json', outputs: { picture: '2' } };
    const runId = await start(({ steps }) => ({ steps: [...steps, free] }));
    await says(runId, (event) => event.type === 'step.status' && event.step === 'free' && event.status === 'done');
    await asks(runId);
    expect(engine.supervisor.get(runId).status).toBe('waiting');
    expect(statuses(runId)).toEqual({ paint: 'done', last: 'pending', free: 'done' });
    await choose(runId, '0');
    expect(await engine.ended(runId)).toMatchObject({ status: 'succeeded' });
  });

  it('[TC1] can be asked twice, the second time among what was picked first', async () => {
    const final = { after: 'paint', from: '{choices.picked}', into: 'final' };
    const runId = await start((manifest) => ({
      parameters: { colours: { type: 'list', of: 'integer', default: [1, 2, 3] } },
      choices: [...choice({ pick: 2 })(manifest).choices, final],
      steps: [manifest.steps[0], { id: 'last', workflow: 'invert.json', set: { '1.image': '{choices.final}' }, outputs: { picture: '3' } }],
    }));
    await asks(runId);
    const [first, , third] = candidates(runId).map(({ id }) => id);
    await engine.supervisor.choose({ runId, into: 'picked', indices: [2, 0] });
    await says(runId, (event) => event.type === 'choice.offered' && event.into === 'final');
    const offered = engine.supervisor.get(runId).choices?.[1];
    expect(offered?.candidates.map(({ id }) => id)).toEqual([third, first]);
    expect(await choose(runId, first ?? '')).toMatchObject({ into: 'final', picked: [first] });
    expect(await engine.ended(runId)).toMatchObject({ status: 'succeeded' });
  });

  it('[TC2] hands a list on as a list, in the order of the pick', async () => {
    const runId = await start(list({ pick: { max: 2 } }));
    await asks(runId);
    expect(view(runId)?.pick).toEqual({ min: 1, max: 2 });
    const ids = candidates(runId).map(({ id }) => id);
    await engine.supervisor.choose({ runId, indices: [1, 0] });
    const run = await engine.ended(runId);
    expect(run.choices?.[0]?.picked).toEqual(ids.toReversed());
    expect(run.steps.at(-1)).toMatchObject({ id: 'last', status: 'done', items: 2 });
  });

  it('[TC2] may pick nothing where the range begins at 0', async () => {
    const runId = await start(list({ pick: { min: 0 } }));
    await asks(runId);
    await choose(runId);
    expect(await engine.ended(runId)).toMatchObject({ status: 'succeeded', steps: [{}, { id: 'last', status: 'done', items: 0 }] });
  });

  it('[TC4] offers files with all that a client needs to show them, and texts of parameters', async () => {
    const runId = await start((manifest) => ({
      ...choice({})(manifest),
      parameters: { ...manifest.parameters, words: { type: 'list', of: 'text', default: ['red', '2', 'blue'] } },
      choices: [...manifest.choices, { after: 'paint', from: '{words}', into: 'word', title: 'Which word?' }],
      outputs: { word: { from: '{steps.last.picture}', asset: { kind: 'image', name: '{choices.word}' } } },
    }));
    await says(runId, (event) => event.type === 'choice.offered' && event.into === 'word');
    await asks(runId);
    const run = engine.supervisor.get(runId);
    const [pictures, words] = run.choices ?? [];
    expect(pictures?.candidates).toEqual(
      run.artifacts.map(({ artifactId, path, mediaType, width, height }, index) => ({
        index,
        id: artifactId,
        artifactId,
        path,
        mediaType,
        ...(width === undefined ? {} : { width, height }),
      })),
    );
    expect(words).toMatchObject({
      title: 'Which word?',
      candidates: [
        { index: 0, id: 'value-0', text: 'red' },
        { index: 1, id: 'value-1', text: '2' },
        { index: 2, id: 'value-2', text: 'blue' },
      ],
    });
    await expect(choose(runId, '0')).rejects.toMatchObject({ code: 'CHOICE_INVALID', message: expect.stringContaining('2 choices') });
    await expect(engine.supervisor.choose({ runId, into: 'word', values: ['2'] })).rejects.toMatchObject({
      code: 'CHOICE_INVALID',
      message: expect.stringContaining('may mean 2'),
    });
    await engine.supervisor.choose({ runId, into: 'word', values: ['blue'] });
    await choose(runId, basename(candidates(runId)[0]?.path ?? ''));
    expect((await engine.ended(runId)).artifacts.at(-1)).toMatchObject({ step: 'last', asset: { name: 'blue' } });
  });

  it('[TC5] is skipped after a skipped step, with all that refers to it', async () => {
    const runId = await start(({ steps: [paint, last] }) => ({ steps: [{ ...paint, when: 'false' }, last] }));
    const run = await engine.ended(runId);
    expect(run).toMatchObject({ status: 'succeeded', choices: [{ status: 'skipped', reason: 'step "paint" was skipped' }] });
    expect(statuses(runId)).toEqual({ paint: 'skipped', last: 'skipped' });
  });

  it('[TC5] is skipped when there is nothing to choose from', async () => {
    const runId = await start(() => ({ parameters: { colours: { type: 'list', of: 'integer', default: [] } } }));
    expect(await engine.ended(runId)).toMatchObject({
      status: 'succeeded',
      choices: [{ status: 'skipped', reason: 'there is nothing to choose from' }],
      steps: [{ status: 'done' }, { status: 'skipped' }],
    });
  });

  it('[TC5] is blocked when its step failed', async () => {
    const runId = await start(
      () => ({}),
      () => (engine.fake.engine.plan = () => ({ error: { node: '1', type: 'RuntimeError', message: 'no colours left' } })),
    );
    const run = await engine.ended(runId);
    expect(run).toMatchObject({ status: 'failed', error: { code: 'NODE_FAILED', step: 'paint' }, choices: [{ status: 'blocked' }] });
    expect(run.steps[1]).toMatchObject({ id: 'last', status: 'blocked', reason: "The choice 'picked' is blocked." });
  });

  const failsAt = (colour: number) => () => {
    engine.fake.engine.plan = ({ prompt }) =>
      prompt['1']?.inputs['color'] === colour ? { error: { node: '1', type: 'RuntimeError', message: 'not this one' } } : {};
  };

  it('[TC5] offers the finished items where others failed, and the run still ends as failed', async () => {
    const runId = await start(() => ({}), failsAt(1));
    await asks(runId);
    expect(candidates(runId)).toHaveLength(1);
    await choose(runId, '0');
    const run = await engine.ended(runId);
    expect(run).toMatchObject({ status: 'failed', error: { code: 'NODE_FAILED', step: 'paint' }, choices: [{ status: 'made' }] });
    expect(statuses(runId)).toEqual({ paint: 'failed', last: 'done' });
  });

  it('[TC5] fails when there are fewer than are asked for', async () => {
    const runId = await start(list({ pick: 2 }), failsAt(1));
    expect(await engine.ended(runId)).toMatchObject({
      status: 'failed',
      choices: [{ status: 'failed', reason: "The choice 'picked' takes 2, and there is one to choose from." }],
      steps: [{ status: 'failed' }, { status: 'blocked' }],
    });
  });

  it('[TC6] takes the first when time is up and the template says so', async () => {
    const runId = await start(choice({ timeout: 1, onTimeout: 'first' }));
    await asks(runId);
    const first = candidates(runId)[0]?.id;
    expect(view(runId)?.deadline).toBeGreaterThan(Date.now());
    expect(await engine.ended(runId)).toMatchObject({ status: 'succeeded', choices: [{ picked: [first], pickedBy: 'timeout' }] });
  });

  it('[TC6] fails when time is up, and blocks what needs the pick', async () => {
    const runId = await start(choice({ timeout: 1 }));
    expect(await engine.ended(runId)).toMatchObject({
      status: 'failed',
      error: { code: 'CHOICE_TIMED_OUT' },
      choices: [{ status: 'failed' }],
      steps: [{ status: 'done' }, { status: 'blocked' }],
    });
  });

  it('[TC6] waits on with a note when the template says so', async () => {
    const runId = await start(choice({ timeout: 1, onTimeout: 'wait' }));
    await says(runId, (event) => event.type === 'run.note' && event.code === 'CHOICE_OVERDUE');
    expect(engine.supervisor.get(runId).status).toBe('waiting');
    await engine.restart();
    await choose(runId, '0');
    expect(await engine.ended(runId)).toMatchObject({ status: 'succeeded' });
  });

  it('[TC6] counts time while no daemon runs', async () => {
    const runId = await start(choice({ timeout: 1, onTimeout: 'first' }));
    await asks(runId);
    const { deadline = 0 } = view(runId) ?? {};
    await engine.restart(undefined, () => {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.max(0, deadline - Date.now()));
    });
    expect(await engine.ended(runId)).toMatchObject({ status: 'succeeded', choices: [{ pickedBy: 'timeout' }] });
  });

  it('is made once also when the database was held for so long that whoever made it was told to ask again', async () => {
    /** Commits that still pass before another program holds the database. */
    const disk = { passes: Number.POSITIVE_INFINITY };
    const wrapStore = (store: Store): Store => ({
      ...store,
      commit(batch) {
        if (disk.passes === 0) throw new CallsheetError('STORAGE_BUSY', 'Another program keeps it busy.');
        disk.passes -= 1;
        return store.commit(batch);
      },
    });
    const runId = await start(undefined, undefined, { wrapStore });
    await asks(runId);
    const request = { runId, values: [candidates(runId)[1]?.path ?? ''], requestKey: 'while it is held' };
    await expect.poll(() => engine.supervisor.get(runId).status).toBe('waiting');
    // The one that shows what is offered; the pick comes after it.
    disk.passes = 1;
    await expect(engine.supervisor.choose(request)).rejects.toMatchObject({
      message: expect.stringContaining('is done, and written down') as unknown,
    });
    const again = engine.supervisor.choose(request);
    disk.passes = Number.POSITIVE_INFINITY;
    expect(await again).toMatchObject({ into: 'picked', picked: [expect.any(String)] });
    expect((await engine.ended(runId)).status).toBe('succeeded');
    expect(engine.events.filter(({ event }) => event.type === 'choice.made')).toHaveLength(1);
  }, 30_000);

  it('[TC7] takes a pick once, refuses any other with the candidates, and repeats its answer under a request key', async () => {
    const runId = await start();
    await expect(choose('no-such-run', '0')).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
    await asks(runId);
    const wrong = {
      code: 'CHOICE_INVALID',
      data: { hint: expect.stringContaining('Pick 1 of: 0 '), details: { candidates: candidates(runId) } },
    };
    for (const values of [[], ['0', '1'], ['0', '0'], ['2'], ['nothing']])
      await expect(choose(runId, ...values)).rejects.toMatchObject(wrong);
    await expect(engine.supervisor.choose({ runId })).rejects.toMatchObject(wrong);
    await expect(engine.supervisor.choose({ runId, into: 'other', values: ['0'] })).rejects.toMatchObject({ code: 'CHOICE_NOT_WAITING' });
    const request = { runId, values: [candidates(runId)[1]?.path ?? ''], requestKey: 'mine' };
    const [answer, again, late] = await Promise.allSettled([
      engine.supervisor.choose(request),
      engine.supervisor.choose(request),
      choose(runId, '0'),
    ]);
    expect(answer).toMatchObject({ status: 'fulfilled', value: { picked: [candidates(runId)[1]?.id] } });
    expect(again).toEqual(answer);
    expect(late).toMatchObject({
      status: 'rejected',
      reason: { code: 'CHOICE_NOT_WAITING', message: expect.stringContaining('made already') },
    });
    await engine.ended(runId);
    await engine.restart();
    expect(await engine.supervisor.choose(request)).toEqual(answer.status === 'fulfilled' ? answer.value : undefined);
    await expect(engine.supervisor.choose({ ...request, values: ['0'] })).rejects.toMatchObject({ code: 'REQUEST_KEY_CONFLICT' });
    await expect(choose(runId, '0')).rejects.toMatchObject({ code: 'CHOICE_NOT_WAITING' });
  });

  it('[TC7] refuses a file that is gone', async () => {
    const runId = await start();
    await asks(runId);
    rmSync(candidates(runId)[0]?.path ?? '');
    await expect(choose(runId, '0')).rejects.toMatchObject({ code: 'CHOICE_INVALID', message: expect.stringContaining('is gone') });
    expect(engine.supervisor.get(runId).status).toBe('waiting');
  });

  it('[TC1] holds no place in the queue while it waits: runs behind it begin', async () => {
    const asking = ({ steps: [paint, last] }: Manifest) => ({
      parameters: { colours: { type: 'list', of: 'integer', default: [1] }, words: { type: 'list', of: 'text', default: ['a', 'b'] } },
      steps: [
        { ...paint, when: 'false' },
        { ...last, set: { '3.filename_prefix': '{choices.picked}' } },
      ],
      choices: [{ after: 'paint', from: '{words}', into: 'picked' }],
    });
    const first = await start(asking);
    const others = await Promise.all(
      Array.from({ length: 12 }, async () => (await engine.supervisor.start({ template: 'changed', parameters: {} })).runId),
    );
    const { runId } = await engine.supervisor.start({ template: 'three-steps', parameters: {} });
    expect(await engine.ended(runId)).toMatchObject({ status: 'succeeded' });
    for (const one of [first, ...others]) {
      await asks(one);
      expect(engine.supervisor.get(one).status).toBe('waiting');
    }
  });

  it('[TC8] ends at once when it is cancelled, and takes no pick any more', async () => {
    const runId = await start();
    await asks(runId);
    await engine.supervisor.cancel(runId);
    expect(await engine.ended(runId)).toMatchObject({ status: 'cancelled', choices: [{ status: 'cancelled' }] });
    await expect(choose(runId, '0')).rejects.toMatchObject({ code: 'CHOICE_NOT_WAITING' });
  });

  it('waits across a restart under the same ids, and runs nothing twice', async () => {
    const runId = await start();
    await asks(runId);
    const before = view(runId);
    await engine.restart();
    expect(engine.supervisor.get(runId)).toMatchObject({ status: 'waiting' });
    expect(view(runId)).toEqual(before);
    await choose(runId, before?.candidates[1]?.id ?? '');
    await engine.restart();
    expect(await engine.ended(runId)).toMatchObject({ status: 'succeeded', choices: [{ picked: [before?.candidates[1]?.id] }] });
    expect(engine.fake.engine.ledger).toHaveLength(3);
  });

  it('stands after any number of restarts where it stood when it began to wait', async () => {
    const runId = await start();
    await asks(runId);
    const { progress } = engine.supervisor.get(runId);
    expect(progress).toBeGreaterThan(0);
    for (let restarts = 0; restarts < 3; restarts += 1) {
      await engine.restart();
      expect(engine.supervisor.get(runId).progress).toBe(progress);
    }
  });

  it('says that it is held when its backend is missing', async () => {
    const runId = await start();
    await asks(runId);
    await engine.restart([]);
    await expect(choose(runId, '0')).rejects.toMatchObject({ code: 'CHOICE_NOT_WAITING', message: expect.stringContaining('comfyui') });
  });
});
