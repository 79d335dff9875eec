import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Backend } from '#backends/contract.ts';
import { openClassLocks } from '#daemon/class-locks.ts';
import { createLibraryService } from '#daemon/library-service.ts';
import { createMediaResolver } from '#daemon/media-resolver.ts';
import { createOffers } from '#daemon/offers.ts';
import { createRoots } from '#daemon/roots.ts';
import type { TemplateChanged } from '#protocol/methods/event.ts';
import { createLibrary } from '#templates/library.ts';

const PNG = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(100)]);
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'callsheet-library-'));
  for (const folder of ['templates/hero', 'root', 'outside']) mkdirSync(join(dir, folder), { recursive: true });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const MANIFEST = {
  format: 1,
  id: 'hero',
  version: '1.0.0',
  title: 'Hero',
  parameters: {
    picture: { type: 'image', default: 'still.png' },
    angles: { type: 'list', of: 'text', default: ['front', 'side'] },
    seed: { type: 'seed' },
  },
  steps: [
    {
      id: 'base',
      workflow: 'base.json',
      each: '{angles}',
      set: { '1.image': '{picture}', '2.filename_prefix': '{each}' },
      outputs: { shot: '2' },
    },
    { id: 'finish', workflow: 'finish.json', set: { '1.image': '{steps.base.shot[1]}', '2.filename_prefix': 'x' }, outputs: { shot: '2' } },
  ],
};
const GRAPH = {
  '1': { class_type: 'LoadImage', inputs: { image: 'x.png' } },
  '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'p' } },
};

function write(manifest: object = MANIFEST): void {
  const folder = join(dir, 'templates', 'hero');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'template.json'), JSON.stringify(manifest));
  for (const name of ['base.json', 'finish.json']) writeFileSync(join(folder, name), JSON.stringify(GRAPH));
  writeFileSync(join(folder, 'still.png'), PNG);
  writeFileSync(join(dir, 'outside', 'a.png'), PNG);
}

async function open(
  backends: readonly Pick<Backend, 'id' | 'kind' | 'objectInfo' | 'nodeReplacements' | 'describe'>[] = [],
  objectInfoFile?: string,
) {
  const templateDirs = [join(dir, 'templates')];
  const library = createLibrary(templateDirs);
  await library.refresh();
  const roots = createRoots({ roots: [join(dir, 'root')], asset: () => undefined });
  const offers = createOffers(backends, pino({ level: 'silent' }));
  const locks = openClassLocks(join(dir, 'locks.json'), pino({ level: 'silent' }));
  return createLibraryService({
    library,
    offers,
    locks,
    roots,
    resolveMedia: createMediaResolver(roots, library),
    backends,
    templateDirs,
    ...(objectInfoFile === undefined ? {} : { objectInfoFile }),
  });
}

const describeBackend: Backend['describe'] = async () => ({ version: '0.3.64', draft: false, queueRemaining: 0, capabilities: {} });

describe('template/get and template/list', () => {
  it('show the template, its parameters and the schema to draw a form from', async () => {
    write();
    const service = await open();
    expect(service.list()).toMatchObject([{ id: 'hero', version: '1.0.0', runnable: true, parameters: 3, steps: ['base', 'finish'] }]);
    const detail = await service.get({ id: 'hero' });
    expect(detail).toMatchObject({ title: 'Hero', kind: 'folder', path: join(dir, 'templates', 'hero'), schema: { type: 'object' } });
    expect(Object.keys(detail.parameters)).toEqual(['picture', 'angles', 'seed']);
    // Bounds of a seed go beyond what JSON numbers hold.
    expect(() => JSON.stringify(detail)).not.toThrow();
  });

  it('name the nearest template for one that does not exist', async () => {
    write();
    const service = await open();
    await expect(service.get({ id: 'heroo' })).rejects.toThrow(
      expect.objectContaining({ code: 'TEMPLATE_NOT_FOUND', data: expect.objectContaining({ hint: "Did you mean 'hero'?" }) }),
    );
  });
});

describe('template/check of a path', () => {
  it('reads a workflow in UI format with what a backend said last of its node classes, as the library does', async () => {
    write();
    const kept = join(dir, 'kept.json');
    writeFileSync(kept, JSON.stringify({ Save: { input: { required: {} }, output: [], output_node: true } }));
    const file = join(dir, 'templates', 'saved.json');
    writeFileSync(file, JSON.stringify({ nodes: [{ id: 1, type: 'Save', mode: 0 }], links: [], version: 0.4 }));
    expect((await (await open()).check({ path: file })).files).toMatchObject([{ problems: [{ code: 'TEMPLATE_WORKFLOW_UI_FORMAT' }] }]);
    expect((await (await open([], kept)).check({ path: file })).files).toMatchObject([{ path: file, ok: true, problems: [] }]);
  });
});

describe('the form of a template', () => {
  const FORM = {
    ...MANIFEST,
    parameters: {
      mode: { type: 'choice', choices: ['still', 'film'], default: 'still' },
      checkpoint: { type: 'model', folder: 'checkpoints', default: 'a.safetensors' },
      frames: { type: 'integer', default: 16, visible: "params.mode == 'film'" },
    },
    steps: [
      {
        id: 'base',
        workflow: 'base.json',
        set: { '1.ckpt_name': '{checkpoint}', '2.filename_prefix': '{frames}' },
        outputs: { shot: '2' },
      },
    ],
  };

  it('says which parameters are hidden with the values so far', async () => {
    write(FORM);
    const service = await open();
    const hints = async (parameters?: object) =>
      (await service.get({ id: 'hero', ...(parameters === undefined ? {} : { parameters: { ...parameters } }) })).schema;
    expect(await hints({})).toMatchObject({ properties: { frames: { 'x-callsheet': { hidden: true } } } });
    expect(await hints({ mode: 'film' })).toMatchObject({ properties: { frames: { 'x-callsheet': { hidden: false } } } });
    expect(JSON.stringify(await hints())).not.toContain('hidden');
  });

  it('lists the models of the backend that is named', async () => {
    write(FORM);
    const info = { LoadImage: { input: { required: { ckpt_name: [['a.safetensors', 'sub\\b.safetensors']] } }, output: ['IMAGE'] } };
    const service = await open([{ id: 'gpu', kind: 'comfyui', objectInfo: async () => JSON.stringify(info), describe: describeBackend }]);
    const { schema } = await service.get({ id: 'hero', backend: 'gpu' });
    expect(schema).toMatchObject({ properties: { checkpoint: { 'x-callsheet': { available: ['a.safetensors', 'sub\\b.safetensors'] } } } });
    await expect(service.get({ id: 'hero', backend: 'cpu' })).rejects.toThrow(expect.objectContaining({ code: 'BACKEND_NOT_FOUND' }));
  });
});

describe('template/adopt', () => {
  it('gives the manifest and the workflow, with the node classes of a backend', async () => {
    const path = join(dir, 'root', 'w.json');
    writeFileSync(path, JSON.stringify({ '1': { class_type: 'KSampler', inputs: { steps: 4 } } }));
    const info = { KSampler: { input: { required: { steps: ['INT', { max: 9 }] } }, output: [] } };
    const service = await open([
      { id: 'gpu', kind: 'comfyui', describe: () => Promise.reject(new Error('not asked')), objectInfo: async () => JSON.stringify(info) },
    ]);
    const plain = await service.adopt({ file: path, name: 'w.json', backend: 'gpu' });
    expect(plain).toMatchObject({ converted: false, workflow: readFileSync(path, 'utf8'), problems: [] });
    expect(JSON.parse(plain.manifest ?? '')).toMatchObject({ id: 'w', parameters: {} });
    const { manifest } = await service.adopt({ file: path, name: 'w.json', backend: 'gpu', suggest: true });
    expect(JSON.parse(manifest ?? '')).toMatchObject({ parameters: { sampling_steps: { maximum: 9, default: 4 } } });
  });

  it('reads nothing outside the roots, and says what is wrong with a file', async () => {
    const service = await open();
    await expect(service.adopt({ file: join(dir, 'outside', 'a.json'), name: 'a.json' })).rejects.toMatchObject({
      code: 'PATH_NOT_ALLOWED',
    });
    writeFileSync(join(dir, 'root', 'x.json'), '{"a": ');
    const { manifest, problems } = await service.adopt({ file: join(dir, 'root', 'x.json'), name: 'x.json' });
    expect(manifest).toBeUndefined();
    expect(problems).toMatchObject([{ code: 'JSON_SYNTAX', file: 'x.json' }]);
  });
});

describe('template/render', () => {
  it('gives the exact graph of every item, and leaves references to files that only a run can make', async () => {
    write();
    const { steps, problems } = await (await open()).render({ id: 'hero' });
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(steps.map(({ id, item }) => [id, item])).toEqual([
      ['base', 0],
      ['base', 1],
      ['finish', 0],
    ]);
    const inputs = steps.map(({ workflow }) => {
      const graph = JSON.parse(workflow ?? '{}');
      return [graph['1'].inputs.image, graph['2'].inputs.filename_prefix];
    });
    expect(inputs).toEqual([
      ['still.png', 'front'],
      ['still.png', 'side'],
      ['{steps.base.shot[1]}', 'x'],
    ]);
  });

  it('takes a default from the folder of its own template, and the same path from a client only inside a root', async () => {
    write();
    const service = await open();
    const path = join(dir, 'outside', 'a.png');
    await expect(service.render({ id: 'hero', parameters: { picture: path } })).rejects.toMatchObject({
      code: 'PARAMETERS_INVALID',
      data: { problems: [{ code: 'PATH_NOT_ALLOWED', parameter: 'picture' }] },
    });
    await expect(
      service.render({ id: 'hero', parameters: { picture: join(dir, 'templates', 'hero', 'still.png') } }),
    ).rejects.toMatchObject({
      code: 'PARAMETERS_INVALID',
    });
  });

  it('shows the graph as the backend is sent it: renamed classes by its own list and by ours, and nodes that patches put in', async () => {
    const image = { required: { image: ['STRING', {}] } };
    const info = {
      LoadPicture: { input: { required: { file: ['STRING', {}] } }, output: ['MASK', 'IMAGE'] },
      SaveImage: { input: { required: { images: ['IMAGE'], filename_prefix: ['STRING', {}] } }, output: [], output_node: true },
      Load3D: { input: image, output: [] },
    };
    const list = {
      LoadImage: [
        {
          new_node_id: 'LoadPicture',
          input_mapping: [{ new_id: 'file', old_id: 'image' }],
          output_mapping: [{ old_idx: 0, new_idx: 1 }],
        },
      ],
    };
    const nodes = { other: { class_type: 'LoadImage', inputs: { image: '{word}' } } };
    write({
      ...MANIFEST,
      parameters: { word: { type: 'text', default: 'b.png' }, swapped: { type: 'boolean', default: false } },
      steps: [
        {
          id: 'base',
          workflow: 'base.json',
          set: { '1.image': '{word}' },
          patch: [{ swap: '1', nodes, when: 'params.swapped' }],
          outputs: {},
        },
      ],
    });
    writeFileSync(
      join(dir, 'templates', 'hero', 'base.json'),
      JSON.stringify({ ...GRAPH, '3': { class_type: 'Load3DAnimation', inputs: { image: 'm' } } }),
    );
    const service = await open([
      {
        id: 'gpu',
        kind: 'comfyui',
        describe: describeBackend,
        objectInfo: async () => JSON.stringify(info),
        nodeReplacements: async () => JSON.stringify(list),
      },
    ]);
    for (const backend of [{}, { backend: 'gpu' }]) {
      const { steps, problems } = await service.render({ id: 'hero', ...backend });
      expect(JSON.parse(steps[0]?.workflow ?? '')).toEqual({
        '1': { class_type: 'LoadPicture', inputs: { file: 'b.png' } },
        '2': { class_type: 'SaveImage', inputs: { images: ['1', 1], filename_prefix: 'p' } },
        '3': { class_type: 'Load3D', inputs: { image: 'm' } },
      });
      expect(steps[0]?.replaced).toEqual(['Node 1 (LoadImage) becomes LoadPicture', 'Node 3 (Load3DAnimation) becomes Load3D']);
      expect(problems.map(({ code, node, step }) => [code, node, step])).toEqual([
        ['TEMPLATE_NODE_REPLACED', '1', 'base'],
        ['TEMPLATE_NODE_REPLACED', '3', 'base'],
      ]);
      expect(problems[0]?.message).toContain('as the server says. Renamed: image is file. Outputs: 0 is 1.');
    }
    const { steps } = await service.render({ id: 'hero', parameters: { swapped: true } });
    expect(JSON.parse(steps[0]?.workflow ?? '')).toMatchObject({
      '1:patch1-other': { class_type: 'LoadPicture', inputs: { file: 'b.png' } },
      '2': { inputs: { images: ['1:patch1-other', 1] } },
    });
    expect(steps[0]?.patches).toContain('Node 1:patch1-other (LoadImage) becomes LoadPicture');
  });

  it('says when no backend answers that what it would replace is not known', async () => {
    write();
    const service = await open([
      { id: 'gpu', kind: 'comfyui', describe: describeBackend, objectInfo: () => Promise.reject(new Error('nothing listens')) },
    ]);
    const { steps, problems } = await service.render({ id: 'hero' });
    expect(steps).toHaveLength(3);
    expect(problems.map(({ code, step }) => [code, step])).toEqual([
      ['BACKEND_NOT_ASKED', 'base'],
      ['BACKEND_NOT_ASKED', 'finish'],
    ]);
  });

  it('says all problems of the parameters at once', async () => {
    write();
    await expect((await open()).render({ id: 'hero', parameters: { nope: 1, angles: 5 } })).rejects.toMatchObject({
      code: 'PARAMETERS_INVALID',
      data: { problems: [{ parameter: 'nope' }, { parameter: 'angles' }] },
    });
  });
});

describe('template/check', () => {
  it('checks a template by id, and files under template directories and roots by path', async () => {
    write();
    const service = await open();
    expect(await service.check({ id: 'hero' })).toMatchObject({ files: [{ ok: true }] });
    writeFileSync(join(dir, 'root', 'broken.json'), '{"1": {"class_type": "A",}}');
    expect(await service.check({ path: join(dir, 'root', 'broken.json') })).toMatchObject({
      files: [{ ok: false, problems: [{ severity: 'error', line: 1 }] }],
    });
    expect((await service.check({ path: join(dir, 'templates') })).files).toHaveLength(1);
  });

  it('reads nothing outside them', async () => {
    write();
    await expect((await open()).check({ path: join(dir, 'outside') })).rejects.toMatchObject({ code: 'PATH_NOT_ALLOWED' });
  });

  it('names the backends when the one asked for does not exist', async () => {
    write();
    await expect((await open()).check({ id: 'hero', backend: 'nope' })).rejects.toMatchObject({ code: 'BACKEND_NOT_FOUND' });
  });
});

describe('a change on disk', () => {
  it('is told with what the template has become', async () => {
    write();
    const service = await open();
    const told: TemplateChanged[] = [];
    const stop = service.onChange((change) => told.push(change));
    const folder = join(dir, 'templates', 'hero');
    write({ ...MANIFEST, steps: [] });
    await service.refresh([folder]);
    expect(told.at(-1)).toMatchObject({ id: 'hero', runnable: false });
    write({ ...MANIFEST, title: 'Other' });
    await service.refresh([folder]);
    expect(told.at(-1)).toMatchObject({ id: 'hero', runnable: true });
    rmSync(folder, { recursive: true });
    await service.refresh([folder]);
    expect(told.at(-1)).toMatchObject({ id: 'hero', removed: true, runnable: false });
    stop();
    const count = told.length;
    write();
    await service.refresh([folder]);
    expect(told).toHaveLength(count);
  });
});

describe('a question that is taken back', () => {
  const asked = (): { readonly waiting: Promise<void>; readonly backend: Pick<Backend, 'id' | 'kind' | 'objectInfo' | 'describe'> } => {
    const waiting = Promise.withResolvers<void>();
    const hang = (signal: AbortSignal | undefined): Promise<never> => {
      waiting.resolve();
      return new Promise((_resolve, reject) =>
        signal?.addEventListener('abort', () => reject(new Error('the request was cut off')), { once: true }),
      );
    };
    return {
      waiting: waiting.promise,
      backend: { id: 'gpu', kind: 'comfyui', describe: describeBackend, objectInfo: (given = {}) => hang(given.signal) },
    };
  };

  it.each([
    [
      'template/get',
      (service: Awaited<ReturnType<typeof open>>, signal: AbortSignal) => service.get({ id: 'hero', backend: 'gpu' }, signal),
    ],
    [
      'template/check',
      (service: Awaited<ReturnType<typeof open>>, signal: AbortSignal) => service.check({ id: 'hero', backend: 'gpu' }, { signal }),
    ],
    [
      'template/render',
      (service: Awaited<ReturnType<typeof open>>, signal: AbortSignal) => service.render({ id: 'hero', backend: 'gpu' }, signal),
    ],
    [
      'template/migrate',
      (service: Awaited<ReturnType<typeof open>>, signal: AbortSignal) =>
        service.migrate({ path: join(dir, 'templates', 'hero'), backend: 'gpu' }, signal),
    ],
  ])('%s stops asking a backend that does not answer', async (_method, ask) => {
    write();
    const { waiting, backend } = asked();
    const service = await open([backend]);
    const wish = new AbortController();
    const question = ask(service, wish.signal).catch((error: unknown) => error);
    await waiting;
    wish.abort();
    expect(await question).toBeInstanceOf(Error);
  });

  it('template/render without a backend stops waiting for those there are', async () => {
    write();
    const { waiting, backend } = asked();
    const service = await open([backend]);
    const wish = new AbortController();
    const question = service.render({ id: 'hero' }, wish.signal).catch((error: unknown) => error);
    await waiting;
    wish.abort(new Error('enough'));
    expect(await question).toEqual(new Error('enough'));
  });

  it('template/check of a folder stops before the next file, and tells of each until then', async () => {
    write();
    for (const name of ['a', 'b', 'c']) writeFileSync(join(dir, 'root', `${name}.json`), JSON.stringify(GRAPH));
    const service = await open();
    const told: unknown[] = [];
    const whole = await service.check({ path: join(dir, 'root') }, { report: (value) => void told.push(value) });
    expect(whole.files).toHaveLength(3);
    expect(told).toEqual([
      { done: 0, total: 3, message: 'a.json' },
      { done: 1, total: 3, message: 'b.json' },
      { done: 2, total: 3, message: 'c.json' },
      { done: 3, total: 3 },
    ]);
    const wish = new AbortController();
    const seen: number[] = [];
    const report = ({ done }: { readonly done: number }): void => {
      seen.push(done);
      if (done === 1) wish.abort(new Error('enough'));
    };
    await expect(service.check({ path: join(dir, 'root') }, { signal: wish.signal, report })).rejects.toThrow('enough');
    expect(seen).toEqual([0, 1]);
  });
});
