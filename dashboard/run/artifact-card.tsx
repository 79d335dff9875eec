/** One file among the others of its step. */
import type { ArtifactView } from '../../src/protocol/views.ts';
import { Icon } from '../parts/icon.tsx';
import { DraftBadge } from '../parts/status.tsx';
import { count } from '../parts/words.ts';
import { ArtifactMedia, isPicture, nameOf, sizeWords, urlOf } from './artifact-media.tsx';

interface ArtifactCardProps {
  readonly artifact: ArtifactView;
  /** Title of the step that made it. */
  readonly step: string;
  readonly onOpen: () => void;
}

export function ArtifactCard({ artifact, step, onOpen }: ArtifactCardProps) {
  const name = nameOf(artifact);
  const { kind, draft, cachedFrom, sequence } = artifact;
  return (
    <figure class="card artifact" data-kind={kind}>
      <div class="frame">
        {opensByClick(artifact) ? (
          <button type="button" class="frame-open" aria-label={`Show ${name}`} onClick={onOpen}>
            <ArtifactMedia artifact={artifact} />
            {['video', 'animation'].includes(kind) && (
              <span class="frame-kind">
                <Icon name="film" />
              </span>
            )}
          </button>
        ) : (
          <ArtifactMedia artifact={artifact} onOpen={onOpen} />
        )}
      </div>
      <figcaption class="caption">
        <button type="button" class="card-name" onClick={onOpen} title={name}>
          {name}
        </button>
        <a class="icon-button" href={urlOf(artifact)} download={name} aria-label={`Download ${name}`} title="Download">
          <Icon name="download" />
        </a>
        <span class="card-sub">
          <span>{step}</span>
          {draft && <DraftBadge />}
          {cachedFrom !== undefined && <span class="badge tone-good">cached</span>}
        </span>
        <span class="card-sub">
          <span>{sequence === undefined ? sizeWords(artifact) : `${count(sequence.count, 'picture')} · ${sequence.pattern}`}</span>
        </span>
      </figcaption>
    </figure>
  );
}

// --- helpers ---

/** What has controls of its own is no button. */
function opensByClick(artifact: ArtifactView): boolean {
  return isPicture(artifact) || ['video', 'animation', 'text'].includes(artifact.kind);
}
