/** How ffmpeg is called for pictures: those that sharp does not read, and those that move; and what all calls have in common. Pure. */

/** Decoders of pictures, pinned: a file that is said to be one of these can not be taken for something else. */
export const PICTURE_DECODERS: Readonly<Record<string, string>> = { png: 'png', jpg: 'mjpeg', webp: 'webp', tif: 'tiff', exr: 'exr' };

export function isPictureReadable(extension: string): boolean {
  return Object.hasOwn(PICTURE_DECODERS, extension);
}

export const QUIET = ['-hide_banner', '-nostdin', '-loglevel', 'error', '-max_alloc', '1073741824', '-y'];
/** Nothing that says when, where or by what it was made, so that the same work gives the same bytes. */
export const PLAIN = [
  '-map_metadata',
  '-1',
  '-map_chapters',
  '-1',
  '-fflags',
  '+bitexact',
  '-flags:v',
  '+bitexact',
  '-flags:a',
  '+bitexact',
];

/**
 * What makes of OpenEXR, linear light with colours multiplied by their alpha, what screens show. Without its alpha it is seen over black by that
 * alone; with it the colours are divided first, since whoever shows them multiplies them again.
 */
export function screenLight(isStraight: boolean): { readonly read: readonly string[]; readonly filter: string } {
  return isStraight
    ? { read: [], filter: `format=gbrapf32le,unpremultiply=inplace=1,format=rgba64le,lutrgb=r='${CURVE}':g='${CURVE}':b='${CURVE}'` }
    : { read: ['-apply_trc', 'iec61966_2_1'], filter: '' };
}

/** The curve of sRGB (IEC 61966-2-1), which decoders know and filters do not. */
const CURVE = 'if(lte(val/maxval,0.0031308),12.92*val,(1.055*pow(val/maxval,1/2.4)-0.055)*maxval)';

/** Pictures that sharp does not read. `alpha`: it has one, and what it becomes has a place for it. */
export function stillArgs(path: string, extension: string, output: string, alpha: boolean): readonly string[] {
  const { read, filter } = extension === 'exr' ? screenLight(alpha) : { read: [], filter: '' };
  const decoder = PICTURE_DECODERS[extension] ?? extension;
  return [
    ...QUIET,
    '-protocol_whitelist',
    'file',
    ...read,
    '-f',
    'image2',
    '-pattern_type',
    'none',
    '-c:v',
    decoder,
    '-i',
    `file:${path}`,
    '-frames:v',
    '1',
    ...(filter === '' ? [] : ['-vf', filter]),
    '-c:v',
    'png',
    '-pix_fmt',
    alpha ? 'rgba64be' : 'rgb48be',
    ...PLAIN,
    '-f',
    'image2',
    '-update',
    '1',
    output,
  ];
}

/** Bare floats in linear light, as `linear` writes them. */
export function exrArgs(input: string, width: number, height: number, alpha: boolean, output: string): readonly string[] {
  const format = alpha ? 'gbrapf32le' : 'gbrpf32le';
  const read = ['-f', 'rawvideo', '-pixel_format', format, '-video_size', `${String(width)}x${String(height)}`, '-i', `file:${input}`];
  return [
    ...QUIET,
    '-protocol_whitelist',
    'file',
    ...read,
    '-frames:v',
    '1',
    '-c:v',
    'exr',
    '-compression',
    'zip16',
    '-format',
    'half',
    ...PLAIN,
    '-f',
    'image2',
    '-update',
    '1',
    output,
  ];
}

/** The frames of an animated PNG, each once and as it is seen, whatever time it has. */
export function apngArgs(path: string, pattern: string, version: string): readonly string[] {
  const read = ['-protocol_whitelist', 'file', '-f', 'apng', '-c:v', 'apng', '-i', `file:${path}`];
  const write = ['-c:v', 'png', '-pred', 'mixed', ...PLAIN, '-f', 'image2', '-start_number', '1', pattern];
  return [...QUIET, ...read, ...everyFrame(version), ...write];
}

/** Neither left out nor repeated for a steady rate. Newer releases have another name for it. */
export function everyFrame(version: string): readonly string[] {
  return [/^[0-5]\./.test(version) ? '-vsync' : '-fps_mode', 'passthrough'];
}
