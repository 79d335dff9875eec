import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesInMemory } from '#results/bytes.ts';
import { findWorkflows } from '#results/embedded/find-workflows.ts';
import { readEmbedded } from '#results/embedded/read.ts';
import { box, element, picture } from '../samples.ts';
import {
  commented,
  everyKind,
  film,
  flac,
  glb,
  international,
  mp3,
  number32,
  packed,
  png,
  pngChunk,
  PROMPT,
  SETTINGS,
  text,
  wav,
  webm,
  WORKFLOW,
} from './samples.ts';

const read = (bytes: Uint8Array) => readEmbedded(bytesInMemory(bytes));
const workflowsIn = async (bytes: Uint8Array) => findWorkflows((await read(bytes)).texts);

const KINDS = await everyKind();
const EXIF_LOOP = await exifLoop();

describe('workflows in media', () => {
  it.each(KINDS)('are found in %s, to the last digit', async (_kind, bytes) => {
    const { api, ui } = await workflowsIn(bytes);
    expect(api?.text).toBe(PROMPT);
    expect(ui?.text).toBe(WORKFLOW);
  });

  it.each([
    ['the iTXt comment of a PNG', async () => png(international('comment', SETTINGS))],
    ['the iTunes comment of an MP4', async () => commented(SETTINGS)],
    ['the comment tag of a Matroska film', async () => webm({ comment: SETTINGS })],
    ['the json chunk of a WAV', async () => wav(SETTINGS)],
    ['the WanGP text of an MP3', async () => mp3({ WanGP: SETTINGS })],
    ['the UserComment of a JPEG', async () => jpegWithComment(Buffer.concat([Buffer.from('ASCII\0\0\0'), Buffer.from(SETTINGS)]))],
    [
      'the UserComment of a JPEG in UTF-16',
      async () => jpegWithComment(Buffer.concat([Buffer.from('UNICODE\0'), Buffer.from(SETTINGS, 'utf16le')])),
    ],
  ])('Wan2GP settings are found in %s', async (_place, make) => {
    expect((await workflowsIn(await make())).wan2gp?.text).toBe(SETTINGS);
  });

  it('are found in a comment that holds both as texts', async () => {
    const comment = JSON.stringify({ prompt: PROMPT, workflow: WORKFLOW });
    expect(await workflowsIn(commented(comment))).toEqual({
      api: { key: 'prompt', text: PROMPT },
      ui: { key: 'workflow', text: WORKFLOW },
    });
  });

  it('are taken from prompt before any other text', async () => {
    const other = '{"9": {"class_type": "Other", "inputs": {}}}';
    expect((await workflowsIn(await png(text('comment', other), text('prompt', PROMPT)))).api?.text).toBe(PROMPT);
  });

  it('are not seen in the parameters of another program', async () => {
    const { texts } = await read(await png(text('parameters', 'a castle\nNegative prompt: blurry\nSteps: 20')));
    expect(texts).toHaveLength(1);
    expect(findWorkflows(texts)).toEqual({});
  });

  it('survive a GLB that some program took for text', async () => {
    const mangled = glb(`{"asset":{"extras":{"prompt":${JSON.stringify(PROMPT)}}}}`);
    const bytes = Buffer.concat([mangled.subarray(0, 12), Buffer.from([0xef, 0xbf, 0xbd]), mangled.subarray(13)]);
    expect((await workflowsIn(bytes)).api?.text).toBe(PROMPT);
  });
});

describe('hostile media', () => {
  it.each(KINDS)('never fail or hang when %s is cut anywhere', async (_kind, bytes) => {
    const step = Math.max(1, Math.floor(bytes.length / 400));
    for (let length = 0; length < bytes.length; length += step) await expect(workflowsIn(bytes.subarray(0, length))).resolves.toBeDefined();
  });

  it.each(KINDS)('never fail or hang when %s is changed anywhere', async (_kind, bytes) => {
    const change = fc.record({ at: fc.nat(bytes.length - 1), with: fc.uint8Array({ minLength: 1, maxLength: 8 }) });
    const huge = fc.record({ at: fc.nat(bytes.length - 1), with: fc.constantFrom(...HUGE) });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(change, huge), { minLength: 1, maxLength: 6 }), async (changes) => {
        const mutant = Buffer.from(bytes);
        for (const one of changes) mutant.set(one.with.subarray(0, mutant.length - one.at), one.at);
        await expect(workflowsIn(mutant)).resolves.toBeDefined();
      }),
      { numRuns: 200 },
    );
  });

  it('never fail on bytes that only begin like media', async () => {
    const starts = KINDS.map(([, bytes]) => bytes.subarray(0, 16));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 600 }), async (start, rest) => {
        await expect(workflowsIn(Buffer.concat([start, rest]))).resolves.toBeDefined();
      }),
      { numRuns: 500 },
    );
  });

  it('a text that unpacks to more than a text may have is left out', async () => {
    const { texts, leftOut } = await read(await png(packed('workflow', Buffer.alloc(40 * 1024 * 1024, 0x20)), text('prompt', PROMPT)));
    expect(texts.map(({ key }) => key)).toEqual(['prompt']);
    expect(leftOut).toEqual(['workflow']);
  });

  it('many packed texts do not add up to more than a file may have', async () => {
    const large = deflateSync(Buffer.alloc(15 * 1024 * 1024, 0x20));
    const chunks = Array.from({ length: 40 }, (_, n) => pngChunk('zTXt', Buffer.concat([Buffer.from(`k${n}\0\0`), large])));
    const { texts, leftOut } = await read(await png(...chunks));
    expect(texts).toHaveLength(2);
    expect(leftOut).toHaveLength(38);
  });

  it('texts without end are not all taken', async () => {
    const { texts } = await read(await png(...Array.from({ length: 500 }, (_, n) => text(`k${n}`, 'x'))));
    expect(texts).toHaveLength(64);
  });

  it.each([
    ['a box of size zero in a film', box('moov', number32(0), number32(0))],
    [
      'a box smaller than its own header',
      Buffer.concat([box('ftyp', Buffer.from('isom\0\0\0\0')), number32(1), Buffer.from('moov'), Buffer.alloc(8)]),
    ],
    [
      'boxes that hold themselves',
      Buffer.concat([
        box('ftyp', Buffer.from('isom\0\0\0\0')),
        ...Array.from({ length: 200 }, () => Buffer.from('\xff\xff\xff\xffmoov', 'latin1')),
      ]),
    ],
    [
      'elements of unknown size within one another',
      Buffer.concat([
        element(0x1a45dfa3, element(0x4282, Buffer.from('webm'))),
        ...Array.from({ length: 200 }, () => Buffer.from('18538067ff1254c367ff', 'hex')),
      ]),
    ],
    ['a FLAC of endless empty blocks', Buffer.concat([Buffer.from('fLaC'), Buffer.alloc(40_000)])],
    ['an Ogg of endless empty pages', Buffer.from(`OggS${'\0'.repeat(23)}`.repeat(2000), 'latin1')],
    ['an Exif folder that leads to itself', EXIF_LOOP],
    ['a comment list that claims four thousand million entries', Buffer.concat([flac({}).subarray(0, -4), Buffer.alloc(4, 0xff)])],
  ])('%s comes to an end', async (_what, bytes) => {
    expect((await read(bytes)).texts).toEqual([]);
  });

  it.each([
    ['chunks', () => Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(6_000_000)])],
    ['boxes', () => Buffer.concat([box('ftyp', Buffer.from('isom\0\0\0\0')), box('moov', nested('meta', 100, nested('free', 5000)))])],
    [
      'elements',
      () =>
        Buffer.concat([
          element(0x1a45dfa3, element(0x4282, Buffer.from('webm'))),
          element(0x18538067, many(element(0x1254c367, many(element(0x7373, many(Buffer.from('ec80', 'hex'), 300)), 50)), 20)),
        ]),
    ],
  ])('a file of nothing but tiny %s is given up after some thousands of looks', async (_what, make) => {
    const bytes = make();
    let reads = 0;
    const source = bytesInMemory(bytes);
    await readEmbedded({
      size: source.size,
      read: (at, length) => {
        reads += 1;
        return source.read(at, length);
      },
    });
    expect(reads).toBeLessThanOrEqual(50_001);
  });

  it('a film whose texts claim to go on after its end keeps those before', async () => {
    const whole = film({ prompt: PROMPT, workflow: WORKFLOW });
    const { texts, leftOut } = await read(whole.subarray(0, whole.length - 5));
    expect([...texts.map(({ key }) => key), ...leftOut]).toContain('prompt');
  });
});

function many(part: Uint8Array, count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => part));
}

function nested(type: string, count: number, content: Uint8Array = Buffer.alloc(0)): Buffer {
  return many(box(type, content), count);
}

const HUGE = [
  Uint8Array.of(0xff, 0xff, 0xff, 0xff),
  Uint8Array.of(0x7f, 0xff, 0xff, 0xff),
  Uint8Array.of(0, 0, 0, 0),
  Uint8Array.of(0, 0, 0, 1),
  Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
  Uint8Array.of(0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
];

/** One folder with a pointer to a second that holds the comment. */
async function jpegWithComment(comment: Buffer): Promise<Buffer> {
  const entry = (tag: number, type: number, count: number, value: number): Buffer => {
    const bytes = Buffer.alloc(12);
    bytes.writeUInt16BE(tag);
    bytes.writeUInt16BE(type, 2);
    bytes.writeUInt32BE(count, 4);
    bytes.writeUInt32BE(value, 8);
    return bytes;
  };
  const one = Buffer.from([0, 1]);
  const first = Buffer.concat([one, entry(0x8769, 4, 1, 26), number32(0)]);
  const second = Buffer.concat([one, entry(0x9286, 7, comment.length, 44), number32(0)]);
  const tiff = Buffer.concat([Buffer.from('MM\0*'), number32(8), first, second, comment]);
  return withApp1(Buffer.concat([Buffer.from('Exif\0\0'), tiff]));
}

async function exifLoop(): Promise<Buffer> {
  const tiff = Buffer.concat([Buffer.from('MM\0*'), number32(8), Buffer.from([0, 0]), number32(8)]);
  return withApp1(Buffer.concat([Buffer.from('Exif\0\0'), tiff]));
}

async function withApp1(content: Buffer): Promise<Buffer> {
  const plain = await picture().jpeg().toBuffer();
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([plain.subarray(0, 2), head, content, plain.subarray(2)]);
}
