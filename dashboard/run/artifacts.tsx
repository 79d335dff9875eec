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
              <Card key={artifact.artifactId} artifact={artifact} onOpen={() => setOpen(artifact.artifactId)} />
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

function Card({ artifact, onOpen }: { readonly artifact: ArtifactView; readonly onOpen: () => void }) {
  const name = nameOf(artifact);
  const { draft, cachedFrom, sequence } = artifact;
  return (
    <figure class="card artifact" data-kind={artifact.kind}>
      <div class={`frame frame-${frameOf(artifact)}`}>
        {artifact.kind === 'audio' || !canOpen(artifact) ? (
          <ArtifactMedia artifact={artifact} />
        ) : (
          <button type="button" class="frame-open" aria-label={`Show ${name}`} onClick={onOpen}>
            <ArtifactMedia artifact={artifact} />
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

function canOpen(artifact: ArtifactView): boolean {
  return isPicture(artifact) || ['video', 'animation', 'text'].includes(artifact.kind);
}

/** As near to the shape of the picture as a grid can be without jumping. */
function frameOf({ kind, width, height }: ArtifactView): string {
  if (kind === 'audio') return 'flat';
  if (width === undefined || height === undefined) return 'square';
  const shape = width / height;
  return shape > 1.3 ? 'wide' : 'square';
}
