/** Files that are broken in every way people and disks break them: found in a library, checked, converted and imported while a daemon lives. */
import { existsSync, mkdirSync, readdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '#cli/cli.ts';
import { COMMANDS } from '#cli/commands.ts';
import type { CallsheetError } from '#protocol/errors.ts';
import { createFakeIo } from '../cli/fake-io.ts';
import { GRAPH, manifest, openPlace, type Place } from './exchange/exchange-harness.ts';

const api = JSON.stringify(GRAPH);
const nested = (open: string, close: string): string => `{"nodes":${open.repeat(100_000)}1${close.repeat(100_000)},"links":[]}`;
const ui = (changes: object): string =>
  JSON.stringify({
    nodes: [{ id: 1, type: 'SaveImage', inputs: [{ name: 'images', type: 'IMAGE', link: 7 }], widgets_values: ['x'] }],
    links: [],
    ...changes,
  });
const INSTANCE = { id: 2, type: 'sub' };
const INFO = {
  SaveImage: { input: { required: { images: ['IMAGE'], filename_prefix: ['STRING', {}] } }, output: [], output_node: true },
};

/** A hole of 100 MiB on the disk. */
const LARGE = Symbol('large');

/** Content, the code of the one problem that it is, and the code for an importer where that is another. */
const FILES: Readonly<Record<string, readonly [content: string | Uint8Array | typeof LARGE, code: string, imported?: string]>> = {
  'empty.json': ['', 'JSON_SYNTAX', 'MEDIA_INVALID'],
  'blank.json': [' \n\t\r\n', 'JSON_SYNTAX'],
  'utf16le.json': [Buffer.from(`\uFEFF${api}`, 'utf16le'), 'TEMPLATE_FILE_ENCODING'],
  'utf16be.json': [Buffer.from(`\uFEFF${api}`, 'utf16le').swap16(), 'TEMPLATE_FILE_ENCODING'],
  'latin1.json': [Buffer.from(api.replace('card', 'Grüße'), 'latin1'), 'TEMPLATE_FILE_ENCODING'],
  'zeros.json': [new Uint8Array(4096), 'JSON_SYNTAX'],
  'cut.json': [api.slice(0, -20), 'JSON_SYNTAX'],
  'large.json': [LARGE, 'TEMPLATE_FILE_TOO_LARGE'],
  'deep-lists.json': [nested('[', ']'), 'JSON_TOO_DEEP'],
  'deep-objects.json': [nested('{"a":', '}'), 'JSON_TOO_DEEP'],
  'proto.json': [api.replace('"inputs":{', '"inputs":{"__proto__":{"polluted":1},'), 'JSON_FORBIDDEN_KEY'],
  'proto-node.json': [`{"__proto__":${JSON.stringify(GRAPH['1'])},${api.slice(1)}`, 'JSON_FORBIDDEN_KEY'],
  'constructor.json': [api.replace('"inputs":{', '"inputs":{"constructor":{"prototype":{"polluted":1}},'), 'JSON_FORBIDDEN_KEY'],
  'twice.json': [api.replace('"inputs":{', '"class_type":"Other","inputs":{'), 'JSON_DUPLICATE_KEY'],
  'huge-number.json': [api.replace('64', '9'.repeat(5000)), 'JSON_SYNTAX'],
  'no-nodes.json': [ui({ nodes: [] }), 'GRAPH_EMPTY'],
  'all-muted.json': [ui({ nodes: [{ id: 1, type: 'SaveImage', mode: 2 }] }), 'GRAPH_EMPTY'],
  'no-link.json': [ui({}), 'CONVERT_LINK_MISSING'],
  'recursive.json': [
    ui({ nodes: [INSTANCE], definitions: { subgraphs: [{ id: 'sub', nodes: [INSTANCE], links: [], inputs: [], outputs: [] }] } }),
    'CONVERT_SUBGRAPH_LOOP',
  ],
};

/** A folder of one step each: changes of the manifest, of the step, and the code of what is wrong with it. */
const FOLDERS: Readonly<Record<string, readonly [changes: object, step: object, code: string | undefined]>> = {
  sound: [{}, {}, undefined],
  'pattern-in-bounds': [{ parameters: { name: { type: 'string', pattern: '^(a+)+$' }, seed: { type: 'seed' } } }, {}, undefined],
  'pattern-look-around': [
    { parameters: { name: { type: 'string', pattern: '(?=a)b' }, seed: { type: 'seed' } } },
    {},
    'TEMPLATE_PARAMETER_PATTERN',
  ],
  'pattern-too-large': [
    { parameters: { name: { type: 'string', pattern: '((a{1,100}){1,100}){1,100}' }, seed: { type: 'seed' } } },
    {},
    'TEMPLATE_PARAMETER_PATTERN',
  ],
  'reserved-nul': [{}, { workflow: 'nul.json' }, 'TEMPLATE_PATH_ESCAPES'],
  'reserved-con': [{}, { workflow: 'a/CON' }, 'TEMPLATE_PATH_ESCAPES'],
  'link-out': [{}, { workflow: 'out.json' }, 'TEMPLATE_PATH_ESCAPES'],
  'link-out-folder': [{}, { workflow: 'away/draw.json' }, 'TEMPLATE_PATH_ESCAPES'],
  upwards: [{}, { workflow: '../sound/draw.json' }, 'TEMPLATE_PATH_ESCAPES'],
};

let place: Place;
let templates: string;
let info: string;

function put(path: string, content: string | Uint8Array | typeof LARGE): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content === LARGE ? '' : content);
  if (content === LARGE) truncateSync(path, 100 * 1024 * 1024);
}

beforeAll(async () => {
  place = await openPlace();
  templates = join(place.dir, 'templates');
  put(join(templates, 'object_info.json'), JSON.stringify(INFO));
  info = place.put('info.json', JSON.stringify(INFO));
  for (const [name, [content]] of Object.entries(FILES)) {
    put(join(templates, name), content);
    put(join(place.dir, 'project', name), content);
  }
  for (const [id, [changes, step]] of Object.entries(FOLDERS)) {
    const base = manifest(id) as { readonly steps: readonly object[] };
    put(join(templates, id, 'template.json'), JSON.stringify({ ...base, ...changes, steps: [{ ...base.steps[0], ...step }] }));
    put(join(templates, id, 'draw.json'), api);
  }
  put(join(place.dir, 'outside', 'draw.json'), api);
  symlinkSync(join(place.dir, 'outside', 'draw.json'), join(templates, 'link-out', 'out.json'));
  symlinkSync(join(place.dir, 'outside'), join(templates, 'link-out-folder', 'away'));
  put(join(templates, 'Scene One.json'), api);
  put(join(templates, 'scene one.json'), api.replace('64', '32'));
  // Read through the start of a daemon, as they lie there.
  await place.restart();
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

const checked = async (path: string) => {
  const { files } = await place.client.call('template/check', { path });
  return files.flatMap(({ problems }) => problems.filter(({ severity }) => severity === 'error'));
};

describe('[S14] [S15] [S17] [S18] bad files before a daemon that lives', () => {
  it('are listed, not runnable, beside the good ones', async () => {
    const { templates: listed } = await place.client.call('template/list', {});
    const runnable = new Map(listed.map((each) => [each.id, each.runnable && each.problems === 0]));
    for (const name of Object.keys(FILES)) expect([name, runnable.get(name.replace('.json', ''))]).toEqual([name, false]);
    for (const [id, [, , code]] of Object.entries(FOLDERS)) expect([id, runnable.get(id)]).toEqual([id, code === undefined]);
    const scenes = listed.filter(({ id }) => id === 'scene-one');
    expect(scenes.map((each) => [each.runnable, each.problems])).toEqual([
      [true, 0],
      [false, 1],
    ]);
  });

  it.each(Object.entries(FILES))('check names what is wrong with %s, and what to do', async (name, [, code]) => {
    const problems = await checked(join(templates, name));
    expect(problems[0]).toMatchObject({ code, file: join(templates, name) });
    for (const { hint } of problems) expect(hint).toMatch(/\S/);
  });

  it.each(Object.entries(FOLDERS))('check names what is wrong with the folder %s', async (id, [, , code]) => {
    const problems = await checked(join(templates, id));
    expect(problems.map((problem) => problem.code)).toEqual(code === undefined ? [] : [code]);
  });

  // A workflow without nodes that run is converted to what the page makes of it, a graph of none; only who would run it refuses.
  const converted = Object.entries(FILES).filter(([, [, code]]) => code !== 'GRAPH_EMPTY');

  it.each(converted)('convert refuses %s with the problem and the cure', async (name, [, code]) => {
    const io = createFakeIo({ cwd: templates });
    expect(await runCli(COMMANDS, ['convert', name, '--object-info', info], io)).toBe(1);
    expect(io.stdout()).toBe('');
    expect(io.stderr()).toMatch(new RegExp(`^${name}(?::\\d+:\\d+)? error ${code} .+\\n {4}\\S`));
  });

  it.each(Object.entries(FILES))('import refuses %s and leaves nothing of it', async (name, [, code, imported = 'IMPORT_REFUSED']) => {
    const file = join(place.dir, 'project', name);
    const refused: unknown = await place.client.call('template/import', { file, objectInfo: info }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: imported });
    const { problems = [] } = (refused as CallsheetError).data;
    expect(problems.filter(({ severity }) => severity === 'error').map((problem) => problem.code)).toEqual(
      imported === 'IMPORT_REFUSED' ? [code] : [],
    );
    expect(existsSync(place.imports) ? readdirSync(place.imports) : []).toEqual([]);
  });

  it('do not reach the prototype of anything', () => {
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('leave the daemon at work: a template that is sound still runs', async () => {
    const { runId } = await place.client.call('run/start', { template: 'sound' });
    expect(await place.ended(runId)).toMatchObject({ status: 'succeeded' });
  });
});
