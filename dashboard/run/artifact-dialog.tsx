/** One file large, with what made it. Arrow keys go to the files beside it. */
import { useEffect, useState } from 'preact/hooks';
import type { ResultOf } from '../../src/protocol/methods/index.ts';
import type { ArtifactView } from '../../src/protocol/views.ts';
import { to } from '../app/router.ts';
import { CopyButton, Facts } from '../parts/basics.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Icon } from '../parts/icon.tsx';
import { moment } from '../parts/words.ts';
import { session } from '../state/connection.ts';
import { ArtifactMedia, nameOf, sizeWords, urlOf } from './artifact-media.tsx';

interface ArtifactDialogProps {
  readonly artifacts: readonly ArtifactView[];
  readonly open: string;
  readonly onOpen: (artifactId: string) => void;
  readonly onClose: () => void;
}

export function ArtifactDialog({ artifacts, open, onOpen, onClose }: ArtifactDialogProps) {
  const at = artifacts.findIndex(({ artifactId }) => artifactId === open);
  const artifact = artifacts[at];
  const move = (by: number): void => {
    const next = artifacts[(at + by + artifacts.length) % artifacts.length];
    if (next !== undefined) onOpen(next.artifactId);
  };
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.target instanceof HTMLMediaElement) return;
      if (event.key === 'ArrowRight') move(1);
      if (event.key === 'ArrowLeft') move(-1);
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  });
  if (artifact === undefined) return <></>;
  const name = nameOf(artifact);
  return (
    <Dialog title={name} onClose={onClose} kind="wide">
      <div class="viewer">
        <div class="viewer-media">
          <ArtifactMedia key={artifact.artifactId} artifact={artifact} isLarge />
          {artifacts.length > 1 && (
            <div class="viewer-move">
              <button type="button" class="icon-button" aria-label="The one before" onClick={() => move(-1)}>
                <Icon name="back" />
              </button>
              <span>
                {at + 1} of {artifacts.length}
              </span>
              <button type="button" class="icon-button" aria-label="The next one" onClick={() => move(1)}>
                <Icon name="next" />
              </button>
            </div>
          )}
        </div>
        <div class="viewer-facts">
          <a class="button" href={urlOf(artifact)} download={name}>
            <Icon name="download" />
            Download
          </a>
          <Origin artifact={artifact} />
        </div>
      </div>
    </Dialog>
  );
}

// --- helpers ---

function Origin({ artifact }: { readonly artifact: ArtifactView }) {
  const [origin, setOrigin] = useState<ResultOf<'artifact/get'> | undefined>(undefined);
  const { artifactId } = artifact;
  useEffect(() => {
    let isGone = false;
    session
      .call('artifact/get', { artifactId })
      .then((found) => {
        if (!isGone) setOrigin(found);
      })
      .catch(() => undefined);
    return () => {
      isGone = true;
    };
  }, [artifactId]);
  const { provenance } = origin ?? {};
  return (
    <Facts
      rows={[
        ['Size', sizeWords(artifact)],
        ['Kind', artifact.mediaType],
        ['Made', moment(artifact.createdAt)],
        ['Step', `${artifact.step}${artifact.item > 0 ? `, item ${String(artifact.item + 1)}` : ''}`],
        ['Node', artifact.node],
        provenance === undefined || provenance.seeds.length === 0
          ? undefined
          : ['Seed', [...new Set(provenance.seeds.map(({ value }) => value))].join(', ')],
        provenance === undefined || provenance.models.length === 0
          ? undefined
          : ['Models', [...new Set(provenance.models.map((model) => model.name))].join(', ')],
        artifact.draft ? ['Draft', 'Drawn by the sandbox; no model has run.'] : undefined,
        artifact.cachedFrom === undefined ? undefined : ['Made by', <a href={`#${to.run(artifact.cachedFrom.runId)}`}>an earlier run</a>],
        [
          'Path',
          <span class="path">
            <code>{artifact.path}</code>
            <CopyButton text={artifact.path} label="Copy the path" />
          </span>,
        ],
        ['sha256', <code class="hash">{artifact.sha256}</code>],
      ]}
    />
  );
}
