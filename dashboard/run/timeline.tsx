/** The steps below each other on one line of time: who waited, who worked, and for how long. */
import { useMemo, useState } from 'preact/hooks';
import type { ChoiceView, RunView, StepView } from '../../src/protocol/views.ts';
import { to } from '../app/router.ts';
import { attempt } from '../app/toasts.tsx';
import { asProblem, ProblemList } from '../parts/basics.tsx';
import { Icon } from '../parts/icon.tsx';
import { lookOfStep, StatusMark } from '../parts/status.tsx';
import { count, duration } from '../parts/words.ts';
import { now } from '../state/clock.ts';
import { session } from '../state/connection.ts';
import type { OpenRun } from '../state/run.ts';
import { isEnded } from '../state/runs.ts';
import { type Span, spansOf, type StepSpans, workedFor } from './spans.ts';

const NOTHING: StepSpans = { spans: [] };

export function Timeline({ run, view }: { readonly run: OpenRun; readonly view: RunView }) {
  const events = run.events.value;
  const spans = useMemo(() => spansOf(events), [events]);
  const from = events[0]?.at ?? view.createdAt;
  const last = events.at(-1)?.at ?? from;
  const until = Math.max(from + 1000, last, isEnded(view.status) ? (view.endedAt ?? 0) : now.value);
  const range = { from, until };
  return (
    <ol class="timeline">
      {view.steps.map((step) => (
        <StepRow key={step.id} view={view} step={step} spans={spans.get(step.id) ?? NOTHING} range={range} />
      ))}
      {(view.choices ?? []).map((choice) => (
        <ChoiceRow key={choice.into} choice={choice} spans={spans.get(`choices.${choice.into}`) ?? NOTHING} range={range} />
      ))}
      <li class="timeline-scale" aria-hidden="true">
        <span />
        <div class="timeline-ticks">
          <span>0 s</span>
          <span>{duration((until - from) / 2)}</span>
          <span>{duration(until - from)}</span>
        </div>
      </li>
    </ol>
  );
}

// --- helpers ---

interface Range {
  readonly from: number;
  readonly until: number;
}

interface StepRowProps {
  readonly view: RunView;
  readonly step: StepView;
  readonly spans: StepSpans;
  readonly range: Range;
}

function StepRow({ view, step, spans, range }: StepRowProps) {
  const [isOpen, setOpen] = useState(false);
  const look = lookOfStep(step.status);
  const title = step.title ?? step.id;
  const worked = workedFor(spans, range.until);
  const hits = step.cache?.filter(({ result }) => result === 'hit').length ?? 0;
  return (
    <li class="step">
      <button type="button" class="step-row" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <StatusMark look={look} />
        <span class="step-what">
          <span class="step-title">{title}</span>
          <span class="step-sub">
            <span class={`tone-text-${look.tone}`}>{look.word}</span>
            {step.items > 1 && ` · ${String(step.itemsDone)} of ${count(step.items, 'item')}`}
            {hits > 0 && step.status !== 'cached' && ` · ${String(hits)} from the cache`}
            {step.reason !== undefined && ` · ${step.reason}`}
          </span>
        </span>
        <Lane spans={spans.spans} items={step.items} range={range} title={title} />
        <span class="step-took">{worked > 0 ? duration(worked) : '–'}</span>
        <Icon name="next" />
      </button>
      {isOpen && <StepDetails view={view} step={step} />}
    </li>
  );
}

function ChoiceRow({ choice, spans, range }: { readonly choice: ChoiceView; readonly spans: StepSpans; readonly range: Range }) {
  const words = {
    pending: 'Not asked yet',
    waiting: 'Needs you',
    made: 'Chosen',
    skipped: 'Skipped',
    blocked: 'Blocked',
    failed: 'Failed',
    cancelled: 'Cancelled',
  };
  const tones = {
    pending: 'idle',
    waiting: 'ask',
    made: 'good',
    skipped: 'idle',
    blocked: 'idle',
    failed: 'bad',
    cancelled: 'idle',
  } as const;
  const tone = tones[choice.status];
  const asked = spans.from === undefined ? undefined : (spans.to ?? range.until) - spans.from;
  return (
    <li class="step">
      <div class="step-row step-row-still">
        <StatusMark look={{ tone, icon: 'hand', word: '' }} />
        <span class="step-what">
          <span class="step-title">{choice.title ?? choice.into}</span>
          <span class="step-sub">
            <span class={`tone-text-${tone}`}>{words[choice.status]}</span>
            {choice.reason !== undefined && ` · ${choice.reason}`}
          </span>
        </span>
        <Lane spans={spans.spans} items={1} range={range} title={choice.title ?? choice.into} />
        <span class="step-took">{asked === undefined ? '–' : duration(asked)}</span>
        <span />
      </div>
    </li>
  );
}

/** Items that ran side by side lie below each other, as many lanes as fit. */
const MOST_LANES = 8;

function Lane({
  spans,
  items,
  range,
  title,
}: {
  readonly spans: readonly Span[];
  readonly items: number;
  readonly range: Range;
  readonly title: string;
}) {
  const whole = range.until - range.from;
  const lanes = Math.max(1, Math.min(items, MOST_LANES));
  const share = (ms: number): string => `${String(Math.max(0, Math.min(100, (ms / whole) * 100)))}%`;
  return (
    <span class="lane" role="img" aria-label={`When ${title} waited and worked`}>
      {spans.map(({ item, phase, from, to: end = range.until }, at) => (
        <span
          key={at}
          class={`span span-${phase}`}
          style={{
            left: share(from - range.from),
            width: share(end - from),
            top: `${String(((item % lanes) / lanes) * 100)}%`,
            height: `${String(100 / lanes)}%`,
          }}
        />
      ))}
    </span>
  );
}

function StepDetails({ view, step }: { readonly view: RunView; readonly step: StepView }) {
  const retry = (): void =>
    void attempt(() => session.wish('run/retry', { runId: view.runId, from: step.id }), 'The run goes on from here.');
  const canRetry = isEnded(view.status) && view.status !== 'succeeded';
  return (
    <div class="step-details">
      {step.reason !== undefined && <p class="dim">{step.reason}</p>}
      {/* What ended the run stands above already. */}
      {step.error !== undefined && step.error.message !== view.error?.message && <ProblemList problems={[asProblem(step.error)]} />}
      {step.attempts.length > 0 && (
        <div class="scroll-x">
          <table class="table">
            <thead>
              <tr>
                <th>Item</th>
                <th>Attempt</th>
                <th>State</th>
                <th>Backend</th>
                <th>Prompt</th>
              </tr>
            </thead>
            <tbody>
              {step.attempts.map((one) => (
                <tr key={one.attemptId}>
                  <td>{one.item + 1}</td>
                  <td>
                    {one.attempt}
                    {one.profile === 'low' && ' (low memory)'}
                  </td>
                  <td>
                    {one.status}
                    {one.error !== undefined && <span class="dim"> · {one.error.message}</span>}
                  </td>
                  <td>{one.backend}</td>
                  <td>
                    <code>{one.promptId ?? '–'}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {step.cache !== undefined && (
        <ul class="cache-lines">
          {step.cache.map(({ item, result, reason }) => (
            <li key={item}>
              <span class={`badge ${result === 'hit' ? 'tone-good' : 'tone-idle'}`}>cache {result}</span>{' '}
              {step.items > 1 && `item ${String(item + 1)}: `}
              {reason}
            </li>
          ))}
        </ul>
      )}
      <div class="actions">
        <a class="button button-small" href={`#${to.run(view.runId, 'graph', step.id)}`}>
          <Icon name="graph" />
          Show its graph
        </a>
        {canRetry && (
          <button type="button" class="button button-small" onClick={retry}>
            <Icon name="retry" />
            Retry from here
          </button>
        )}
      </div>
    </div>
  );
}
