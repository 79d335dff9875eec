/** One run in the list: what it is, how it is, how far. */
import { useEffect } from 'preact/hooks';
import type { RunSummary } from '../../src/protocol/views.ts';
import { to } from '../app/router.ts';
import { Bar } from '../parts/basics.tsx';
import { DraftBadge, lookOfRun, StatusMark } from '../parts/status.tsx';
import { ago, duration, eta, percent } from '../parts/words.ts';
import { now } from '../state/clock.ts';
import { isEnded } from '../state/runs.ts';
import { titleOf } from '../state/templates.ts';
import { thumbnailOf, wantThumbnail } from '../state/thumbnails.ts';

export function RunRow({ run }: { readonly run: RunSummary }) {
  const { runId, template, version, status, draft, createdAt, endedAt, error } = run;
  const look = lookOfRun(status);
  return (
    <a class="run-row" href={`#${to.run(runId)}`}>
      <Thumbnail run={run} />
      <div class="run-what">
        <div class="run-title">
          <span class="run-name">{titleOf(template)}</span>
          {draft && <DraftBadge />}
        </div>
        <div class="run-sub">
          <span class={`tone-text-${look.tone}`}>{look.word}</span>
          <span class="run-why">{error === undefined ? `${template} ${version}` : error.message}</span>
        </div>
      </div>
      <div class="run-far">
        {isEnded(status) ? (
          <span class="run-took">{endedAt === undefined ? '' : duration(endedAt - createdAt)}</span>
        ) : (
          <>
            <Bar value={run.progress} tone={look.tone} label={`Progress of ${titleOf(template)}`} />
            <span class="run-left">
              {percent(run.progress)}
              {run.etaSeconds === undefined ? '' : ` · ${eta(run.etaSeconds, run.etaRange)}`}
            </span>
          </>
        )}
      </div>
      <time class="run-when" dateTime={new Date(createdAt).toISOString()}>
        {ago(createdAt, now.value)}
      </time>
    </a>
  );
}

// --- helpers ---

/** Its newest picture with its state in the corner; its state alone while it has none. */
function Thumbnail({ run: { runId, status, progress } }: { readonly run: RunSummary }) {
  const hasFiles = status !== 'queued' && progress > 0;
  useEffect(() => (hasFiles ? wantThumbnail(runId) : undefined), [runId, hasFiles]);
  const artifactId = thumbnailOf(runId);
  return (
    <span class={`thumbnail ${artifactId === undefined ? '' : 'thumbnail-full'}`}>
      {artifactId !== undefined && (
        <img src={`/artifacts/${encodeURIComponent(artifactId)}`} alt="" loading="lazy" decoding="async" width={48} height={48} />
      )}
      <StatusMark look={lookOfRun(status)} />
    </span>
  );
}
