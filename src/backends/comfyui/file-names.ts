/** The names that savers give their files, likeliest first: for nodes that do not say what they saved. Pure. */
import { FILE_FORMATS } from '#protocol/file-formats.ts';
import type { ArtifactKind } from '#protocol/views.ts';
import { text } from './replies.ts';
import type { Fields } from './replies.ts';

export interface NameParts {
  readonly classType: string;
  /** The prefix without its folders. */
  readonly stem: string;
  readonly inputs: Fields;
}

export interface Pattern {
  /** The name of the file with this number, from 1. */
  at(number: number): string;
  readonly isNumbered: boolean;
}

/** What the name of a class tells of what it saves. */
const HINTS: readonly (readonly [RegExp, ArtifactKind])[] = [
  [/video|webm|movie|film|gif|anim/i, 'video'],
  [/audio|sound|music|speech|voice|wav|mp3/i, 'audio'],
  [/mesh|glb|3d|splat|ply|obj\b|model3d/i, 'model3d'],
  [/latent/i, 'latent'],
  [/text|string|json|csv|caption/i, 'text'],
  [/checkpoint|modelsave|lora|vaesave|clipsave|tensor/i, 'file'],
];

/** Endings that are tried, by kind, most usual first. */
const ENDINGS: Readonly<Record<ArtifactKind, readonly string[]>> = {
  image: ['png', 'jpg', 'webp', 'jpeg', 'exr', 'tiff', 'tif', 'gif', 'avif', 'bmp', 'svg', 'hdr'],
  animation: ['gif', 'webp', 'png', 'apng'],
  video: ['mp4', 'webm', 'gif', 'mov', 'mkv', 'webp', 'avi'],
  audio: ['flac', 'wav', 'mp3', 'opus', 'ogg', 'm4a'],
  model3d: ['glb', 'obj', 'ply', 'gltf', 'fbx', 'usdz', 'stl', 'splat', 'spz'],
  latent: ['latent'],
  text: ['txt', 'json', 'md', 'csv', 'srt'],
  file: ['safetensors', 'zip', 'npz', 'npy', 'bin'],
};

/** Inputs that name an ending or a format. */
const FORMAT_INPUT = /ext|format|type|container|codec/i;
const KNOWN: ReadonlySet<string> = new Set(Object.values(FILE_FORMATS).flatMap(({ extensions }) => extensions as readonly string[]));

export function fileNames({ classType, stem, inputs }: NameParts): readonly Pattern[] {
  return endings(classType, inputs).flatMap((ending) =>
    patterns(stem, inputs).map(({ isNumbered, name }) => ({ isNumbered, at: (number: number) => `${name(number)}.${ending}` })),
  );
}

/** The numbers after the first that a pattern may have. */
export function* numbersIn({ isNumbered }: Pattern, most: number): Generator<number> {
  if (isNumbered) for (let number = 2; number <= most; number += 1) yield number;
}

interface Numbering {
  readonly isNumbered: boolean;
  readonly name: (number: number) => string;
}

/** ComfyUI's own counter with and without its last stroke, then counters of packs, by what their inputs say. */
function patterns(stem: string, inputs: Fields): readonly Numbering[] {
  const delimiter = text(inputs['filename_delimiter']) ?? '_';
  const padding = Number(inputs['filename_number_padding'] ?? 4);
  const isFirst = String(inputs['filename_number_start']) === 'true';
  const pad = (number: number, length: number) => String(number).padStart(length, '0');
  const numbered = (name: (number: number) => string): Numbering => ({ isNumbered: true, name });
  const own = numbered((number) => (isFirst ? `${pad(number, padding)}${delimiter}${stem}` : `${stem}${delimiter}${pad(number, padding)}`));
  const usual = [numbered((number) => `${stem}_${pad(number, 5)}_`), numbered((number) => `${stem}_${pad(number, 5)}`)];
  const alone: Numbering = { isNumbered: false, name: () => stem };
  return 'filename_number_padding' in inputs ? [own, ...usual, alone] : [...usual, own, alone];
}

/** An input that says it, then what the class says of its kind, then pictures. */
function endings(classType: string, inputs: Fields): readonly string[] {
  const told = Object.entries(inputs)
    .filter(([name]) => FORMAT_INPUT.test(name))
    .flatMap(([, value]) => (typeof value === 'string' ? value.toLowerCase().split(/[^a-z0-9]+/) : []))
    .filter((word) => KNOWN.has(word));
  const kinds = HINTS.filter(([hint]) => hint.test(classType)).map(([, kind]) => kind);
  return [
    ...new Set([...told, ...kinds.flatMap((kind) => ENDINGS[kind]), ...(kinds.length === 0 || told.length === 0 ? ENDINGS.image : [])]),
  ];
}
