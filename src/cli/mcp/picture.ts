/** Pictures for a model to look at: as they are when they are small, else scaled down until they fit. */
import type { ImageContent } from '@modelcontextprotocol/server';
import type { ArtifactView } from '#protocol/views.ts';

/** Bytes that one picture may have in an answer, before base64. */
export const PICTURE_BYTES = 512 * 1024;
/** Files that are larger are not even looked into. */
const SOURCE_BYTES = 128 * 1024 * 1024;
const SOURCE_PIXELS = 200_000_000;
const LEAST_SIDE = 64;

/** What models take; anything else that sharp reads becomes one of them. */
const TAKEN = /^image\/(?:png|jpeg|webp|gif)$/;

export interface PictureSource {
  artifactBytes(artifactId: string, maxBytes: number): Promise<Buffer>;
}

export const isPicture = ({ mediaType }: { readonly mediaType?: string | undefined }): boolean =>
  mediaType?.startsWith('image/') === true && mediaType !== 'image/svg+xml';

/** `longest`: pixels of its longer side. Undefined when it is no picture, can not be read, or is gone: then the link must do. */
export async function toPicture(
  link: PictureSource,
  artifact: Pick<ArtifactView, 'artifactId' | 'mediaType'>,
  longest: number,
): Promise<ImageContent | undefined> {
  if (!isPicture(artifact)) return undefined;
  try {
    const bytes = await link.artifactBytes(artifact.artifactId, SOURCE_BYTES);
    return await fitted(bytes, artifact.mediaType, longest);
  } catch {
    return undefined;
  }
}

// --- helpers ---

async function fitted(bytes: Buffer, mediaType: string, longest: number): Promise<ImageContent> {
  const { default: sharp } = await import('sharp');
  const open = () => sharp(bytes, { limitInputPixels: SOURCE_PIXELS });
  const { width, height, hasAlpha } = await open().metadata();
  const isSmall = Math.max(width, height) <= longest && bytes.length <= PICTURE_BYTES;
  if (isSmall && TAKEN.test(mediaType)) return content(bytes, mediaType);
  for (let side = longest; ; side = Math.floor(side * 0.7)) {
    const scaled = open().autoOrient().resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true }).toColourspace('srgb');
    const made = await (hasAlpha ? scaled.webp({ quality: 85 }) : scaled.jpeg({ quality: 85 })).toBuffer();
    if (made.length <= PICTURE_BYTES || side <= LEAST_SIDE) return content(made, hasAlpha ? 'image/webp' : 'image/jpeg');
  }
}

function content(bytes: Buffer, mimeType: string): ImageContent {
  return { type: 'image', data: bytes.toString('base64'), mimeType };
}
