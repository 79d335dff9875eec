import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Backend, BackendDescription } from '#backends/contract.ts';
import { openClassLocks } from '#daemon/class-locks.ts';
import { createLibraryService } from '#daemon/library-service.ts';
import { createMediaResolver } from '#daemon/media-resolver.ts';
import { createOffers } from '#daemon/offers.ts';
import { admit } from '#daemon/run-door.ts';
import { createRoots } from '#daemon/roots.ts';
import { parseObjectInfo } from '#graph/object-info.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { TemplateChanged } from '#protocol/methods/event.ts';
import { classLockText, lockClasses } from '#templates/class-lock.ts';
import { createLibrary } from '#templates/library.ts';

const SAVE = { input: { required: { images: ['IMAGE'] } }, output: [], output_node: true, python_module: 'nodes' };
const LOAD = { input: { required: { ckpt_name: [['base.safetensors']] } }, output: ['IMAGE'], python_module: 'nodes' };

/** A backend that says what it is told to, and counts how often its node classes are asked for anew. */
function backend(id: string, classes: object | undefined, facts: Partial<BackendDescription> = {}) {
  const state = { classes, facts, asked: 0 };
  let cached: string | undefined;
  return {
    id,
    kind: 'comfyui' as const,
    state,
    async objectInfo({ refresh = false } = {}) {
      if (state.classes === undefined) throw new CallsheetError('BACKEND_UNREACHABLE', 'nobody is there');
      if (refresh) cached = undefined;
      state.asked += cached === undefined ? 1 : 0;
      cached ??= JSON.stringify(state.classes);
      return cached;
    },
    async describe(): Promise<BackendDescription> {
      return { version: '0.3.64', draft: false, queueRemaining: 0, capabilities: {}, ...state.facts };
    },
  };
}

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'callsheet-judge-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const GRAPH = {
  '1': { class_type: 'Load', inputs: { ckpt_name: 'base.safetensors' } },
  '2': { class_type: 'Save', inputs: { images: ['1', 0] } },
};

async function open(backends: readonly ReturnType<typeof backend>[], manifest: object = {}, step: object = {}) {
  const folder = join(dir, 'templates', 'hero');
  mkdirSync(folder, { recursive: true });
  const steps = [{ id: 'base', workflow: 'base.json', outputs: { shot: '2' }, ...step }];
  writeFileSync(join(folder, 'template.json'), JSON.stringify({ format: 1, id: 'hero', version: '1.0.0', steps, ...manifest }));
  writeFileSync(join(folder, 'base.json'), JSON.stringify(GRAPH, null, 2));
  const templateDirs = [join(dir, 'templates')];
  const library = createLibrary(templateDirs);
  await library.refresh();
  const roots = createRoots({ roots: [], asset: () => undefined });
  const offers = createOffers(backends, pino({ level: 'silent' }));
  const resolveMedia = createMediaResolver(roots, library);
  const locks = openClassLocks(join(dir, 'locks.json'), pino({ level: 'silent' }));
  const service = createLibraryService({ library, offers, locks, roots, resolveMedia, backends, templateDirs });
  const told: TemplateChanged[] = [];
  service.onChange((change) => told.push(change));
  const only = () => service.list()[0];
  return { service, offers, locks, told, only };
}

const ready = (id: string) => ({ id, status: 'ready', version: '0.3.64' }) as const;

describe('the library as the backends can run it', () => {
  it('is runnable, and says so, while no backend could be asked', async () => {
    const { service, offers, only } = await open([backend('farm', undefined)]);
    await offers.begin(5000);
    expect(only()).toMatchObject({ runnable: true, problems: 0 });
    expect((await service.get({ id: 'hero' })).problems).toMatchObject([
      { code: 'BACKEND_NOT_ASKED', severity: 'info', message: expect.stringContaining("'farm'") },
    ]);
    offers.close();
  });

  it('is told again when a backend comes up that lacks something, and once more when the pack is there after its restart', async () => {
    const farm = backend('farm', undefined);
    const { service, offers, told, only } = await open([farm], { requires: { nodes: { Save: { pack: 'saver' } } } });
    await offers.begin(5000);
    farm.state.classes = { Load: LOAD };
    offers.heard(ready('farm'));
    await offers.ask('farm');
    expect(told).toMatchObject([
      {
        id: 'hero',
        runnable: false,
        problems: [
          {
            code: 'NODE_CLASS_UNKNOWN',
            message: expect.stringContaining("backend 'farm'"),
            hint: expect.stringContaining('"saver"'),
            line: 9,
          },
        ],
      },
    ]);
    expect(only()).toMatchObject({ runnable: false, problems: 1 });
    expect(await service.get({ id: 'hero' })).toMatchObject({ runnable: false, problems: [{ code: 'NODE_CLASS_UNKNOWN' }] });

    farm.state.classes = { Load: LOAD, Save: SAVE };
    offers.heard({ id: 'farm', status: 'unreachable' });
    offers.heard(ready('farm'));
    await offers.ask('farm', { refresh: false });
    await offers.begin(5000);
    expect(told.slice(1)).toMatchObject([{ id: 'hero', runnable: true, problems: [] }]);
    offers.close();
  });

  it('says nothing when a backend comes back as it was', async () => {
    const farm = backend('farm', { Load: LOAD, Save: SAVE });
    const { offers, told } = await open([farm]);
    await offers.begin(5000);
    const count = told.length;
    offers.heard(ready('farm'));
    await offers.take('farm');
    expect(farm.state.asked).toBe(2);
    expect(told).toHaveLength(count);
    offers.close();
  });

  it('is runnable when one of several backends has everything, and else names each that has not', async () => {
    const poor = backend('poor', { Load: LOAD });
    const other = backend('other', { Save: SAVE });
    const { offers, only } = await open([poor, other]);
    await offers.begin(5000);
    expect(only()).toMatchObject({ runnable: false, problems: 2 });
    other.state.classes = { Load: LOAD, Save: SAVE };
    await offers.ask('other', { refresh: true });
    expect(only()).toMatchObject({ runnable: true, problems: 0 });
    offers.close();
  });

  it('is judged for one backend alone where one is named', async () => {
    const { service, offers } = await open([backend('poor', { Load: LOAD }), backend('rich', { Load: LOAD, Save: SAVE })]);
    await offers.begin(5000);
    const { runnable, problems } = await service.get({ id: 'hero', backend: 'poor' });
    expect([runnable, problems.map(({ code }) => code)]).toEqual([false, ['NODE_CLASS_UNKNOWN', 'DRIFT_CLASS_GONE']]);
    expect(await service.get({ id: 'hero', backend: 'rich' })).toMatchObject({ runnable: true, problems: [] });
    offers.close();
  });

  it('asks for a version of ComfyUI and of Callsheet, and warns of little memory', async () => {
    const farm = backend('farm', { Load: LOAD, Save: SAVE }, { vram: 4e9 });
    const { service, offers } = await open([farm], { requires: { callsheet: '>=99', comfyui: '>=0.4', vram: 8e9 } });
    await offers.begin(5000);
    expect((await service.get({ id: 'hero' })).problems.map(({ code, severity }) => [code, severity])).toEqual([
      ['TEMPLATE_REQUIRES_VERSION', 'error'],
      ['TEMPLATE_REQUIRES_VERSION', 'error'],
      ['TEMPLATE_REQUIRES_VRAM', 'warning'],
    ]);
    offers.close();
  });

  it('only warns of what a step with a condition lacks, because it may never run', async () => {
    const { offers, only } = await open([backend('farm', { Load: LOAD })], {}, { when: 'backend.id == "other"' });
    await offers.begin(5000);
    expect(only()).toMatchObject({ runnable: true, problems: 1 });
    offers.close();
  });

  it('needs a backend of the kind of every step', async () => {
    const { service, offers } = await open([backend('farm', {})], {}, { backend: 'sandbox' });
    expect(await service.get({ id: 'hero' })).toMatchObject({
      runnable: false,
      problems: [{ code: 'STEP_BACKEND_MISSING', step: 'base' }],
    });
    offers.close();
  });
});

describe('drift of templates in the library', () => {
  const fewer = { ...LOAD, output: ['IMAGE'], input: { required: { ckpt_name: LOAD.input.required.ckpt_name, mode: [['a']] } } };

  it('is shown when the backend comes back with other classes than it had when the template first fitted', async () => {
    const farm = backend('farm', { Load: LOAD, Save: SAVE });
    const { service, offers, locks } = await open([farm]);
    await offers.begin(5000);
    expect((await service.get({ id: 'hero' })).problems).toEqual([]);
    farm.state.classes = { Load: fewer, Save: SAVE };
    await offers.ask('farm', { refresh: true });
    const drifted = { code: 'DRIFT_INPUT_ADDED', severity: 'warning', node: '1', message: expect.stringContaining('since ComfyUI 0.3.64') };
    expect((await service.get({ id: 'hero' })).problems).toMatchObject([drifted]);
    expect((await service.check({ id: 'hero', backend: 'farm' })).files[0]?.problems).toMatchObject([drifted, { code: 'INPUT_MISSING' }]);
    offers.close();
    await locks.close();

    const again = openClassLocks(join(dir, 'locks.json'), pino({ level: 'silent' }));
    const { hash, path } = await service.get({ id: 'hero' });
    expect([...(again.of({ hash, origin: { kind: 'folder', path } })?.lock?.classes.keys() ?? [])]).toEqual(['Load', 'Save']);
  });

  it('is measured from the lock beside the template, where there is one', async () => {
    const farm = backend('farm', { Load: LOAD, Save: SAVE });
    const { service, offers, locks } = await open([farm]);
    await offers.begin(5000);
    const info = parseObjectInfo(JSON.stringify({ Load: fewer, Save: SAVE })).info;
    if (info === undefined) throw new Error('the object info of the test cannot be read');
    const lock = lockClasses(['Load', 'Save'], info, '0.3.50');
    writeFileSync(join(dir, 'templates', 'hero', 'template.lock.json'), classLockText(lock));
    expect((await service.get({ id: 'hero' })).problems).toMatchObject([{ code: 'DRIFT_INPUT_GONE', severity: 'info' }]);
    writeFileSync(join(dir, 'templates', 'hero', 'template.lock.json'), '{}');
    expect((await service.get({ id: 'hero' })).problems).toMatchObject([{ code: 'TEMPLATE_LOCK_INVALID' }]);
    offers.close();
    await locks.close();
  });

  it('begins anew where what was kept is damaged', async () => {
    writeFileSync(join(dir, 'locks.json'), '{"format":1,');
    const { service, offers, locks } = await open([backend('farm', { Load: LOAD, Save: SAVE })]);
    await offers.begin(5000);
    expect((await service.get({ id: 'hero' })).problems).toEqual([]);
    offers.close();
    await locks.close();
    expect(readFileSync(join(dir, 'locks.json'), 'utf8')).toContain('"Load"');
  });
});

describe('the door of runs', () => {
  async function knock(farm: ReturnType<typeof backend>, step: object = {}, parameters: Record<string, unknown> = {}) {
    const folder = join(dir, 'templates', 'hero');
    const model = { type: 'model', folder: 'checkpoints', default: 'base.safetensors' };
    const { offers } = await open([farm], { parameters: { m: model } }, { set: { '1.ckpt_name': '{m}' }, ...step });
    const library = createLibrary([join(folder, '..')]);
    await library.refresh();
    const never = (value: string) => Promise.reject(new Error(value));
    const options = {
      library,
      offers,
      resolveMedia: () => never,
      resolveDirectory: never,
      chooseBackend: () => farm as unknown as Backend,
      takers: () => [farm as unknown as Backend],
    };
    try {
      return await admit(options, { template: 'hero', parameters }).then(
        () => 'admitted',
        (error: unknown) => (error instanceof CallsheetError ? error.data.problems : error),
      );
    } finally {
      offers.close();
    }
  }

  it('refuses a run whose parameter names a model that the backend does not have', async () => {
    const farm = backend('farm', { Load: LOAD, Save: SAVE });
    expect(await knock(farm, {}, { m: 'gone.safetensors' })).toMatchObject([
      { code: 'MODEL_MISSING', parameter: 'm', step: 'base', message: expect.stringContaining("backend 'farm'") },
    ]);
    expect(await knock(farm)).toBe('admitted');
  });

  it('asks once more before it refuses: the pack may have been installed since', async () => {
    const farm = backend('farm', { Load: LOAD });
    await farm.objectInfo();
    farm.state.classes = { Load: LOAD, Save: SAVE };
    expect(await knock(farm)).toBe('admitted');
    expect(farm.state.asked).toBe(2);
  });

  it('lets a run in when the backend cannot be asked', async () => {
    expect(await knock(backend('farm', undefined))).toBe('admitted');
  });

  it('does not ask what a step needs that these values skip', async () => {
    const farm = backend('farm', { Load: LOAD });
    expect(await knock(farm, { when: 'params.m == "other"' })).toBe('admitted');
    expect(await knock(farm, { when: 'params.m == "base.safetensors"' })).toMatchObject([{ code: 'NODE_CLASS_UNKNOWN' }]);
  });
});
