/** Reads files of rebuilt runs that were too large to be read at the start, one after another, and says of each that is not what it was. */
import { setTimeout as pause } from 'node:timers/promises';
import { howItLies } from '#results/notes.ts';
import type { RunEventBody } from '#protocol/events.ts';
import { damageNote } from './row-parts.ts';
import type { Unread } from './rebuild.ts';

/** Between two files: there is no hurry. */
const PAUSE_MS = 200;

export async function checkLater(
  files: readonly Unread[],
  tell: (runId: string, body: RunEventBody) => void,
  signal: AbortSignal,
  pauseMs: number = PAUSE_MS,
): Promise<void> {
  for (const file of files) {
    await pause(pauseMs, undefined, { signal, ref: false });
    // One that was moved away since is nobody's damage.
    if ((await howItLies(file)) === 'damaged') tell(file.runId, damageNote(file.path));
  }
}
