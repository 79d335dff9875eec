import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packTemplate } from '#daemon/exchange/exports.ts';
import { parseObjectInfo } from '#graph/object-info.ts';
import { checkLock } from '#templates/bundle/lock.ts';
import { unpackBundle } from '#templates/bundle/unpack.ts';
import { classesOf, classLockText, lockClasses, readLockIn } from '#templates/class-lock.ts';
import { loadTemplate } from '#templates/load.ts';

const INFO = JSON.stringify({
  Load: {
    input: { required: { image: ['STRING', { default: 'x' }] } },
    input_order: { required: ['image'] },
    output: ['IMAGE'],
    output_name: ['IMAGE'],
  },
  Save: { input: { required: { images: ['IMAGE'] } }, output: [], output_node: true },
});
const UI = {
  version: 0.4,
  nodes: [
    {
      id: 1,
      type: 'Load',
      pos: [0, 0],
      inputs: [],
      outputs: [{ name: 'IMAGE', type: 'IMAGE', links: [1] }],
      widgets_values: ['{name}'],
      mode: 0,
    },
    { id: 2, type: 'Save', pos: [9, 9], inputs: [{ name: 'images', type: 'IMAGE', link: 1 }], outputs: [], widgets_values: [], mode: 0 },
  ],
  links: [[1, 1, 0, 2, 0, 'IMAGE']],
};
const MANIFEST = {
  format: 1,
  id: 'hero',
  version: '1.0.0',
  parameters: { name: { type: 'string', default: 'a' } },
  steps: [{ id: 'a', workflow: 'w.json', outputs: { image: '2' } }],
};

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'callsheet-export-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

async function load(files: Readonly<Record<string, string>>, path = dir) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  const { template, origin } = await loadTemplate(path);
  if (template === undefined) throw new Error('the template of the test does not load');
  return { template, origin };
}

const FOLDER = { 'template.json': JSON.stringify(MANIFEST), 'w.json': `${JSON.stringify(UI, null, 3)}\n`, 'object_info.json': INFO };
const infoOf = () => {
  const { info } = parseObjectInfo(INFO);
  if (info === undefined) throw new Error('the object info of the test cannot be read');
  return info;
};
const textIn = (bytes: Uint8Array, name: string): string => Buffer.from(unzipSync(bytes)[name] ?? []).toString('utf8');

describe('what travels in a bundle', () => {
  it('is the graph that runs and, beside it, the file in UI format that its author saved', async () => {
    const { template, origin } = await load(FOLDER);
    const { bytes } = await packTemplate(template, origin, {}, undefined);
    expect(textIn(bytes, 'w.json')).toBe(template.source.workflows['w.json']);
    expect(textIn(bytes, 'w.ui.json')).toBe(FOLDER['w.json']);
    const { template: adopted, origin: file } = await load({}, join(dir, 'w.json'));
    expect(textIn((await packTemplate(adopted, file, {}, undefined)).bytes, 'w.ui.json')).toBe(FOLDER['w.json']);
  });

  it('does not take the place of a file of that name', async () => {
    const { template, origin } = await load({ ...FOLDER, 'w.ui.json': '{"other": 1}' });
    const { bytes } = await packTemplate(template, origin, {}, undefined);
    expect(textIn(bytes, 'w.ui.json')).toBe('{"other": 1}');
    expect(textIn(bytes, 'w.original.ui.json')).toBe(FOLDER['w.json']);
  });

  it('is the schema of every node class, the author\u2019s own before any other, with its hash in lock.json', async () => {
    const { template, origin } = await load(FOLDER);
    const lock = lockClasses(classesOf(template), infoOf(), '0.3.64');
    const { bytes } = await packTemplate(template, origin, {}, lock);
    expect(textIn(bytes, 'template.lock.json')).toBe(classLockText(lock));
    expect(JSON.parse(textIn(bytes, 'lock.json')).nodeClasses).toEqual([
      { class: 'Load', schema: lock.classes.get('Load')?.hash },
      { class: 'Save', schema: lock.classes.get('Save')?.hash },
    ]);
    const older = classLockText(lockClasses(classesOf(template), infoOf(), '0.3.45'));
    writeFileSync(join(dir, 'template.lock.json'), older);
    expect(textIn((await packTemplate(template, origin, {}, lock)).bytes, 'template.lock.json')).toBe(older);
  });

  it('is held against lock.json when it comes in', async () => {
    const { template, origin } = await load(FOLDER);
    const lock = lockClasses(classesOf(template), infoOf());
    const { bytes } = await packTemplate(template, origin, {}, lock);
    const [file, into] = [join(dir, 'x.callsheet'), mkdtempSync(join(dir, 'in-'))];
    writeFileSync(file, bytes);
    const { files, problems } = await unpackBundle(file, 'x.callsheet', into);
    const text = readFileSync(join(into, 'lock.json'), 'utf8');
    const read = readLockIn(into)?.lock;
    expect([...problems, ...checkLock(text, files, 'x', read)]).toEqual([]);
    const other = text.replace(lock.classes.get('Load')?.hash ?? '', 'f'.repeat(64));
    expect(checkLock(other, files, 'x', read)).toMatchObject([
      { code: 'BUNDLE_LOCK_MISMATCH', message: expect.stringContaining('"Load"') },
    ]);
  });
});
