/** States in one shape and one word each: colour alone says nothing. */
import type { RunStatus, StepStatus } from '../../src/protocol/views.ts';
import { Icon, type IconName } from './icon.tsx';

export type Tone = 'idle' | 'busy' | 'ask' | 'good' | 'bad' | 'warn';

interface Look {
  readonly tone: Tone;
  readonly icon: IconName;
  readonly word: string;
}

const RUNS: Readonly<Record<RunStatus, Look>> = {
  queued: { tone: 'idle', icon: 'clock', word: 'Queued' },
  running: { tone: 'busy', icon: 'play', word: 'Running' },
  waiting: { tone: 'ask', icon: 'hand', word: 'Needs you' },
  cancelling: { tone: 'warn', icon: 'stop', word: 'Cancelling' },
  succeeded: { tone: 'good', icon: 'check', word: 'Done' },
  failed: { tone: 'bad', icon: 'cross', word: 'Failed' },
  cancelled: { tone: 'idle', icon: 'stop', word: 'Cancelled' },
  lost: { tone: 'bad', icon: 'question', word: 'Lost' },
};

const STEPS: Readonly<Record<StepStatus, Look>> = {
  pending: { tone: 'idle', icon: 'clock', word: 'Pending' },
  preparing: { tone: 'busy', icon: 'clock', word: 'Preparing' },
  waiting: { tone: 'idle', icon: 'clock', word: 'Waiting for a place' },
  submitting: { tone: 'busy', icon: 'clock', word: 'Sending' },
  queued: { tone: 'idle', icon: 'clock', word: 'Queued' },
  running: { tone: 'busy', icon: 'play', word: 'Running' },
  parsing: { tone: 'busy', icon: 'download', word: 'Fetching results' },
  freeing: { tone: 'busy', icon: 'clock', word: 'Freeing memory' },
  'backing-off': { tone: 'warn', icon: 'clock', word: 'Pausing before another try' },
  unknown: { tone: 'warn', icon: 'question', word: 'Unknown' },
  unresponsive: { tone: 'warn', icon: 'question', word: 'No answer' },
  removed: { tone: 'warn', icon: 'question', word: 'Removed' },
  cancelling: { tone: 'warn', icon: 'stop', word: 'Cancelling' },
  done: { tone: 'good', icon: 'check', word: 'Done' },
  cached: { tone: 'good', icon: 'copy', word: 'From the cache' },
  skipped: { tone: 'idle', icon: 'minus', word: 'Skipped' },
  blocked: { tone: 'idle', icon: 'stop', word: 'Blocked' },
  failed: { tone: 'bad', icon: 'cross', word: 'Failed' },
  cancelled: { tone: 'idle', icon: 'stop', word: 'Cancelled' },
  lost: { tone: 'bad', icon: 'question', word: 'Lost' },
};

/** A newer daemon may know states that this page does not. */
const UNKNOWN: Look = { tone: 'idle', icon: 'dot', word: '' };

export function lookOfRun(status: RunStatus): Look {
  return RUNS[status] ?? { ...UNKNOWN, word: status };
}

export function lookOfStep(status: StepStatus): Look {
  return STEPS[status] ?? { ...UNKNOWN, word: status };
}

export function StatusMark({ look }: { readonly look: Look }) {
  return (
    <span class={`mark tone-${look.tone}`}>
      <Icon name={look.icon} />
    </span>
  );
}

export function StatusBadge({ look }: { readonly look: Look }) {
  return (
    <span class={`badge tone-${look.tone}`}>
      <Icon name={look.icon} />
      {look.word}
    </span>
  );
}

export function DraftBadge() {
  return (
    <span class="badge badge-draft" title="Drawn by the sandbox as a storyboard card; no model has run.">
      Draft
    </span>
  );
}
