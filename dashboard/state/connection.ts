/** The one session of the page, and what of the daemon every page shows. */
import { signal } from '@preact/signals';
import type { DaemonStatus } from '../../src/protocol/methods/system.ts';
import { type ConnectionState, createSession } from '../rpc/session.ts';

export const session = createSession();
export const connection = signal<ConnectionState>('connecting');
export const daemon = signal<DaemonStatus | undefined>(undefined);
/** Grows with every connection: what is read once is read again then. */
export const connections = signal(0);

const STATUS_MS = 5000;

/** Asks for the status now; it has no notification of its own. */
export async function refreshStatus(): Promise<void> {
  daemon.value = await session.call('daemon/status', {});
}

export function watchConnection(): void {
  session.onState((state) => {
    connection.value = state;
    if (state !== 'open') return;
    connections.value += 1;
    void refreshStatus().catch(() => undefined);
  });
  setInterval(() => {
    if (connection.value === 'open' && !document.hidden) void refreshStatus().catch(() => undefined);
  }, STATUS_MS);
  // Whoever has just run `callsheet open` comes back to this tab.
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && connection.value !== 'open') session.hurry();
  });
}
