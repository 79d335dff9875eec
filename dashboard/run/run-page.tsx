/** One run: how far it is, what it asks, what it made, and everything behind that in tabs. */
import { useEffect, useMemo } from 'preact/hooks';
import type { RunView } from '../../src/protocol/views.ts';
import { go, to } from '../app/router.ts';
import { Bar, CopyButton, Empty } from '../parts/basics.tsx';
import { Icon } from '../parts/icon.tsx';
import { DraftBadge, lookOfRun, StatusBadge } from '../parts/status.tsx';
import { Tabs } from '../parts/tabs.tsx';
import { ago, count, duration, eta, moment, percent } from '../parts/words.ts';
import { now } from '../state/clock.ts';
import { type OpenRun, openRun } from '../state/run.ts';
import { isEnded } from '../state/runs.ts';
import { titleOf } from '../state/templates.ts';
import { Details } from './details.tsx';
import { EventLog } from './event-log.tsx';
import { GraphTab } from './graph-tab.tsx';
import { MachinesTab } from './machines.tsx';
import { Overview } from './overview.tsx';
import { RunActions } from './run-actions.tsx';

interface RunPageProps {
  readonly runId: string;
  readonly tab: string;
  readonly step: string | undefined;
}

const TABS = [
  { id: 'overview', title: 'Overview' },
  { id: 'graph', title: 'Graph' },
  { id: 'events', title: 'Events' },
  { id: 'details', title: 'Details' },
  { id: 'machines', title: 'Machines' },
] as const;

export function RunPage({ runId, tab, step }: RunPageProps) {
  const run = useMemo(() => openRun(runId), [runId]);
  useEffect(() => () => run.close(), [run]);
  const view = run.view.value;
  const missing = run.missing.value;
  if (view === undefined || missing?.code === 'RUN_NOT_FOUND') {
    return (
      <div class="page">
        <BackLink />
        <h1 class="visually-hidden" tabIndex={-1}>
          Run
        </h1>
        {missing === undefined ? (
          <div class="ghosts" aria-busy="true" aria-label="The run is being read">
            <div class="ghost ghost-head" />
            <div class="ghost ghost-tall" />
          </div>
        ) : (
          <Empty icon="question" title={missing.code === 'RUN_NOT_FOUND' ? 'There is no such run' : 'The run can not be shown'}>
            <p>{missing.code === 'RUN_NOT_FOUND' ? 'It was cleaned away, or the address has a mistake.' : missing.message}</p>
          </Empty>
        )}
      </div>
    );
  }
  const known = TABS.some(({ id }) => id === tab) ? tab : 'overview';
  return (
    <div class="page page-run">
      <BackLink />
      <Head run={run} view={view} />
      <Tabs tabs={TABS} chosen={known} label="Parts of the run" onChoose={(id) => go(to.run(runId, id))}>
        {known === 'overview' && <Overview run={run} view={view} />}
        {known === 'graph' && <GraphTab run={run} view={view} step={step} />}
        {known === 'events' && <EventLog run={run} />}
        {known === 'details' && <Details view={view} />}
        {known === 'machines' && <MachinesTab runId={runId} />}
      </Tabs>
    </div>
  );
}

// --- helpers ---

function BackLink() {
  return (
    <a class="back" href={`#${to.runs()}`}>
      <Icon name="back" />
      Runs
    </a>
  );
}

function Head({ run, view }: { readonly run: OpenRun; readonly view: RunView }) {
  const { runId, template, version, status, draft, createdAt, endedAt, tries } = view;
  const look = lookOfRun(status);
  return (
    <header class="run-head">
      <div class="run-head-row">
        <div class="run-head-title">
          <h1 tabIndex={-1}>{titleOf(template)}</h1>
          <StatusBadge look={look} />
          {draft && <DraftBadge />}
        </div>
        <RunActions view={view} />
      </div>
      <div class="run-head-facts">
        <a href={`#${to.template(template, version)}`}>
          {template} {version}
        </a>
        <span title={moment(createdAt)}>started {ago(createdAt, now.value)}</span>
        <span>
          {endedAt === undefined
            ? `${duration(Math.floor((now.value - createdAt) / 1000) * 1000)} so far`
            : `took ${duration(endedAt - createdAt)}`}
        </span>
        {tries !== undefined && <span>{count(tries, 'try', 'tries')}</span>}
        <span class="run-id">
          <code>{runId}</code>
          <CopyButton text={runId} label="Copy the id of the run" />
        </span>
      </div>
      <ProgressLine run={run} view={view} />
    </header>
  );
}

function ProgressLine({ run, view }: { readonly run: OpenRun; readonly view: RunView }) {
  const live = isEnded(view.status) || view.status === 'waiting' ? undefined : run.progress.value;
  const value = Math.max(view.progress, live?.progress ?? 0);
  const left = live?.etaSeconds ?? view.etaSeconds;
  const range = live?.etaRange ?? view.etaRange;
  const at = view.steps.find(({ id }) => id === live?.step);
  return (
    <div class="progress-line">
      <Bar value={value} tone={lookOfRun(view.status).tone} label="Progress of the run" />
      <div class="progress-words">
        <span class="progress-percent">{percent(value)}</span>
        <span>
          {isEnded(view.status)
            ? (view.error?.message ?? '')
            : [at === undefined ? undefined : (at.title ?? at.id), live?.node === undefined ? undefined : `node ${live.node}`]
                .filter((word) => word !== undefined)
                .join(' · ')}
        </span>
        <span class="progress-left">{isEnded(view.status) || left === undefined || view.status === 'waiting' ? '' : eta(left, range)}</span>
      </div>
    </div>
  );
}
