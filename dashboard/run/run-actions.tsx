/** What a person can do with a run: end it, try it again, begin another like it. */
import { useState } from 'preact/hooks';
import type { RunView } from '../../src/protocol/views.ts';
import { to } from '../app/router.ts';
import { attempt } from '../app/toasts.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Icon } from '../parts/icon.tsx';
import { backends } from '../state/backends.ts';
import { session } from '../state/connection.ts';
import { isEnded } from '../state/runs.ts';

export function RunActions({ view }: { readonly view: RunView }) {
  const [asked, setAsked] = useState<'cancel' | 'force' | 'retry' | undefined>(undefined);
  const { runId, template, version, status, pinned = false } = view;
  const close = (): void => setAsked(undefined);
  const canRetry = isEnded(status) && status !== 'succeeded';
  return (
    <div class="actions">
      {canRetry && (
        <button type="button" class="button button-main" onClick={() => setAsked('retry')}>
          <Icon name="retry" />
          Retry
        </button>
      )}
      {isEnded(status) && (
        <a class="button" href={`#${to.template(template, version, runId)}`}>
          <Icon name="plus" />
          Run again
        </a>
      )}
      {isEnded(status) && (
        <button
          type="button"
          class="button"
          aria-pressed={pinned}
          title={pinned ? 'It may be cleaned away again' : 'It is never cleaned away'}
          onClick={() =>
            void attempt(() => session.wish('run/pin', { runId, pinned: !pinned }), pinned ? 'Not pinned any more.' : 'Pinned.')
          }
        >
          <Icon name="pin" />
          {pinned ? 'Pinned' : 'Pin'}
        </button>
      )}
      {!isEnded(status) && status !== 'cancelling' && (
        <button type="button" class="button" onClick={() => setAsked('cancel')}>
          <Icon name="stop" />
          Cancel
        </button>
      )}
      {status === 'cancelling' && (
        <button type="button" class="button button-danger" onClick={() => setAsked('force')}>
          <Icon name="stop" />
          End without proof
        </button>
      )}
      {asked === 'cancel' && (
        <Confirm
          title="Cancel the run?"
          text="What it has made so far is kept. It stops on its backend too, and is shown as cancelled once that is proven."
          word="Cancel the run"
          onClose={close}
          onYes={() => session.wish('run/cancel', { runId })}
        />
      )}
      {asked === 'force' && (
        <Confirm
          title="End the run without proof?"
          text="Its backend has not confirmed that it stopped. The run ends as lost; what may still run there is taken off when the backend answers again."
          word="End it"
          onClose={close}
          onYes={() => session.wish('run/cancel', { runId, force: true })}
        />
      )}
      {asked === 'retry' && <RetryDialog view={view} onClose={close} />}
    </div>
  );
}

// --- helpers ---

interface ConfirmProps {
  readonly title: string;
  readonly text: string;
  readonly word: string;
  readonly onClose: () => void;
  readonly onYes: () => Promise<unknown>;
}

function Confirm({ title, text, word, onClose, onYes }: ConfirmProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      <div class="dialog-foot">
        <button type="button" class="button" onClick={onClose}>
          Keep it running
        </button>
        <button type="button" class="button button-danger" onClick={() => void attempt(onYes).then(onClose)}>
          {word}
        </button>
      </div>
    </Dialog>
  );
}

/** Which step to begin at: what is finished before it is kept. */
function RetryDialog({ view, onClose }: { readonly view: RunView; readonly onClose: () => void }) {
  const [from, setFrom] = useState('');
  const [backend, setBackend] = useState('');
  const retry = async (): Promise<void> => {
    const done = await attempt(
      () =>
        session.wish('run/retry', {
          runId: view.runId,
          ...(from === '' ? {} : { from }),
          ...(backend === '' ? {} : { backend }),
        }),
      'The run goes on.',
    );
    if (done) onClose();
  };
  return (
    <Dialog title="Try again" onClose={onClose}>
      <p class="dim">The same run goes on; what is finished is kept.</p>
      <label class="field">
        <span class="field-title">Do again</span>
        <select value={from} onChange={(event) => setFrom(event.currentTarget.value)}>
          <option value="">What is not done</option>
          {view.steps.map(({ id, title }) => (
            <option key={id} value={id}>
              From “{title ?? id}” on
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span class="field-title">On</span>
        <select value={backend} onChange={(event) => setBackend(event.currentTarget.value)}>
          <option value="">The backend it had</option>
          {(backends.value ?? []).map(({ id }) => (
            <option key={id} value={id}>
              {id}
            </option>
          ))}
        </select>
      </label>
      <div class="dialog-foot">
        <button type="button" class="button" onClick={onClose}>
          Close
        </button>
        <button type="button" class="button button-main" onClick={() => void retry()}>
          Retry
        </button>
      </div>
    </Dialog>
  );
}
