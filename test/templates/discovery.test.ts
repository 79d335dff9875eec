import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLibrary, summary } from '#templates/library.ts';
import { loadTemplate } from '#templates/load.ts';
import { codes, folderWith, GRAPH, manifest, put, rendered, scope } from './support.ts';

const template = (changes: object = {}): Record<string, object> => ({ 'template.json': manifest(changes), 'w.json': GRAPH });

function at(folder: string, files: Readonly<Record<string, string | object>>): Record<string, string | object> {
  return Object.fromEntries(Object.entries(files).map(([name, content]) => [`${folder}/${name}`, content]));
}

async function libraryOf(files: Readonly<Record<string, string | object>>) {
  const folder = await folderWith(files);
  const library = createLibrary([folder]);
  const changes = await library.refresh();
  return { folder, library, changes };
}

describe('loading', () => {
  it('[TD1] loads a folder by its path or by its manifest', async () => {
    const folder = await folderWith(template());
    for (const path of [folder, join(folder, 'template.json')]) {
      const loaded = await loadTemplate(path);
      expect(loaded).toMatchObject({ origin: { path: folder, kind: 'folder' }, problems: [], template: { id: 'demo', version: '1.0.0' } });
    }
  });

  it('[TD1] names files by their whole path in problems', async () => {
    const folder = await folderWith({ ...template(), 'w.json': '{ "1": ' });
    const { template: compiled, problems } = await loadTemplate(folder);
    expect(compiled).toBeUndefined();
    expect(problems).toEqual([expect.objectContaining({ code: 'JSON_SYNTAX', file: join(folder, 'w.json'), line: 1 })]);
  });

  it.each([
    ['My Workflow (v2).json', 'my-workflow-v2'],
    ['Café–Szene.json', 'cafe-szene'],
    ['a.b.json', 'a-b'],
  ])('[TD2] adopts %j as %j', async (name, id) => {
    const folder = await folderWith({ [name]: GRAPH });
    const { template: adopted, problems } = await loadTemplate(join(folder, name));
    expect(problems).toEqual([]);
    expect(adopted).toMatchObject({ id, version: '0.0.0', steps: [{ id: 'main', backend: 'comfyui', outputs: { files: '*' } }] });
  });

  it('[TD2] says when a file name gives no id', async () => {
    const folder = await folderWith({ '東京.json': GRAPH });
    expect(codes((await loadTemplate(join(folder, '東京.json'))).problems)).toEqual(['TEMPLATE_ID_INVALID']);
  });

  it('[TD2] adopts Wan2GP settings', async () => {
    const folder = await folderWith({ 'turn.json': '{"model_type":"i2v","prompt":"{prompt}","image_start":"{start}","seed":"{seed}"}' });
    const { template: adopted } = await loadTemplate(join(folder, 'turn.json'));
    expect(adopted?.steps[0]?.backend).toBe('wan2gp');
    expect([...(adopted?.parameters ?? [])].map(([name, { type }]) => [name, type])).toEqual([
      ['prompt', 'text'],
      ['start', 'image'],
      ['seed', 'seed'],
    ]);
  });

  it('[TD3] takes parameters from placeholders, their types from the inputs', async () => {
    const graph = {
      ...GRAPH,
      '3': { ...GRAPH['3'], inputs: { ...GRAPH['3'].inputs, seed: '{seed}', cfg: '{strength}' } },
      '5': { class_type: 'EmptyLatentImage', inputs: { width: '{width}', height: '{width}', batch_size: 1 } },
      '4': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: '{model}' } },
      '6': {
        class_type: 'CLIPTextEncode',
        inputs: { text: 'a {subject} in {day|night}, {mood}', clip: ['4', 1] },
        _meta: { title: '{not}' },
      },
      '10': { class_type: 'LoadImage', inputs: { image: '{start}' } },
      '11': { class_type: 'Custom', inputs: { subject: '{mood}', steps: '{steps}' } },
    };
    const folder = await folderWith({ 'scene.json': graph });
    const { template: adopted, problems } = await loadTemplate(join(folder, 'scene.json'));
    expect(codes(problems.filter((problem) => problem.severity === 'error'))).toEqual([]);
    expect(Object.fromEntries([...(adopted?.parameters ?? [])].map(([name, { type }]) => [name, type]))).toEqual({
      seed: 'seed',
      strength: 'number',
      model: 'model',
      width: 'integer',
      subject: 'string',
      mood: 'string',
      start: 'image',
    });
    if (adopted === undefined) throw new Error('not adopted');
    const values = { seed: 2n ** 64n - 1n, strength: 7, model: 'm', width: 640, subject: 'cat', mood: 'calm', start: 'x' };
    expect(rendered(adopted, scope(values), 'main')['6']?.inputs.text).toBe('a cat in {day|night}, calm');
  });

  it('[TD3] leaves names alone that cannot be parameters', async () => {
    const graph = { '1': { class_type: 'Text', inputs: { text: '{__proto__} {each} {index} {constructor}' } } };
    const folder = await folderWith({ 'odd.json': graph });
    const { template: adopted } = await loadTemplate(join(folder, 'odd.json'));
    expect([...(adopted?.parameters.keys() ?? [])]).toEqual(['constructor']);
  });

  it('[TD4] refuses a workflow in UI format with the way to export it', async () => {
    const folder = await folderWith({ 'ui.json': { nodes: [], links: [], version: 0.4 } });
    const { problems } = await loadTemplate(join(folder, 'ui.json'));
    expect(problems).toEqual([
      expect.objectContaining({ code: 'TEMPLATE_WORKFLOW_UI_FORMAT', hint: expect.stringContaining('Export (API)') }),
    ]);
  });

  it('[TD4] refuses other JSON that is asked for by name', async () => {
    const folder = await folderWith({ 'package.json': { name: 'x' } });
    expect(codes((await loadTemplate(join(folder, 'package.json'))).problems)).toEqual(['TEMPLATE_WORKFLOW_FORMAT']);
  });

  it('[TD9] gives a problem for what is not there, not UTF-8, or too large', async () => {
    const folder = await folderWith({
      'x/a.txt': 'x',
      'bin.json': new Uint8Array([0x7b, 0xff, 0xfe]),
      'broken.json': '{"1": {"class_type" "X"}}',
    });
    await mkdir(join(folder, 'dir.json'));
    const codesAt = async (name: string) => codes((await loadTemplate(join(folder, name))).problems);
    expect(await codesAt('missing.json')).toEqual(['TEMPLATE_FILE_MISSING']);
    expect(await codesAt('x')).toEqual(['TEMPLATE_FILE_MISSING']);
    expect(await codesAt('bin.json')).toEqual(['TEMPLATE_FILE_ENCODING']);
    expect(await codesAt('broken.json')).toEqual(['JSON_SYNTAX']);
    await writeFile(join(folder, 'x/template.json'), `{"a":"${'x'.repeat(4 * 1024 * 1024)}"}`);
    expect(await codesAt('x')).toEqual(['TEMPLATE_FILE_TOO_LARGE']);
  });

  it('[TD9] says once why a workflow file cannot be read', async () => {
    const folder = await folderWith({ 'template.json': manifest(), 'w.json/inner.txt': 'x' });
    const { problems } = await loadTemplate(folder);
    expect(problems).toEqual([expect.objectContaining({ code: 'TEMPLATE_FILE_UNREADABLE', file: join(folder, 'w.json') })]);
  });

  it('[TD10] refuses a link that leads out of the folder', async () => {
    const outside = await folderWith({ 'secret.json': GRAPH });
    const folder = await folderWith({ 'template.json': manifest() });
    await symlink(join(outside, 'secret.json'), join(folder, 'w.json'));
    const { template: compiled, problems } = await loadTemplate(folder);
    expect(compiled).toBeUndefined();
    expect(codes(problems)).toEqual(['TEMPLATE_PATH_ESCAPES']);
  });
});

describe('the library', () => {
  it('[TD5] finds templates with and without a category, and bare workflows', async () => {
    const { library } = await libraryOf({
      ...at('one', template({ id: 'one' })),
      ...at('images/two', template({ id: 'two', title: 'Two', category: 'images' })),
      'images/three.json': GRAPH,
      ...at('.hidden', template({ id: 'hidden' })),
      ...at('node_modules/x', template({ id: 'module' })),
      ...at('a/b/c/d/e', template({ id: 'deep' })),
      'notes.json': { a: 1 },
      'readme.md': '{',
    });
    expect(library.list().map((each) => each.id)).toEqual(['one', 'three', 'two']);
    expect(library.list().map(summary)).toContainEqual({
      id: 'two',
      version: '1.0.0',
      title: 'Two',
      category: 'images',
      steps: ['a'],
      parameters: 0,
      runnable: true,
      problems: 0,
    });
  });

  it('[TD5] survives a directory that does not exist', async () => {
    const library = createLibrary([join(await folderWith({}), 'missing')]);
    expect(await library.refresh()).toEqual([]);
    expect(library.list()).toEqual([]);
  });

  it('[TD6] keeps the first of two with one id and version, and shows the other with the conflict', async () => {
    const { library, folder } = await libraryOf({
      ...at('a', template()),
      ...at('b', template({ title: 'Other' })),
      ...at('c', template()),
    });
    expect(library.list().map(({ origin, runnable, problems }) => [origin.path, runnable, codes(problems)])).toEqual([
      [join(folder, 'a'), true, []],
      [join(folder, 'b'), false, ['TEMPLATE_CONFLICT']],
    ]);
    expect(library.get('demo')?.origin.path).toBe(join(folder, 'a'));
  });

  it('[TD7] keeps the last version that worked while the file is broken', async () => {
    const { library, folder } = await libraryOf(at('a', template()));
    const before = library.get('demo')?.template;
    await writeFile(join(folder, 'a/w.json'), '{');
    expect(await library.refresh()).toEqual([{ type: 'changed', id: 'demo', version: '1.0.0' }]);
    expect(library.get('demo')).toMatchObject({ runnable: false, problems: [{ code: 'JSON_SYNTAX' }] });
    expect(library.get('demo')?.template).toBe(before);
    await put(folder, at('a', template({ title: 'Better' })));
    await library.refresh();
    expect(library.get('demo')).toMatchObject({ runnable: true, problems: [], template: { manifest: { title: 'Better' } } });
  });

  it('[TD7] shows a template that never worked, under the id it claims', async () => {
    const { library } = await libraryOf(at('a', { 'template.json': '{"id": "mine", "version": "2.0.0"}' }));
    expect(library.list()).toEqual([expect.objectContaining({ id: 'mine', version: '2.0.0', runnable: false, template: undefined })]);
    const broken = await libraryOf(at('Some Folder', { 'template.json': '{' }));
    expect(broken.library.list()).toEqual([expect.objectContaining({ id: 'some-folder', runnable: false })]);
  });

  it('[TD8] means the newest release, and pre-releases only when there is nothing else', async () => {
    const { library } = await libraryOf({
      ...at('a', template({ version: '1.9.0' })),
      ...at('b', template({ version: '1.10.0' })),
      ...at('c', template({ version: '2.0.0-beta' })),
      ...at('d', template({ id: 'early', version: '0.1.0-a' })),
    });
    expect(library.get('demo')?.version).toBe('1.10.0');
    expect(library.get('demo', '1.9.0')?.version).toBe('1.9.0');
    expect(library.get('demo', '3.0.0')).toBeUndefined();
    expect(library.get('early')?.version).toBe('0.1.0-a');
  });

  it('[TD11] tells what was added, changed and removed', async () => {
    const { library, folder, changes } = await libraryOf({ ...at('a', template({ id: 'a' })), ...at('b', template({ id: 'b' })) });
    expect(changes.map(({ type, id }) => [type, id])).toEqual([
      ['added', 'a'],
      ['added', 'b'],
    ]);
    await put(folder, { ...at('a', template({ id: 'a', title: 'New' })), ...at('c', template({ id: 'c' })) });
    await rm(join(folder, 'b'), { recursive: true });
    expect(await library.refresh([join(folder, 'c')])).toEqual([
      { type: 'added', id: 'c', version: '1.0.0' },
      { type: 'removed', id: 'b', version: '1.0.0' },
    ]);
    expect(await library.refresh([join(folder, 'a/template.json')])).toEqual([{ type: 'changed', id: 'a', version: '1.0.0' }]);
    expect(await library.refresh()).toEqual([]);
  });
});
