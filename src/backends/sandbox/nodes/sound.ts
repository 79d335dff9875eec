/** Sounds: silence for real, and a drafted tone in place of what only a model could make. FLAC alone: it is the format that loses nothing. */
import { createHash } from 'node:crypto';
import { encodeFlac } from '../media/flac.ts';
import { tagsOf } from '../media/tags.ts';
import type { FolderName } from '../storage.ts';
import type { AudioValue, LatentValue, Shot } from '../values.ts';
import { float, int, link, type NodeContext, type NodeDefinition, type NodeResult, NO_SIZE, text } from './define.ts';
import { HIDDEN, reported, tempPrefix } from './save.ts';

const BASE = { category: 'audio', module: 'comfy_extras.nodes_audio', schema: 'v3' } as const;
const LATENT = { ...BASE, category: 'model/latent' } as const;
/** Longer ones would fill the memory of this process, which the daemon shares. */
const LONGEST_SECONDS = 600;
const DRAFT_RATE = 44_100;

function silence(seconds: number, sampleRate: number, channels: number): AudioValue {
  if (seconds > LONGEST_SECONDS) throw new RangeError(`The sandbox makes sounds of ${LONGEST_SECONDS} seconds at most.`);
  const samples = Math.max(1, Math.round(seconds * sampleRate));
  return { kind: 'audio', sampleRate, channels: Array.from({ length: channels }, () => new Float32Array(samples)), draft: false };
}

/** A quiet tone, one for each seed, with soft ends. */
function tone(seconds: number, shot: Shot | undefined): AudioValue {
  const sound = silence(seconds, DRAFT_RATE, 2);
  const hash = createHash('sha256')
    .update(`${shot?.prompt ?? ''}\0${shot?.seed ?? ''}`)
    .digest();
  const frequency = 220 * 2 ** ((hash[0] ?? 0) / 128);
  const total = sound.channels[0]?.length ?? 0;
  const fade = Math.min(DRAFT_RATE / 20, total / 2);
  for (const samples of sound.channels)
    for (let index = 0; index < total; index += 1)
      samples[index] = 0.1 * Math.min(1, index / fade, (total - index) / fade) * Math.sin((2 * Math.PI * frequency * index) / DRAFT_RATE);
  return { ...sound, draft: true };
}

function save(audio: AudioValue, type: FolderName, prefix: string, context: NodeContext): NodeResult {
  const bytes = encodeFlac(audio, tagsOf(context.prompt, context.extraPngInfo, audio.draft));
  const file = context.environment.storage.reserve(type, prefix, NO_SIZE).write(0, 'flac', bytes);
  return { outputs: [audio], ui: { audio: [reported(file, audio.draft)] } };
}

export const SOUND_NODES: readonly NodeDefinition[] = [
  {
    ...BASE,
    name: 'EmptyAudio',
    displayName: 'Empty Audio',
    required: {
      duration: float({ default: 60, min: 0, max: 2 ** 64, step: 0.01 }),
      sample_rate: int({ default: 44100, min: 1, max: 192000, advanced: true }),
      channels: int({ default: 2, min: 1, max: 2, advanced: true }),
    },
    outputs: [['AUDIO', 'AUDIO']],
    run: (inputs) => ({ outputs: [silence(inputs.number('duration'), inputs.integer('sample_rate'), inputs.integer('channels'))] }),
  },
  {
    ...LATENT,
    name: 'EmptyLatentAudio',
    displayName: 'Empty Latent Audio',
    required: {
      seconds: float({ default: 47.6, min: 1, max: 1000, step: 0.1 }),
      batch_size: int({ default: 1, min: 1, max: 4096 }),
    },
    outputs: [['LATENT', 'LATENT']],
    run(inputs) {
      const latent: LatentValue = { kind: 'latent', width: 512, height: 512, batch: 1, seconds: inputs.number('seconds'), shots: [] };
      return { outputs: [latent] };
    },
  },
  {
    ...LATENT,
    name: 'VAEDecodeAudio',
    displayName: 'VAE Decode Audio',
    required: { samples: link('LATENT'), vae: link('VAE') },
    outputs: [['AUDIO', 'AUDIO']],
    run(inputs) {
      const latent = inputs.value('samples', 'latent');
      if (latent.seconds === undefined) throw new TypeError('the latent is not one of a sound');
      return { outputs: [tone(latent.seconds, latent.shots.at(-1))] };
    },
  },
  {
    ...BASE,
    name: 'SaveAudio',
    displayName: 'Save Audio (FLAC)',
    required: { audio: link('AUDIO'), filename_prefix: text({ default: 'audio/ComfyUI', multiline: false }) },
    hidden: HIDDEN,
    outputs: [['AUDIO', 'audio']],
    isOutput: true,
    run: (inputs, context) => save(inputs.value('audio', 'audio'), 'output', inputs.string('filename_prefix'), context),
  },
  {
    ...BASE,
    name: 'PreviewAudio',
    displayName: 'Preview Audio',
    required: { audio: link('AUDIO') },
    hidden: HIDDEN,
    outputs: [['AUDIO', 'audio']],
    isOutput: true,
    run: (inputs, context) => save(inputs.value('audio', 'audio'), 'temp', tempPrefix(), context),
  },
];
