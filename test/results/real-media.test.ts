/** Films, sounds and pictures of real encoders (scripts/make-media-fixtures.ts): what we say of them against what ffprobe says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { recogniseBytes } from '#results/recognise.ts';
import type { Recognised } from '#results/recognise.ts';

const FOLDER = join(import.meta.dirname, '..', 'fixtures', 'media');

interface Stream {
  readonly codec_type: string;
  readonly codec_name: string;
  readonly width?: number;
  readonly height?: number;
  readonly pix_fmt?: string;
  readonly channels?: number;
  readonly sample_rate?: string;
  readonly avg_frame_rate?: string;
  readonly nb_read_frames?: string;
  readonly bits_per_raw_sample?: string;
}

const TRUTH = JSON.parse(readFileSync(join(FOLDER, 'ffprobe.json'), 'utf8')) as Readonly<
  Record<string, { readonly duration?: string; readonly streams: readonly Stream[] }>
>;

const CODECS: Readonly<Record<string, string>> = { pcm_s16le: 'pcm', pcm_s24le: 'pcm', pcm_f32le: 'pcm', pcm_s16be: 'pcm' };
/** Formats whose name says all; ffprobe has a codec for each. */
const PLAIN = /\.(?:png|apng|gif|exr|tiff|bmp)$/;

const codecOf = (stream: Stream | undefined) => stream && (CODECS[stream.codec_name] ?? stream.codec_name);

function depthOf(pixels: string): number {
  const bits = /(9|10|12|14|16)(?:le|be)$/.exec(pixels)?.[1];
  return /^(?:rgb48|rgba64)/.test(pixels) ? 16 : /f32/.test(pixels) ? 32 : Number(bits ?? 8);
}

const rate = (text: string | undefined) => {
  const [a, b] = (text ?? '0/1').split('/').map(Number);
  return (a ?? 0) / (b ?? 1);
};

/** What a file does not say is left out, but never said wrongly: `found` decides what is compared, ffprobe with what. */
function truth(name: string, found: Recognised) {
  const { duration, streams } = TRUTH[name] ?? { streams: [] };
  const picture = streams.find(({ codec_type: type }) => type === 'video');
  const sound = streams.find(({ codec_type: type }) => type === 'audio');
  const moves = Number(picture?.nb_read_frames ?? 0) > 1;
  const { facts = {} } = found;
  const pixels = picture?.pix_fmt ?? '';
  // Its decoder counts repeated frames of Theora once, does not see alpha in VP9, and makes floats of half floats.
  const [framesAreOdd, alphaIsOdd, depthIsOdd] = [name === 'theora.ogv', name === 'vp9-alpha.webm', name === 'half.exr'];
  const pictureFacts = {
    ...(moves && !framesAreOdd ? { frames: Number(picture?.nb_read_frames) } : {}),
    ...(moves ? { fps: about(rate(picture?.avg_frame_rate)) } : {}),
    ...(facts.depth === undefined || depthIsOdd ? {} : { depth: depthOf(pixels) }),
    ...(facts.alpha === undefined || alphaIsOdd ? {} : { alpha: /^(?:yuva|rgba|bgra|argb|abgr|gbrap|ya|pal8|bgr8)/.test(pixels) }),
  };
  const soundFacts = sound === undefined ? {} : { channels: sound.channels, sampleRate: Number(sound.sample_rate) };
  return {
    ...(picture === undefined ? {} : { width: picture.width, height: picture.height }),
    ...(duration !== undefined && (moves || sound !== undefined) ? { duration: about(Number(duration)) } : {}),
    kind: picture === undefined ? 'audio' : PLAIN.test(name) ? (moves ? 'animation' : 'image') : 'video',
    facts: {
      ...(picture === undefined ? {} : pictureFacts),
      ...soundFacts,
      ...(PLAIN.test(name) ? {} : { codec: codecOf(picture ?? sound) }),
      ...(picture === undefined || sound === undefined ? {} : { audioCodec: codecOf(sound) }),
    },
  };
}

/** Encoders' padding is counted by some and not by others. */
function about(value: number): number {
  return expect.toSatisfy((found: number) => Math.abs(found - value) < 0.08) as number;
}

describe('real files', () => {
  for (const name of Object.keys(TRUTH)) {
    it(`${name} is what ffprobe says`, async () => {
      const found = await recogniseBytes(readFileSync(join(FOLDER, name)));
      expect(found.fault).toBeUndefined();
      expect(found).toMatchObject(truth(name, found));
    });
  }

  const NEVER_NOTICED = /\.(?:mp3|aac|aiff|opus|ogg|oga|ogv)$|^(?:live|fragmented)/;
  for (const name of Object.keys(TRUTH).filter((one) => !NEVER_NOTICED.test(one))) {
    it(`${name} is not taken when its end is missing`, async () => {
      const bytes = readFileSync(join(FOLDER, name));
      for (const part of [0.3, 0.6, 0.9, 0.99]) {
        const cut = bytes.subarray(0, Math.floor(bytes.length * part));
        expect((await recogniseBytes(cut)).fault, `${part} of it`).toBeTypeOf('string');
      }
      // APNG, TIFF and the like end with a few bytes that no reader needs.
      expect((await recogniseBytes(bytes.subarray(0, -64))).fault).toBeTypeOf('string');
    });
  }
});
