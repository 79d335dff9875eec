/** Which content a media parameter takes, by the media type that the first bytes show. */
import type { MediaParameterType } from '#templates/types.ts';

const MiB = 1024 ** 2;

/** Bytes. Pictures are read whole by backends, films are streamed. */
export const SIZE_CAPS: Readonly<Record<MediaParameterType, number>> = {
  image: 512 * MiB,
  mask: 512 * MiB,
  video: 4096 * MiB,
  audio: 1024 * MiB,
  model3d: 2048 * MiB,
  file: 4096 * MiB,
};

export const KIND_NAMES: Readonly<Record<MediaParameterType, string>> = {
  image: 'a picture',
  mask: 'a picture',
  video: 'a film',
  audio: 'a sound',
  model3d: 'a 3D model',
  file: 'a file',
};

// SVG is a document that can carry scripts, not a picture of pixels.
const PICTURE = /^image\/(?!svg)/;
const RULES: Readonly<Record<MediaParameterType, RegExp>> = {
  image: PICTURE,
  mask: PICTURE,
  video: /^(?:video\/|image\/(?:gif|webp|avif|png)$)/,
  audio: /^(?:audio\/|video\/(?:mp4|webm|quicktime|x-matroska|ogg)$)/,
  model3d: /^(?:model\/|application\/x-fbx$)/,
  file: /^/,
};

/** Animated pictures count as films, and films as the sound they may hold: only a decoder could tell. */
export function fits(kind: MediaParameterType, mediaType: string): boolean {
  return RULES[kind].test(mediaType);
}
