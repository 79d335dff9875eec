/** Real media files, made on the spot: pictures by sharp, boxes and elements by hand. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import type { Sharp } from 'sharp';
import { onTestFinished } from 'vitest';
import type { Provenance } from '#protocol/provenance.ts';

export function freshDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'callsheet-results-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const noise = Buffer.from(Array.from({ length: 48 * 32 * 3 }, (_, n) => (n * 7919) % 251));

export function picture(): Sharp {
  return sharp(noise, { raw: { width: 48, height: 32, channels: 3 } });
}

export function box(type: string, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length + 8);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
}

/** 640 × 360, 2.5 s: a sound track first, then the picture. */
export function film(brand = 'isom'): Buffer {
  const movieHeader = Buffer.alloc(100);
  movieHeader.writeUInt32BE(1000, 12);
  movieHeader.writeUInt32BE(2500, 16);
  const pictureHeader = Buffer.alloc(84);
  pictureHeader.writeUInt32BE(640 * 65_536, 76);
  pictureHeader.writeUInt32BE(360 * 65_536, 80);
  const tracks = [box('trak', box('tkhd', Buffer.alloc(84))), box('trak', box('tkhd', pictureHeader))];
  const start = box('ftyp', Buffer.from(`${brand}\0\0\0\0`, 'latin1'));
  return Buffer.concat([start, box('mdat', noise), box('moov', box('mvhd', movieHeader), ...tracks)]);
}

export function element(id: number, content: Uint8Array): Buffer {
  const name = Buffer.from(id.toString(16), 'hex');
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(content.length) | (1n << 56n));
  return Buffer.concat([name, size, content]);
}

function number(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

/** 320 × 180, 1.25 s. */
export function webm(kind = 'webm'): Buffer {
  const duration = Buffer.alloc(8);
  duration.writeDoubleBE(1250);
  const video = element(0xe0, Buffer.concat([element(0xb0, number(320)), element(0xba, number(180))]));
  const info = element(0x1549a966, Buffer.concat([element(0x2ad7b1, Buffer.from([0x0f, 0x42, 0x40])), element(0x4489, duration)]));
  const tracks = element(0x1654ae6b, Buffer.concat([element(0xae, element(0x83, number(2))), element(0xae, video)]));
  const header = element(0x1a45dfa3, element(0x4282, Buffer.from(kind)));
  return Buffer.concat([header, element(0x18538067, Buffer.concat([info, tracks, element(0x1f43b675, noise)]))]);
}

/** 0.5 s of silence. */
export function wav(): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(36 + 8000, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(16_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(8000, 40);
  return Buffer.concat([head, Buffer.alloc(8000)]);
}

export function glb(): Buffer {
  const head = Buffer.alloc(12);
  head.write('glTF', 0, 'latin1');
  head.writeUInt32LE(2, 4);
  head.writeUInt32LE(12, 8);
  return head;
}

export function safetensors(tensor = 'weight'): Buffer {
  const header = Buffer.from(`{"${tensor}":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([size, header, Buffer.alloc(4)]);
}

export function pngChunk(type: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length);
  frame.writeUInt32BE(crc32(named), 4);
  return Buffer.concat([frame.subarray(0, 4), named, frame.subarray(4)]);
}

/** A PNG with one more chunk after its header. */
export async function pngWith(...chunks: readonly Buffer[]): Promise<Buffer> {
  const png = await picture().png().toBuffer();
  return Buffer.concat([png.subarray(0, 33), ...chunks, png.subarray(33)]);
}

export function compressedText(keyword: string, text: string): Buffer {
  return pngChunk('zTXt', Buffer.concat([Buffer.from(`${keyword}\0\0`, 'latin1'), deflateSync(Buffer.from(text, 'latin1'))]));
}

/** Of a file that nothing is known of but its run. */
export function provenance(changes: Partial<Provenance> = {}): Provenance {
  return {
    artifactId: 'a1',
    runId: 'r1',
    template: 'hero',
    version: '1.0.0',
    templateHash: 'f'.repeat(64),
    step: 'base',
    item: 0,
    output: 'portrait',
    node: '9',
    index: 0,
    draft: false,
    seeds: [],
    parameters: {},
    inputs: [],
    models: [],
    ...changes,
  };
}
