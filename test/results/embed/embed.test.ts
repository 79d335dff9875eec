// Texts put into media files: read back as they were, pictures and sounds untouched, everything else in the file kept, hostile files survived.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { bytesInMemory } from '#results/bytes.ts';
import { findWorkflows } from '#results/embedded/find-workflows.ts';
import { readEmbedded } from '#results/embedded/read.ts';
import { EMBEDDABLE, embed, embedChecked } from '#results/embed/embed.ts';
import { sniff } from '#results/sniff.ts';
import { commented, film, png, text } from '../embedded/samples.ts';
import { freshDirectory, picture, wav } from '../samples.ts';

const PROMPT = '{"3": {"class_type": "KSampler", "inputs": {"seed": 18446744073709551615, "text": "Zürich 東京 \\"{a|b}\\" \\u0000"}}}';
const WORKFLOW = '{"nodes": [{"id": 3, "type": "KSampler", "title": "ünï"}], "links": [], "version": 0.4}';
const TEXTS = { prompt: PROMPT, workflow: WORKFLOW, callsheet: '{"draft":false,"runId":"r1","name":"é"}' };

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function hasFfmpeg(): boolean {
  try {
    execFileSync('ffmpeg', ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const FFMPEG = hasFfmpeg();
if (!FFMPEG) console.warn('SKIPPED: films and sounds are not embedded into and decoded, because there is no ffmpeg on PATH');

/** Makes a file with ffmpeg's own test sources. */
function made(directory: string, name: string, ...args: readonly string[]): Buffer {
  const path = join(directory, name);
  execFileSync('ffmpeg', ['-v', 'error', ...args, '-y', path]);
  return readFileSync(path);
}
const PICTURES = ['-f', 'lavfi', '-i', 'testsrc=size=64x48:rate=8:duration=1'];
const SOUND = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=1'];
const SHORTEST = ['-shortest', '-c:a', 'aac'];

/** md5 of every decoded frame and sample. */
function decoded(path: string): string {
  return execFileSync('ffmpeg', ['-v', 'error', '-i', path, '-f', 'framemd5', '-'])
    .toString()
    .replaceAll(/^#.*\n/gm, '');
}

async function put(
  bytes: Uint8Array,
  name = 'file',
): Promise<{ readonly from: string; readonly to: string; readonly bytes: Buffer; readonly result: object }> {
  const directory = freshDirectory();
  const from = join(directory, name);
  const to = join(directory, `rich-${name}`);
  writeFileSync(from, bytes);
  const result = await embedChecked(from, to, sniff(bytes.subarray(0, 4096)).mediaType, TEXTS);
  return { from, to, bytes: existsSync(to) ? readFileSync(to) : Buffer.alloc(0), result };
}

async function textsIn(bytes: Uint8Array) {
  const { texts, leftOut } = await readEmbedded(bytesInMemory(bytes));
  expect(leftOut).toEqual([]);
  return texts;
}

async function expectTexts(bytes: Uint8Array): Promise<void> {
  const { api, ui } = findWorkflows(await textsIn(bytes));
  expect(JSON.parse(api?.text.replace('18446744073709551615', '"big"') ?? 'null')).toEqual(
    JSON.parse(PROMPT.replace('18446744073709551615', '"big"')),
  );
  expect(api?.text).toContain('18446744073709551615');
  expect(JSON.parse(ui?.text ?? 'null')).toEqual(JSON.parse(WORKFLOW));
}

const STILLS: readonly (readonly [string, () => Promise<Buffer>])[] = [
  ['PNG', () => picture().png().toBuffer()],
  ['PNG of 16 bits with alpha', () => picture().ensureAlpha(0.5).toColourspace('rgb16').png().toBuffer()],
  ['WebP, lossy', () => picture().webp().toBuffer()],
  ['WebP, lossless', () => picture().webp({ lossless: true }).toBuffer()],
  ['WebP with alpha', () => picture().ensureAlpha(0.5).webp({ lossless: true }).toBuffer()],
  ['WebP with a profile', () => picture().withIccProfile('p3').webp().toBuffer()],
  ['JPEG', () => picture().jpeg().toBuffer()],
  ['JPEG with a profile', () => picture().withIccProfile('p3').jpeg().toBuffer()],
];

describe('texts put into pictures', () => {
  it.each(STILLS)('are read back from %s, and every pixel is as it was', async (_, make) => {
    const before = await make();
    const { bytes, result } = await put(before);
    expect(result).toEqual({ bytes: bytes.length, sha256: sha256(bytes) });
    await expectTexts(bytes);
    const pixels = async (one: Buffer) => sharp(one).raw({ depth: 'ushort' }).toBuffer({ resolveWithObject: true });
    const [old, rich] = [await pixels(before), await pixels(bytes)];
    expect(rich.info).toEqual(old.info);
    expect(rich.data.equals(old.data)).toBe(true);
    expect((await sharp(bytes).metadata()).icc).toEqual((await sharp(before).metadata()).icc);
  });

  it('are read back from a moving WebP, with all of its frames', async () => {
    const frames = await Promise.all(
      [10, 200].map((r) =>
        sharp({ create: { width: 8, height: 6, channels: 3, background: { r, g: 0, b: 0 } } })
          .png()
          .toBuffer(),
      ),
    );
    const before = await sharp(frames, { join: { animated: true } })
      .webp({ delay: [100, 200] })
      .toBuffer();
    const { bytes } = await put(before);
    await expectTexts(bytes);
    expect(await sharp(bytes, { animated: true }).metadata()).toMatchObject({ pages: 2, delay: [100, 200] });
  });

  it('take the place of those of the same name, and leave others', async () => {
    const first = await png(
      text('prompt', '{"9": {"class_type": "Old", "inputs": {}}}'),
      text('parameters', 'steps: 3'),
      text('workflow', '{}'),
    );
    const once = await put(first);
    const twice = await put(once.bytes);
    expect((await textsIn(twice.bytes)).map(({ key }) => key).toSorted()).toEqual(['callsheet', 'parameters', 'prompt', 'workflow']);
    expect(twice.bytes.equals(once.bytes)).toBe(true);
  });

  it('are plain ASCII, since readers of ComfyUI’s page take bytes for characters', async () => {
    const { bytes } = await put(await picture().png().toBuffer());
    const start = bytes.indexOf('prompt\0');
    expect([...bytes.subarray(start, start + PROMPT.length)].every((byte) => byte < 0x80)).toBe(true);
  });

  it('stay out of a JPEG that they do not fit into, which stays as it is', async () => {
    const directory = freshDirectory();
    writeFileSync(join(directory, 'a.jpg'), await picture().jpeg().toBuffer());
    const long = { ...TEXTS, prompt: JSON.stringify({ '1': { class_type: 'x', inputs: { text: 'x'.repeat(70_000) } } }) };
    expect(await embed(join(directory, 'a.jpg'), join(directory, 'b.jpg'), 'image/jpeg', long)).toEqual({
      refused: expect.stringContaining('64 KiB'),
    });
    expect(readdirSync(directory)).toEqual(['a.jpg']);
  });

  it('go into a comment of a JPEG that has Exif of its own', async () => {
    const before = await picture()
      .withExif({ IFD0: { Artist: 'somebody' } })
      .jpeg()
      .toBuffer();
    const { bytes } = await put(before);
    await expectTexts(bytes);
    expect((await sharp(bytes).metadata()).exif).toEqual((await sharp(before).metadata()).exif);
  });
});

describe('texts put into films and sounds', () => {
  const FILMS: readonly (readonly [string, string, readonly string[]])[] = [
    ['MP4 with its index behind', 'a.mp4', [...PICTURES, ...SOUND, ...SHORTEST]],
    ['MP4 with its index in front', 'a.mp4', [...PICTURES, ...SOUND, ...SHORTEST, '-movflags', '+faststart']],
    [
      'MP4 as ComfyUI writes it',
      'a.mp4',
      [...PICTURES, '-movflags', 'use_metadata_tags', '-metadata', 'prompt={"1":{}}', '-metadata', 'title=kept'],
    ],
    ['QuickTime', 'a.mov', [...PICTURES, ...SOUND, '-shortest', '-c:v', 'prores_ks', '-c:a', 'pcm_s16le']],
    ['M4A', 'a.m4a', SOUND],
    ['FLAC', 'a.flac', [...SOUND, '-metadata', 'title=kept']],
    ['MP3', 'a.mp3', [...SOUND, '-metadata', 'title=kept']],
    ['MP3 with an older tag', 'a.mp3', [...SOUND, '-metadata', 'title=kept', '-id3v2_version', '3']],
    ['MP3 without a tag', 'a.mp3', [...SOUND, '-id3v2_version', '0', '-write_xing', '0']],
    ['WAV', 'a.wav', SOUND],
  ];
  it.skipIf(!FFMPEG).each(FILMS)('are read back from %s, and every frame and sample is as it was', async (_, name, args) => {
    const before = made(freshDirectory(), name, ...args);
    const { bytes, from, to, result } = await put(before, name);
    expect(result).toEqual({ bytes: bytes.length, sha256: sha256(bytes) });
    await expectTexts(bytes);
    expect(decoded(to)).toBe(decoded(from));
    expect((await put(bytes, name)).bytes.equals(bytes)).toBe(true);
    if (!args.includes('title=kept')) return;
    expect(execFileSync('ffprobe', ['-v', 'error', '-show_entries', 'format_tags', '-of', 'json', to]).toString()).toContain('kept');
  });

  it.skipIf(!FFMPEG)('end where their JSON ends, as ComfyUI’s page looks for it in MP3', async () => {
    const directory = freshDirectory();
    const from = join(directory, 'a.mp3');
    const to = join(directory, 'b.mp3');
    writeFileSync(from, made(freshDirectory(), 'a.mp3', ...SOUND));
    await embedChecked(from, to, 'audio/mpeg', { ...TEXTS, prompt: `${PROMPT}\n`, workflow: `${WORKFLOW}\r\n` });
    const header = readFileSync(to).toString('latin1');
    expect(JSON.parse(/prompt\0(\{.*?\})\0/s.exec(header)?.[1] ?? '')).toEqual(JSON.parse(PROMPT));
    expect(JSON.parse(/workflow\0(\{.*?\})\0/s.exec(header)?.[1] ?? '')).toEqual(JSON.parse(WORKFLOW));
  });

  it('leave iTunes’ comment where it is, in which Wan2GP keeps its settings', async () => {
    const { bytes } = await put(commented('{"model_type": "t2v_1.3B", "seed": 7}'));
    await expectTexts(bytes);
    expect((await textsIn(bytes)).find(({ key }) => key === 'comment')?.text).toContain('t2v_1.3B');
  });

  it('stand first in a film that has other texts', async () => {
    const { bytes } = await put(film({ prompt: '{"old": 1}', Title: 'kept' }));
    expect((await textsIn(bytes)).map(({ key }) => key).toSorted()).toEqual(['Title', 'callsheet', 'prompt', 'workflow']);
  });

  it.skipIf(!FFMPEG)('stay out of a fragmented film', async () => {
    const { result } = await put(made(freshDirectory(), 'a.mp4', ...PICTURES, '-movflags', 'frag_keyframe+empty_moov'));
    expect(result).toEqual({ refused: expect.stringContaining('fragmented') });
  });
});

describe('texts put into models', () => {
  const glb = (json: string): Buffer => {
    const content = Buffer.from(json.padEnd(Math.ceil(json.length / 4) * 4));
    const head = Buffer.alloc(20);
    head.write('glTF', 0, 'latin1');
    head.writeUInt32LE(2, 4);
    head.writeUInt32LE(20 + content.length + 12, 8);
    head.writeUInt32LE(content.length, 12);
    head.write('JSON', 16, 'latin1');
    return Buffer.concat([head, content, Buffer.from([4, 0, 0, 0]), Buffer.from('BIN\0'), Buffer.from([1, 2, 3, 4])]);
  };
  it.each([
    ['without extras', '{"asset": {"version": "2.0"}, "nodes": []}', '"nodes": []'],
    ['with extras of others', '{"asset": {"version": "2.0", "extras": {"a": 1.50, "prompt": "{}"}}}', '"a": 1.50'],
  ])('are read back %s, and the model is as it was', async (_, json, kept) => {
    const { bytes } = await put(glb(json));
    await expectTexts(bytes);
    expect(bytes.readUInt32LE(8)).toBe(bytes.length);
    expect(bytes.subarray(-12)).toEqual(glb(json).subarray(-12));
    const inside = bytes.toString('utf8', 20, 20 + bytes.readUInt32LE(12));
    expect(JSON.parse(inside).asset.version).toBe('2.0');
    expect(inside).toContain(kept);
  });
});

describe('hostile files', () => {
  it('never break it: cut short at every byte, or with any bytes changed, they are refused or are whole afterwards', async () => {
    const samples = [
      ...(await Promise.all(STILLS.slice(0, 7).map(([, make]) => make()))),
      film({ prompt: '{}', a: 'b' }),
      wav().subarray(0, 60),
      ...(FFMPEG
        ? [
            made(freshDirectory(), 'a.flac', ...SOUND).subarray(0, 400),
            made(freshDirectory(), 'a.mp3', ...SOUND, '-metadata', 'a=b').subarray(0, 400),
          ]
        : []),
    ].map((one) => one.subarray(0, 600));
    const directory = freshDirectory();
    let count = 0;
    /** Names of formats whose file was not as long as it was said to be. */
    const liars = async (bytes: Buffer): Promise<readonly string[]> => {
      const found: string[] = [];
      const from = join(directory, `in-${String((count += 1))}`);
      writeFileSync(from, bytes);
      for (const mediaType of EMBEDDABLE) {
        const result = await embed(from, `${from}.out`, mediaType, TEXTS);
        if (!('refused' in result) && readFileSync(`${from}.out`).length !== result.bytes) found.push(mediaType);
        rmSync(`${from}.out`, { force: true });
      }
      return found;
    };
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...samples),
        fc.nat(600),
        fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { maxLength: 6 }),
        async (sample, cut, changes) => {
          const bytes = Buffer.from(sample.subarray(0, Math.max(1, cut)));
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          expect(await liars(bytes)).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });
});
