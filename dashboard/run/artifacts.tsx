/** What a run made, output by output; each file opens large with where it came from. */
import { useState } from 'preact/hooks';
import type { ArtifactView, RunView } from '../../src/protocol/views.ts';
import { Icon } from '../parts/icon.tsx';
import { DraftBadge } from '../parts/status.tsx';
import { count } from '../parts/words.ts';
import { isEnded } from '../state/runs.ts';
import { ArtifactDialog } from './artifact-dialog.tsx';
import { ArtifactMedia, isPicture, nameOf, sizeWords, urlOf } from './artifact-media.tsx';

export function Artifacts({ view }: { readonly view: RunView }) {
  const [open, setOpen] = useState<string | undefined>(undefined);
  const { artifacts } = view;
  if (artifacts.length === 0) {
    return (
      <section aria-label="Results">
        <h2>Results</h2>
        <p class="quiet">{isEnded(view.status) ? 'The run made no files.' : 'Files appear here as soon as a step has made them.'}</p>
      </section>
    );
  }
  return (
    <section aria-label="Results">
      <h2>
        Results <span class="dim">{count(artifacts.length, 'file')}</span>
      </h2>
      {groupsOf(view).map(({ title, files }) => (
        <div class="group" key={title}>
          <h3>{title}</h3>
          <div class="grid">
            {files.map((artifact) => (
              <Card key={artifact.artifactId} artifact={artifact} shape={shapeOf(files)} onOpen={() => setOpen(artifact.artifactId)} />
            ))}
          </div>
        </div>
      ))}
      {open !== undefined && <ArtifactDialog artifacts={artifacts} open={open} onOpen={setOpen} onClose={() => setOpen(undefined)} />}
    </section>
  );
}

// --- helpers ---

interface Group {
  readonly title: string;
  readonly files: readonly ArtifactView[];
}

/** By the step that made them, in the order of the template; the last steps, which most is wanted of, first. */
function groupsOf({ steps, artifacts }: RunView): readonly Group[] {
  return steps
    .map(({ id, title }): Group => ({ title: title ?? id, files: artifacts.filter(({ step }) => step === id) }))
    .filter(({ files }) => files.length > 0)
    .toReversed();
}

interface CardProps {
  readonly artifact: ArtifactView;
  readonly shape: 'wide' | 'square';
  readonly onOpen: () => void;
}

function Card({ artifact, shape, onOpen }: CardProps) {
  const name = nameOf(artifact);
  const { draft, cachedFrom, sequence } = artifact;
  return (
    <figure class="card artifact" data-kind={artifact.kind}>
      <div class={`frame frame-${shape}`}>
        {artifact.kind === 'audio' || !canOpen(artifact) ? (
          <ArtifactMedia artifact={artifact} onOpen={onOpen} />
        ) : (
          <button type="button" class="frame-open" aria-label={`Show ${name}`} onClick={onOpen}>
            <ArtifactMedia artifact={artifact} />
            {['video', 'animation'].includes(artifact.kind) && (
              <span class="frame-kind">
                <Icon name="film" />
              </span>
            )}
          </button>
        )}
      </div>
      <figcaption>
        <button type="button" class="card-name" onClick={onOpen} title={name}>
          {name}
        </button>
        <a class="icon-button" href={urlOf(artifact)} download={name} aria-label={`Download ${name}`} title="Download">
          <Icon name="download" />
        </a>
        <span class="card-sub">
          {sequence === undefined ? sizeWords(artifact) : `${count(sequence.count, 'picture')} · ${sequence.pattern}`}
          {draft && <DraftBadge />}
          {cachedFrom !== undefined && <span class="badge tone-good">cached</span>}
        </span>
      </figcaption>
    </figure>
  );
}

function canOpen(artifact: Pick<ArtifactView, 'kind' | 'mediaType'>): boolean {
  return isPicture(artifact) || ['video', 'animation', 'text'].includes(artifact.kind);
}

/** One for the whole group, so that its cards stand in lines: wide only where everything is. */
function shapeOf(files: readonly ArtifactView[]): CardProps['shape'] {
  const isWide = files.every(
    ({ width, height, ...file }) => canOpen(file) && width !== undefined && height !== undefined && width / height > 1.3,
  );
  return isWide ? 'wide' : 'square';
}
