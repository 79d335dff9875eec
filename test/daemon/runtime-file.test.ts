import {
  chmodSync,
  linkSync,
  lstatSync,
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
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findRuntime, readRuntimeFile, removeRuntimeFile, runtimeFilePath, writeRuntimeFile } from '#daemon/runtime-file.ts';
import type { RuntimeInfo } from '#daemon/runtime-file.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'callsheet-runtime-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const info: RuntimeInfo = {
  protocol: 1,
  version: '0.1.0',
  pid: process.pid,
  instance: 'one',
  url: 'ws://127.0.0.1:1/rpc',
  port: 1,
  key: 'k',
  dataDir: '/data',
  startedAt: 0,
};
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe('the place of the runtime file', () => {
  const home = { HOME: '/home/u' };

  it.each([
    ['in CALLSHEET_RUNTIME_DIR', { ...home, CALLSHEET_RUNTIME_DIR: '/rt', XDG_RUNTIME_DIR: '/run/user/1' }, '/rt/runtime.json'],
    ['in XDG_RUNTIME_DIR/callsheet', { ...home, XDG_RUNTIME_DIR: '/run/user/1' }, '/run/user/1/callsheet/runtime.json'],
    ['in the data directory when the system has no such place', home, '/home/u/.local/share/callsheet/runtime/runtime.json'],
    [
      'nowhere else when variables are empty',
      { ...home, XDG_RUNTIME_DIR: '', CALLSHEET_RUNTIME_DIR: '' },
      '/home/u/.local/share/callsheet/runtime/runtime.json',
    ],
  ])('is %s', (_name, env, expected) => {
    expect(runtimeFilePath('/home/u/.local/share/callsheet', env)).toBe(expected);
  });

  it('has a name of its own for each other data directory, also when CALLSHEET_DATA names it', () => {
    const env = { ...home, CALLSHEET_RUNTIME_DIR: '/rt', CALLSHEET_DATA: '/a' };
    expect(runtimeFilePath('/a', env)).toMatch(/^\/rt\/runtime-[0-9a-f]{8}\.json$/);
    expect(runtimeFilePath('/a/../a/', env)).toBe(runtimeFilePath('/a', env));
    expect(runtimeFilePath('/b', env)).not.toBe(runtimeFilePath('/a', env));
  });
});

describe('[S6] writing the runtime file', () => {
  it('makes directory and file for the owner alone, whatever the umask', () => {
    const before = process.umask(0);
    try {
      const file = join(dir, 'rt', 'runtime.json');
      writeRuntimeFile(file, info);
      expect([modeOf(join(dir, 'rt')), modeOf(file)]).toEqual(['700', '600']);
      expect(readRuntimeFile(file)).toEqual(info);
      expect(readdirSync(join(dir, 'rt'))).toEqual(['runtime.json']);
    } finally {
      process.umask(before);
    }
  });

  it('replaces the file of a daemon that was killed', () => {
    const file = join(dir, 'rt', 'runtime.json');
    writeRuntimeFile(file, info);
    writeRuntimeFile(file, { ...info, instance: 'two' });
    expect(readRuntimeFile(file)?.instance).toBe('two');
  });

  const refused: [string, (folder: string, file: string) => void][] = [
    ['a directory that the group may read', (folder) => chmodSync(folder, 0o750)],
    ['a directory that everybody may write', (folder) => chmodSync(folder, 0o777)],
    [
      'a directory that is a link',
      (folder) => {
        rmSync(folder, { recursive: true });
        mkdirSync(`${folder}-real`, { mode: 0o700 });
        symlinkSync(`${folder}-real`, folder);
      },
    ],
    [
      'a file where the directory belongs',
      (folder) => {
        rmSync(folder, { recursive: true });
        writeFileSync(folder, '');
      },
    ],
    ['a link in place of the file', (folder, file) => symlinkSync(join(folder, 'target'), file)],
    ['a directory in place of the file', (_folder, file) => mkdirSync(file)],
    ['a file that others may read', (_folder, file) => writeFileSync(file, '{}', { mode: 0o644 })],
    [
      'a file with a second name',
      (folder, file) => {
        writeFileSync(join(folder, 'other'), '{}', { mode: 0o600 });
        linkSync(join(folder, 'other'), file);
      },
    ],
  ];
  it.each(refused)('refuses %s, says why, and writes nothing', (_name, prepare) => {
    const folder = join(dir, 'rt');
    const file = join(folder, 'runtime.json');
    mkdirSync(folder, { mode: 0o700 });
    prepare(folder, file);
    expect(() => writeRuntimeFile(file, info)).toThrow(expect.objectContaining({ code: 'RUNTIME_DIR_UNSAFE' }));
    expect(JSON.stringify(readdirSync(dir, { recursive: true }).map((name) => readIfFile(join(dir, String(name)))))).not.toContain(
      '127.0.0.1',
    );
  });
});

describe('[S6] reading the runtime file', () => {
  it('finds the daemon of a data directory', () => {
    const env = { HOME: dir, CALLSHEET_RUNTIME_DIR: join(dir, 'rt') };
    writeRuntimeFile(runtimeFilePath('/data', env), info);
    expect(findRuntime({ dataDir: '/data', env })).toEqual(info);
    expect(findRuntime({ dataDir: '/other', env })).toBeUndefined();
  });

  it('finds nothing when the process is gone', () => {
    const env = { HOME: dir, CALLSHEET_RUNTIME_DIR: join(dir, 'rt') };
    writeRuntimeFile(runtimeFilePath('/data', env), { ...info, pid: 2 ** 22 + 1 });
    expect(findRuntime({ dataDir: '/data', env })).toBeUndefined();
  });

  it('refuses a file that somebody else could have written', () => {
    const file = join(dir, 'runtime.json');
    writeFileSync(file, JSON.stringify(info), { mode: 0o600 });
    chmodSync(file, 0o666);
    expect(() => readRuntimeFile(file)).toThrow(expect.objectContaining({ code: 'RUNTIME_DIR_UNSAFE' }));
    symlinkSync(file, join(dir, 'link.json'));
    expect(() => readRuntimeFile(join(dir, 'link.json'))).toThrow(expect.objectContaining({ code: 'RUNTIME_DIR_UNSAFE' }));
  });

  it.each(['', '{', '[]', '{}', '{"pid":"1"}', 'null'])('takes no half file: %j', (text) => {
    const file = join(dir, 'runtime.json');
    writeFileSync(file, text, { mode: 0o600 });
    expect(readRuntimeFile(file)).toBeUndefined();
  });

  it('removes only the file of its own process', () => {
    const file = join(dir, 'rt', 'runtime.json');
    writeRuntimeFile(file, info);
    removeRuntimeFile(file, 'another');
    expect(readRuntimeFile(file)).toEqual(info);
    removeRuntimeFile(file, 'one');
    expect(readRuntimeFile(file)).toBeUndefined();
  });
});

function readIfFile(path: string): string {
  return lstatSync(path).isFile() ? readFileSync(path, 'utf8') : '';
}
