/** The run's log, line by line, as it is stored: what happened, when, and in which order. */
import { useMemo, useState } from 'preact/hooks';
import type { RunEvent } from '../../src/protocol/events.ts';
import { Icon } from '../parts/icon.tsx';
import { clockTime, moment } from '../parts/words.ts';
import type { OpenRun } from '../state/run.ts';
import { lineOf } from './event-lines.ts';

/** Newest lines are shown first; so many at a time. */
const PAGE = 200;

export function EventLog({ run }: { readonly run: OpenRun }) {
  const [text, setText] = useState('');
  const [shown, setShown] = useState(PAGE);
  const events = run.events.value;
  const lines = useMemo(() => events.map((event) => ({ event, ...lineOf(event.event) })).toReversed(), [events]);
  const wanted = text.trim().toLowerCase();
  const found =
    wanted === ''
      ? lines
      : lines.filter(({ event, words, about }) => `${event.event.type} ${about} ${words}`.toLowerCase().includes(wanted));
  return (
    <section aria-label="Events">
      <div class="filters">
        <label class="search">
          <Icon name="search" />
          <input
            type="search"
            placeholder="Step, state, word"
            aria-label="Search events"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <span class="dim">
          {events.length === found.length
            ? `${String(events.length)} events, newest first`
            : `${String(found.length)} of ${String(events.length)} events`}
        </span>
      </div>
      <ol class="log" reversed>
        {found.slice(0, shown).map(({ event, tone, about, words }) => (
          <Line key={event.seq} event={event} tone={tone} about={about} words={words} />
        ))}
      </ol>
      {found.length > shown && (
        <button type="button" class="button" onClick={() => setShown(shown + PAGE)}>
          Show {Math.min(PAGE, found.length - shown)} older
        </button>
      )}
      {found.length === 0 && <p class="quiet">{events.length === 0 ? 'The log is being read.' : 'No event fits the search.'}</p>}
    </section>
  );
}

// --- helpers ---

interface LineProps {
  readonly event: RunEvent;
  readonly tone: string;
  readonly about: string;
  readonly words: string;
}

function Line({ event: { seq, at, event }, tone, about, words }: LineProps) {
  return (
    <li class="log-line">
      <span class="log-seq">{seq}</span>
      <time title={moment(at)}>{clockTime(at)}</time>
      <span class={`log-type tone-text-${tone}`}>{event.type}</span>
      <span class="log-words">
        {about !== '' && <span class="log-about">{about}</span>}
        {words}
      </span>
    </li>
  );
}
