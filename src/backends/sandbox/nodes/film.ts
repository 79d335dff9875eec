/** Moving pictures: animations, WebM and MP4. Films are AV1, or VP8 where ComfyUI writes VP9: the codecs that still pictures are made of. */
import { encodePng, encodeWebp } from '../images/codec.ts';
import { addPngText } from '../images/png-text.ts';
import { joinApng } from '../media/apng.ts';
import { writeMp4 } from '../media/mp4.ts';
import { codeFilm } from '../media/picture-codecs.ts';
import { type Tag, tagsOf } from '../media/tags.ts';
import { writeWebm } from '../media/webm.ts';
import type { ImageValue, VideoValue } from '../values.ts';
import { bool, combo, float, int, link, type NodeContext, type NodeDefinition, type NodeResult, text } from './define.ts';
import { HIDDEN, reported } from './save.ts';

/** sharp's `effort` for ComfyUI's names of WebP methods. */
const WEBP_EFFORT: Readonly<Record<string, number>> = { default: 4, fastest: 0, slowest: 6 };

const prefix = (initial = 'ComfyUI') => text({ default: initial, multiline: false });
const fps = (initial: number) => float({ default: initial, min: 0.01, max: 1000, step: 0.01 });

function save(value: ImageValue, place: string, extension: string, bytes: Uint8Array, context: NodeContext): NodeResult {
  const [first] = value.frames;
  if (first === undefined) throw new Error('there is no picture to save');
  const file = context.environment.storage.reserve('output', place, first).write(0, extension, bytes);
  return { outputs: [value], ui: { images: [reported(file, value.draft)], animated: [true] } };
}

/** ComfyUI counts down from the tag of the camera's model; names say what each text is. */
function exifOf(tags: readonly Tag[]): Record<string, string> {
  return Object.fromEntries(
    EXIF_TAGS.flatMap((name, place) => (tags[place] === undefined ? [] : [[name, `${tags[place].key}:${tags[place].text}`]])),
  );
}

const EXIF_TAGS = ['Model', 'Make', 'ImageDescription'];

const PICTURES = {
  category: 'image',
  module: 'comfy_extras.nodes_images',
  schema: 'v3',
  hidden: HIDDEN,
  outputs: [['IMAGE', 'images']],
} as const;
const FILMS = { category: 'video', module: 'comfy_extras.nodes_video', schema: 'v3' } as const;

export const FILM_NODES: readonly NodeDefinition[] = [
  {
    ...PICTURES,
    name: 'SaveAnimatedWEBP',
    displayName: 'Save Animated WEBP',
    required: {
      images: link('IMAGE'),
      filename_prefix: prefix(),
      fps: fps(6),
      lossless: bool(true),
      quality: int({ default: 80, min: 0, max: 100 }),
      method: combo(Object.keys(WEBP_EFFORT)),
    },
    isOutput: true,
    async run(inputs, context) {
      const value = inputs.value('images', 'image');
      const bytes = await encodeWebp(value.frames, {
        fps: inputs.number('fps'),
        lossless: inputs.boolean('lossless'),
        quality: Math.max(1, inputs.integer('quality')),
        effort: WEBP_EFFORT[inputs.string('method')] ?? 4,
        exif: exifOf(tagsOf(context.prompt, context.extraPngInfo, value.draft)),
      });
      return save(value, inputs.string('filename_prefix'), 'webp', bytes, context);
    },
  },
  {
    ...PICTURES,
    name: 'SaveAnimatedPNG',
    displayName: 'Save Animated PNG',
    required: {
      images: link('IMAGE'),
      filename_prefix: prefix(),
      fps: fps(6),
      compress_level: int({ default: 4, min: 0, max: 9, advanced: true }),
    },
    isOutput: true,
    async run(inputs, context) {
      const value = inputs.value('images', 'image');
      const level = inputs.integer('compress_level');
      const frames: Buffer[] = [];
      for (const frame of value.frames) frames.push(await encodePng(frame, level));
      const tags = tagsOf(context.prompt, context.extraPngInfo, value.draft);
      const entries = Object.fromEntries(tags.map(({ key, text: said }) => [key, said]));
      return save(value, inputs.string('filename_prefix'), 'png', addPngText(joinApng(frames, inputs.number('fps')), entries), context);
    },
  },
  {
    ...FILMS,
    name: 'SaveWEBM',
    displayName: 'Save WEBM',
    required: {
      images: link('IMAGE'),
      filename_prefix: prefix(),
      codec: combo(['vp9', 'av1']),
      fps: fps(24),
      crf: float({ default: 32, min: 0, max: 63, step: 1 }),
    },
    hidden: HIDDEN,
    outputs: [['IMAGE', 'images']],
    isOutput: true,
    async run(inputs, context) {
      const value = inputs.value('images', 'image');
      const film = await codeFilm(value.frames, inputs.string('codec') === 'av1' ? 'av1' : 'vp8');
      const bytes = writeWebm(film, inputs.number('fps'), tagsOf(context.prompt, context.extraPngInfo, value.draft));
      return save(value, inputs.string('filename_prefix'), 'webm', bytes, context);
    },
  },
  {
    ...FILMS,
    name: 'CreateVideo',
    displayName: 'Create Video',
    required: { images: link('IMAGE'), fps: float({ default: 30, min: 1, max: 120, step: 1 }) },
    optional: { audio: link('AUDIO') },
    outputs: [['VIDEO', 'VIDEO']],
    run(inputs) {
      const audio = inputs.optional('audio', 'audio');
      const video: VideoValue = {
        kind: 'video',
        images: inputs.value('images', 'image'),
        fps: inputs.number('fps'),
        ...(audio === undefined ? {} : { audio }),
      };
      return { outputs: [video] };
    },
  },
  {
    ...FILMS,
    name: 'SaveVideo',
    displayName: 'Save Video',
    required: {
      video: link('VIDEO'),
      filename_prefix: prefix('video/ComfyUI'),
      format: combo(['auto', 'mp4'], { default: 'auto' }),
      codec: combo(['auto', 'h264', 'av1'], { default: 'auto' }),
    },
    hidden: HIDDEN,
    outputs: [['VIDEO', 'video']],
    isOutput: true,
    async run(inputs, context) {
      const video = inputs.value('video', 'video');
      const { images, audio } = video;
      const draft = images.draft || audio?.draft === true;
      const film = await codeFilm(images.frames, 'av1');
      const bytes = writeMp4(film, video.fps, audio, tagsOf(context.prompt, context.extraPngInfo, draft));
      const { ui = {} } = save({ ...images, draft }, inputs.string('filename_prefix'), 'mp4', bytes, context);
      return { outputs: [video], ui };
    },
  },
];
