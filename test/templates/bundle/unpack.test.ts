import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { packBundle } from '#templates/bundle/pack.ts';
import { unpackBundle } from '#templates/bundle/unpack.ts';
import { archive, type Lie } from './archives.ts';

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'callsheet-bundle-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The target lies two levels down, so that what escapes it is seen. */
async function unpack(bytes: Uint8Array, limits?: Parameters<typeof unpackBundle>[3]) {
  const folder = freshFolder();
  const into = join(folder, 'deep', 'into');
  mkdirSync(into, { recursive: true });
  const path = join(folder, 'given.callsheet');
  writeFileSync(path, bytes);
  const { files, problems } = await unpackBundle(path, 'given.callsheet', into, limits);
  const outside = readdirSync(folder).filter((name) => name !== 'deep' && name !== 'given.callsheet');
  return { files, problems, into, outside: [...outside, ...readdirSync(join(folder, 'deep')).filter((name) => name !== 'into')] };
}

const GOOD: Lie = { name: 'template.json', content: '{"format": 1}' };
const ok = { content: 'x' } as const;

describe('packBundle', () => {
  it('gives the same bytes for the same files in any order', () => {
    const files: [string, Uint8Array][] = ['b.json', 'template.json', 'media/a.png', 'LICENSE'].map((name) => [
      name,
      Buffer.from(`content of ${name}`),
    ]);
    expect(Buffer.from(packBundle(new Map(files)))).toEqual(Buffer.from(packBundle(new Map(files.toReversed()))));
  });

  it('is unpacked to the same files', async () => {
    const name = fc
      .stringMatching(/^[a-z]{1,8}(?:\/[a-z]{1,8}){0,2}\.(?:json|png|md)$/)
      .filter((each) => !/(?:^|\/)(?:con|prn|aux|nul)[./]/.test(each));
    const files = fc.uniqueArray(fc.tuple(name, fc.uint8Array({ maxLength: 2000 })), {
      selector: ([each]) => each,
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(files, async (given) => {
        // A file and a folder cannot have one name.
        fc.pre(!given.some(([one]) => given.some(([other]) => other.startsWith(`${one}/`))));
        const sound = given.map(([each, bytes]): [string, Uint8Array] => [each, Buffer.concat([Buffer.from('#'), bytes])]);
        const { files: found, problems, into } = await unpack(packBundle(new Map(sound)));
        expect(problems).toEqual([]);
        expect(new Map(found.map((file) => [file.name, readFileSync(join(into, file.name))]))).toEqual(
          new Map(sound.map(([each, bytes]) => [each, Buffer.from(bytes)])),
        );
      }),
      { numRuns: 40 },
    );
  });
});

describe('[S20] unpackBundle refuses a name', () => {
  it.each([
    '../evil.json',
    'a/../../evil.json',
    '..',
    '/etc/evil.json',
    '//server/share/a.json',
    'C:\\evil.json',
    'C:evil.json',
    'c:/evil.json',
    '..\\evil.json',
    'a\\b.json',
    '\\\\server\\share\\a.json',
    '\\\\?\\C:\\a.json',
    '~/evil.json',
    './a.json',
    'a//b.json',
    'a/./b.json',
    'a/..',
    'con.json',
    'aux',
    'lpt1.json',
    'COM¹.json',
    'nul/a.json',
    'a.json.',
    'a.json ',
    'folder./a.json',
    'a:stream.json',
    'a|b.json',
    'a?.json',
    'tab\tname.json',
    'nul\0name.json',
    'line\nname.json',
    'right\u202Eto-left.json',
    'zero\u200Bwidth.json',
    'PROGRA~1.json',
    '.hidden.json',
    '.git/config.json',
    'a/b/c/d/e.json',
    `${'n'.repeat(150)}.json`,
    'run.exe',
    'script.py',
    'hook.js',
    'page.html',
    'image.svg',
    'noextension',
    'inner.zip',
    'inner.callsheet',
  ])('%j', async (name) => {
    const { problems, outside, files } = await unpack(archive([GOOD, { name, ...ok }]));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({
      code: expect.stringMatching(/^BUNDLE_/),
      severity: 'error',
      file: 'given.callsheet',
      hint: expect.any(String),
    });
    expect(files).toEqual([]);
    expect(outside).toEqual([]);
  });
});

const MIB = 1024 * 1024;
const bomb = Buffer.alloc(20 * MIB);

describe('[S20] unpackBundle refuses an archive', () => {
  it.each<[string, () => Buffer, string, RegExp]>([
    ['with one name twice', () => archive([GOOD, GOOD]), 'BUNDLE_ENTRY_TWICE', /"template\.json" is there twice/],
    ['with names that differ in case', () => archive([GOOD, { ...GOOD, name: 'Template.JSON' }]), 'BUNDLE_ENTRY_TWICE', /"Template\.JSON"/],
    [
      'with names that differ in composition',
      () =>
        archive([
          { name: 'é.json', ...ok },
          { name: 'e\u0301.json', ...ok },
        ]),
      'BUNDLE_ENTRY_TWICE',
      /one file/,
    ],
    [
      'with a symbolic link',
      () => archive([GOOD, { name: 'link.json', content: '/etc/passwd', mode: 0o120777 }]),
      'BUNDLE_ENTRY_KIND',
      /"link\.json" is a symbolic link/,
    ],
    ['with a device', () => archive([GOOD, { name: 'a.json', ...ok, mode: 0o020644 }]), 'BUNDLE_ENTRY_KIND', /no ordinary file/],
    ['with an encrypted entry', () => archive([{ ...GOOD, flags: 0x801 }]), 'BUNDLE_ENTRY_KIND', /"template\.json" is encrypted/],
    [
      'compressed in an unknown way',
      () => archive([{ ...GOOD, method: 12 }]),
      'BUNDLE_ENTRY_KIND',
      /"template\.json" is compressed in a way/,
    ],
    [
      'with an archive called a picture',
      () => archive([GOOD, { name: 'a.png', content: archive([GOOD]) }]),
      'BUNDLE_ENTRY_KIND',
      /"a\.png" is an archive itself/,
    ],
    [
      'with a gzip called text',
      () => archive([GOOD, { name: 'a.txt', content: Buffer.from('1f8b0800', 'hex') }]),
      'BUNDLE_ENTRY_KIND',
      /"a\.txt"/,
    ],
    ['whose entry says 0 and holds more', () => archive([GOOD, { name: 'a.json', content: bomb, size: 0 }]), 'BUNDLE_DAMAGED', /"a\.json"/],
    ['whose entry says 1 and holds more', () => archive([GOOD, { name: 'a.json', content: bomb, size: 1 }]), 'BUNDLE_DAMAGED', /"a\.json"/],
    [
      'whose entry says more than it holds',
      () => archive([GOOD, { name: 'a.json', content: 'x', size: 500 }]),
      'BUNDLE_DAMAGED',
      /"a\.json"/,
    ],
    [
      'that packs a thousand to one',
      () => archive([GOOD, { name: 'a.json', content: bomb }]),
      'BUNDLE_TOO_LARGE',
      /"a\.json" unpacks to more than 100 times/,
    ],
    [
      'with an entry that is too large',
      () => archive([GOOD, { name: 'a.png', content: Buffer.alloc(51 * MIB), method: 0 }]),
      'BUNDLE_TOO_LARGE',
      /"a\.png" has more than 50 MiB/,
    ],
    ['with a wrong checksum', () => archive([GOOD, { name: 'a.json', ...ok, crc: 1 }]), 'BUNDLE_DAMAGED', /"a\.json"/],
    [
      'with corrupt deflate',
      () => archive([GOOD, { name: 'a.json', content: 'x'.repeat(100), packed: Buffer.from('ffffffffffff', 'hex') }]),
      'BUNDLE_DAMAGED',
      /"a\.json"/,
    ],
    [
      'whose entry is cut short',
      () => archive([GOOD, { name: 'a.json', content: 'x'.repeat(100), packed: deflateRawSync('x'.repeat(100)).subarray(0, 3) }]),
      'BUNDLE_DAMAGED',
      /"a\.json"/,
    ],
    [
      'whose entries lie over each other',
      () => archive([GOOD, { name: 'a.json', content: GOOD.content, offset: 0 }]),
      'BUNDLE_DAMAGED',
      /lie over each other/,
    ],
    ['whose entry lies behind its end', () => archive([{ ...GOOD, offset: 4_000_000 }]), 'BUNDLE_DAMAGED', /./],
    ['that is no zip', () => Buffer.from('PK\x03\x04 and nothing more'), 'BUNDLE_DAMAGED', /./],
    ['that is empty', () => Buffer.alloc(0), 'BUNDLE_DAMAGED', /./],
    ['that says it has more entries than it has', () => archive([GOOD], 3), 'BUNDLE_DAMAGED', /./],
    [
      'with too many entries',
      () => archive(Array.from({ length: 501 }, (_, n) => ({ name: `a${n}.json`, ...ok }))),
      'BUNDLE_TOO_MANY',
      /501 entries/,
    ],
  ])('%s', async (_what, make, code, message) => {
    const { problems, files, outside } = await unpack(make());
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code, message: expect.stringMatching(message), file: 'given.callsheet' });
    expect(files).toEqual([]);
    expect(outside).toEqual([]);
  });

  it('whose entries together are too large, before anything is written', async () => {
    const limits = { entries: 10, archive: 10_000, entry: 1000, total: 1500, ratio: 100, ratioFrom: MIB };
    const { problems, into } = await unpack(
      archive([1, 2].map((n) => ({ name: `a${n}.json`, content: Buffer.alloc(900, 32), method: 0 }))),
      limits,
    );
    expect(problems).toMatchObject([{ code: 'BUNDLE_TOO_LARGE' }]);
    expect(readdirSync(into)).toEqual([]);
  });

  it('that is larger than a bundle may be', async () => {
    const limits = { entries: 10, archive: 50, entry: 1000, total: 1500, ratio: 100, ratioFrom: MIB };
    expect((await unpack(archive([GOOD]), limits)).problems).toMatchObject([{ code: 'BUNDLE_TOO_LARGE' }]);
  });

  it('with a problem for each bad entry, but not five hundred', async () => {
    const bad = Array.from({ length: 100 }, (_, n) => ({ name: `a${n}.exe`, ...ok }));
    expect((await unpack(archive(bad))).problems).toHaveLength(20);
  });

  it('cut anywhere', async () => {
    const whole = Buffer.from(packBundle(new Map([['template.json', Buffer.from('{}'.repeat(50))]])));
    for (let length = 0; length < whole.length; length += 1) {
      expect((await unpack(whole.subarray(0, length))).problems).toHaveLength(1);
    }
  });

  it('changed anywhere, or gives the files that were packed', async () => {
    const whole = Buffer.from(
      packBundle(
        new Map([
          ['template.json', Buffer.from('{"a": 1}')],
          ['media/a.png', Buffer.from('pixels')],
        ]),
      ),
    );
    const change = fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const mutant = Buffer.from(whole);
        for (const { at, byte } of changes) mutant[at] = byte;
        const { files, problems, outside, into } = await unpack(mutant);
        expect(outside).toEqual([]);
        expect(problems.length > 0 && files.length > 0).toBe(false);
        for (const { name, bytes } of files) expect(readFileSync(join(into, name))).toHaveLength(bytes);
      }),
      { numRuns: 300 },
    );
  });

  it('but takes folders, which are not files', async () => {
    const { files, problems } = await unpack(
      archive([{ name: 'media/', content: '', method: 0, mode: 0o040755 }, GOOD, { name: 'media/a.png', ...ok }]),
    );
    expect(problems).toEqual([]);
    expect(files.map(({ name }) => name)).toEqual(['template.json', 'media/a.png']);
  });
});
