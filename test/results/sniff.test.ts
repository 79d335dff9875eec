import { describe, expect, it } from 'vitest';
import { sniff } from '#results/sniff.ts';
import { box, film, glb, picture, safetensors, wav, webm } from './samples.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

const ogg = (codec: string): Buffer => Buffer.concat([bytes('OggS'), Buffer.alloc(24), bytes(codec)]);

function zipOf(name: string): Buffer {
  const head = Buffer.alloc(30);
  head.write('PK\x03\x04', 0, 'latin1');
  head.writeUInt16LE(name.length, 26);
  return Buffer.concat([head, bytes(name)]);
}

const CASES: readonly (readonly [string, Uint8Array, string])[] = [
  ['image/png', await picture().png().toBuffer(), 'png'],
  ['image/jpeg', await picture().jpeg().toBuffer(), 'jpg'],
  ['image/webp', await picture().webp().toBuffer(), 'webp'],
  ['image/gif', await picture().gif().toBuffer(), 'gif'],
  ['image/avif', await picture().avif({ effort: 0 }).toBuffer(), 'avif'],
  ['image/avif', box('ftyp', bytes('mif1\0\0\0\0mif1avif')), 'avif'],
  ['image/heic', box('ftyp', bytes('heic\0\0\0\0mif1heic')), 'heic'],
  ['image/tiff', await picture().tiff().toBuffer(), 'tif'],
  ['image/x-exr', bytes('\x76\x2f\x31\x01\x02\0\0\0'), 'exr'],
  ['video/mp4', film(), 'mp4'],
  ['video/quicktime', film('qt  '), 'mov'],
  ['video/quicktime', box('wide'), 'mov'],
  ['audio/mp4', film('M4A '), 'm4a'],
  ['video/webm', webm(), 'webm'],
  ['video/x-matroska', webm('matroska'), 'mkv'],
  ['video/x-msvideo', bytes('RIFF\0\0\0\0AVI LIST'), 'avi'],
  ['video/ogg', ogg('\x80theora'), 'ogv'],
  ['audio/wav', wav(), 'wav'],
  ['audio/flac', bytes('fLaC'), 'flac'],
  ['audio/mpeg', bytes('ID3\x04\0\0'), 'mp3'],
  ['audio/mpeg', bytes('\xff\xfb\x90\x64\0'), 'mp3'],
  ['audio/ogg', ogg('OpusHead'), 'opus'],
  ['audio/ogg', ogg('\x01vorbis'), 'ogg'],
  ['model/gltf-binary', glb(), 'glb'],
  ['model/gltf+json', bytes('{ "asset": { "generator": "x", "version": "2.0" } }'), 'gltf'],
  ['model/obj', bytes('# by hand\nmtllib a.mtl\no Cube\nv 1.0 -1 0\n'), 'obj'],
  ['model/vnd.usdz+zip', zipOf('scene.usdc'), 'usdz'],
  ['application/x-fbx', bytes('Kaydara FBX Binary  \0'), 'fbx'],
  ['application/zip', zipOf('readme.md'), 'zip'],
  ['application/x-safetensors', safetensors(), 'safetensors'],
  ['application/json', bytes('  [1, 2]'), 'json'],
  ['image/svg+xml', bytes('<?xml version="1.0"?>\n<!-- a --><!-- b -->\n<svg xmlns="x">'), 'svg'],
  ['text/html', bytes('<!DOCTYPE html><title>502</title>'), 'html'],
  ['text/plain', Buffer.from('Ein Glück\n'), 'txt'],
  ['text/plain', Buffer.from('halbes Zeichen ü').subarray(0, -1), 'txt'],
  ['text/plain', Buffer.alloc(0), 'txt'],
  ['application/octet-stream', bytes('\x01\x02\x03'), 'bin'],
  ['application/octet-stream', bytes('\xff\xff\xff\xff'), 'bin'],
];

describe('sniff', () => {
  for (const [mediaType, head, extension] of CASES) {
    it(`knows ${mediaType} (.${extension})`, () => expect(sniff(head)).toEqual({ mediaType, extension }));
  }

  it('is not held up by text made to be slow', () => {
    const comments = `<!DOCTYPE svg>${'<!---->'.repeat(600)}`;
    expect(sniff(Buffer.from(comments.slice(0, 4096))).mediaType).toBe('text/plain');
    expect(sniff(Buffer.from(`x${'\n'.repeat(4095)}`)).mediaType).toBe('text/plain');
    expect(sniff(Buffer.from('{"asset":{'.repeat(409))).mediaType).toBe('application/json');
  });
});
