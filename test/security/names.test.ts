// Paths and names of others, at each function that lets one in: all that lead out or mean something elsewhere are refused or made harmless, and good ones stay.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix, win32 } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRoots, isInside } from '#daemon/roots.ts';
import { safeName } from '#results/names.ts';
import { refuseWorkflowPath } from '#templates/workflow-paths.ts';
import { countCases } from '../count-cases.ts';

const DEVICES = ['con', 'prn', 'aux', 'nul', ...Array.from('0123456789¹²³').flatMap((digit) => [`com${digit}`, `lpt${digit}`])];

/** Leads out of a folder, or is no plain name, on one system or another. */
const BAD: readonly string[] = [
  '..',
  '../x.json',
  '../../x.json',
  'a/../../x.json',
  './../x.json',
  'a/..',
  '..\\x.json',
  'a\\..\\..\\x.json',
  '/x.json',
  '//x.json',
  '/etc/passwd',
  '\\x.json',
  '\\\\server\\share\\x.json',
  '\\\\?\\C:\\x.json',
  '\\\\.\\pipe\\x',
  '\\\\.\\PhysicalDrive0',
  '//?/C:/x.json',
  'C:\\x.json',
  'C:/x.json',
  'C:x.json',
  'c:',
  'x.json:ads',
  'x.json::$DATA',
  'x.json\0',
  '\0',
  'a\0/x.json',
  'x\n.json',
  'x\r.json',
  'x\t.json',
  'x\u001b[31m.json',
  'x\u007f.json',
  'x\u202egnp.json',
  'x\u200e.json',
  'x\u2066.json',
  'x.json ',
  'x.json.',
  'x.json. .',
  'a./x.json',
  'a /x.json',
  '...',
  '. .',
  ' ',
  '',
  '~',
  '~/x.json',
  'a//x.json',
  'a/./x.json',
  './x.json',
  'x/',
  'a|b.json',
  'a<b.json',
  'a>b.json',
  'a"b.json',
  'a?b.json',
  'a*b.json',
  'file:///etc/passwd',
  'http://x/y.json',
  'x'.repeat(300),
  `${'a/'.repeat(200)}x.json`,
  'PROGRA~1/x.json',
  ...DEVICES,
  ...DEVICES.map((name) => `${name}.json`),
  ...DEVICES.map((name) => `A/${name.toUpperCase()}.json`),
];

const GOOD: readonly string[] = [
  'x.json',
  'draw.json',
  'a/x.json',
  'a/b/c.json',
  'Scene 1.json',
  'scene_01-final.json',
  'Käse.json',
  '日本語.json',
  'émile.json',
  'a.b.c.json',
  'x+y.json',
  "it's.json",
  'x(1).json',
  'x[1].json',
  'x{1}.json',
  'x,y.json',
  'x;y.json',
  'x=y.json',
  'x@2.json',
  'x#1.json',
  'x%20y.json',
  'x&y.json',
  'x!y.json',
  'constable.json',
  'console.json',
  'auxiliary.json',
  'nullable.json',
  'com.json',
  'com10.json',
  'lpt.json',
  'prince.json',
  'con-1.json',
  'x..json',
  'x...y.json',
  'a/con-fusion/x.json',
  'UPPER.JSON',
  '0.json',
  '-x.json',
  '_x.json',
  'x-.json',
  'x_.json',
  'shot 010/plate.json',
  'v1.2.3.json',
  'a b c d.json',
  'œuvre.json',
  'кадр.json',
  'صورة.json',
  '그림.json',
  'ภาพ.json',
  'x~y.json',
  'a^b.json',
  'a`b.json',
  'a$b.json',
  'a~ b.json',
  'x.workflow.json',
  'x.api.json',
  'a1b2c3.json',
  'final_FINAL_v2.json',
  'wide 2.39-1.json',
  'x—y.json',
  'x…y.json',
];

describe('[S18] [S19] the name of a workflow in a manifest', () => {
  const tally = { refused: 0, bad: 0, accepted: 0, good: 0 };
  afterAll(() => countCases('paths', tally));

  it.each(BAD.map((name) => [name.slice(0, 60), name]))('%j is refused', (_short, name) => {
    tally.bad += 1;
    expect(refuseWorkflowPath(name)).toBeTypeOf('string');
    tally.refused += 1;
  });

  it.each(GOOD)('%j is taken', (name) => {
    tally.good += 1;
    expect(refuseWorkflowPath(name)).toBeUndefined();
    tally.accepted += 1;
  });
});

describe('[S18] [S19] a name that a result gets', () => {
  it.each([...BAD, ...GOOD].map((name) => [name.slice(0, 60), name]))('made of %j is one plain name to every system', (_short, text) => {
    const name = safeName(text);
    for (const system of [posix, win32]) {
      expect(system.basename(name)).toBe(name);
      expect(system.isAbsolute(name)).toBe(false);
      expect(system.normalize(name)).toBe(name);
      expect(system.relative('/base', system.join('/base', name)).startsWith('..')).toBe(false);
    }
    expect(DEVICES).not.toContain(name.split('.')[0]?.trim().toLowerCase());
    expect(name).not.toMatch(/\p{Cc}|[<>:"/\\|?*\u202a-\u202e\u2066-\u2069]|[. ]$|^$/u);
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
  });
});

describe('[S18] a path that is exchanged while it is looked at', () => {
  let dir = '';
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'callsheet-race-'));
    mkdirSync(join(dir, 'root'));
    mkdirSync(join(dir, 'outside'));
    writeFileSync(join(dir, 'outside', 'a.png'), 'SECRET');
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('is never read through the link, of a thousand tries', async () => {
    const PNG = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(100)]);
    const roots = createRoots({ roots: [join(dir, 'root')], asset: () => undefined });
    const path = join(dir, 'root', 'a.png');
    const going = { on: true };
    const exchanging = (async () => {
      while (going.on) {
        rmSync(path, { force: true });
        symlinkSync(join(dir, 'outside', 'a.png'), path);
        await new Promise((resolve) => setImmediate(resolve));
        rmSync(path, { force: true });
        writeFileSync(path, PNG);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const outcomes = new Set<string>();
    for (let nth = 0; nth < 1000; nth += 1) {
      const outcome = await roots.resolveMedia(path, 'file').then(
        ({ bytes, path: real }) =>
          bytes === PNG.length && isInside(join(dir, 'root'), real) ? 'the right file' : `${String(bytes)} bytes of ${real}`,
        (error: { readonly code?: string }) => error.code ?? 'another error',
      );
      outcomes.add(outcome);
    }
    going.on = false;
    await exchanging;
    const harmless = ['the right file', 'FILE_NOT_FOUND', 'PATH_NOT_ALLOWED', 'MEDIA_INVALID'];
    expect([...outcomes].filter((outcome) => !harmless.includes(outcome))).toEqual([]);
    expect(readdirSync(join(dir, 'outside'))).toEqual(['a.png']);
  });
});
