/** A file that is called a picture must be one: proxies and crashed servers answer with pages and JSON where a picture was asked for. */
import { extname } from 'node:path';
import { CallsheetError } from '#protocol/errors.ts';

const IMAGES = ['png', 'jpg', 'jpeg', 'webp', 'gif', 'avif', 'apng', 'exr', 'tif', 'tiff', 'hdr'];
const MOVING = ['mp4', 'mov', 'webm', 'mkv', 'avi', 'm4v'];
const SOUND = ['wav', 'flac', 'mp3', 'ogg', 'opus', 'm4a'];
const SHAPES = ['glb', 'fbx', 'usdz'];
const BINARY = new Set([...IMAGES, ...MOVING, ...SOUND, ...SHAPES, 'safetensors', 'latent']);

/** Only the family is held against the content: a .png that is a WebP inside is still a picture. Throws OUTPUT_INVALID. */
export function assertClaim(name: string, mediaType: string): void {
  const extension = extname(name).slice(1).toLowerCase();
  if (!BINARY.has(extension)) return;
  const isText = mediaType.startsWith('text/') || mediaType === 'application/json' || mediaType === 'image/svg+xml';
  if (!isText && mediaType !== 'application/octet-stream') return;
  throw new CallsheetError(
    'OUTPUT_INVALID',
    `The backend sent ${isText ? mediaType : 'unknown bytes'} where a .${extension} file was asked for.`,
    {
      hint: 'Check that the address leads to ComfyUI itself and not to a login or error page.',
    },
  );
}
