/** What the log says of a file that came home or was made. */
import type { RunEventBody } from '#protocol/events.ts';
import type { ArtifactView } from '#protocol/views.ts';

export function createdEvent({ artifactId, step, item, output, path, mediaType, partial: isPartial }: ArtifactView): RunEventBody {
  return { type: 'artifact.created', artifactId, step, item, output, path, mediaType, ...(isPartial === true ? { partial: true } : {}) };
}
