/**
 * The child process that looks into foreign files. It may read its own code and nothing else: the bytes of a file come from the parent,
 * piece by piece, so that it never sees a path. What it is given to read decides nothing but its own life.
 */
import type { ByteSource } from '../bytes.ts';
import { saysDraft } from '../embedded/draft.ts';
import { findWorkflows } from '../embedded/find-workflows.ts';
import { readEmbedded } from '../embedded/read.ts';
import type { FromChild, ToChild } from './messages.ts';

let arrived: ((bytes: Uint8Array) => void) | undefined;

function say(message: FromChild): void {
  process.send?.(message);
}

/** One file is looked at at a time, and one piece of it asked for. */
function sourceOf(id: number, size: number): ByteSource {
  return {
    size,
    read: (at, length) =>
      new Promise((resolve) => {
        arrived = resolve;
        say({ type: 'read', id, at, length, rss: process.memoryUsage.rss() });
      }),
  };
}

async function inspect(id: number, size: number): Promise<void> {
  const embedded = await readEmbedded(sourceOf(id, size));
  const workflows = findWorkflows(embedded.texts);
  say({ type: 'done', id, inspection: { ...embedded, workflows, draft: saysDraft(embedded) }, rss: process.memoryUsage.rss() });
}

process.on('message', (message: ToChild) => {
  if (message.type === 'bytes') arrived?.(message.bytes);
  else inspect(message.id, message.size).catch((error: unknown) => say({ type: 'failed', id: message.id, message: String(error) }));
});
// The parent is gone.
process.on('disconnect', () => process.exit(0));
say({ type: 'ready' });
