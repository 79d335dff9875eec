/** Media files with workflows inside, byte by byte after each format's own rules, or written by libvips. */
import { crc32, deflateSync } from 'node:zlib';
import { box, element, picture } from '../samples.ts';

export interface Texts {
  readonly [key: string]: string;
}

export const PROMPT = '{"3": {"class_type": "KSampler", "inputs": {"seed": 18446744073709551615, "cfg": NaN, "denoise": 8.0}}}';
export const WORKFLOW = '{"last_node_id": 3, "nodes": [{"id": 3, "type": "KSampler"}], "links": [], "version": 0.4}';
export const SETTINGS = '{"model_type": "t2v_1.3B", "prompt": "Zürich 東京", "seed": 7, "type": "WanGP v12.60 by DeepBeepMeep"}';

export function pngChunk(type: string, content: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(content.length);
  head.write(type, 4, 'latin1');
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(Buffer.concat([head.subarray(4), content])));
  return Buffer.concat([head, content, check]);
}

export async function png(...chunks: readonly Uint8Array[]): Promise<Buffer> {
  const plain = await picture().png().toBuffer();
  return Buffer.concat([plain.subarray(0, 33), ...chunks, plain.subarray(33)]);
}

export const text = (key: string, value: string): Buffer => pngChunk('tEXt', Buffer.from(`${key}\0${value}`, 'latin1'));
export const international = (key: string, value: string): Buffer => pngChunk('iTXt', Buffer.from(`${key}\0\0\0\0\0${value}`));
export const packed = (key: string, value: string | Buffer): Buffer =>
  pngChunk('zTXt', Buffer.concat([Buffer.from(`${key}\0\0`), deflateSync(value)]));

/** Keys in `mdta`, as ffmpeg writes them. `isQuickTime` leaves out what MP4 puts before the children of `meta`. */
export function film(texts: Texts, isQuickTime = false): Buffer {
  const names = Object.keys(texts);
  const hdlr = box('hdlr', Buffer.from('\0\0\0\0\0\0\0\0mdta\0\0\0\0\0\0\0\0\0\0\0\0\0', 'latin1'));
  const keys = box('keys', number32(0), number32(names.length), ...names.map((name) => box('mdta', Buffer.from(name))));
  const items = names.map((name, at) => box(number32(at + 1).toString('latin1'), data(texts[name] ?? '')));
  const meta = box('meta', ...(isQuickTime ? [] : [number32(0)]), hdlr, keys, box('ilst', ...items));
  const movie = isQuickTime ? box('moov', meta) : box('moov', box('udta', meta));
  return Buffer.concat([
    box('ftyp', Buffer.from(isQuickTime ? 'qt  \0\0\0\0' : 'isom\0\0\0\0', 'latin1')),
    box('mdat', Buffer.alloc(50)),
    movie,
  ]);
}

/** iTunes' comment, as Wan2GP writes it. */
export function commented(comment: string): Buffer {
  const hdlr = box('hdlr', Buffer.from('\0\0\0\0\0\0\0\0mdirappl\0\0\0\0\0\0\0\0\0', 'latin1'));
  const meta = box('meta', number32(0), hdlr, box('ilst', box('\xa9cmt', data(comment))));
  return Buffer.concat([box('ftyp', Buffer.from('isom\0\0\0\0')), box('moov', box('udta', meta))]);
}

export function webm(texts: Texts): Buffer {
  const simple = Object.entries(texts).map(([name, value]) =>
    element(0x67c8, Buffer.concat([element(0x45a3, Buffer.from(name.toUpperCase())), element(0x4487, Buffer.from(value))])),
  );
  const tags = element(0x1254c367, element(0x7373, Buffer.concat([element(0x63c0, Buffer.alloc(0)), ...simple])));
  const head = element(0x1a45dfa3, element(0x4282, Buffer.from('webm')));
  return Buffer.concat([head, element(0x18538067, Buffer.concat([element(0xec, Buffer.alloc(30)), tags]))]);
}

function comments(texts: Texts): Buffer {
  const lines = Object.entries(texts).map(([name, value]) => Buffer.from(`${name}=${value}`));
  const vendor = Buffer.from('Lavf');
  return Buffer.concat([
    little32(vendor.length),
    vendor,
    little32(lines.length),
    ...lines.flatMap((line) => [little32(line.length), line]),
  ]);
}

export function flac(texts: Texts): Buffer {
  const block = (type: number, content: Buffer): Buffer => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(type * 2 ** 24 + content.length);
    return Buffer.concat([head, content]);
  };
  return Buffer.concat([Buffer.from('fLaC'), block(0, Buffer.alloc(34)), block(1, Buffer.alloc(5)), block(0x84, comments(texts))]);
}

/** The comment packet runs over several pages, as it does when it is long. */
export function opus(texts: Texts): Buffer {
  const packet = Buffer.concat([Buffer.from('OpusTags'), comments(texts)]);
  const page = (segments: readonly Buffer[]): Buffer => {
    const head = Buffer.alloc(27);
    head.write('OggS');
    head.writeUInt32LE(7, 14);
    head[26] = segments.length;
    return Buffer.concat([head, Buffer.from(segments.map((segment) => segment.length)), ...segments]);
  };
  const segments: Buffer[] = [];
  for (let at = 0; at <= packet.length; at += 255) segments.push(packet.subarray(at, at + 255));
  const pages = segments.map((segment) => page([segment]));
  return Buffer.concat([page([Buffer.from('OpusHead\x01\x02aaaabbbb\0\0\0')]), ...pages]);
}

export function mp3(texts: Texts, version: 3 | 4 = 3, encoding: 1 | 3 = 3): Buffer {
  const string = (value: string): Buffer => (encoding === 3 ? Buffer.from(`${value}\0`) : Buffer.from(`\uFEFF${value}\0`, 'utf16le'));
  const frames = Object.entries(texts).map(([name, value]) => {
    const body = Buffer.concat([Buffer.from([encoding]), string(name), string(value)]);
    const head = Buffer.alloc(10);
    head.write('TXXX');
    if (version === 3) head.writeUInt32BE(body.length, 4);
    else syncSafe(body.length).copy(head, 4);
    return Buffer.concat([head, body]);
  });
  const body = Buffer.concat([...frames, Buffer.alloc(20)]);
  return Buffer.concat([
    Buffer.from('ID3'),
    Buffer.from([version, 0, 0]),
    syncSafe(body.length),
    body,
    Buffer.from([0xff, 0xfb, 0x90, 0x44]),
  ]);
}

export function glb(json: string): Buffer {
  const content = Buffer.from(json.padEnd(Math.ceil(json.length / 4) * 4));
  const head = Buffer.from('glTF\x02\0\0\0');
  return Buffer.concat([head, little32(20 + content.length), little32(content.length), Buffer.from('JSON'), content]);
}

export function safetensors(metadata: object): Buffer {
  const json = Buffer.from(JSON.stringify({ __metadata__: metadata }));
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([head, json]);
}

export function wav(json: string): Buffer {
  const chunk = (name: string, content: Buffer): Buffer =>
    Buffer.concat([Buffer.from(name), little32(content.length), content, Buffer.alloc(content.length % 2)]);
  const body = Buffer.concat([
    Buffer.from('WAVE'),
    chunk('fmt ', Buffer.alloc(16)),
    chunk('data', Buffer.alloc(7)),
    chunk('json', Buffer.from(json)),
  ]);
  return Buffer.concat([Buffer.from('RIFF'), little32(body.length), body]);
}

export const exif = (texts: Texts) => ({ IFD0: { Make: `workflow:${texts['workflow'] ?? ''}`, Model: `prompt:${texts['prompt'] ?? ''}` } });

export function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function little32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function syncSafe(value: number): Buffer {
  return Buffer.from([21, 14, 7, 0].map((shift) => (value >> shift) & 0x7f));
}

function data(value: string): Buffer {
  return box('data', number32(1), number32(0), Buffer.from(value));
}

/** One file of each kind, all small; Wan2GP's kinds hold settings. */
export async function everyKind(): Promise<readonly (readonly [string, Buffer])[]> {
  const both = { prompt: PROMPT, workflow: WORKFLOW };
  const ascii = { prompt: PROMPT, workflow: WORKFLOW };
  return [
    ['PNG', await png(text('prompt', PROMPT), international('workflow', WORKFLOW))],
    ['PNG, compressed', await png(packed('prompt', PROMPT), packed('workflow', WORKFLOW))],
    ['WebP', await picture().webp().withExif(exif(ascii)).toBuffer()],
    ['JPEG', await picture().jpeg().withExif(exif(ascii)).toBuffer()],
    ['AVIF', await picture().avif().withExif(exif(ascii)).toBuffer()],
    ['MP4', film(both)],
    ['QuickTime', film(both, true)],
    ['WebM', webm(both)],
    ['FLAC', flac(both)],
    ['Opus', opus(both)],
    ['MP3, ID3v2.3', mp3(both)],
    ['MP3, ID3v2.4 in UTF-16', mp3(both, 4, 1)],
    ['GLB', glb(`{"asset":{"version":"2.0","extras":${JSON.stringify(both)}},"nodes":[{"mesh":0}]}`)],
    ['safetensors', safetensors(both)],
    [
      'SVG',
      Buffer.from(
        `<svg xmlns="http://www.w3.org/2000/svg"><metadata><![CDATA[{"prompt": ${PROMPT}, "workflow": ${WORKFLOW}}]]></metadata></svg>`,
      ),
    ],
  ];
}
