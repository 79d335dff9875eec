/** What a run asks of a person: the candidates side by side, and one button once enough are picked. */
import { useState } from 'preact/hooks';
import type { ChoiceCandidate, ChoiceView, RunView } from '../../src/protocol/views.ts';
import { attempt } from '../app/toasts.tsx';
import { Icon } from '../parts/icon.tsx';
import { count, duration } from '../parts/words.ts';
import { now } from '../state/clock.ts';
import { session } from '../state/connection.ts';
import { urlOf } from './artifact-media.tsx';

export function Choices({ view }: { readonly view: RunView }) {
  const waiting = (view.choices ?? []).filter(({ status }) => status === 'waiting');
  return (
    <>
      {waiting.map((choice) => (
        <Choice key={choice.into} runId={view.runId} choice={choice} />
      ))}
    </>
  );
}

// --- helpers ---

function Choice({ runId, choice }: { readonly runId: string; readonly choice: ChoiceView }) {
  const [picked, setPicked] = useState<readonly string[]>([]);
  const [isSending, setSending] = useState(false);
  const { into, title, pick, candidates, deadline, onTimeout } = choice;
  const most = pick.max ?? candidates.length;
  const toggle = (id: string): void => {
    if (picked.includes(id)) setPicked(picked.filter((one) => one !== id));
    else if (most === 1) setPicked([id]);
    else if (picked.length < most) setPicked([...picked, id]);
  };
  const isEnough = picked.length >= pick.min && picked.length <= most;
  const send = async (): Promise<void> => {
    setSending(true);
    await attempt(() => session.wish('run/choose', { runId, into, values: [...picked] }), 'Chosen. The run goes on.');
    setSending(false);
  };
  return (
    <section class="choice" aria-label={title ?? into}>
      <div class="choice-head">
        <h2>{title ?? `Choose for “${into}”`}</h2>
        <p class="dim">
          {howMany(pick.min, most)}
          {deadline !== undefined && ` ${timeoutWords(Math.max(0, deadline - now.value), onTimeout)}`}
        </p>
      </div>
      <div class="grid" role="group" aria-label="Candidates">
        {candidates.map((candidate) => (
          <button
            type="button"
            class="card candidate"
            key={candidate.id}
            aria-pressed={picked.includes(candidate.id)}
            aria-label={`Candidate ${String(candidate.index + 1)}`}
            onClick={() => toggle(candidate.id)}
          >
            <Candidate candidate={candidate} />
            <span class="candidate-foot">
              <span class="candidate-tick">
                <Icon name="check" />
              </span>
              {candidate.index + 1}
            </span>
          </button>
        ))}
      </div>
      <div class="choice-foot">
        <button type="button" class="button button-main" disabled={!isEnough || isSending} onClick={() => void send()}>
          {isEnough ? 'Go on with this' : `Pick ${String(Math.max(1, pick.min))} to go on`}
        </button>
        {most > 1 && <span class="dim">{count(picked.length, 'picked', 'picked')}</span>}
      </div>
    </section>
  );
}

function Candidate({
  candidate: { artifactId, mediaType = '', width, height, text, path, index },
}: {
  readonly candidate: ChoiceCandidate;
}) {
  if (artifactId !== undefined && mediaType.startsWith('image/')) {
    return (
      <span class="frame">
        <img src={urlOf({ artifactId })} alt={`Candidate ${String(index + 1)}`} loading="lazy" width={width} height={height} />
      </span>
    );
  }
  if (artifactId !== undefined && mediaType.startsWith('video/')) {
    return (
      <span class="frame">
        <video src={urlOf({ artifactId })} muted loop autoplay width={width} height={height} />
      </span>
    );
  }
  return <span class="frame candidate-text">{text ?? path ?? mediaType}</span>;
}

function howMany(least: number, most: number): string {
  if (least === most) return `Pick ${least === 1 ? 'one' : String(least)}.`;
  return least === 0 ? `Pick up to ${String(most)}, or none.` : `Pick ${String(least)} to ${String(most)}.`;
}

function timeoutWords(ms: number, then: ChoiceView['onTimeout']): string {
  const what = { first: 'the first is taken', fail: 'the run fails', wait: 'it goes on waiting' }[then ?? 'wait'];
  return `In ${duration(ms)} ${what}.`;
}
