/** What a file is, in a few words: size, frames and rate, length, sound. */
import type { ArtifactView } from '#protocol/views.ts';

/** `1024×576`, `25 frames at 24/s`, `1.0 s`, `48 kHz stereo`; nothing of what the file does not say. */
export function mediaWords({ width, height, duration, kind, facts = {} }: ArtifactView): readonly string[] {
  const { frames, fps, channels, sampleRate } = facts;
  const isSound = kind === 'audio' || kind === 'video';
  return [
    ...(width === undefined || height === undefined ? [] : [`${width}×${height}`]),
    ...(frames === undefined ? [] : [`${frames} frames${fps === undefined ? '' : ` at ${fps}/s`}`]),
    ...(duration === undefined ? [] : [`${duration.toFixed(1)} s`]),
    ...(isSound && sampleRate !== undefined ? [`${Math.round(sampleRate / 100) / 10} kHz${voices(channels)}`] : []),
  ];
}

function voices(channels: number | undefined): string {
  if (channels === undefined) return '';
  return channels === 1 ? ' mono' : channels === 2 ? ' stereo' : ` ${channels} channels`;
}
