/**
 * The one table of the kinds of files that nodes give: a new kind of output is one row here, and what there is to measure or to read in it
 * one function in `results/formats`, which the compiler asks for. docs/results.md shows it.
 */
import type { ArtifactKind } from './views.ts';

export interface FileFormat {
  readonly title: string;
  readonly kind: ArtifactKind;
  /** Without a dot: the first is the one that our files get. */
  readonly extensions: readonly [string, ...string[]];
  /** What nodes give it, as examples for people. */
  readonly from: string;
}

const format = (title: string, kind: ArtifactKind, extensions: FileFormat['extensions'], from = 'custom packs'): FileFormat => ({
  title,
  kind,
  extensions,
  from,
});

/** By media type. A picture of several frames is an animation, a film without pictures a sound: only the content tells. */
export const FILE_FORMATS = {
  'image/png': format('PNG, APNG', 'image', ['png', 'apng'], 'SaveImage, PreviewImage, MaskPreview, ImageCompare, SaveAnimatedPNG'),
  'image/jpeg': format('JPEG', 'image', ['jpg', 'jpeg']),
  'image/webp': format('WebP', 'image', ['webp'], 'SaveAnimatedWEBP'),
  'image/gif': format('GIF', 'image', ['gif'], 'VHS_VideoCombine'),
  'image/avif': format('AVIF', 'image', ['avif'], 'SaveImageAdvanced'),
  'image/heic': format('HEIC', 'image', ['heic', 'heif']),
  'image/x-exr': format('OpenEXR', 'image', ['exr'], 'SaveImageAdvanced, SaveEXR'),
  'image/tiff': format('TIFF', 'image', ['tif', 'tiff']),
  'image/vnd.radiance': format('Radiance HDR', 'image', ['hdr']),
  'image/bmp': format('BMP', 'image', ['bmp']),
  'image/svg+xml': format('SVG', 'image', ['svg'], 'SaveSVGNode'),
  'video/mp4': format('MP4', 'video', ['mp4', 'm4v'], 'SaveVideo, VHS_VideoCombine'),
  'video/quicktime': format('QuickTime', 'video', ['mov', 'qt'], 'VHS_VideoCombine (ProRes)'),
  'video/webm': format('WebM', 'video', ['webm'], 'SaveWEBM'),
  'video/x-matroska': format('Matroska', 'video', ['mkv'], 'SaveWEBM, VHS_VideoCombine (FFV1)'),
  'video/x-msvideo': format('AVI', 'video', ['avi']),
  'video/ogg': format('Ogg video', 'video', ['ogv']),
  'audio/wav': format('WAV', 'audio', ['wav']),
  'audio/flac': format('FLAC', 'audio', ['flac'], 'SaveAudio, PreviewAudio'),
  'audio/mpeg': format('MP3', 'audio', ['mp3'], 'SaveAudioMP3'),
  'audio/ogg': format('Ogg Opus, Ogg Vorbis', 'audio', ['ogg', 'opus', 'oga'], 'SaveAudioOpus'),
  'audio/mp4': format('M4A', 'audio', ['m4a', 'm4b']),
  'audio/aac': format('AAC', 'audio', ['aac']),
  'audio/aiff': format('AIFF', 'audio', ['aif', 'aiff']),
  'model/gltf-binary': format('glTF, binary', 'model3d', ['glb'], 'SaveGLB, Preview3D'),
  'model/gltf+json': format('glTF, text', 'model3d', ['gltf']),
  'model/obj': format('Wavefront OBJ', 'model3d', ['obj']),
  'model/ply': format('PLY: meshes, Gaussian splats', 'model3d', ['ply']),
  'model/stl': format('STL', 'model3d', ['stl']),
  'model/vnd.usd': format('USD', 'model3d', ['usd', 'usda', 'usdc']),
  'model/vnd.usdz+zip': format('USDZ', 'model3d', ['usdz']),
  'application/x-fbx': format('FBX', 'model3d', ['fbx']),
  'text/plain': format(
    'Text',
    'text',
    ['txt', 'md', 'csv', 'tsv', 'srt', 'vtt', 'ass', 'yaml', 'yml', 'xml', 'log', 'bvh', 'mtl', 'cube'],
    'PreviewAny, ShowText, SaveText; what a node only shows',
  ),
  'text/html': format('HTML', 'text', ['html', 'htm']),
  'application/json': format('JSON', 'text', ['json', 'jsonl', 'ndjson'], 'SaveText, custom packs'),
  'application/x-safetensors': format('safetensors', 'file', ['safetensors'], 'ModelSave and the like'),
  'application/x-comfy-latent': format('Latent', 'latent', ['latent'], 'SaveLatent'),
  'application/zip': format('ZIP', 'file', ['zip', 'npz', '3mf', 'blend', 'pt', 'pth', 'ckpt']),
  'application/octet-stream': format(
    'Anything else',
    'file',
    ['bin', 'npy', 'splat', 'ksplat', 'spz', 'blend', 'vdb', 'mid', 'gz'],
    'custom packs; taken as it is',
  ),
} as const satisfies Record<string, FileFormat>;

export type FileMediaType = keyof typeof FILE_FORMATS;

const ALL: Readonly<Record<string, FileFormat>> = FILE_FORMATS;

export function formatOf(mediaType: string): FileFormat | undefined {
  return Object.hasOwn(ALL, mediaType) ? ALL[mediaType] : undefined;
}

/** By the media type alone, as far as that tells. */
export function kindOf(mediaType: string): ArtifactKind {
  return formatOf(mediaType)?.kind ?? 'file';
}

/** The kinds of files whose usual extension this is; the case of letters does not matter. */
export function formatByExtension(extension: string): FileFormat | undefined {
  const wanted = extension.toLowerCase();
  return Object.values(ALL).find(({ extensions }) => extensions.includes(wanted));
}
