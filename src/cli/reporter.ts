/** How a run is shown while it goes on: a bar on a terminal, a line for each change elsewhere, JSON lines for scripts. */
import { createLogUpdate } from 'log-update';
import type { ProgressNotice, RunEvent } from '#protocol/events.ts';
import type { RunView } from '#protocol/views.ts';
import { eventLine } from './event-line.ts';
import { type Io, isLive, jsonLine, line } from './io.ts';
import { createPaint } from './paint.ts';
import { renderRun } from './progress-view.ts';

export interface Reporter {
  /** True when it wants `view` after each change. */
  readonly wantsViews: boolean;
  event(event: RunEvent): void;
  progress(notice: ProgressNotice): void;
  view(run: RunView): void;
  /** A sentence that is no event of the log: "Cancelling …". */
  say(text: string): void;
  /** Something else is on the screen until `release`: a question. */
  hold(): void;
  release(): void;
  /** The bar stays as it was drawn last; nothing is drawn after it. */
  end(): void;
}

export function createReporter(io: Io, json: boolean): Reporter {
  if (json) return jsonReporter(io);
  return isLive(io.out, io.env) ? barReporter(io) : lineReporter(io);
}

// --- helpers ---

function jsonReporter(io: Io): Reporter {
  return {
    wantsViews: false,
    event: ({ runId, seq, position, epoch, at, event }) => jsonLine(io.out, { type: 'event', runId, seq, position, epoch, at, event }),
    progress: (notice) => jsonLine(io.out, { type: 'progress', ...notice }),
    view: () => undefined,
    say: (text) => line(io.err, text),
    hold: () => undefined,
    release: () => undefined,
    end: () => undefined,
  };
}

function lineReporter(io: Io): Reporter {
  return {
    wantsViews: false,
    event({ event }) {
      const text = eventLine(event);
      if (text !== undefined) line(io.out, text);
    },
    progress: () => undefined,
    view: () => undefined,
    say: (text) => line(io.err, text),
    hold: () => undefined,
    release: () => undefined,
    end: () => undefined,
  };
}

function barReporter(io: Io): Reporter {
  const paint = createPaint(io.out, io.env);
  // The stream is process.stdout wherever isTTY is true; log-update asks for the full type.
  const log = createLogUpdate(io.out as unknown as NodeJS.WritableStream);
  let current: RunView | undefined;
  let note = '';
  let ended = false;
  let held = false;
  const draw = () => {
    if (current === undefined || ended || held) return;
    log(`${renderRun(current, columnsOf(io), paint)}${note === '' ? '' : `\n${note}`}`);
  };
  return {
    wantsViews: true,
    event: () => undefined,
    progress(notice) {
      if (current === undefined) return;
      const { etaSeconds: _old, etaRange: _range, ...rest } = current;
      const eta = {
        ...(notice.etaSeconds === undefined ? {} : { etaSeconds: notice.etaSeconds }),
        ...(notice.etaRange === undefined ? {} : { etaRange: notice.etaRange }),
      };
      current = { ...rest, ...eta, progress: Math.max(current.progress, notice.progress) };
      draw();
    },
    view(run) {
      current = run;
      draw();
    },
    say(text) {
      note = text;
      draw();
    },
    hold() {
      held = true;
      log.done();
    },
    release() {
      held = false;
      draw();
    },
    end() {
      if (ended) return;
      ended = true;
      log.done();
    },
  };
}

/** A terminal that does not know its width says 0. */
function columnsOf({ out }: Io): number {
  return out.columns === undefined || out.columns === 0 ? 80 : out.columns;
}
