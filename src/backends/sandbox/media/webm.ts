/** Writes WebM: pictures as they were coded, one cluster a second, and tags (RFC 9559). */
import type { CodedFilm } from './picture-codecs.ts';
import type { Tag } from './tags.ts';

const CODEC = { vp8: 'V_VP8', av1: 'V_AV1' } as const;

export function writeWebm(film: CodedFilm, fps: number, tags: readonly Tag[]): Buffer {
  const at = (frame: number): number => Math.round((frame * 1000) / fps);
  const header = element(0x1a45dfa3, [
    unsigned(0x4286, 1),
    unsigned(0x42f7, 1),
    unsigned(0x42f2, 4),
    unsigned(0x42f3, 8),
    text(0x4282, 'webm'),
    unsigned(0x4287, 4),
    unsigned(0x4285, 2),
  ]);
  const info = element(0x1549a966, [
    unsigned(0x2ad7b1, 1_000_000),
    text(0x4d80, 'callsheet sandbox'),
    text(0x5741, 'callsheet sandbox'),
    float(0x4489, (film.frames.length * 1000) / fps),
  ]);
  const track = element(0xae, [
    unsigned(0xd7, 1),
    unsigned(0x73c5, 1),
    unsigned(0x83, 1),
    unsigned(0x9c, 0),
    text(0x86, CODEC[film.codec]),
    ...(film.config === undefined ? [] : [element(0x63a2, [film.config])]),
    unsigned(0x23e383, Math.round(1e9 / fps)),
    element(0xe0, [unsigned(0xb0, film.width), unsigned(0xba, film.height)]),
  ]);
  const simple = tags.map(({ key, text: value }) => element(0x67c8, [text(0x45a3, key), text(0x4487, value)]));
  const about = element(0x1254c367, [element(0x7373, [element(0x63c0, []), ...simple])]);
  const clusters: Buffer[] = [];
  const perCluster = Math.max(1, Math.round(fps));
  for (let start = 0; start < film.frames.length; start += perCluster) {
    const blocks = film.frames.slice(start, start + perCluster).map((frame, index) => {
      const head = Buffer.alloc(4);
      head[0] = 0x81;
      head.writeInt16BE(at(start + index) - at(start), 1);
      // A key frame.
      head[3] = 0x80;
      return element(0xa3, [head, frame]);
    });
    clusters.push(element(0x1f43b675, [unsigned(0xe7, at(start)), ...blocks]));
  }
  return Buffer.concat([header, element(0x18538067, [info, element(0x1654ae6b, [track]), about, ...clusters])]);
}

function element(id: number, parts: readonly Uint8Array[]): Buffer {
  const name = Buffer.from(id.toString(16), 'hex');
  const size = Buffer.alloc(8);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  size.writeBigUInt64BE(BigInt(length) | (1n << 56n));
  return Buffer.concat([name, size, ...parts]);
}

function unsigned(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  const start = bytes.findIndex((byte) => byte !== 0);
  return element(id, [bytes.subarray(start < 0 ? 7 : start)]);
}

function float(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return element(id, [bytes]);
}

function text(id: number, value: string): Buffer {
  return element(id, [Buffer.from(value)]);
}
