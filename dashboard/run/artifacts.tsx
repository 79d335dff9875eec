/** What a run makes, step by step: what is there, what is in the making, and room for what comes, so that nothing moves when it does. */
import { useState } from 'preact/hooks';
import type { ArtifactView, RunView, StepView } from '../../src/protocol/views.ts';
import { count } from '../parts/words.ts';
import type { OpenRun } from '../state/run.ts';
import { isEnded } from '../state/runs.ts';
import { ArtifactCard } from './artifact-card.tsx';
import { ArtifactDialog } from './artifact-dialog.tsx';
import { canShow, PreviewCard } from './previews.tsx';

export function Artifacts({ run, view }: { readonly run: OpenRun; readonly view: RunView }) {
  const [open, setOpen] = useState<string | undefined>(undefined);
  const { artifacts } = view;
  const groups = groupsOf(view);
  return (
    <section aria-label="Results">
      <h2>Results {artifacts.length > 0 && <span class="dim">{count(artifacts.length, 'file')}</span>}</h2>
      {groups.length === 0 && <p class="quiet">The run made no files.</p>}
      {groups.map(({ step, files, open: items }) => (
        <div class="group" key={step.id}>
          <h3>{step.title ?? step.id}</h3>
          <div class="grid">
            {files.map((artifact) => (
              <ArtifactCard key={artifact.artifactId} artifact={artifact} onOpen={() => setOpen(artifact.artifactId)} />
            ))}
            {items.map((item) => {
              const preview = run.previews.value.get(`${step.id}/${String(item)}`);
              return preview !== undefined && canShow(preview) ? (
                <PreviewCard key={`item ${String(item)}`} notice={preview} />
              ) : (
                <Room key={`item ${String(item)}`} />
              );
            })}
          </div>
        </div>
      ))}
      {open !== undefined && <ArtifactDialog artifacts={artifacts} open={open} onOpen={setOpen} onClose={() => setOpen(undefined)} />}
    </section>
  );
}

// --- helpers ---

interface Group {
  readonly step: StepView;
  readonly files: readonly ArtifactView[];
  /** Items of which nothing is there yet. */
  readonly open: readonly number[];
}

/** More empty places than these say nothing. */
const MOST_ROOM = 16;
const NOTHING_COMES: ReadonlySet<StepView['status']> = new Set(['skipped', 'blocked', 'failed', 'cancelled', 'lost']);

/** The last steps, which most is wanted of, first. While the run goes on each has its place, files or not. */
function groupsOf(view: RunView): readonly Group[] {
  const { steps, artifacts, status } = view;
  return steps
    .map((step): Group => {
      const files = artifacts.filter((artifact) => artifact.step === step.id);
      const done = new Set(files.map(({ item }) => item));
      const isOver = isEnded(status) || NOTHING_COMES.has(step.status) || step.status === 'done' || step.status === 'cached';
      const items = Array.from({ length: Math.min(MOST_ROOM, Math.max(1, step.items)) }, (_, item) => item);
      return { step, files, open: isOver ? [] : items.filter((item) => !done.has(item)) };
    })
    .filter(({ step, files }) => files.length > 0 || (!isEnded(status) && !NOTHING_COMES.has(step.status)))
    .toReversed();
}

function Room() {
  return (
    <div class="card room" aria-hidden="true">
      <div class="frame" />
      <div class="caption" />
    </div>
  );
}
