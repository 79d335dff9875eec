/** Goes through the log of a run: a slider, a step back, a step on, the ends, and the places that are marked in it. */
import { button, element, uniqueId } from './dom.ts';
import type { Mark } from './log-marks.ts';

export interface ScrubberState {
  readonly position: number;
  readonly length: number;
  /** The run goes on, and is shown as it is now. */
  readonly isLive: boolean;
  /** Of the event at the position. */
  readonly words: string;
  readonly marks: readonly Mark[];
}

export interface Scrubber {
  readonly element: HTMLElement;
  show(state: ScrubberState): void;
}

export function createScrubber(onMove: (position: number) => void): Scrubber {
  let state: ScrubberState = { position: 0, length: 0, isLive: false, words: '', marks: [] };
  const by = (step: number) => () => onMove(state.position + step);
  const list = element('datalist', { id: uniqueId('marks') });
  const range = element('input', {
    type: 'range',
    min: 0,
    max: 0,
    step: 1,
    class: 'mi-range',
    'aria-label': 'Position in the event log',
    list: list.id,
  });
  const words = element('span', { class: 'mi-words' });
  const marks = element('span', { class: 'mi-marks' });
  const [first, back, on, last] = [
    button('|◀', 'First event', () => onMove(0)),
    button('◀', 'Event before', by(-1)),
    button('▶', 'Next event', by(1)),
    button('▶|', 'Newest event', () => onMove(state.length)),
  ];
  range.addEventListener('input', () => onMove(Number(range.value)));
  // The page has keys of its own; those of the slider are the slider's.
  range.addEventListener('keydown', (event) => {
    if (event.key.startsWith('Arrow') || event.key.startsWith('Page') || event.key === 'Home' || event.key === 'End')
      event.stopPropagation();
  });

  function showMarks(given: readonly Mark[]): void {
    const buttons = given.map(({ position, words: text }) => button(text, `Go to: ${text}`, () => onMove(position)));
    marks.replaceChildren(...buttons);
    list.replaceChildren(...given.map(({ position }) => element('option', { value: position })));
  }

  return {
    element: element(
      'div',
      { class: 'mi-scrubber', role: 'group', 'aria-label': 'Event log' },
      first,
      back,
      range,
      on,
      last,
      words,
      marks,
      list,
    ),
    show(next) {
      const isMarked = JSON.stringify(next.marks) !== JSON.stringify(state.marks);
      state = next;
      range.max = String(next.length);
      range.value = String(next.position);
      range.setAttribute('aria-valuetext', `Event ${String(next.position)} of ${String(next.length)}: ${next.words}`);
      for (const one of [first, back]) one.disabled = next.position === 0;
      for (const one of [on, last]) one.disabled = next.position === next.length;
      const text = `${String(next.position)} of ${String(next.length)}${next.isLive ? ' · live' : ''}`;
      if (words.textContent !== text) words.textContent = text;
      if (isMarked) showMarks(next.marks);
    },
  };
}
