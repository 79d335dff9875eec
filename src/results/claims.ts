/** A file that is called a picture must be one: proxies and crashed servers answer with pages and JSON where a picture was asked for. */
import { extname } from 'node:path';
import { formatByExtension, formatOf } from '#protocol/file-formats.ts';
import type { FileFormat } from '#protocol/file-formats.ts';
import { CallsheetError } from '#protocol/errors.ts';

/** Formats that are, or can be, text. */
const TEXTUAL: ReadonlySet<string> = new Set(['svg', 'gltf', 'obj', 'ply', 'stl', 'usd', 'usda']);

/** Only the family is held against the content: a .png that is a WebP inside is still a picture. Throws OUTPUT_INVALID. */
export function assertClaim(name: string, mediaType: string): void {
  const extension = extensionOf(name);
  const claimed = formatByExtension(extension);
  if (claimed === undefined || !isBinary(claimed, extension)) return;
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

/** The backend's own ending where it is one of those that files of this format have: `.csv` of a text says more than `.txt`. */
export function keptExtension(name: string | undefined, mediaType: string): string | undefined {
  const extension = extensionOf(name ?? '');
  const isOwn = extension !== '' && (formatOf(mediaType)?.extensions.includes(extension) ?? false);
  return isOwn ? extension : undefined;
}

function isBinary({ kind, extensions }: FileFormat, extension: string): boolean {
  if (TEXTUAL.has(extension) || kind === 'text') return false;
  // Of endings without a format of their own nothing is known.
  return kind !== 'file' || extensions[0] === 'safetensors' || extension === 'zip';
}

function extensionOf(name: string): string {
  return extname(name).slice(1).toLowerCase();
}
