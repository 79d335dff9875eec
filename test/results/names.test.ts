import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { safeName } from '#results/names.ts';

describe('safeName', () => {
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
  ];
  for (const [text, name] of cases) {
    it(`makes ${JSON.stringify(name)} of ${JSON.stringify(text)}`, () => expect(safeName(text)).toBe(name));
  }

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
