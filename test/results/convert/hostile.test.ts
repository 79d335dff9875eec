// What converters get from strangers: files that lie, swell or break off, and a daemon that dies. Each is refused with a clause, and nothing stays.
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it, vi } from 'vitest';
import { kindOf } from '#protocol/file-formats.ts';
import { convertFiles } from '#results/convert/convert.ts';
import type { ConvertSource } from '#results/convert/request.ts';
import type { FilmWish } from '#results/convert/ffmpeg-args.ts';
import { ffmpegPath } from '#results/convert/find-ffmpeg.ts';
import { pngChunk } from '../samples.ts';

const FFMPEG = ffmpegPath() !== undefined;
if (!FFMPEG) console.warn('SKIPPED: no hostile film is converted, because there is no ffmpeg on PATH');
const MEDIA = join(import.meta.dirname, '..', '..', 'fixtures', 'media');
const SECRET = 'the content of a file of the user';

interface Tried {
  /** Why it was refused. */
  readonly why: string | undefined;
  readonly made: Buffer | undefined;
  readonly left: readonly string[];
}

async function convert(content: Buffer | string, mediaType: string, wish: FilmWish, name = 'in'): Promise<Tried> {
  const directory = mkdtempSync(join(tmpdir(), 'callsheet-hostile-'));
  const path = join(directory, name);
  writeFileSync(path, content);
  writeFileSync(join(directory, 'secret.txt'), SECRET);
  const source: ConvertSource = { path, mediaType, kind: kindOf(mediaType) };
  let made: Buffer | undefined;
  let why: string | undefined;
  try {
    await convertFiles({ sources: [source], wish, directory, signal: new AbortController().signal }, async (result) => {
      made = readFileSync(result.kind === 'file' ? result.path : (result.paths[0] ?? ''));
      return Promise.resolve();
    });
  } catch (error) {
    why = error instanceof Error ? error.message : String(error);
  }
  return { why, made, left: readdirSync(directory).filter((one) => one !== name && one !== 'secret.txt') };
}

function png(width: number, height: number, data: Buffer): Buffer {
  const size = Buffer.alloc(13);
  size.writeUInt32BE(width, 0);
  size.writeUInt32BE(height, 4);
  size.writeUInt8(1, 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', size),
    pngChunk('IDAT', data),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

describe('pictures that are converted', () => {
  it.each([
    ['of 200 million pixels', png(20_000, 10_000, deflateSync(Buffer.alloc(2501 * 10_000))), 'image/png'],
    ['that says it has 2^31 pixels in a row', png(2 ** 31 - 1, 2, deflateSync(Buffer.alloc(10))), 'image/png'],
    ['that ends in the middle', png(64, 64, deflateSync(Buffer.alloc(3))), 'image/png'],
    [
      'that is a drawing by another name',
      '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><image href="secret.txt"/></svg>',
      'image/png',
    ],
    ['that is nothing', '', 'image/webp'],
    ['that is a page', '<!doctype html><title>502</title>', 'image/jpeg'],
  ])('are refused where one is one %s', async (_, content, mediaType) => {
    for (const to of ['jpg', 'exr'] as const) {
      const { why, made, left } = await convert(content, mediaType, { to });
      expect(why).toMatch(/\S/);
      expect(made).toBeUndefined();
      expect(left).toEqual([]);
    }
  });

  it.each(['-i.png', '%06d.png', 'a b;$(touch owned).png', 'ünï\u202ecode.png', 'a\nb.png'])('may have any name: %j', async (name) => {
    const picture = await sharp({ create: { width: 32, height: 16, channels: 3, background: '#804020' } })
      .png()
      .toBuffer();
    for (const to of FFMPEG ? (['jpg', 'exr', 'mp4'] as const) : (['jpg'] as const)) {
      const { why, made, left } = await convert(picture, 'image/png', { to }, name);
      expect(why).toBeUndefined();
      expect(made?.length).toBeGreaterThan(0);
      expect(left).toEqual([]);
    }
  });
});

describe.skipIf(!FFMPEG)('films and sounds that are converted', () => {
  const playlist = '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.txt\n#EXT-X-ENDLIST\n';
  const concat = "ffconcat version 1.0\nfile 'secret.txt'\n";
  it.each([
    ['a playlist', playlist, 'video/mp4', 'mp4'],
    ['a list of other files', concat, 'video/webm', 'gif'],
    ['a list, as a sound', concat, 'audio/flac', 'wav'],
    ['a film that breaks off', readFileSync(join(MEDIA, 'h264-aac.mp4')).subarray(0, 900), 'video/mp4', 'webm'],
    ['a sound without a sound', readFileSync(join(MEDIA, 'stereo.flac')).subarray(0, 42), 'audio/flac', 'mp3'],
    ['a film where a sound should be', readFileSync(join(MEDIA, 'vp9-alpha.webm')), 'video/webm', 'wav'],
    ['noise', Buffer.from(Array.from({ length: 5000 }, (_, n) => (n * 7919) % 251)), 'video/mp4', 'frames'],
  ] as const)('are refused where one is %s', async (_, content, mediaType, to) => {
    const { why, made, left } = await convert(content, mediaType, { to });
    expect(why).toMatch(/\S/);
    expect(why).not.toContain(SECRET);
    expect(made).toBeUndefined();
    expect(left).toEqual([]);
  });

  it('are refused or converted, whatever stands in them, and never hang (changed at random)', { timeout: 600_000 }, async () => {
    const film = readFileSync(join(MEDIA, 'h264-faststart.mp4'));
    for (let seed = 1; seed <= 6; seed += 1) {
      const bytes = Buffer.from(film);
      for (let n = 0; n < 40; n += 1) bytes[(seed * 104_729 + n * 7919) % bytes.length] = (seed * 31 + n * 17) % 256;
      const { why, made, left } = await convert(bytes, 'video/mp4', { to: 'mp4', maxSize: 64 });
      expect((why === undefined) !== (made === undefined)).toBe(true);
      expect(left).toEqual([]);
    }
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a daemon that is killed while it converts', () => {
  it('takes the converter and its program with it', { timeout: 120_000 }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'callsheet-killed-'));
    const [pidFile, program, input] = [join(directory, 'pid'), join(directory, 'ffmpeg'), join(directory, 'in.gif')];
    writeFileSync(program, `#!/bin/sh\necho $$ > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; exec sleep 1000\n`);
    chmodSync(program, 0o755);
    writeFileSync(input, readFileSync(join(MEDIA, 'anim.gif')));
    const parent = spawn(process.execPath, [join(import.meta.dirname, 'killed-parent.ts'), directory, input, program], { stdio: 'ignore' });
    await vi.waitFor(() => expect(existsSync(pidFile)).toBe(true), { timeout: 60_000, interval: 50 });
    const pid = Number(readFileSync(pidFile, 'utf8'));
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 60_000, interval: 50 });
  });
});
