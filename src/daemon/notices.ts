/** Who wants to hear of runs: events once they are on disk, progress and previews as they come. */
import type { PreviewNotice, ProgressNotice, RunEvent } from '#protocol/events.ts';
import type { RunService } from './run-service.ts';

export interface Notices extends Pick<RunService, 'onEvents' | 'onProgress' | 'onPreview'> {
  events(events: readonly RunEvent[]): void;
  progress(notice: ProgressNotice): void;
  /** `make` is called only when somebody listens: a preview is dear. */
  preview(make: () => PreviewNotice): void;
}

export function createNotices(): Notices {
  const events = new Set<(events: readonly RunEvent[]) => void>();
  const progress = new Set<(notice: ProgressNotice) => void>();
  const preview = new Set<(notice: PreviewNotice) => void>();
  return {
    onEvents: (listener) => subscribe(events, listener),
    onProgress: (listener) => subscribe(progress, listener),
    onPreview: (listener) => subscribe(preview, listener),
    events(batch) {
      for (const listener of events) listener(batch);
    },
    progress(notice) {
      for (const listener of progress) listener(notice);
    },
    preview(make) {
      if (preview.size === 0) return;
      const notice = make();
      for (const listener of preview) listener(notice);
    },
  };
}

function subscribe<T>(set: Set<T>, listener: T): () => void {
  set.add(listener);
  return () => void set.delete(listener);
}
