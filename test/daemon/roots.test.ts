import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRoots, isInside } from '#daemon/roots.ts';
import { SIZE_CAPS } from '#daemon/media-kinds.ts';
import type { AssetRow } from '#store/types.ts';

const PNG = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(100)]);
let dir = '';
const at = (...parts: string[]): string => join(dir, ...parts);
const open = (asset?: AssetRow) =>
  createRoots({ roots: [at('root')], asset: (id) => (id === asset?.assetId ? asset : undefined), caps: { ...SIZE_CAPS, image: 1000 } });

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'callsheet-roots-'));
  for (const folder of ['root/deep', 'rootling', 'outside', 'root/folder.png']) mkdirSync(at(folder), { recursive: true });
  for (const file of ['root/a.png', 'root/deep/b c.png', 'rootling/a.png', 'outside/a.png']) writeFileSync(at(file), PNG);
  writeFileSync(at('root/text.png'), 'ssh-rsa AAAA\n');
  writeFileSync(at('root/empty.png'), '');
  writeFileSync(at('root/big.png'), Buffer.concat([PNG, Buffer.alloc(1000)]));
  writeFileSync(at('root/page.svg'), '<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>');
  symlinkSync(at('outside/a.png'), at('root/out.png'));
  symlinkSync(at('outside'), at('root/outdir'));
  symlinkSync(at('root/a.png'), at('root/in.png'));
  symlinkSync(at('nowhere'), at('root/dangling.png'));
  symlinkSync(at('root/loop.png'), at('root/loop.png'));
  symlinkSync(at('root'), at('linked-root'));
  linkSync(at('root/a.png'), at('root/hard.png'));
  execFileSync('mkfifo', [at('root/pipe.png')]);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('[S18] [S25] approved roots', () => {
  it.each(['root/a.png', 'root/deep/b c.png', 'root/in.png', 'root/deep/../a.png', 'root/hard.png', 'linked-root/../root/a.png'])(
    'let %s through, hashed and with its real path',
    async (path) => {
      const media = await open().resolveMedia(at(path), 'image');
      expect(media).toMatchObject({ bytes: PNG.length, mediaType: 'image/png', sha256: createHash('sha256').update(PNG).digest('hex') });
      expect(isInside(at('root'), media.path)).toBe(true);
    },
  );

  it.each([
    'outside/a.png',
    'rootling/a.png',
    'root/../outside/a.png',
    'root/out.png',
    'root/outdir/a.png',
    'root/deep/../../rootling/a.png',
    'root\0/a.png',
    'root/a.png\0',
  ])('refuse %j with PATH_NOT_ALLOWED and name --root', async (path) => {
    await expect(open().resolveMedia(`${dir}/${path}`, 'image')).rejects.toMatchObject({ code: 'PATH_NOT_ALLOWED' });
  });

  it.each([
    '/etc/passwd',
    '/proc/self/environ',
    '/dev/zero',
    '/',
    '',
    '.',
    'a.png',
    '../a.png',
    '~/a.png',
    'file:///etc/passwd',
    'http://127.0.0.1/a.png',
    '\\\\server\\share\\a.png',
    'C:\\a.png',
    '%2e%2e/a.png',
  ])('refuse "%s"', async (path) => {
    await expect(open().resolveMedia(path, 'file')).rejects.toMatchObject({ code: 'PATH_NOT_ALLOWED' });
  });

  it('say the same of a path outside whether it exists or not', async () => {
    const [there, missing] = await Promise.all(
      [at('outside/a.png'), at('outside/missing.png')].map((path) =>
        open()
          .resolveMedia(path, 'image')
          .catch((error: unknown) => String(error)),
      ),
    );
    expect(there).toBe(missing);
  });

  it.each(['root/missing.png', 'root/a.png/b', 'root/folder.png', 'root/pipe.png', 'root/dangling.png', 'root/loop.png'])(
    'say FILE_NOT_FOUND for %s',
    async (path) => {
      await expect(open().resolveMedia(at(path), 'image')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    },
  );

  it.each([
    ['root/text.png', 'image'],
    ['root/empty.png', 'image'],
    ['root/page.svg', 'image'],
    ['root/a.png', 'audio'],
    ['root/a.png', 'model3d'],
    ['root/empty.png', 'file'],
  ] as const)('refuse %s for a parameter of type %s by its content', async (path, kind) => {
    await expect(open().resolveMedia(at(path), kind)).rejects.toMatchObject({ code: 'MEDIA_INVALID' });
  });

  it('refuse a file beyond the limit of its kind', async () => {
    await expect(open().resolveMedia(at('root/big.png'), 'image')).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
    expect(await open().resolveMedia(at('root/big.png'), 'file')).toMatchObject({ bytes: PNG.length + 1000 });
  });

  it('count other directories as roots for one value alone', async () => {
    expect(await open().resolveMedia(at('outside/a.png'), 'image', [at('outside')])).toMatchObject({ name: 'a.png' });
    await expect(open().resolveMedia(at('outside/a.png'), 'image')).rejects.toMatchObject({ code: 'PATH_NOT_ALLOWED' });
  });

  it('take a root that is itself a link', async () => {
    const roots = createRoots({ roots: [at('linked-root')], asset: () => undefined });
    expect(await roots.resolveMedia(at('linked-root/a.png'), 'image')).toMatchObject({ path: at('root/a.png') });
    expect(await roots.resolveMedia(at('root/a.png'), 'image')).toMatchObject({ path: at('root/a.png') });
  });
});

describe('[S25] uploads as values', () => {
  const row = (): AssetRow => ({
    assetId: 'x',
    path: at('outside/a.png'),
    name: 'mine.png',
    mediaType: 'image/png',
    bytes: PNG.length,
    sha256: 's',
    createdAt: 0,
  });

  it('are taken by their id', async () => {
    expect(await open(row()).resolveMedia('asset:x', 'image')).toEqual({
      $media: 'media',
      path: at('outside/a.png'),
      name: 'mine.png',
      mediaType: 'image/png',
      bytes: PNG.length,
      sha256: 's',
    });
  });

  it.each(['asset:', 'asset:y', 'asset:../x', 'asset:X'])('are unknown as "%s"', async (value) => {
    await expect(open(row()).resolveMedia(value, 'image')).rejects.toMatchObject({ code: 'ASSET_NOT_FOUND' });
  });

  it('are refused when the file is gone or the kind is another', async () => {
    await expect(open({ ...row(), path: at('gone') }).resolveMedia('asset:x', 'image')).rejects.toMatchObject({ code: 'ASSET_NOT_FOUND' });
    await expect(open({ ...row(), bytes: 5 }).resolveMedia('asset:x', 'image')).rejects.toMatchObject({ code: 'ASSET_NOT_FOUND' });
    await expect(open(row()).resolveMedia('asset:x', 'audio')).rejects.toMatchObject({ code: 'MEDIA_INVALID' });
  });
});

describe('a path inside a root', () => {
  it.each([
    ['/a', '/a', true],
    ['/a', '/a/b', true],
    ['/a', '/a/..b', true],
    ['/a', '/ab', false],
    ['/a', '/', false],
    ['/a', '/b', false],
    ['/', '/b', true],
  ])('of %s: %s is %s', (root, path, expected) => {
    expect(isInside(root, path)).toBe(expected);
  });
});

it('needs rights to read', async () => {
  writeFileSync(at('root/locked.png'), PNG);
  chmodSync(at('root/locked.png'), 0o000);
  // Root may read everything: then the file is simply taken.
  const outcome = await open()
    .resolveMedia(at('root/locked.png'), 'image')
    .then(
      () => 'taken',
      (error: { code: string }) => error.code,
    );
  expect(outcome).toBe(process.getuid?.() === 0 ? 'taken' : 'FILE_NOT_FOUND');
});
