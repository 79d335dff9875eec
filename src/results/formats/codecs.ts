/** What codecs are called, and what their configuration says of depth and alpha: boxes of MP4 and QuickTime, codes of AVI. */

/** Names by the four letters of a sample entry (https://mp4ra.org/registered-types/sampleentries) or of an AVI stream. */
const NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    h264: ['avc1', 'avc2', 'avc3', 'avc4', 'H264', 'h264', 'X264', 'x264', 'AVC1'],
    hevc: ['hvc1', 'hev1', 'dvh1', 'dvhe', 'HEVC', 'H265'],
    av1: ['av01', 'AV01'],
    vp8: ['vp08', 'VP80'],
    vp9: ['vp09', 'VP90'],
    mpeg4: ['mp4v', 'XVID', 'xvid', 'DIVX', 'divx', 'DX50', 'FMP4'],
    mjpeg: ['jpeg', 'mjpa', 'mjpb', 'MJPG', 'mjpg'],
    prores: ['apco', 'apcs', 'apcn', 'apch', 'ap4h', 'ap4x'],
    png: ['png ', 'MPNG'],
    ffv1: ['FFV1'],
    huffyuv: ['HFYU', 'FFVH'],
    utvideo: ['ULRG', 'ULRA', 'ULY0', 'ULY2', 'ULH0', 'ULH2'],
    cineform: ['CFHD'],
    dnxhd: ['AVdn'],
    raw: ['raw ', '2vuy', 'v210', 'yuv2', 'DIB ', '\0\0\0\0'],
    qtrle: ['rle '],
    vvc: ['vvc1', 'vvi1'],
    aac: ['mp4a'],
    mp3: ['.mp3', 'ms\0\x55'],
    opus: ['Opus'],
    flac: ['fLaC'],
    alac: ['alac'],
    ac3: ['ac-3'],
    eac3: ['ec-3'],
    pcm: ['sowt', 'twos', 'lpcm', 'in24', 'in32', 'fl32', 'fl64', 'ipcm', 'fpcm', 'NONE'],
  }).flatMap(([name, codes]) => codes.map((code): [string, string] => [code, name])),
);

/** The four letters themselves where they have no name here. */
export function codecName(code: string): string {
  return NAMES.get(code) ?? code.replaceAll(/[^ -~]/g, '?').trim();
}

/** Bits of the codecs that have no choice. */
const USUAL_DEPTH: Readonly<Record<string, number>> = { vp8: 8, mpeg4: 8, mjpeg: 8 };

export interface Colour {
  readonly depth?: number;
  readonly alpha?: boolean;
}

/** `config` is the content of the box that configures the codec, undefined when there is none; `pixelBits` the depth that the entry claims. */
export function colourOf(code: string, configType: string | undefined, config: DataView | undefined, pixelBits: number): Colour {
  const name = codecName(code);
  if (name === 'prores') return { depth: code.startsWith('ap4') ? 12 : 10, alpha: code.startsWith('ap4') && pixelBits === 32 };
  if (name === 'png' || name === 'qtrle') return { depth: 8, alpha: pixelBits === 32 };
  if (configType === 'av1C' && config !== undefined && config.byteLength >= 3) return { depth: av1Colour(config, 0).depth, alpha: false };
  if (configType === 'avcC' && config !== undefined) return { ...avcDepth(config), alpha: false };
  // Bits 0 to 2 of byte 17 (ISO/IEC 14496-15 8.3.2.1).
  if (configType === 'hvcC' && config !== undefined && config.byteLength >= 18)
    return { depth: 8 + (config.getUint8(17) & 7), alpha: false };
  // After version and flags: profile, level, then four bits of depth.
  if (configType === 'vpcC' && config !== undefined && config.byteLength >= 7) return { depth: config.getUint8(6) >> 4, alpha: false };
  const usual = USUAL_DEPTH[name];
  return usual === undefined ? {} : { depth: usual, alpha: false };
}

/** Bits 5 and 6 of the third byte: 8, 10 or 12 bits; bit 4: one colour (https://aomediacodec.github.io/av1-isobmff/#av1codecconfigurationbox). */
export function av1Colour(config: DataView, at: number): { readonly depth: number; readonly colours: number } {
  const flags = config.getUint8(at + 2);
  return { depth: (flags & 0x40) === 0 ? 8 : (flags & 0x20) === 0 ? 10 : 12, colours: (flags & 0x10) === 0 ? 3 : 1 };
}

const HIGH_PROFILES = new Set([100, 110, 122, 144, 244, 44]);

/** Profiles below High have eight bits; the others say so after their parameter sets (ISO/IEC 14496-15 5.3.3.1). */
function avcDepth(config: DataView): Colour {
  if (config.byteLength < 7) return {};
  if (!HIGH_PROFILES.has(config.getUint8(1))) return { depth: 8 };
  let at = 5;
  for (const mask of [0x1f, 0xff]) {
    if (at >= config.byteLength) return {};
    const sets = config.getUint8(at) & mask;
    at += 1;
    for (let set = 0; set < sets; set += 1) {
      if (at + 2 > config.byteLength) return {};
      at += 2 + config.getUint16(at);
    }
  }
  // Writers may leave the extension out, and then mean what nearly all files have.
  return at + 2 < config.byteLength ? { depth: 8 + (config.getUint8(at + 1) & 7) } : { depth: 8 };
}
