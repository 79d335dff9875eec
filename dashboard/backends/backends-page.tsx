/** Who executes: each backend with its load, models and memory; the queue before them; the daemon itself. */
import { useEffect } from 'preact/hooks';
import type { QueueState } from '../../src/protocol/methods/queue.ts';
import type { BackendView } from '../../src/protocol/views.ts';
import { to } from '../app/router.ts';
import { attempt } from '../app/toasts.tsx';
import { asProblem, Empty, Facts, ProblemList } from '../parts/basics.tsx';
import { Icon } from '../parts/icon.tsx';
import type { Tone } from '../parts/status.tsx';
import { bytes, count, duration } from '../parts/words.ts';
import { backends, details, watchLoad } from '../state/backends.ts';
import { now } from '../state/clock.ts';
import { runOf } from '../state/runs.ts';
import { titleOf } from '../state/templates.ts';
import { daemon, refreshStatus, session } from '../state/connection.ts';

const STATES: Readonly<Record<BackendView['status'], readonly [Tone, string]>> = {
  unknown: ['idle', 'Not asked yet'],
  ready: ['good', 'Ready'],
  unresponsive: ['warn', 'No answer'],
  unreachable: ['bad', 'Not there'],
  'not-comfyui': ['bad', 'Not ComfyUI'],
  'worker-dead': ['bad', 'Executes nothing'],
};

export function BackendsPage() {
  useEffect(watchLoad, []);
  const all = backends.value;
  return (
    <div class="page">
      <header class="page-head">
        <h1 tabIndex={-1}>Backends</h1>
      </header>
      <Queue />
      {all?.length === 0 && (
        <Empty icon="backends" title="No backend is configured">
          <p>
            Start the daemon with one: <code>callsheet daemon --backend comfyui=http://127.0.0.1:8188</code>
          </p>
        </Empty>
      )}
      <div class="backend-grid">
        {(all ?? []).map((backend) => (
          <Backend key={backend.id} backend={backend} />
        ))}
      </div>
      <DaemonFacts />
    </div>
  );
}

// --- helpers ---

function Queue() {
  const queue = daemon.value?.queue;
  const isPaused = queue?.paused === true;
  const toggle = (): void =>
    void attempt(
      async () => {
        await session.wish(isPaused ? 'queue/resume' : 'queue/pause', {});
        await refreshStatus();
      },
      isPaused ? 'The queue goes on.' : 'The queue is paused.',
    );
  return (
    <section class="panel queue" aria-label="Queue">
      <div class="queue-words">
        <h2>Queue</h2>
        <p>{queue === undefined ? '…' : `${isPaused ? 'Paused. ' : ''}${waitingWords(queue)}`}</p>
      </div>
      <button type="button" class="button" disabled={queue === undefined} onClick={toggle}>
        <Icon name={isPaused ? 'play' : 'pause'} />
        {isPaused ? 'Resume the queue' : 'Pause the queue'}
      </button>
    </section>
  );
}

function waitingWords({ waitingRuns, waitingItems }: QueueState): string {
  const parts = [...(waitingRuns === 0 ? [] : [count(waitingRuns, 'run')]), ...(waitingItems === 0 ? [] : [count(waitingItems, 'item')])];
  return parts.length === 0 ? 'Nothing waits for a place.' : `Waiting for a place: ${parts.join(', ')}.`;
}

function Backend({ backend }: { readonly backend: BackendView }) {
  const { id, kind, url, status, version, queueRemaining, inFlight = 0, ahead, gpu, models = [], draft, takesFiles, error } = backend;
  const detail = details.value.get(id);
  const [tone, word] = STATES[status] ?? ['idle', status];
  const free = (): void => void attempt(() => session.wish('backend/free', { id }), `“${id}” was asked to unload its models.`);
  return (
    <section class="panel backend" aria-label={`Backend ${id}`}>
      <div class="backend-head">
        <h2>{id}</h2>
        <span class={`badge tone-${tone}`}>{word}</span>
        {draft && <span class="badge badge-draft">Drafts only</span>}
      </div>
      {error !== undefined && <ProblemList problems={[asProblem(error)]} />}
      <Load inFlight={inFlight} ahead={ahead ?? 1} queued={queueRemaining} />
      <Facts
        rows={[
          ['Kind', kind],
          url === undefined ? undefined : ['Address', <code class="path">{url}</code>],
          version === undefined ? undefined : ['Version', version],
          detail?.vram === undefined ? undefined : ['VRAM', detail.vram === 0 ? 'computes without a card' : bytes(detail.vram)],
          gpu === undefined ? undefined : ['Shares card', gpu],
          takesFiles === undefined
            ? undefined
            : [
                'Files',
                takesFiles ? (
                  'may be sent there'
                ) : (
                  <>
                    may not be sent to that machine; to allow it: <code>callsheet backends allow {id}</code>
                  </>
                ),
              ],
          detail?.nodeClasses === undefined ? undefined : ['Node classes', detail.nodeClasses.toLocaleString('en')],
          ['Models of the newest attempt', models.length === 0 ? <span class="dim">none yet</span> : models.join(', ')],
        ]}
      />
      {detail !== undefined && detail.attempts.length > 0 && (
        <div>
          <h3>On it now</h3>
          <ul class="on-it">
            {detail.attempts.map(({ runId, promptId }) => (
              <li key={promptId}>
                <a href={`#${to.run(runId)}`}>{nameOfRun(runId)}</a>
              </li>
            ))}
          </ul>
        </div>
      )}
      <div class="actions">
        <button type="button" class="button button-small" disabled={status !== 'ready'} onClick={free}>
          Free its memory
        </button>
      </div>
    </section>
  );
}

function nameOfRun(runId: string): string {
  const run = runOf(runId);
  return run === undefined ? `Run ${runId}` : titleOf(run.template);
}

/** Places for attempts of ours, taken and free; then what waits in the backend's own queue, whoever's it is. */
function Load({ inFlight, ahead, queued }: { readonly inFlight: number; readonly ahead: number; readonly queued: number | undefined }) {
  return (
    <div class="load">
      <span class="load-places" role="img" aria-label={`${String(inFlight)} of ${String(ahead)} places taken`}>
        {Array.from({ length: Math.max(ahead, inFlight) }, (_, at) => (
          <span key={at} class={at < inFlight ? 'place place-taken' : 'place'} />
        ))}
      </span>
      <span>
        {inFlight} of {ahead} places taken
        <span class="dim">{queued === undefined ? '' : ` · ${String(queued)} in its queue`}</span>
      </span>
    </div>
  );
}

function DaemonFacts() {
  const status = daemon.value;
  if (status === undefined) return <></>;
  const { version, pid, startedAt, dataDir, outputDir, runs, cache, templates, connections: open, refused } = status;
  const refusals = Object.entries(refused);
  return (
    <section class="panel daemon" aria-label="Daemon">
      <h2>Daemon</h2>
      <Facts
        rows={[
          ['Version', version],
          ['Up for', duration(now.value - startedAt)],
          ['Process', String(pid)],
          ['Open runs', `${String(runs.open)}, ${String(runs.active)} of them at work`],
          ['Templates', `${String(templates.known)}, ${String(templates.runnable)} can run`],
          ['Result cache', cache.limit === 0 ? 'off' : `${bytes(cache.bytes)} of ${bytes(cache.limit)}, ${count(cache.hits, 'hit')}`],
          cache.trouble === undefined ? undefined : ['Cache trouble', cache.trouble],
          ['Connections', String(open)],
          ['Refused requests', refusals.length === 0 ? 'none' : refusals.map(([reason, times]) => `${reason} ${String(times)}`).join(', ')],
          ['Data', <code class="path">{dataDir}</code>],
          ['Results', <code class="path">{outputDir}</code>],
        ]}
      />
    </section>
  );
}
