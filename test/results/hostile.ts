/** Files made to be hard to read, and real ones changed at random: for tests and bench/media.ts. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { box, compressedText, element, film, glb, pngChunk, pngWith, safetensors, wav, webm } from './samples.ts';

const MEDIA = join(import.meta.dirname, '..', 'fixtures', 'media');

/** Real files of every kind that is measured. */
export function realFiles(): ReadonlyMap<string, Buffer> {
  const names = readdirSync(MEDIA).filter((name) => !name.endsWith('.json'));
  const made: readonly [string, Buffer][] = [
    ['mesh.glb', glb()],
    ['weights.safetensors', safetensors()],
    ['drawing.svg', Buffer.from('<svg viewBox="0 0 10 10"><metadata><![CDATA[{"prompt":{}}]]></metadata></svg>')],
    ['cloud.ply', Buffer.from('ply\nformat binary_little_endian 1.0\nelement vertex 1\nproperty float x\nend_header\n\0\0\0\0', 'latin1')],
  ];
  return new Map([...names.map((name): [string, Buffer] => [name, readFileSync(join(MEDIA, name))]), ...made]);
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const u64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
};

function header(width: number, height: number): Buffer {
  return pngChunk('IHDR', Buffer.concat([u32(width), u32(height), Buffer.from([8, 2, 0, 0, 0])]));
}

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const END = pngChunk('IEND', Buffer.alloc(0));
const bomb = deflateSync(Buffer.alloc(200 * 1024 * 1024));

/** Each with what it is. */
export async function hostileFiles(): Promise<ReadonlyMap<string, Buffer>> {
  const start = box('ftyp', Buffer.from('isom\0\0\0\0'));
  const small = await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  const frames = Buffer.concat(
    Array.from({ length: 10_000 }, () => Buffer.concat([pngChunk('fcTL', Buffer.alloc(26)), pngChunk('fdAT', Buffer.alloc(8))])),
  );
  const international = Buffer.concat([Buffer.from('workflow\0\x01\0\0\0', 'latin1'), bomb]);
  const deepBoxes = (depth: number): Buffer => (depth === 0 ? box('trak') : box(depth % 2 === 0 ? 'meta' : 'udta', deepBoxes(depth - 1)));
  const riff = (form: string, ...chunks: readonly Buffer[]): Buffer => {
    const body = Buffer.concat([Buffer.from(form), ...chunks]);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(body.length);
    return Buffer.concat([Buffer.from('RIFF'), size, body]);
  };
  const longJson = `{"1":{"class_type":"A","inputs":{${'"x":1,'.repeat(200_000)}"y":2}}}`;
  return new Map<string, Buffer>([
    ['an empty file', Buffer.alloc(0)],
    [
      'a picture of 200 megapixels that is not there',
      Buffer.concat([SIGNATURE, header(20_000, 10_000), pngChunk('IDAT', deflateSync(Buffer.alloc(16))), END]),
    ],
    ['a picture of 2^31 pixels a side', Buffer.concat([SIGNATURE, header(2 ** 31, 2 ** 31), pngChunk('IDAT', Buffer.alloc(0)), END])],
    [
      'an animation of 10,000 frames',
      Buffer.concat([small.subarray(0, 33), pngChunk('acTL', Buffer.concat([u32(10_000), u32(0)])), frames, small.subarray(33)]),
    ],
    ['a compressed text that unpacks to 200 MB', await pngWith(pngChunk('zTXt', Buffer.concat([Buffer.from('workflow\0\0'), bomb])))],
    ['sixty-four of them', await pngWith(...Array.from({ length: 64 }, () => compressedText('prompt', '0'.repeat(20 * 1024 * 1024))))],
    ['an international text that unpacks to 200 MB', await pngWith(pngChunk('iTXt', international))],
    ['a colour profile that unpacks to 200 MB', await pngWith(pngChunk('iCCP', Buffer.concat([Buffer.from('p\0\0'), bomb])))],
    ['a hundred thousand chunks of nothing', await pngWith(...Array.from({ length: 100_000 }, () => pngChunk('teXt', Buffer.alloc(0))))],
    ['a box of size zero before others', Buffer.concat([start, u32(0), Buffer.from('free'), box('moov')])],
    ['a box that is smaller than its header', Buffer.concat([start, u32(4), Buffer.from('moov'), Buffer.alloc(100)])],
    ['a box of 2^31 bytes', Buffer.concat([start, u32(2 ** 31), Buffer.from('moov')])],
    ['a box of 2^64 − 1 bytes', Buffer.concat([start, u32(1), Buffer.from('moov'), u64(2n ** 64n - 1n)])],
    ['a box of 64 bits that says 0', Buffer.concat([start, u32(1), Buffer.from('moov'), u64(0n), Buffer.alloc(64)])],
    ['boxes within boxes', Buffer.concat([start, box('mdat'), box('moov', deepBoxes(400))])],
    ['a hundred thousand boxes', Buffer.concat([start, ...Array.from({ length: 100_000 }, () => box('free'))])],
    [
      'a hundred thousand fragments',
      Buffer.concat([start, box('mdat'), box('moov', box('mvex')), ...Array.from({ length: 100_000 }, () => box('moof', box('traf')))]),
    ],
    [
      'a table of 2^32 times',
      Buffer.concat([
        start,
        box('mdat'),
        box('moov', box('trak', box('mdia', box('minf', box('stbl', box('stts', u32(0), u32(2 ** 32 - 1))))))),
      ]),
    ],
    [
      'elements of unknown length without end',
      Buffer.concat([
        element(0x1a45dfa3, element(0x4282, Buffer.from('webm'))),
        Buffer.from('18538067ff', 'hex'),
        ...Array.from({ length: 50_000 }, () => Buffer.from('1f43b675ff', 'hex')),
      ]),
    ],
    ['an element of 2^56 bytes', Buffer.concat([webm().subarray(0, 40), Buffer.from('1853806701fffffffffffffe', 'hex')])],
    [
      'an Exif block that points to itself',
      riff(
        'WEBP',
        riff('VP8X', Buffer.alloc(10)).subarray(0, 18),
        Buffer.concat([
          Buffer.from('EXIF'),
          Buffer.from([26, 0, 0, 0]),
          Buffer.from('II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0', 'latin1'),
        ]),
      ),
    ],
    [
      'an Exif block with a text of 2^32 bytes',
      riff(
        'WEBP',
        Buffer.concat([
          Buffer.from('EXIF'),
          Buffer.from([20, 0, 0, 0]),
          Buffer.from('II*\0\x08\0\0\0\x01\0\x10\x01\x02\0\xff\xff\xff\xff', 'latin1'),
        ]),
      ),
    ],
    [
      'a sound that says it has 2^32 bytes',
      Buffer.concat([wav().subarray(0, 40), Buffer.from([0xfe, 0xff, 0xff, 0xff]), Buffer.alloc(10)]),
    ],
    [
      'a shape that says it has 2^32 bytes',
      Buffer.concat([Buffer.from('glTF\x02\0\0\0'), Buffer.from([255, 255, 255, 255]), Buffer.alloc(8)]),
    ],
    ['tensors with a header of 2^64 bytes', Buffer.concat([Buffer.alloc(5, 255), Buffer.alloc(3), Buffer.from('{"a":1}')])],
    [
      'a cloud of 2^53 points',
      Buffer.from('ply\nformat binary_little_endian 1.0\nelement vertex 9007199254740992\nproperty double x\nend_header\n'),
    ],
    ['a drawing with a hundred thousand comments', Buffer.from(`${'<!-- a -->'.repeat(100_000)}<svg/>`)],
    ['a graph of a megabyte in a comment', await pngWith(pngChunk('tEXt', Buffer.from(`prompt\0${longJson}`, 'latin1')))],
    ['brackets a hundred thousand deep', await pngWith(pngChunk('tEXt', Buffer.from(`prompt\0{"a":${'['.repeat(100_000)}`, 'latin1')))],
    [
      'prototypes',
      await pngWith(
        pngChunk('tEXt', Buffer.from('prompt\0{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}', 'latin1')),
      ),
    ],
    ['an ID3 tag of 256 MB', Buffer.from('ID3\x04\0\0\x7f\x7f\x7f\x7f', 'latin1')],
    [
      'a page of Ogg that never ends',
      Buffer.concat(
        Array.from({ length: 20_000 }, () => Buffer.concat([Buffer.from('OggS\0\x02', 'latin1'), Buffer.alloc(20), Buffer.from([1, 0])])),
      ),
    ],
    [
      'FLAC with 2^36 samples',
      Buffer.concat([
        Buffer.from('fLaC\x80\0\0\x22', 'latin1'),
        Buffer.alloc(10),
        Buffer.alloc(8, 255),
        Buffer.alloc(16),
        Buffer.alloc(1000, 0xff),
      ]),
    ],
    ['MPEG frames of no length', Buffer.concat(Array.from({ length: 50_000 }, () => Buffer.from([0xff, 0xfb, 0x10, 0])))],
    [
      'an EXR header without end',
      Buffer.concat([Buffer.from('\x76\x2f\x31\x01\x02\0\0\0', 'latin1'), Buffer.from('a\0string\0\0\0\0\0'.repeat(50_000), 'latin1')]),
    ],
    [
      'a TIFF of 2^32 strips',
      Buffer.from('II*\0\x08\0\0\0\x02\0\x11\x01\x04\0\xff\xff\xff\xff\x08\0\0\0\x17\x01\x04\0\xff\xff\xff\xff\x08\0\0\0', 'latin1'),
    ],
    [
      'a ZIP whose directory is elsewhere',
      Buffer.concat([
        Buffer.from('PK\x03\x04', 'latin1'),
        Buffer.alloc(26),
        Buffer.from('PK\x05\x06', 'latin1'),
        Buffer.alloc(8),
        Buffer.alloc(8, 0xfe),
        Buffer.alloc(2),
      ]),
    ],
    [
      'a GIF of a million empty extensions',
      Buffer.concat([
        Buffer.from('GIF89a\x01\0\x01\0\0\0\0', 'latin1'),
        Buffer.from('\x21\xff\0'.repeat(500_000), 'latin1'),
        Buffer.from(';'),
      ]),
    ],
    [
      'a film with texts of every kind of lie',
      Buffer.concat([
        film(),
        box('udta', box('meta', Buffer.alloc(4), box('keys', u32(0), u32(2 ** 32 - 1)), box('ilst', box('\0\0\0\x01')))),
      ]),
    ],
    [
      'Exif in a JPEG that ends at once',
      Buffer.concat([
        Buffer.from([0xff, 0xd8, 0xff, 0xe1, 0xff, 0xff]),
        Buffer.from('Exif\0\0II*\0\x08\0\0\0', 'latin1'),
        Buffer.from([0xff, 0xd9]),
      ]),
    ],
  ]);
}

/** Numbers that lengths, counts and sizes are wrong by. */
const ODD = [0, 1, 2, 4, 7, 8, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

/** `dice` gives numbers from 0 to below 1. The same dice give the same file. */
export function mutate(bytes: Buffer, dice: () => number): Buffer {
  let copy = Buffer.from(bytes);
  const pick = (limit: number): number => Math.floor(dice() * limit);
  for (let change = 1 + pick(6); change > 0 && copy.length > 0; change -= 1) {
    // Most of what a reader looks at stands near the beginning.
    const at = pick(dice() < 0.6 ? Math.min(copy.length, 512) : copy.length);
    const odd = ODD[pick(ODD.length)] ?? 0;
    switch (pick(7)) {
      case 0:
        copy[at] = pick(256);
        break;
      case 1:
        if (at + 4 <= copy.length) copy.writeUInt32BE(odd, at);
        break;
      case 2:
        if (at + 4 <= copy.length) copy.writeUInt32LE(odd, at);
        break;
      case 3:
        if (at + 8 <= copy.length) copy.writeBigUInt64BE(2n ** BigInt(pick(64)), at);
        break;
      case 4:
        copy = copy.subarray(0, at);
        break;
      case 5: {
        const part = copy.subarray(at, at + pick(64));
        copy = Buffer.concat([copy.subarray(0, at), ...Array.from({ length: 1 + pick(8) }, () => part), copy.subarray(at)]);
        break;
      }
      default:
        copy = Buffer.concat([copy.subarray(0, at), copy.subarray(at + pick(32))]);
    }
  }
  return copy;
}
