/** Hands the standard inspection messages on to a relay of Stately's tools on this machine: both ends are dialled from here, so no port is opened. */
import { WebSocket } from 'ws';
import type { Endpoint } from '#protocol/client.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { textOf } from '#protocol/frame-text.ts';
import { UsageError } from '../command.ts';

/** Bytes that may wait for the relay before the daemon is read no further. */
const MOST_WAITING = 1024 * 1024;
const LOOK_MS = 50;

/** What machines do is told to nobody outside of this machine. Throws UsageError. */
export function relayAddress(text: string): string {
  const url = URL.parse(text);
  const isHere = url !== null && url.protocol === 'ws:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  if (isHere && url.username === '' && url.password === '') return url.href;
  throw new UsageError('--forward takes the WebSocket address of a relay on this machine, e.g. ws://localhost:8080.');
}

/** Resolves when `stop` does, or when the relay or the daemon has gone. Throws CONNECTION_LOST when one cannot be reached or has gone. */
export async function forward(
  { url, key }: Endpoint,
  {
    runId,
    relay,
    onOpen,
    stop,
  }: { readonly runId: string | undefined; readonly relay: string; readonly onOpen: () => void; readonly stop: Promise<void> },
): Promise<void> {
  const to = new WebSocket(relay, { handshakeTimeout: 10_000, perMessageDeflate: false, followRedirects: false });
  const lost = Promise.withResolvers<never>();
  const end = (who: string, why: string) =>
    lost.reject(new CallsheetError('CONNECTION_LOST', `${who} ${why}.`, { hint: 'Start it again, then this command.' }));
  // Both may fail; the first says why.
  lost.promise.catch(() => undefined);
  to.on('error', (error) => end(`The relay at ${relay}`, `cannot be reached: ${error.message}`));
  to.on('close', () => end(`The relay at ${relay}`, 'has gone'));
  let from: WebSocket | undefined;
  try {
    await Promise.race([new Promise((resolve) => to.once('open', resolve)), lost.promise, stop]);
    if (to.readyState !== WebSocket.OPEN) return;
    const address = new URL(runId === undefined ? '/inspect' : `/inspect/run/${encodeURIComponent(runId)}`, url);
    from = new WebSocket(address, { headers: { Authorization: `Bearer ${key}` }, perMessageDeflate: false, followRedirects: false });
    from.on('error', (error) => end('The daemon', `cannot be reached: ${error.message}`));
    from.on('close', () => end('The daemon', 'has gone'));
    from.on('open', onOpen);
    pipe(from, to);
    await Promise.race([lost.promise, stop]);
  } finally {
    from?.terminate();
    to.terminate();
  }
}

// --- helpers ---

/** A slow relay is felt by the daemon, which then leaves messages out. */
function pipe(from: WebSocket, to: WebSocket): void {
  from.on('message', (data) => {
    if (to.readyState !== WebSocket.OPEN) return;
    to.send(textOf(data));
    if (to.bufferedAmount < MOST_WAITING) return;
    from.pause();
    const timer = setInterval(() => {
      if (to.bufferedAmount >= MOST_WAITING && to.readyState === WebSocket.OPEN) return;
      clearInterval(timer);
      from.resume();
    }, LOOK_MS);
  });
}
