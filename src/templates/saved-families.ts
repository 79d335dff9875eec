/** What node classes save, as far as it is the same every time; what becomes of it by conversion, and what Blender makes of it. */
import { type AssetKind, ASSET_KINDS, type ConversionTarget } from '#protocol/assets.ts';

/** `animation`: a moving picture in a picture format; `drawing`: lines that no converter here reads; `sequence`: numbered pictures. */
export type Family = 'picture' | 'drawing' | 'animation' | 'film' | 'sequence' | 'sound' | 'mesh' | 'text' | 'latent';

const PICTURE: readonly Family[] = ['picture'];
const DRAWING: readonly Family[] = ['drawing'];
const ANIMATION: readonly Family[] = ['animation'];
const FILM: readonly Family[] = ['film'];
const SOUND: readonly Family[] = ['sound'];
const MESH: readonly Family[] = ['mesh'];
const TEXT: readonly Family[] = ['text'];

/** Classes of packs are named only where their name says what they save. */
const SAVED: Readonly<Record<string, readonly Family[]>> = {
  SaveImage: PICTURE,
  SaveImageAdvanced: PICTURE,
  SaveImageWebsocket: PICTURE,
  'Image Save': PICTURE,
  PreviewImage: PICTURE,
  MaskPreview: PICTURE,
  SaveSVGNode: DRAWING,
  SaveEXR: PICTURE,
  SaveAnimatedPNG: ANIMATION,
  SaveAnimatedWEBP: ANIMATION,
  SaveWEBM: FILM,
  SaveVideo: FILM,
  VHS_VideoCombine: ['film', 'animation'],
  SaveAudio: SOUND,
  SaveAudioMP3: SOUND,
  SaveAudioOpus: SOUND,
  SaveAudioAdvanced: SOUND,
  PreviewAudio: SOUND,
  SaveGLB: MESH,
  Save3DAdvanced: MESH,
  Preview3D: MESH,
  PreviewAny: TEXT,
  SaveText: TEXT,
  SaveLatent: ['latent'],
};

/** Undefined: it may be anything. */
export function savedBy(classType: string): readonly Family[] | undefined {
  return Object.hasOwn(SAVED, classType) ? SAVED[classType] : undefined;
}

const TARGETS: Readonly<Record<ConversionTarget, Family>> = {
  png: 'picture',
  jpg: 'picture',
  webp: 'picture',
  tiff: 'picture',
  exr: 'picture',
  mp4: 'film',
  webm: 'film',
  gif: 'animation',
  frames: 'sequence',
  wav: 'sound',
  flac: 'sound',
  mp3: 'sound',
};

export function familyOf(target: ConversionTarget): Family {
  return TARGETS[target];
}

const CONVERTIBLE: Readonly<Record<string, readonly Family[]>> = {
  // Of a moving one the first.
  picture: ['picture', 'animation'],
  film: ['film', 'animation', 'picture', 'sequence'],
  animation: ['film', 'animation', 'picture', 'sequence'],
  sequence: ['film', 'animation', 'picture', 'sequence'],
  sound: ['sound', 'film'],
};

export function canBecome(from: Family, target: ConversionTarget): boolean {
  return CONVERTIBLE[familyOf(target)]?.includes(from) ?? false;
}

const LOADABLE: Readonly<Record<AssetKind, readonly Family[]>> = {
  image: ['picture', 'animation'],
  image_sequence: ['sequence', 'picture'],
  movie: ['film', 'animation'],
  sound: ['sound', 'film'],
  mesh: ['mesh'],
  hdri: ['picture'],
  material: ['picture'],
  text: ['text'],
};

export function canBe(family: Family, kind: AssetKind): boolean {
  return LOADABLE[kind].includes(family);
}

/** Names that templates gave before there was a list. */
const OLDER: Readonly<Record<string, AssetKind>> = {
  model: 'mesh',
  model3d: 'mesh',
  video: 'movie',
  audio: 'sound',
  sequence: 'image_sequence',
};

export function assetKind(name: string): AssetKind | undefined {
  return ASSET_KINDS.find((kind) => kind === name) ?? (Object.hasOwn(OLDER, name) ? OLDER[name] : undefined);
}
