/** What a run makes in the order of its steps: what is there, what is in the making, and room for what comes, so that nothing moves when it does. */
import { useState } from 'preact/hooks';
import type { ArtifactView, RunView, StepView } from '../../src/protocol/views.ts';
import { lookOfStep } from '../parts/status.tsx';
import { count } from '../parts/words.ts';
import type { OpenRun } from '../state/run.ts';
import { isEnded } from '../state/runs.ts';
import { ArtifactCard } from './artifact-card.tsx';
import { ArtifactDialog } from './artifact-dialog.tsx';
import { canShow, PreviewCard } from './previews.tsx';

export function Artifacts({ run, view }: { readonly run: OpenRun; readonly view: RunView }) {
  const [open, setOpen] = useState<string | undefined>(undefined);
  const { artifacts } = view;
  const places = placesOf(view);
  return (
    <section aria-label="Results">
      <h2>Results {artifacts.length > 0 && <span class="dim">{count(artifacts.length, 'file')}</span>}</h2>
      {places.length === 0 && <p class="quiet">The run made no files.</p>}
      <div class="grid">
        {places.map((place) => {
          const { step } = place;
          if ('artifact' in place) {
            const { artifact } = place;
            return (
              <ArtifactCard
                key={artifact.artifactId}
                artifact={artifact}
                step={step.title ?? step.id}
                onOpen={() => setOpen(artifact.artifactId)}
              />
            );
          }
          const key = `${step.id}/${String(place.item)}`;
          const preview = run.previews.value.get(key);
          return preview !== undefined && canShow(preview) ? (
            <PreviewCard key={key} notice={preview} step={step.title ?? step.id} />
          ) : (
            <Room key={key} step={step} />
          );
        })}
      </div>
      {open !== undefined && <ArtifactDialog artifacts={artifacts} open={open} onOpen={setOpen} onClose={() => setOpen(undefined)} />}
    </section>
  );
}

// --- helpers ---

/** A file, or an item of which nothing is there yet. */
type Place = { readonly step: StepView; readonly artifact: ArtifactView } | { readonly step: StepView; readonly item: number };

/** More empty places of one step than these say nothing. */
const MOST_ROOM = 16;

function placesOf({ steps, artifacts, status }: RunView): readonly Place[] {
  return steps.flatMap((step): Place[] => {
    const files = artifacts.filter((artifact) => artifact.step === step.id);
    const done = new Set(files.map(({ item }) => item));
    const items = isEnded(status) ? [] : Array.from({ length: Math.min(MOST_ROOM, Math.max(1, step.items)) }, (_, item) => item);
    return [...files.map((artifact) => ({ step, artifact })), ...items.filter((item) => !done.has(item)).map((item) => ({ step, item }))];
  });
}

function Room({ step }: { readonly step: StepView }) {
  return (
    <div class="card room" aria-hidden="true">
      <div class="frame" />
      <div class="caption">
        {step.title ?? step.id}
        <br />
        {lookOfStep(step.status).word}
      </div>
    </div>
  );
}
