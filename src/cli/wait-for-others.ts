/** Keeps the daemon of this process alive while another command still works through it. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Io, line } from './io.ts';
import type { Session } from './session.ts';

const LOOK_MS = 300;

/** A second `callsheet run` finds the daemon of the first one; the first must not pull it away. Ctrl-C leaves at once. */
export async function waitForOthers(session: Session, io: Io): Promise<void> {
  if (!session.own) return;
  const left = new AbortController();
  const stopListening = io.onInterrupt(() => left.abort());
  try {
    for (let told = false; !left.signal.aborted; told = true) {
      const { connections, runs } = await session.client.call('daemon/status');
      if (connections <= 1 || runs.open === 0) return;
      if (!told) line(io.err, 'Another command works through this daemon; it stays until that is done. Ctrl-C leaves at once.');
      await pause(LOOK_MS, undefined, { signal: left.signal }).catch(() => undefined);
    }
  } finally {
    stopListening();
  }
}
