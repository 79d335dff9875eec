/** One picture for each run of the list: told by events as they come, asked for when a row without one stands still in the window. */
import { signal } from '@preact/signals';
import { session } from './connection.ts';

/** By run: an artifactId, or nothing where a run made no picture. */
const known = signal<ReadonlyMap<string, string | undefined>>(new Map());
/** Rows that only fly by ask for nothing. */
const STILL_MS = 150;
const SHOWN = /^image\/(?:png|jpeg|webp|gif|avif)$/;

export function thumbnailOf(runId: string): string | undefined {
  return known.value.get(runId);
}

/** Asks once for a run; returns how to take the question back. */
export function wantThumbnail(runId: string): () => void {
  if (known.value.has(runId)) return () => undefined;
  const timer = setTimeout(() => void ask(runId).catch(() => undefined), STILL_MS);
  return () => clearTimeout(timer);
}

export function watchThumbnails(): void {
  session.on('event', ({ runId, event }) => {
    if (event.type === 'artifact.created' && SHOWN.test(event.mediaType)) put(runId, event.artifactId);
    // Its files may be others now.
    if (event.type === 'run.retried' && known.value.has(runId)) void ask(runId).catch(() => undefined);
  });
}

// --- helpers ---

async function ask(runId: string): Promise<void> {
  const { artifacts } = await session.call('artifact/list', { runId, kind: 'image', limit: 5 });
  put(runId, artifacts.find(({ mediaType }) => SHOWN.test(mediaType))?.artifactId);
}

function put(runId: string, artifactId: string | undefined): void {
  known.value = new Map(known.value).set(runId, artifactId);
}
