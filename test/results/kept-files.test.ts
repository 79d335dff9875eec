// The kept files of the result cache: copies that nobody's edit reaches, and no file that was changed is taken for whole.
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createKeptFiles, type KeptFiles } from '#results/kept-files.ts';

let dir = '';
let files: KeptFiles;
beforeEach(() => {
  const made = mkdtempSync(join(tmpdir(), 'callsheet-kept-'));
  dir = made;
  files = createKeptFiles(join(made, 'results'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
});

function source(content: string) {
  const path = join(dir, 'source.bin');
  writeFileSync(path, content);
  return { path, sha256: createHash('sha256').update(content).digest('hex'), bytes: Buffer.byteLength(content) };
}

async function kept(content: string) {
  const { path, sha256, bytes } = source(content);
  await files.add(path, sha256, bytes);
  return { source: path, path: files.path(sha256), sha256, bytes };
}

const listed = () => readdirSync(join(dir, 'results'), { recursive: true, encoding: 'utf8' }).filter((name) => name.length > 2);

describe('kept files', () => {
  it('are copies: an edit of the original is not seen, nor the other way round', async () => {
    const one = await kept('a picture');
    expect(statSync(one.path).ino).not.toBe(statSync(one.source).ino);
    appendFileSync(one.source, ' with a moustache');
    expect(await files.state(one.sha256, one.bytes)).toBe('whole');
    writeFileSync(one.path, 'something else');
    expect(readFileSync(one.source, 'utf8')).toBe('a picture with a moustache');
  });

  it('are for their owner alone, and leave nothing half-written', async () => {
    await kept('a picture');
    await kept('a picture');
    expect(listed()).toHaveLength(1);
    expect(statSync(join(dir, 'results')).mode & 0o077).toBe(0);
    await expect(files.add(join(dir, 'nowhere'), 'ab'.repeat(32), 3)).rejects.toThrow('ENOENT');
    expect(listed()).toHaveLength(1);
  });

  it.each([
    ['one byte changed', (path: string) => writeFileSync(path, 'b picture'), 'changed'],
    ['cut short', (path: string) => writeFileSync(path, 'a pic'), 'changed'],
    ['emptied', (path: string) => writeFileSync(path, ''), 'changed'],
    ['deleted', (path: string) => rmSync(path), 'gone'],
    ['a link to something of the same length', (path: string) => link(path), 'gone'],
    ['a folder', (path: string) => (rmSync(path), mkdirSync(path)), 'gone'],
  ] as const)('that were %s are found out', async (_, damage, state) => {
    const one = await kept('a picture');
    damage(one.path);
    expect(await files.state(one.sha256, one.bytes)).toBe(state);
  });

  it('that were changed can be removed and made again', async () => {
    const one = await kept('a picture');
    writeFileSync(one.path, 'b picture');
    await files.remove([one.sha256, 'cd'.repeat(32)]);
    await kept('a picture');
    expect(await files.state(one.sha256, one.bytes)).toBe('whole');
  });

  it('are swept: those that nothing names and halves, and never what others put there', async () => {
    const [one, two] = [await kept('one'), await kept('two')];
    const folder = dirname(one.path);
    writeFileSync(join(folder, '.callsheet-00000000-0000-4000-8000-000000000000.partial'), 'half');
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    writeFileSync(join(dir, 'results', 'README'), 'mine');
    mkdirSync(join(dir, 'results', 'ff'), { recursive: true });
    mkdirSync(join(dir, 'results', 'ff', 'e'.repeat(62)));
    expect(await files.sweep(new Set([one.sha256]))).toBe(2);
    expect([existsSync(one.path), existsSync(two.path)]).toEqual([true, false]);
    expect(
      listed()
        .filter((name) => !name.endsWith(one.sha256.slice(2)))
        .toSorted(),
    ).toEqual([`${one.sha256.slice(0, 2)}/notes.txt`, 'README', `ff/${'e'.repeat(62)}`].toSorted());
    expect(await createKeptFiles(join(dir, 'nowhere')).sweep(new Set())).toBe(0);
  });
});

function link(path: string): void {
  rmSync(path);
  writeFileSync(`${path}.target`, 'x picture');
  symlinkSync(`${path}.target`, path);
}
