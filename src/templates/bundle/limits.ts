/** What a bundle may hold: kinds of files, and how much of them (docs/importing.md). */

export interface BundleLimits {
  readonly entries: number;
  /** Bytes, as those below. */
  readonly archive: number;
  readonly entry: number;
  readonly total: number;
  /** Uncompressed to compressed, for entries over `ratioFrom`. */
  readonly ratio: number;
  readonly ratioFrom: number;
}

const MIB = 1024 * 1024;

export const BUNDLE_LIMITS: BundleLimits = {
  entries: 500,
  archive: 256 * MIB,
  entry: 50 * MIB,
  total: 200 * MIB,
  ratio: 100,
  ratioFrom: MIB,
};

/** Data only: nothing here is executed by anything that reads it. SVG and HTML could carry scripts, archives more archives. */
const EXTENSIONS: ReadonlySet<string> = new Set(
  'json md txt png jpg jpeg webp avif gif exr hdr tif tiff mp4 mov m4v webm mkv wav flac mp3 ogg opus m4a glb obj ply stl'.split(' '),
);

export function extensionOf(name: string): string {
  return /\.([A-Za-z0-9]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
}

/** LICENSE is customary without an extension. */
export function isAllowedKind(name: string): boolean {
  return /(?:^|\/)LICENSE$/.test(name) || EXTENSIONS.has(extensionOf(name));
}
