/** One run as its page shows it: its view, its log from the first line on, the newest previews. */
import { type ReadonlySignal, signal } from '@preact/signals';
import { CallsheetError } from '../../src/protocol/errors.ts';
import type { PreviewNotice, ProgressNotice, RunEvent } from '../../src/protocol/events.ts';
import type { RunView } from '../../src/protocol/views.ts';
import { connections, session } from './connection.ts';

export interface OpenRun {
  readonly runId: string;
  readonly view: ReadonlySignal<RunView | undefined>;
  readonly events: ReadonlySignal<readonly RunEvent[]>;
  /** By `step/item`. */
  readonly previews: ReadonlySignal<ReadonlyMap<string, PreviewNotice>>;
  readonly progress: ReadonlySignal<ProgressNotice | undefined>;
  /** Why there is nothing to show. */
  readonly missing: ReadonlySignal<CallsheetError | undefined>;
  refresh(): void;
  close(): void;
}

/** Many events in a row are one reason to read the run again. */
const SETTLE_MS = 120;
/** After an error that passes the run is read again so much later. */
const AGAIN_MS = 1000;

export function openRun(runId: string): OpenRun {
  const view = signal<RunView | undefined>(undefined);
  const events = signal<readonly RunEvent[]>([]);
  const previews = signal<ReadonlyMap<string, PreviewNotice>>(new Map());
  const progress = signal<ProgressNotice | undefined>(undefined);
  const missing = signal<CallsheetError | undefined>(undefined);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;
  let isClosed = false;
  let fresh: RunEvent[] = [];
  let unsubscribe = (): void => undefined;

  const read = async (): Promise<void> => {
    clearTimeout(again);
    try {
      const { run } = await session.call('run/get', { runId });
      view.value = run;
      missing.value = undefined;
    } catch (error) {
      // The next connection reads it again.
      if (!(error instanceof CallsheetError) || error.code === 'CONNECTION_LOST') return;
      missing.value = error;
      clearTimeout(again);
      if (error.data.retryable && !isClosed) again = setTimeout(settle, AGAIN_MS);
    }
  };
  const settle = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (isClosed) return;
      events.value = [...events.value, ...fresh];
      fresh = [];
      void read();
    }, SETTLE_MS);
  };
  let isFirst = true;
  const stops = [
    // An answer that was lost with a connection may be the last that anything happened for.
    connections.subscribe(() => {
      if (!isFirst) settle();
      isFirst = false;
    }),
    session.on('preview', (notice) => {
      if (notice.runId === runId) previews.value = new Map(previews.value).set(`${notice.step}/${String(notice.item)}`, notice);
    }),
    session.on('progress', (notice) => {
      if (notice.runId === runId) progress.value = notice;
    }),
    session.on('run/removed', ({ runIds }) => {
      if (runIds.includes(runId)) missing.value = new CallsheetError('RUN_NOT_FOUND', 'The run was cleaned away.');
    }),
  ];
  const follow = (epoch: string): void => {
    if (isClosed) return;
    unsubscribe = session.subscribe(
      { runId, since: { epoch, seq: 0 }, previews: true },
      {
        onEvent(event) {
          fresh.push(event);
          if (event.event.type === 'step.status' && event.event.status !== 'running') dropPreview(event.event.step, event.event.item);
          settle();
        },
        onGap() {
          unsubscribe();
          fresh = [];
          events.value = [];
          void session.server().then(({ epoch: now }) => follow(now));
        },
      },
    );
  };
  const dropPreview = (step: string, item: number): void => {
    const key = `${step}/${String(item)}`;
    if (!previews.value.has(key)) return;
    const left = new Map(previews.value);
    left.delete(key);
    previews.value = left;
  };
  void session.server().then(({ epoch }) => follow(epoch));
  void read();

  return {
    runId,
    view,
    events,
    previews,
    progress,
    missing,
    refresh: settle,
    close() {
      isClosed = true;
      clearTimeout(timer);
      clearTimeout(again);
      unsubscribe();
      for (const stop of stops) stop();
    },
  };
}
