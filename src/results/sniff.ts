/** What a file is by its first bytes. Names and headers of the backend are never asked. */
import { FILE_FORMATS } from '#protocol/file-formats.ts';
import type { FileMediaType } from '#protocol/file-formats.ts';
import { textAt } from './bytes.ts';

/** How many bytes from the start `sniff` wants to see; fewer are fine. */
export const SNIFF_BYTES = 4096;

export interface Sniffed {
  readonly mediaType: FileMediaType;
  /** Without a dot. */
  readonly extension: string;
}

/** Tab, line ends, form feed, and the escape that colours a terminal. */
const TEXT_CONTROLS = new Set([0x09, 0x0a, 0x0c, 0x0d, 0x1b]);

type Rule = (head: Uint8Array) => Sniffed | null;

const UNKNOWN: Sniffed = { mediaType: 'application/octet-stream', extension: 'bin' };

const type = (mediaType: FileMediaType, extension: string = FILE_FORMATS[mediaType].extensions[0]): Sniffed => ({ mediaType, extension });

/** A rule for formats whose files begin with fixed bytes, given as Latin-1 text. */
function magic(bytes: string, mediaType: FileMediaType, extension?: string): Rule {
  const found = type(mediaType, extension);
  return (head) => (textAt(head, 0, bytes.length) === bytes ? found : null);
}

const RULES: readonly Rule[] = [
  magic('\x89PNG\r\n\x1a\n', 'image/png'),
  magic('\xff\xd8\xff', 'image/jpeg'),
  magic('GIF87a', 'image/gif'),
  magic('GIF89a', 'image/gif'),
  magic('\x76\x2f\x31\x01', 'image/x-exr'),
  magic('II*\0', 'image/tiff'),
  magic('MM\0*', 'image/tiff'),
  magic('#?RADIANCE', 'image/vnd.radiance'),
  magic('#?RGBE', 'image/vnd.radiance'),
  magic('glTF', 'model/gltf-binary'),
  magic('fLaC', 'audio/flac'),
  magic('ID3', 'audio/mpeg'),
  magic('Kaydara FBX Binary', 'application/x-fbx'),
  magic('PXR-USDC', 'model/vnd.usd', 'usdc'),
  magic('ply\n', 'model/ply'),
  magic('ply\r\n', 'model/ply'),
  riff,
  aiff,
  bitmap,
  boxes,
  matroska,
  ogg,
  zip,
  adts,
  mpegAudio,
  safetensors,
  text,
];

export function sniff(head: Uint8Array): Sniffed {
  for (const rule of RULES) {
    const found = rule(head);
    if (found !== null) return found;
  }
  return UNKNOWN;
}

function riff(head: Uint8Array): Sniffed | null {
  const start = textAt(head, 0, 4);
  const form = textAt(head, 8, 4);
  // RF64 and BW64 are for sounds past four gigabytes (ITU-R BS.2088).
  if (form === 'WAVE' && (start === 'RIFF' || start === 'RF64' || start === 'BW64')) return type('audio/wav');
  if (start !== 'RIFF') return null;
  if (form === 'WEBP') return type('image/webp');
  if (form === 'AVI ') return type('video/x-msvideo');
  return null;
}

function aiff(head: Uint8Array): Sniffed | null {
  const form = textAt(head, 8, 4);
  return textAt(head, 0, 4) === 'FORM' && (form === 'AIFF' || form === 'AIFC') ? type('audio/aiff') : null;
}

/** Two letters are not enough: the length of the second header is one of a few. */
function bitmap(head: Uint8Array): Sniffed | null {
  if (textAt(head, 0, 2) !== 'BM' || head.length < 18 || head[15] !== 0 || head[16] !== 0 || head[17] !== 0) return null;
  return [12, 40, 52, 56, 64, 108, 124].includes(head[14] ?? 0) ? type('image/bmp') : null;
}

/** ISO base media: the major brand decides, then the compatible ones (ISO/IEC 14496-12 4.3). */
function boxes(head: Uint8Array): Sniffed | null {
  const kind = textAt(head, 4, 4);
  // Old QuickTime files have no ftyp.
  if (kind === 'moov' || kind === 'wide') return type('video/quicktime');
  if (kind !== 'ftyp') return null;
  const major = textAt(head, 8, 4);
  if (major === 'avif' || major === 'avis') return type('image/avif');
  if (major === 'heic' || major === 'heix' || major === 'mif1' || major === 'msf1') {
    return textAt(head, 16, 64).includes('avif') ? type('image/avif') : type('image/heic');
  }
  if (major === 'qt  ') return type('video/quicktime');
  if (major === 'M4A ' || major === 'M4B ') return type('audio/mp4');
  return type('video/mp4');
}

function matroska(head: Uint8Array): Sniffed | null {
  if (textAt(head, 0, 4) !== '\x1a\x45\xdf\xa3') return null;
  // The header names the kind; writers that do not count bytes spend ten on each of its members.
  return textAt(head, 4, 160).includes('webm') ? type('video/webm') : type('video/x-matroska');
}

function ogg(head: Uint8Array): Sniffed | null {
  if (textAt(head, 0, 4) !== 'OggS') return null;
  const start = textAt(head, 0, 128);
  if (start.includes('OpusHead')) return type('audio/ogg', 'opus');
  return start.includes('\x80theora') ? type('video/ogg', 'ogv') : type('audio/ogg', 'ogg');
}

function zip(head: Uint8Array): Sniffed | null {
  if (textAt(head, 0, 4) !== 'PK\x03\x04') return null;
  // usdz is a zip whose first entry is the scene (https://openusd.org/release/spec_usdz.html).
  return /\.usd[ac]?$/i.test(textAt(head, 30, (head[26] ?? 0) + 256 * (head[27] ?? 0)))
    ? type('model/vnd.usdz+zip')
    : type('application/zip');
}

/** AAC as a stream: the same sync, the layer 0 that MP3 does not have, and a sampling rate that there is. */
function adts(head: Uint8Array): Sniffed | null {
  const [first = 0, second = 0, third = 0] = head;
  return head.length >= 7 && first === 0xff && (second & 0xf6) === 0xf0 && ((third >> 2) & 15) < 13 ? type('audio/aac') : null;
}

/** A frame header of MPEG layers I to III, every field legal: the sync bits alone are too common. */
function mpegAudio(head: Uint8Array): Sniffed | null {
  const [first = 0, second = 0, third = 0] = head;
  const isSync = first === 0xff && (second & 0xe0) === 0xe0;
  const isLegal = (second & 0x18) !== 0x08 && (second & 0x06) !== 0 && (third & 0xf0) !== 0xf0 && (third & 0x0c) !== 0x0c;
  return isSync && isLegal ? type('audio/mpeg') : null;
}

/** Eight bytes of little-endian header length, then a JSON object: also what ComfyUI calls `.latent`. */
function safetensors(head: Uint8Array): Sniffed | null {
  if (head.length < 10 || head[5] !== 0 || head[6] !== 0 || head[7] !== 0) return null;
  return head[8] === 0x7b && (head[9] === 0x22 || head[9] === 0x7d || head[9] === 0x20) ? type('application/x-safetensors') : null;
}

function text(head: Uint8Array): Sniffed | null {
  const content = decodeText(head);
  if (content === null) return null;
  const start = content.trimStart();
  if (/^<svg[\s>]/i.test(withoutProlog(start))) return type('image/svg+xml');
  if (/^(?:<!doctype html|<html)/i.test(start)) return type('text/html');
  if (/^[[{]/.test(start)) {
    return /"asset"\s*:\s*\{[^{}]*"version"/.test(start) ? type('model/gltf+json') : type('application/json');
  }
  if (/^solid\b/.test(start) && /^\s*facet\s+normal\s/m.test(start)) return type('model/stl');
  if (start.startsWith('#usda ')) return type('model/vnd.usd', 'usda');
  if (isWavefront(start)) return type('model/obj');
  return type('text/plain');
}

/** XML declaration, comments and a doctype without a subset of its own; by hand, since a pattern for it can take exponential time. */
function withoutProlog(content: string): string {
  let rest = content;
  for (;;) {
    const ending = rest.startsWith('<!--') ? '-->' : /^<\?xml|^<!doctype svg/i.test(rest) ? '>' : null;
    const end = ending === null ? -1 : rest.indexOf(ending);
    if (ending === null || end < 0) return rest;
    rest = rest.slice(end + ending.length).trimStart();
  }
}

/** The first line that says anything is a vertex. */
function isWavefront(content: string): boolean {
  const spoken = content.split('\n').find((line) => !/^\s*$|^#|^(?:mtllib|o|g|s|usemtl)\s/.test(line));
  return spoken !== undefined && /^v\s+-?\d/.test(spoken);
}

/** Null when it is no UTF-8 text. A character cut in two at the end of the head is no fault. */
function decodeText(head: Uint8Array): string | null {
  if (head.some((byte) => byte < 0x20 && !TEXT_CONTROLS.has(byte))) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
  } catch {
    return null;
  }
}
