import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path, { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { safeName } from '#results/names.ts';

describe('[S18] [S19] safeName', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['hero shot 01', 'hero shot 01'],
    ['../../etc/passwd', '_.._etc_passwd'],
    ['C:\\temp\\x', 'C__temp_x'],
    ['name.png:stream', 'name.png_stream'],
    ['NUL', '_NUL'],
    ['com1.txt', '_com1.txt'],
    ['LPT²', '_LPT²'],
    ['console', 'console'],
    ['trailing. . ', 'trailing'],
    ['.hidden', 'hidden'],
    ['', 'file'],
    ['...', 'file'],
    ['a\u202Egnp.exe', 'a_gnp.exe'],
    ['a\0b\r\nc', 'a_b__c'],
    ['cafe\u0301', 'café'],
    ['lone \uD800 half', 'lone _ half'],
    ['PROGRA~1', 'PROGRA_1'],
    ['~root', 'root'],
    ['-rf', 'rf'],
    ['--help', 'help'],
    ['CONIN$', '_CONIN$'],
    ['a ~ b', 'a ~ b'],
  ];
  for (const [text, name] of cases) {
    it(`makes ${JSON.stringify(name)} of ${JSON.stringify(text)}`, () => expect(safeName(text)).toBe(name));
  }

  const DEVICES = ['con', 'PRN', 'aux', 'Nul', ...Array.from('0123456789¹²³').flatMap((digit) => [`com${digit}`, `LPT${digit}`])];
  const TRICKS = [
    ...DEVICES.flatMap((name) => [name, `${name}.png`, `${name}.tar.gz`, `${name} .x`]),
    '../x',
    String.raw`..\x`,
    '%2e%2e/x',
    '..%2fx',
    '....//x',
    '/etc/passwd',
    '//server/share',
    String.raw`\\?\C:\x`,
    String.raw`\\.\PhysicalDrive0`,
    'C:x',
    'C:\\x',
    'x:ads',
    'x::$DATA',
    '~/x',
    '$HOME/x',
    '`x`',
    '$(x)',
    'x;rm',
    'x|y',
    'x&y',
    'x>y',
    '"x"',
    "'x'",
    '*',
    '?',
    '<x>',
    'x.',
    'x ',
    'x. .',
    '.x',
    '..x',
    ' x',
    '\t x',
    'x\n',
    'x\0y',
    '\u202Ex',
    'x\u200By',
    '\uFEFFx',
    '\u2028',
    '\uFF0E\uFF0E\uFF0Fx',
    'x\u0301',
  ];

  it(`makes one plain name of each of ${TRICKS.length} tricks, the same to Windows and to others`, () => {
    for (const trick of TRICKS) {
      const name = `${safeName(trick)}.png`;
      for (const paths of [path.win32, path.posix]) {
        expect({
          trick,
          dir: paths.parse(name).dir,
          root: paths.parse(name).root,
          base: paths.basename(name),
          plain: paths.normalize(name),
        }).toEqual({
          trick,
          dir: '',
          root: '',
          base: name,
          plain: name,
        });
      }
      expect(name).not.toMatch(/^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)|^[.~-]|[. ]$|~\d/i);
    }
  });

  it('cuts a long name between characters', () => {
    expect(safeName('界'.repeat(100))).toBe('界'.repeat(40));
  });

  it('gives a name that the file system keeps unchanged, for any text', () => {
    const directory = mkdtempSync(join(tmpdir(), 'callsheet-names-'));
    try {
      fc.assert(
        fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
          const name = safeName(text);
          expect(safeName(name)).toBe(name);
          expect(Buffer.byteLength(name)).toBeLessThanOrEqual(121);
          writeFileSync(join(directory, name), '');
          expect(readdirSync(directory)).toEqual([name]);
          rmSync(join(directory, name));
        }),
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
