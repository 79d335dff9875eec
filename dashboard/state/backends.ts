/** The backends as they are: told by the daemon when their state changes, asked again for their load while a page shows it. */
import { effect, signal } from '@preact/signals';
import type { BackendDetail } from '../../src/protocol/methods/queue.ts';
import type { BackendView } from '../../src/protocol/views.ts';
import { connection, connections, session } from './connection.ts';

export const backends = signal<readonly BackendView[] | undefined>(undefined);
export const details = signal<ReadonlyMap<string, BackendDetail>>(new Map());

const LOAD_MS = 2500;

async function readList(): Promise<void> {
  ({ backends: backends.value } = await session.call('backend/list', {}));
}

async function readDetails(): Promise<void> {
  await readList();
  const found = await Promise.all((backends.value ?? []).map(({ id }) => session.call('backend/get', { id })));
  details.value = new Map(found.map((one) => [one.backend.id, one]));
}

export function watchBackends(): void {
  session.on('backend/changed', () => void readList().catch(() => undefined));
  effect(() => {
    if (connections.value > 0) void readList().catch(() => undefined);
  });
}

/** Reads load, memory and what runs there until it is stopped. */
export function watchLoad(): () => void {
  const look = (): void => {
    if (connection.value === 'open' && !document.hidden) void readDetails().catch(() => undefined);
  };
  look();
  const timer = setInterval(look, LOAD_MS);
  return () => clearInterval(timer);
}
