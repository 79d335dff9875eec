/** A list of equal rows of which only those near the window are in the document, so that thousands cost what twenty do. */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

interface WindowedProps<Row> {
  readonly rows: readonly Row[];
  /** Pixels. */
  readonly height: number;
  readonly keyOf: (row: Row) => string;
  readonly label: string;
  /** A row is one link or button, which takes the focus. */
  readonly children: (row: Row) => ComponentChildren;
  /** The end came near. */
  readonly onNearEnd: () => void;
}

/** Rows above and below the window, so that scrolling shows no gaps. */
const SPARE = 12;

export function Windowed<Row>({ rows, height, keyOf, label, children, onNearEnd }: WindowedProps<Row>) {
  const box = useRef<HTMLUListElement>(null);
  const [range, setRange] = useState({ from: 0, to: 40 });
  /** The first row in the window, and how far it is scrolled: it stays where it is when rows come in above it. */
  const anchor = useRef<{ readonly key: string; readonly index: number } | undefined>(undefined);
  const wanted = useRef<number | undefined>(undefined);

  const measure = (): void => {
    const top = box.current?.getBoundingClientRect().top ?? 0;
    const first = Math.max(0, Math.floor(-top / height));
    const from = Math.max(0, first - SPARE);
    const to = Math.min(rows.length, first + Math.ceil(innerHeight / height) + SPARE);
    const row = rows[first];
    anchor.current = top < 0 && row !== undefined ? { key: keyOf(row), index: first } : undefined;
    setRange((old) => (old.from === from && old.to === to ? old : { from, to }));
    if (to >= rows.length - SPARE) onNearEnd();
  };

  useLayoutEffect(() => {
    const { current } = anchor;
    if (current !== undefined) {
      const index = rows.findIndex((row) => keyOf(row) === current.key);
      if (index > 0 && index !== current.index) scrollBy(0, (index - current.index) * height);
    }
    measure();
  }, [rows, height]);
  useEffect(() => {
    addEventListener('scroll', measure, { passive: true });
    addEventListener('resize', measure);
    return () => {
      removeEventListener('scroll', measure);
      removeEventListener('resize', measure);
    };
  });
  useLayoutEffect(() => {
    if (wanted.current === undefined) return;
    const row = box.current?.querySelector<HTMLElement>(`[data-at="${String(wanted.current)}"] a`);
    if (row === null || row === undefined) return;
    wanted.current = undefined;
    row.focus({ preventScroll: true });
  });

  const focus = (index: number): void => {
    const at = Math.max(0, Math.min(rows.length - 1, index));
    const top = (box.current?.getBoundingClientRect().top ?? 0) + at * height;
    wanted.current = at;
    if (top < 80) scrollBy(0, top - 80);
    else if (top + height > innerHeight - 80) scrollBy(0, top + height - innerHeight + 80);
    setRange({ from: Math.max(0, at - 30), to: Math.min(rows.length, at + 30) });
  };

  const press = (event: KeyboardEvent): void => {
    const own = (event.target as HTMLElement).closest<HTMLElement>('[data-at]');
    if (own === null || event.altKey || event.ctrlKey || event.metaKey) return;
    const at = Number(own.dataset['at']);
    const page = Math.max(1, Math.floor(innerHeight / height) - 2);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1, PageDown: at + page, PageUp: at - page }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    focus(next);
  };

  const shown = rows.slice(range.from, range.to);
  return (
    <ul ref={box} class="windowed" aria-label={label} style={{ height: `${String(rows.length * height)}px` }} onKeyDown={press}>
      {shown.map((row, place) => {
        const at = range.from + place;
        return (
          <li
            key={keyOf(row)}
            data-at={at}
            aria-posinset={at + 1}
            aria-setsize={rows.length}
            style={{ height: `${String(height)}px`, transform: `translateY(${String(at * height)}px)` }}
          >
            {children(row)}
          </li>
        );
      })}
    </ul>
  );
}
