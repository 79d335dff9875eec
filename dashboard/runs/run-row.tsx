/** One run in the list: what it is, how it is, how far. */
import type { RunSummary } from '../../src/protocol/views.ts';
import { to } from '../app/router.ts';
import { Bar } from '../parts/basics.tsx';
import { DraftBadge, lookOfRun, StatusMark } from '../parts/status.tsx';
import { ago, duration, eta, percent } from '../parts/words.ts';
import { now } from '../state/clock.ts';
import { isEnded } from '../state/runs.ts';
import { titleOf } from '../state/templates.ts';

export function RunRow({ run }: { readonly run: RunSummary }) {
  const { runId, template, version, status, draft, createdAt, endedAt, error } = run;
  const look = lookOfRun(status);
  return (
    <a class="run-row" href={`#${to.run(runId)}`}>
      <StatusMark look={look} />
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
