// What outputs of a template are converted to, from run to file: the originals kept, failures told and nothing lost, redone after a kill without a second copy.
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ConversionTarget } from '#protocol/assets.ts';
import type { ArtifactView, RunView } from '#protocol/views.ts';
import { findMade } from '#results/convert/find-made.ts';
import { ffmpegPath } from '#results/convert/find-ffmpeg.ts';
import { readSidecar, sidecarPath } from '#results/sidecar.ts';
import { faultsOf } from '../results/sidecar-schema.ts';
import { openPlace, type Place } from './exchange/exchange-harness.ts';

const FFMPEG = ffmpegPath() !== undefined;
if (!FFMPEG) console.warn('SKIPPED: nothing is converted to films, sounds and OpenEXR, because there is no ffmpeg on PATH');

afterEach(() => void vi.unstubAllEnvs());

/** Three stills of 64 × 32, and the same as a moving WebP. */
async function openStage(outputs: object): Promise<Place> {
  const place = await openPlace();
  const folder = join(place.dir, 'templates', 'stage');
  mkdirSync(folder, { recursive: true });
  const graph = {
    '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 32, batch_size: 1, color: 0x8040ff } },
    '4': { class_type: 'ImageInvert', inputs: { image: ['1', 0] } },
    '5': { class_type: 'ImageBatch', inputs: { image1: ['1', 0], image2: ['4', 0] } },
    '6': { class_type: 'ImageBatch', inputs: { image1: ['5', 0], image2: ['1', 0] } },
    '2': { class_type: 'SaveImage', inputs: { images: ['6', 0], filename_prefix: 'still' } },
    '3': {
      class_type: 'SaveAnimatedWEBP',
      inputs: { images: ['6', 0], filename_prefix: 'film', fps: 8, lossless: true, quality: 80, method: 'default' },
    },
  };
  const manifest = {
    format: 1,
    id: 'stage',
    version: '1.0.0',
    title: 'Stage',
    parameters: { colour: { type: 'integer', default: 0x8040ff } },
    steps: [{ id: 'draw', workflow: 'draw.json', set: { '1.color': '{colour}' }, outputs: { stills: '2', film: '3' } }],
    outputs,
  };
  writeFileSync(join(folder, 'draw.json'), JSON.stringify(graph));
  writeFileSync(join(folder, 'template.json'), JSON.stringify(manifest));
  await place.changed('stage', ({ runnable }) => runnable);
  return place;
}

async function run(place: Place, options: object = {}): Promise<RunView> {
  const { runId } = await place.client.call('run/start', { template: 'stage', ...options });
  return place.ended(runId);
}

const of = ({ artifacts }: RunView, output: string): readonly ArtifactView[] =>
  artifacts.filter(({ outputs }) => outputs?.includes(output));
const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
/** Whether a daemon that was killed before it said so finds the file again, by what it would make and nothing else. */
async function isFoundAgain({ path, conversion, output, index, sequence }: ArtifactView): Promise<boolean> {
  const directory = sequence === undefined ? dirname(path) : dirname(dirname(path));
  const baseName = index === 0 ? output : `${output}_${String(index + 1)}`;
  if (conversion === undefined) return false;
  return (await findMade({ directory, baseName, to: conversion.to as ConversionTarget, conversion }))?.facts.path === path;
}

const STILLS = '{steps.draw.stills}';
const FILM = '{steps.draw.film}';

describe('[TO4] an output that is converted', () => {
  it('is the new files, each beside its original, with its own note that says what it was made of', async () => {
    await using place = await openStage({
      review: { from: STILLS, convert: { to: 'jpg', quality: 70, maxSize: 16 } },
      plain: { from: STILLS },
    });
    const view = await run(place);
    expect(view).toMatchObject({ status: 'succeeded', problems: [] });
    const [plain, review] = [of(view, 'plain'), of(view, 'review')];
    expect(plain.map(({ mediaType }) => mediaType)).toEqual(['image/png', 'image/png', 'image/png']);
    expect(review.map(({ path }) => basename(path))).toEqual(['review.jpg', 'review_2.jpg', 'review_3.jpg']);
    for (const [index, artifact] of review.entries()) {
      expect(artifact).toMatchObject({ mediaType: 'image/jpeg', width: 16, height: 8, kind: 'image', sha256: sha256(artifact.path) });
      const { artifactId, sha256: hash } = plain[index] as ArtifactView;
      expect(artifact.conversion).toEqual({ to: 'jpg', from: [{ artifactId, sha256: hash }], options: { quality: 70, maxSize: 16 } });
      const { provenance } = await place.client.call('artifact/get', { artifactId: artifact.artifactId });
      // Beside it the note says as well whose the file is.
      const noted = (await readSidecar(sidecarPath(artifact.path)))?.provenance;
      expect(noted).toEqual({ ...provenance, store: expect.any(String) });
    }
    expect(readdirSync(dirname(plain[0]?.path ?? '')).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it('stays what it is where it is of that kind already', async () => {
    await using place = await openStage({ same: { from: STILLS, convert: { to: 'png' } } });
    const view = await run(place);
    expect(of(view, 'same').every(({ conversion }) => conversion === undefined)).toBe(true);
    expect(view.artifacts).toHaveLength(4);
  });

  it.each(['png', 'jpg', 'webp', 'tiff'])('makes %s of a moving picture’s first frame', async (to) => {
    await using place = await openStage({ still: { from: FILM, convert: { to } } });
    const [still] = of(await run(place), 'still');
    expect(await sharp(still?.path).metadata()).toMatchObject({ format: to === 'jpg' ? 'jpeg' : to, width: 64, height: 32 });
    expect(still !== undefined && (await isFoundAgain(still))).toBe(true);
  });

  it.skipIf(!FFMPEG)('makes OpenEXR in linear light', async () => {
    await using place = await openStage({
      linear: { from: '{steps.draw.stills[0]}', convert: { to: 'exr' } },
      back: { from: STILLS, convert: { to: 'exr' } },
    });
    const view = await run(place);
    const [exr] = of(view, 'linear');
    expect(exr).toMatchObject({ mediaType: 'image/x-exr' });
    expect(exr !== undefined && (await isFoundAgain(exr))).toBe(true);
    const { execFileSync } = await import('node:child_process');
    const bytes = execFileSync('ffmpeg', ['-v', 'error', '-i', exr?.path ?? '', '-f', 'rawvideo', '-pix_fmt', 'gbrpf32le', '-']);
    const plane = 64 * 32 * 4;
    const linear = (value: number): number => ((value / 255 + 0.055) / 1.055) ** 2.4;
    const [green, blue, red] = [0, 1, 2].map((n) => bytes.readFloatLE(n * plane));
    expect(red).toBeCloseTo(linear(0x80), 3);
    expect(green).toBeCloseTo(linear(0x40), 3);
    expect(blue).toBeCloseTo(1, 3);
  });

  it.skipIf(!FFMPEG).each([
    ['mp4', STILLS, 'video/mp4'],
    ['webm', STILLS, 'video/webm'],
    ['gif', STILLS, 'image/gif'],
    ['mp4', FILM, 'video/mp4'],
  ])('makes one %s of %s', async (to, from, mediaType) => {
    await using place = await openStage({ film: { from, convert: { to, fps: 12 }, asset: { kind: 'movie' } } });
    const view = await run(place);
    expect(view.problems).toEqual([]);
    const [film, ...others] = of(view, 'film');
    expect(others).toEqual([]);
    expect(film).toMatchObject({ mediaType, width: 64, height: 32, asset: { kind: 'movie', fps: expect.closeTo(12, 0) } });
    expect(film?.conversion?.from).toHaveLength(from === STILLS ? 3 : 1);
    expect(film !== undefined && (await isFoundAgain(film))).toBe(true);
  });

  it('are called by the pattern of the template, as files of steps are', async () => {
    await using place = await openStage({
      each: { from: STILLS, convert: { to: 'webp' }, asset: { kind: 'image', name: 'Shot {index|pad:2}' } },
      same: { from: STILLS, convert: { to: 'tiff' }, asset: { kind: 'image', name: 'plate' } },
    });
    const view = await run(place);
    expect(of(view, 'each').map(({ path }) => basename(path))).toEqual(['Shot 00.webp', 'Shot 01.webp', 'Shot 02.webp']);
    expect(of(view, 'same').map(({ path }) => basename(path))).toEqual(['plate.tiff', 'plate_2.tiff', 'plate_3.tiff']);
  });

  it('[TO11] gathers pictures into a sequence, numbered and in a folder of its own', async () => {
    await using place = await openStage({ plates: { from: STILLS, asset: { kind: 'image_sequence' } } });
    const view = await run(place);
    const [first, ...others] = of(view, 'plates');
    expect(others).toEqual([]);
    expect(first).toMatchObject({
      sequence: { count: 3, first: 1, pattern: 'plates_####.png', bytes: expect.any(Number) },
      asset: { kind: 'image_sequence', name: 'plates', frames: 3, firstFrame: 1, pattern: 'plates_####.png', colorSpace: 'sRGB' },
    });
    expect(faultsOf(JSON.parse(readFileSync(sidecarPath(first?.path ?? ''), 'utf8')))).toEqual([]);
    expect(first !== undefined && (await isFoundAgain(first))).toBe(true);
    expect(readdirSync(dirname(first?.path ?? ''))).toEqual(['.callsheet', 'plates_0001.png', 'plates_0002.png', 'plates_0003.png']);
    expect(first?.sha256).toBe(sha256(first?.path ?? ''));
  });

  it.skipIf(!FFMPEG)('takes a film apart into frames', async () => {
    await using place = await openStage({ plates: { from: FILM, convert: { to: 'frames', format: 'jpg', quality: 95 } } });
    const [first] = of(await run(place), 'plates');
    expect(first).toMatchObject({ mediaType: 'image/jpeg', sequence: { count: 3, pattern: 'plates_####.jpg' } });
  });

  it('gets its provenance put inside where the run asks for it', async () => {
    await using place = await openStage({ review: { from: '{steps.draw.stills[0]}', convert: { to: 'webp' } } });
    const [review] = of(await run(place, { embed: true }), 'review');
    expect(review?.source).toMatchObject({ mediaType: 'image/webp' });
    expect(readFileSync(review?.path ?? '').includes('"conversion":{"to":"webp"')).toBe(true);
  });

  it('gets it put into each of its frames, and what the step gave is left as it is', async () => {
    await using place = await openStage({
      plates: { from: STILLS, asset: { kind: 'image_sequence' }, embed: true },
      stills: { from: STILLS },
    });
    const view = await run(place);
    expect(view.problems).toEqual([]);
    const [first] = of(view, 'plates');
    expect(first).toMatchObject({ source: { mediaType: 'image/png' }, sequence: { count: 3 } });
    const folder = dirname(first?.path ?? '');
    const frames = readdirSync(folder).filter((name) => name.endsWith('.png'));
    expect(frames).toHaveLength(3);
    for (const name of frames) expect(readFileSync(join(folder, name)).includes('"conversion":{"to":"frames"')).toBe(true);
    for (const still of of(view, 'stills')) {
      expect(sha256(still.path)).toBe(still.sha256);
      expect(readFileSync(still.path).includes('"conversion"')).toBe(false);
    }
    expect(first?.sha256).toBe(sha256(first?.path ?? ''));
    expect(faultsOf(JSON.parse(readFileSync(sidecarPath(first?.path ?? ''), 'utf8')))).toEqual([]);
    expect(first !== undefined && (await isFoundAgain(first))).toBe(true);
  });
});

describe('an output that cannot carry what made it', () => {
  it('says so once for each reason, also of what was made by conversion, and not of texts', async () => {
    await using place = await openStage({
      small: { from: STILLS, convert: { to: 'tiff' } },
      plain: { from: STILLS },
    });
    const view = await run(place, { embed: true });
    expect(view.problems).toEqual([
      {
        code: 'EMBED_NOT_POSSIBLE',
        severity: 'warning',
        message:
          'Callsheet has put no graph and provenance into small.tiff and 2 more: files of its kind (image/tiff) have no place for them.',
        hint: expect.stringContaining('artifacts show'),
      },
    ]);
    expect(of(view, 'plain').every(({ source }) => source !== undefined)).toBe(true);
  });

  it.skipIf(!FFMPEG)('says so of frames, too, where their format has no place for it', async () => {
    await using place = await openStage({ plates: { from: STILLS, convert: { to: 'frames', format: 'tiff' } } });
    const view = await run(place, { embed: true });
    expect(view.problems).toMatchObject([
      { code: 'EMBED_NOT_POSSIBLE', message: expect.stringContaining('into plates_0001.tiff: files of its kind (image/tiff)') },
    ]);
    expect(of(view, 'plates')).toMatchObject([{ sequence: { count: 3 } }]);
  });
});

describe('[TO3] a conversion that takes ffmpeg', () => {
  it('is warned of with the template on a machine without it, and only then', async () => {
    const film = { film: { from: STILLS, convert: { to: 'mp4' } } };
    vi.stubEnv('CALLSHEET_FFMPEG', '/nowhere/ffmpeg');
    await using without = await openStage(film);
    const { template } = await without.client.call('template/get', { id: 'stage' });
    expect(template.problems).toMatchObject([
      {
        code: 'FFMPEG_MISSING',
        severity: 'warning',
        pointer: '/outputs/film/convert',
        message: expect.stringContaining('converted by ffmpeg, but CALLSHEET_FFMPEG names no program: /nowhere/ffmpeg.'),
        hint: expect.stringContaining('CALLSHEET_FFMPEG'),
      },
    ]);
    vi.stubEnv('CALLSHEET_FFMPEG', '');
    vi.stubEnv('PATH', '');
    await using nothing = await openStage(film);
    expect((await nothing.client.call('template/get', { id: 'stage' })).template.problems).toMatchObject([
      { message: expect.stringContaining('converted by ffmpeg, but ffmpeg was not found on this machine.') },
    ]);
    vi.stubEnv('CALLSHEET_FFMPEG', process.execPath);
    await using beside = await openStage(film);
    expect((await beside.client.call('template/get', { id: 'stage' })).template.problems).toEqual([]);
  });
});

describe('[TO5] a conversion that fails', () => {
  it('says so without ffmpeg, and the run keeps what the step gave', async () => {
    vi.stubEnv('CALLSHEET_FFMPEG', '/nowhere/ffmpeg');
    await using place = await openStage({ film: { from: STILLS, convert: { to: 'mp4' }, asset: { kind: 'movie' } } });
    const view = await run(place);
    expect(view.status).toBe('succeeded');
    expect(of(view, 'film').map(({ mediaType }) => mediaType)).toEqual(['image/png', 'image/png', 'image/png']);
    expect(view.problems.map(({ code }) => code)).toEqual(['OUTPUT_NOT_CONVERTED', 'ASSET_MISFIT', 'ASSET_MISFIT', 'ASSET_MISFIT']);
    expect(view.problems[0]).toMatchObject({ severity: 'warning', hint: expect.stringContaining('CALLSHEET_FFMPEG'), step: 'draw' });
  });

  it('says what the program said, and leaves nothing behind', async () => {
    await using place = await openStage({ film: { from: STILLS, convert: { to: 'webm' } } });
    const fake = join(place.dir, 'ffmpeg');
    writeFileSync(
      fake,
      '#!/bin/sh\ncase "$*" in *-version*) echo "ffmpeg version 9.9";; *-encoders*) echo;; *) echo "half" > out.webm; echo "no space for pictures" >&2; exit 3;; esac\n',
    );
    chmodSync(fake, 0o755);
    vi.stubEnv('CALLSHEET_FFMPEG', fake);
    const view = await run(place);
    expect(view.problems[0]?.message).toContain('no space for pictures');
    expect(readdirSync(dirname(view.artifacts[0]?.path ?? '')).some((name) => /partial|webm/.test(name))).toBe(false);
  });

  it('does not take a converter’s word: what is no whole file of its kind is no result', async () => {
    await using place = await openStage({ film: { from: STILLS, convert: { to: 'mp4' } } });
    const fake = join(place.dir, 'ffmpeg');
    writeFileSync(
      fake,
      '#!/bin/sh\ncase "$*" in *-version*) echo "ffmpeg version 9.9";; *-encoders*) echo;; *) echo "<html>" > out.mp4;; esac\n',
    );
    chmodSync(fake, 0o755);
    vi.stubEnv('CALLSHEET_FFMPEG', fake);
    const view = await run(place);
    expect(view.problems.map(({ code }) => code)).toContain('OUTPUT_NOT_CONVERTED');
    expect(of(view, 'film')).toHaveLength(3);
  });
});

describe('a run that is cancelled while it converts', () => {
  it('ends at once, and takes the converter with it', async () => {
    await using place = await openStage({ film: { from: STILLS, convert: { to: 'mp4' } } });
    const fake = join(place.dir, 'ffmpeg');
    const pid = join(place.dir, 'pid');
    writeFileSync(
      fake,
      `#!/bin/sh\ncase "$*" in *-version*) echo "ffmpeg version 9.9";; *-encoders*) echo;; *) echo $$ > ${pid}.new; mv ${pid}.new ${pid}; exec sleep 1000;; esac\n`,
    );
    chmodSync(fake, 0o755);
    vi.stubEnv('CALLSHEET_FFMPEG', fake);
    const { runId } = await place.client.call('run/start', { template: 'stage' });
    await vi.waitFor(() => expect(existsSync(pid)).toBe(true), { timeout: 20_000 });
    await place.client.call('run/cancel', { runId });
    const view = await place.ended(runId);
    expect(view.status).toBe('cancelled');
    expect(view.artifacts).toHaveLength(4);
    await vi.waitFor(() => expect(isAlive(Number(readFileSync(pid, 'utf8')))).toBe(false), { timeout: 20_000 });
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
