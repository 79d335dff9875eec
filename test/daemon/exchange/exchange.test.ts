import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Client } from '#protocol/client.ts';
import { unpackBundle } from '#templates/bundle/unpack.ts';
import { png, text, WORKFLOW } from '../../results/embedded/samples.ts';
import { archive } from '../../templates/bundle/archives.ts';
import { openSession, openTestDoor } from '../door-harness.ts';
import { bundle, GRAPH, HUGE_SEED, manifest, openPlace } from './exchange-harness.ts';

async function templateOf(client: Client, id: string, version?: string) {
  const { template } = await client.call('template/get', { id, ...(version === undefined ? {} : { version }) });
  return template;
}

async function approve(client: Client, id: string, version = '1.0.0') {
  const { hash } = await templateOf(client, id, version);
  return client.call('template/approve', { id, version, hash });
}

/** Files of a folder with / between folders → text. */
function filesIn(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = names.map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(paths.map((path) => [path.slice(folder.length + 1).replaceAll('\\', '/'), readFileSync(path, 'latin1')]));
}

describe('[S21] an imported template', () => {
  it('is refused, runs once approved, and is refused again after any change of it', async () => {
    await using place = await openPlace();
    const { client, imports } = place;
    const { template } = await client.call('template/import', { file: place.put('card.callsheet', bundle('card')) });
    expect(template).toMatchObject({ id: 'card', version: '1.0.0', approval: 'pending', path: join(imports, 'card') });
    expect(template.contents).toMatchObject({ nodeClasses: ['EmptyImage', 'SaveImage'], backends: ['comfyui'], addresses: [] });

    const { templates } = await client.call('template/list');
    expect(templates.find(({ id }) => id === 'card')).toMatchObject({ runnable: false, approval: 'pending' });
    await expect(client.call('run/start', { template: 'card' })).rejects.toMatchObject({
      code: 'TEMPLATE_NOT_APPROVED',
      data: { hint: expect.stringContaining('templates approve card@1.0.0'), details: { hash: template.hash } },
    });
    expect((await client.call('run/list', {})).runs).toEqual([]);

    const wrong = client.call('template/approve', { id: 'card', version: '1.0.0', hash: 'f'.repeat(64) });
    await expect(wrong).rejects.toMatchObject({ code: 'TEMPLATE_CHANGED' });
    await approve(client, 'card');
    expect(await templateOf(client, 'card')).toMatchObject({ approval: 'approved', runnable: true });
    const { runId } = await client.call('run/start', { template: 'card' });
    expect((await place.ended(runId)).status).toBe('succeeded');

    const file = join(imports, 'card', 'draw.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"color": 0', '"color": 255'));
    await place.changed(
      'card',
      ({ problems }) => problems.some(({ code }) => code === 'TEMPLATE_APPROVAL_NEEDED') && place.changes.length > 2,
    );
    await expect(client.call('run/start', { template: 'card' })).rejects.toMatchObject({ code: 'TEMPLATE_NOT_APPROVED' });
  });

  it('stays approved across a restart, and waits again when the approvals are damaged', async () => {
    await using place = await openPlace();
    await place.client.call('template/import', { file: place.put('card.callsheet', bundle('card')) });
    await approve(place.client, 'card');
    await place.restart();
    expect(await templateOf(place.client, 'card')).toMatchObject({ approval: 'approved' });
    writeFileSync(join(place.data, 'approvals.json'), '{"format": 1, "approved": "all"');
    await place.restart();
    expect(await templateOf(place.client, 'card')).toMatchObject({ approval: 'pending', runnable: false });
    expect(existsSync(join(place.data, 'approvals.json.damaged'))).toBe(true);
  });

  it('waits behind the version that is approved', async () => {
    await using place = await openPlace();
    const { client } = place;
    for (const version of ['1.0.0', '2.0.0'])
      await client.call('template/import', { file: place.put('card.callsheet', bundle('card', version)) });
    expect(readdirSync(place.imports).toSorted()).toEqual(['card', 'card-2.0.0']);
    await approve(client, 'card', '1.0.0');
    expect(await templateOf(client, 'card')).toMatchObject({ version: '1.0.0', approval: 'approved' });
    await expect(client.call('run/start', { template: 'card', version: '2.0.0' })).rejects.toMatchObject({ code: 'TEMPLATE_NOT_APPROVED' });
  });

  it('that a killed daemon left half made is removed by the next start, and was never shown', async () => {
    await using place = await openPlace();
    const half = join(place.imports, '.import-01234567-89ab-cdef-0123-456789abcdef');
    mkdirSync(half, { recursive: true });
    writeFileSync(join(half, 'template.json'), JSON.stringify(manifest('half')));
    writeFileSync(join(half, 'draw.json'), JSON.stringify(GRAPH));
    await place.restart();
    expect((await place.client.call('template/list')).templates.map(({ id }) => id)).not.toContain('half');
    expect(readdirSync(place.imports)).toEqual([]);
  });

  it('can be rendered and checked before it is approved', async () => {
    await using place = await openPlace();
    const { client } = place;
    await client.call('template/import', { file: place.put('card.callsheet', bundle('card')) });
    const { steps } = await client.call('template/render', { id: 'card', parameters: { name: 'look', seed: 1 } });
    expect(steps[0]?.workflow).toContain('look-1');
    const { files } = await client.call('template/check', { id: 'card' });
    expect(files[0]).toMatchObject({ ok: false, problems: [{ code: 'TEMPLATE_APPROVAL_NEEDED' }] });
  });

  it.each([
    ['template/import', { file: '/nowhere' }],
    ['template/approve', { id: 'hero', version: '1.0.0', hash: 'a'.repeat(64) }],
  ])('needs a key of scope admin for %s', async (method, params) => {
    await using door = await openTestDoor();
    const session = await openSession(door, 'run');
    session.send({ jsonrpc: '2.0', id: 9, method, params });
    expect(JSON.parse(await session.next())).toMatchObject({ id: 9, error: { data: { code: 'FORBIDDEN' } } });
  });
});

describe('template/import', () => {
  it('answers that the same content is there already, and writes nothing', async () => {
    await using place = await openPlace({ mine: manifest('mine') });
    const { client } = place;
    const card = place.put('card.callsheet', bundle('card'));
    await client.call('template/import', { file: card });
    const before = filesIn(place.imports);
    expect(await client.call('template/import', { file: card })).toMatchObject({ existing: true, template: { approval: 'pending' } });
    const mine = await client.call('template/import', { file: place.put('mine.callsheet', bundle('mine')) });
    expect(mine).toMatchObject({ existing: true, template: { approval: 'own' } });
    expect(filesIn(place.imports)).toEqual(before);
  });

  it('never takes the place of a template of the user, nor of another import', async () => {
    await using place = await openPlace({ mine: manifest('mine') });
    const { client } = place;
    const other = (id: string) =>
      place.put(`${id}.callsheet`, bundle(id, '1.0.0', { 'draw.json': JSON.stringify({ ...GRAPH, '3': GRAPH['1'] }) }));
    const newer = place.put('newer.callsheet', bundle('mine', '9.0.0'));
    await expect(client.call('template/import', { file: other('mine') })).rejects.toMatchObject({ code: 'TEMPLATE_EXISTS' });
    await expect(client.call('template/import', { file: newer })).rejects.toMatchObject({ code: 'TEMPLATE_EXISTS' });
    await client.call('template/import', { file: place.put('card.callsheet', bundle('card')) });
    const before = filesIn(place.imports);
    await expect(client.call('template/import', { file: other('card') })).rejects.toMatchObject({ code: 'TEMPLATE_EXISTS' });
    expect(filesIn(place.imports)).toEqual(before);
    expect((await client.call('template/import', { file: other('mine'), id: 'theirs' })).template.id).toBe('theirs');
    expect(await templateOf(client, 'mine')).toMatchObject({ runnable: true, version: '1.0.0' });
  });

  it.each<[string, () => Uint8Array | Promise<Uint8Array>, string]>([
    ['a bundle with a path out of it', () => archive([{ name: '../template.json', content: '{}' }]), 'BUNDLE_ENTRY_NAME'],
    ['a bundle without a template', () => archive([{ name: 'folder/template.json', content: '{}' }]), 'BUNDLE_NO_TEMPLATE'],
    ['a bundle with a broken template', () => archive([{ name: 'template.json', content: '{"format": 1}' }]), 'TEMPLATE_FIELD_MISSING'],
    [
      'a bundle with a field that nobody knows',
      () =>
        archive([
          { name: 'template.json', content: JSON.stringify({ ...manifest('x'), hooks: { run: 'sh' } }) },
          { name: 'draw.json', content: JSON.stringify(GRAPH) },
        ]),
      'TEMPLATE_FIELD_UNKNOWN',
    ],
    [
      'a bundle whose lock lists another file',
      () => bundle('card', '1.0.0', { 'lock.json': JSON.stringify({ format: 1, files: { 'draw.json': { sha256: '0' } } }) }),
      'BUNDLE_LOCK_MISMATCH',
    ],
    ['a picture without a workflow', () => png(), 'IMPORT_NOTHING_FOUND'],
    ['a workflow in UI format without an object info', () => Buffer.from(WORKFLOW), 'IMPORT_NEEDS_OBJECT_INFO'],
    ['JSON of another kind', () => Buffer.from('{"hello": "world"}'), 'IMPORT_NOTHING_FOUND'],
    ['half a JSON', () => Buffer.from('{"1": {"class_type"'), 'JSON_SYNTAX'],
    ['a program', () => Buffer.from('\x7fELF\x02\x01\x01\0\0', 'latin1'), 'IMPORT_KIND_UNKNOWN'],
  ])('refuses %s and leaves nothing behind', async (_what, make, code) => {
    await using place = await openPlace();
    const path = place.put('given.bin', await make());
    const refused = await place.client.call('template/import', { file: path }).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'IMPORT_REFUSED',
      data: { problems: expect.arrayContaining([expect.objectContaining({ code })]) },
    });
    expect(JSON.stringify(refused)).not.toContain('.import-');
    expect(readdirSync(place.imports)).toEqual([]);
  });

  it('makes a folder of a picture with both forms, and keeps the UI form beside', async () => {
    await using place = await openPlace();
    const picture = place.put('My Picture ★.png', await png(text('prompt', JSON.stringify(GRAPH)), text('workflow', WORKFLOW)));
    const { template, from } = await place.client.call('template/import', { file: picture });
    expect({ from, id: template.id, title: template.title }).toEqual({ from: 'api', id: 'my-picture', title: 'My Picture ★' });
    const files = filesIn(template.path);
    expect(Object.keys(files).toSorted()).toEqual(['my-picture.json', 'my-picture.ui.json', 'provenance.json', 'template.json']);
    expect([files['my-picture.json'], files['my-picture.ui.json']]).toEqual([JSON.stringify(GRAPH), WORKFLOW]);
    await approve(place.client, 'my-picture');
    const { runId } = await place.client.call('run/start', { template: 'my-picture' });
    expect((await place.ended(runId)).status).toBe('succeeded');
  });

  it('converts a workflow in UI format with a saved object info', async () => {
    await using place = await openPlace();
    const ui = {
      last_node_id: 1,
      last_link_id: 0,
      nodes: [{ id: 1, type: 'Draw', mode: 0, inputs: [], outputs: [], widgets_values: [40] }],
      links: [],
      version: 0.4,
    };
    const info = { Draw: { input: { required: { width: ['INT', { default: 8, min: 1, max: 99 }] } }, output: [], output_node: true } };
    const objectInfo = place.put('info.json', JSON.stringify(info));
    const { template, from } = await place.client.call('template/import', {
      file: place.put('drawing.json', JSON.stringify(ui)),
      objectInfo,
    });
    expect(from).toBe('ui');
    expect(JSON.parse(readFileSync(join(template.path, 'drawing.json'), 'utf8'))).toMatchObject({
      '1': { class_type: 'Draw', inputs: { width: 40 } },
    });
    expect(filesIn(template.path)['drawing.ui.json']).toBe(JSON.stringify(ui));
  });

  it('gives the first answer to a request key that comes again later, also after a restart', async () => {
    await using place = await openPlace();
    const params = { file: place.put('card.callsheet', bundle('card')), requestKey: 'one' };
    const first = await place.client.call('template/import', params);
    expect(await place.client.call('template/import', params)).toEqual(first);
    await place.restart();
    expect(await place.client.call('template/import', params)).toEqual(first);
    const other = place.client.call('template/import', { ...params, id: 'other' });
    await expect(other).rejects.toMatchObject({ code: 'REQUEST_KEY_CONFLICT' });
  });

  it('gives the first answer to a request key that comes twice at once', async () => {
    await using place = await openPlace();
    const params = { file: place.put('card.callsheet', bundle('card')), requestKey: 'one' };
    const [first, second] = await Promise.all([place.client.call('template/import', params), place.client.call('template/import', params)]);
    expect(first).toEqual(second);
    expect(first.existing).toBe(false);
  });

  it('of ten at once makes one template', async () => {
    await using place = await openPlace();
    const file = place.put('card.callsheet', bundle('card'));
    const answers = await Promise.all(Array.from({ length: 10 }, () => place.client.call('template/import', { file })));
    expect(answers.filter(({ existing }) => !existing)).toHaveLength(1);
    expect(readdirSync(place.imports)).toEqual(['card']);
  });

  it.each(['../evil', 'a/b', 'UPPER', '', 'con ', '-a', 'a\0'])('takes no id that is none: %j', async (id) => {
    await using place = await openPlace();
    for (const file of [place.put('card.callsheet', bundle('card')), place.put('card.json', JSON.stringify(GRAPH))]) {
      const refused = place.client.call('template/import', { file, id });
      await expect(refused).rejects.toMatchObject({ code: id === '' ? 'INVALID_PARAMS' : 'IMPORT_REFUSED' });
    }
    expect(existsSync(place.imports)).toBe(false);
  });

  it.each(['con.json', 'template.json', 'nul.png', '★★★.json', `${'long'.repeat(60)}.json`, 'CON .json', '..json'])(
    'makes a sound folder of a file called %j',
    async (name) => {
      await using place = await openPlace();
      const file = place.put('given', JSON.stringify(GRAPH));
      const { template } = await place.client.call('template/import', { file, name });
      expect(template.id).toMatch(/^[a-z0-9][a-z0-9-]{0,63}$/);
      await approve(place.client, template.id);
      expect(await templateOf(place.client, template.id)).toMatchObject({ runnable: true });
      const exported = await place.client.call('template/export', { id: template.id });
      expect(exported.problems).toEqual([]);
    },
  );

  it('takes no file from outside the approved roots', async () => {
    await using place = await openPlace();
    const outside = join(place.dir, '..', 'card.callsheet');
    await expect(place.client.call('template/import', { file: outside })).rejects.toMatchObject({ code: 'PATH_NOT_ALLOWED' });
  });
});

describe('template/export', () => {
  it('gives bytes that depend on the content alone, and that another daemon imports to the same files', async () => {
    await using here = await openPlace({ mine: manifest('mine') });
    await using there = await openPlace();
    const folder = join(here.dir, 'templates', 'mine');
    mkdirSync(join(folder, 'pictures'));
    writeFileSync(join(folder, 'pictures', 'preview.png'), 'pixels');
    writeFileSync(join(folder, 'README.md'), 'How to use it');
    writeFileSync(join(folder, 'notes.exe'), 'not for others');
    const first = await here.client.call('template/export', { id: 'mine' });
    const second = await here.client.call('template/export', { id: 'mine' });
    expect(second.assetId).toBe(first.assetId);
    expect(first.problems).toMatchObject([{ code: 'EXPORT_FILE_LEFT_OUT', severity: 'warning' }]);

    const { template } = await there.client.call('template/import', {
      file: there.put('mine.callsheet', await here.download(first.assetId)),
    });
    expect(template.hash).toBe((await templateOf(here.client, 'mine')).hash);
    const { 'lock.json': lock, ...files } = filesIn(template.path);
    const { 'notes.exe': _left, ...sent } = filesIn(folder);
    expect(files).toEqual(sent);
    expect(JSON.parse(lock ?? '')).toMatchObject({ nodeClasses: [{ class: 'EmptyImage' }, { class: 'SaveImage' }] });
    expect((await there.client.call('template/export', { id: 'mine' })).assetId).toBe(first.assetId);
  });
});

describe('run/export', () => {
  it('makes a template of the run with its values as defaults, a seed of 2^64−1 to the last digit', async () => {
    await using place = await openPlace({ mine: manifest('mine') });
    const { client } = place;
    const { runId } = await client.call('run/start', { template: 'mine', parameters: { name: 'hero', seed: HUGE_SEED } });
    await place.ended(runId);
    const exported = await client.call('run/export', { runId, as: 'bundle', id: 'hero-card' });
    expect((await client.call('run/export', { runId, as: 'bundle', id: 'hero-card' })).assetId).toBe(exported.assetId);
    const into = join(place.dir, 'unpacked');
    mkdirSync(into);
    await unpackBundle(place.put('run.callsheet', await place.download(exported.assetId)), 'run.callsheet', into);
    const files = filesIn(into);
    expect(files['template.json']).toContain(`"default": ${HUGE_SEED}`);
    expect(JSON.parse(files['provenance.json'] ?? '')).toMatchObject({
      run: { runId, template: { id: 'mine' } },
      artifacts: [{ name: expect.any(String) }],
    });
    expect(JSON.stringify(files)).not.toContain(place.dir);

    await client.call('template/import', { file: join(place.dir, 'project', 'run.callsheet') });
    await approve(client, 'hero-card');
    const again = await client.call('run/start', { template: 'hero-card' });
    const run = await place.ended(again.runId);
    expect(run).toMatchObject({ status: 'succeeded', parameters: { name: 'hero', seed: HUGE_SEED } });
  });

  it('gives the workflow back as its author wrote it, whatever the optimiser sent, and what the run was asked for', async () => {
    await using place = await openPlace({ looked: manifest('looked') });
    const { client } = place;
    const looked = JSON.stringify({ ...GRAPH, '3': { class_type: 'PreviewImage', inputs: { images: ['1', 0] } } }, null, 1);
    const before = await templateOf(client, 'looked');
    const known = place.changed('looked', () => true);
    writeFileSync(join(place.dir, 'templates', 'looked', 'draw.json'), looked);
    await known;
    expect((await templateOf(client, 'looked')).hash).not.toBe(before.hash);
    for (const optimize of [true, false]) {
      const { runId } = await client.call('run/start', { template: 'looked', optimize });
      const run = await place.ended(runId);
      expect(run.optimiser?.savings.map(({ pass }) => pass)).toEqual(optimize ? ['previews'] : []);
      const exported = await client.call('run/export', { runId, as: 'bundle' });
      const into = join(place.dir, `unpacked-${String(optimize)}`);
      mkdirSync(into);
      await unpackBundle(place.put(`run-${String(optimize)}.callsheet`, await place.download(exported.assetId)), 'run.callsheet', into);
      const files = filesIn(into);
      expect(files['draw.json']).toBe(looked);
      const { optimize: wish } = JSON.parse(files['template.json'] ?? '') as { optimize?: boolean };
      const { run: told } = JSON.parse(files['provenance.json'] ?? '') as { run: { options?: object } };
      expect([wish, told.options]).toEqual(optimize ? [undefined, undefined] : [false, { optimize: false, cache: true }]);
    }
  });

  it('carries the files that were given to the run', async () => {
    const withPhoto = {
      ...manifest('mine'),
      parameters: {
        photos: { type: 'list', of: 'image', required: true },
        place: { type: 'directory' },
        clip: { type: 'file', default: null },
      },
      steps: [
        { id: 'draw', workflow: 'draw.json', each: '{photos}', set: { '2.filename_prefix': 'card-{each|stem}' }, outputs: { card: '2' } },
      ],
    };
    await using place = await openPlace({ mine: withPhoto });
    const photo = place.put('A photo of somebody.png', await png());
    const { runId } = await place.client.call('run/start', {
      template: 'mine',
      parameters: { photos: [photo, photo], place: join(place.dir, 'project') },
    });
    await place.ended(runId);
    const exported = await place.client.call('run/export', { runId, as: 'template' });
    expect(exported.problems).toMatchObject([{ code: 'EXPORT_VALUE_LEFT_OUT', parameter: 'place' }]);
    const into = join(place.dir, 'unpacked');
    mkdirSync(into);
    await unpackBundle(place.put('run.callsheet', await place.download(exported.assetId)), 'run.callsheet', into);
    const files = Object.keys(filesIn(into)).toSorted();
    expect(files).toEqual(['draw.json', expect.stringMatching(/^media\/photos-[0-9a-f]{12}\.png$/), 'template.json']);
    const { parameters } = JSON.parse(readFileSync(join(into, 'template.json'), 'utf8'));
    expect(parameters).toMatchObject({ photos: { default: [files[1], files[1]], required: false }, clip: { default: null } });
    expect(parameters.place).toEqual({ type: 'directory' });
  });

  it('refuses a run that did not succeed, and one that does not exist', async () => {
    await using place = await openPlace({
      mine: { ...manifest('mine'), steps: [{ id: 'draw', workflow: 'draw.json', outputs: { card: '1' } }] },
    });
    const { runId } = await place.client.call('run/start', { template: 'mine' });
    expect((await place.ended(runId)).status).toBe('failed');
    await expect(place.client.call('run/export', { runId, as: 'bundle' })).rejects.toMatchObject({ code: 'EXPORT_REFUSED' });
    await expect(place.client.call('run/export', { runId: 'nope', as: 'bundle' })).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
  });
});
