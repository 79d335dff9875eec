/** Which pictures move: those that are called animations, and those whose headers tell a time. */
import type { ArtifactView } from '#protocol/views.ts';

export type MaybeMoving = Pick<ArtifactView, 'kind' | 'duration' | 'facts'>;

/** A picture format with several frames in it. */
export function isMovingPicture({ kind, duration, facts }: MaybeMoving): boolean {
  return kind === 'animation' || (kind === 'image' && (duration !== undefined || (facts?.frames ?? 1) > 1));
}

export function isStillPicture(file: MaybeMoving): boolean {
  return file.kind === 'image' && !isMovingPicture(file);
}
