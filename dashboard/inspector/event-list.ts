/** The log line by line around the position: as many lines as can be read, however long the log is. */
import { element } from './dom.ts';

export interface EventLine {
  readonly position: number;
  readonly at: number;
  readonly words: string;
  /** Said above the line: where a try or the daemon began anew. */
  readonly heading?: string;
}

export interface EventList {
  readonly element: HTMLElement;
  /** `line`: of a position from 1 to `length`. */
  /** `edition`: another one than before has all lines made anew. */
  show(position: number, length: number, line: (position: number) => EventLine, edition: string): void;
}

/** Lines before and after the position. */
const AROUND = 100;

export function createEventList(onMove: (position: number) => void): EventList {
  const list = element('ol', { class: 'mi-events', 'aria-label': 'Events', tabindex: 0 });
  let drawnFrom = 0;
  let drawnTo = -1;
  let chosen: Element | undefined;
  let current = 0;
  let drawnEdition = '';

  list.addEventListener('click', (event) => {
    const position = (event.target as Element).closest<HTMLElement>('[data-position]')?.dataset['position'];
    if (position !== undefined) onMove(Number(position));
  });
  list.addEventListener('keydown', (event) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    event.stopPropagation();
    onMove(current + step);
  });

  function rowOf({ position, at, words, heading }: EventLine): HTMLElement {
    const time = new Date(at);
    const clock = `${time.toLocaleTimeString([], { hour12: false })}.${String(time.getMilliseconds()).padStart(3, '0')}`;
    return element(
      'li',
      { class: 'mi-event', 'data-position': position, value: position },
      ...(heading === undefined ? [] : [element('strong', { class: 'mi-heading' }, heading)]),
      element('time', { datetime: time.toISOString(), class: 'mi-time' }, clock),
      element('span', { class: 'mi-text' }, words),
    );
  }

  function redraw(from: number, to: number, line: (position: number) => EventLine): void {
    list.replaceChildren(...Array.from({ length: to - from + 1 }, (_, nth) => rowOf(line(from + nth))));
    [drawnFrom, drawnTo] = [from, to];
  }

  return {
    element: list,
    show(position, length, line, edition) {
      const from = Math.max(1, position - AROUND);
      const to = Math.min(length, position + AROUND);
      // Lines that are there stay there as long as the position is well among them.
      const isInside =
        edition === drawnEdition &&
        drawnFrom <= Math.max(1, position - 20) &&
        drawnTo >= Math.min(length, position + 20) &&
        drawnTo <= length;
      if (!isInside) redraw(from, to, line);
      drawnEdition = edition;
      current = position;
      chosen?.removeAttribute('aria-current');
      chosen = list.children[position - drawnFrom];
      chosen?.setAttribute('aria-current', 'step');
      if (chosen instanceof HTMLElement) scrollTo(list, chosen);
    },
  };
}

// --- helpers ---

/** Only the list moves, never the page around it. */
function scrollTo(list: HTMLElement, row: HTMLElement): void {
  const top = row.offsetTop - list.offsetTop;
  if (top < list.scrollTop || top + row.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = top - list.clientHeight / 2;
}
