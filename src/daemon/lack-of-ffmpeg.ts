/** Outputs of a template that are converted by ffmpeg, on a machine that has none: a warning, since the run keeps what its steps give. */
import { isAbsolute } from 'node:path';
import type { Problem } from '#protocol/problem.ts';
import { FFMPEG_HINT, ffmpegPath, whyMissing } from '#results/convert/find-ffmpeg.ts';
import type { TemplateNeeds } from '#templates/needs.ts';

/** `file`: how the manifest is called in problems, where `needs` has only its name. */
export function lackOfFfmpeg(
  { converter }: Pick<TemplateNeeds, 'converter'>,
  file: (name: string) => string = (name) => name,
): readonly Problem[] {
  if (converter === undefined || ffmpegPath() !== undefined) return [];
  const { outputs, spot } = converter;
  const names = outputs.map((name) => `"${name}"`).join(', ');
  const message = `${outputs.length === 1 ? `The output ${names} is` : `The outputs ${names} are`} converted by ffmpeg, but ${whyMissing()}. What the steps give is kept instead.`;
  const named = isAbsolute(spot.file) ? spot.file : file(spot.file);
  return [{ code: 'FFMPEG_MISSING', severity: 'warning', message, hint: FFMPEG_HINT, ...spot, file: named }];
}
