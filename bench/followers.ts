/** Clients that follow the whole log, in a process of their own: how long after it happened each event reached each of them. */
import { connect, type Client, type Endpoint } from '#protocol/client.ts';
import { percentile } from './numbers.ts';
import { childOptions, serveParent, tell } from './processes.ts';

export interface Heard {
  /** Events that each client was told, fewest and most. */
  readonly fewest: number;
  readonly most: number;
  /** Milliseconds from the happening, as the event says it, to the client; whole milliseconds on the daemon's side. */
  readonly lag: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly notices: number;
}

const { url, key, count } = childOptions() as Endpoint & { readonly count: number };
const lags: number[] = [];
const told = new Map<number, number>();
let notices = 0;

async function follow(nth: number): Promise<Client> {
  const client = await connect({
    url,
    key,
    name: `follower-${String(nth)}`,
    onNotification: (name) => void (name === 'progress' && (notices += 1)),
  });
  told.set(nth, 0);
  await client.subscribe(
    { previews: true },
    {
      onEvent({ at }) {
        lags.push(performance.timeOrigin + performance.now() - at);
        told.set(nth, (told.get(nth) ?? 0) + 1);
      },
    },
  );
  return client;
}

const clients = await Promise.all(Array.from({ length: count }, (_, nth) => follow(nth)));

function heard(): Heard {
  const counts = [...told.values()];
  return {
    fewest: Math.min(...counts),
    most: Math.max(...counts),
    lag: { p50: percentile(lags, 0.5), p99: percentile(lags, 0.99), max: percentile(lags, 1) },
    notices,
  };
}

serveParent(heard, async () => void (await Promise.all(clients.map((client) => client.close()))));
tell({ ready: true });
