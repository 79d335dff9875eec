/**
 * Records the sessions of today's client against today's daemon: `npm run record:sessions`, once for each release. They lie in
 * test/fixtures/sessions/VERSION and are never made again for a release that is out: they are what its clients expect.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { connect } from '#protocol/client.ts';
import { textOf } from '#protocol/frame-text.ts';
import { VERSION } from '#daemon/version.ts';
import { openWorld } from '../../daemon/every-method.ts';
import { type Frame, type Recorded, withNames } from './recording.ts';
import { SCENARIOS } from './scenarios.ts';

const folder = fileURLToPath(new URL(`../../fixtures/sessions/${VERSION}/`, import.meta.url));
mkdirSync(folder, { recursive: true });

/** What the one client socket of a scenario sends and hears; the sockets of the daemon in this process send and hear the same. */
const heard = new Map<WebSocket, Recorded[]>();
const note = (socket: WebSocket, from: Recorded['from'], text: string): void => {
  const isServer = (socket as unknown as { readonly _isServer: boolean })._isServer;
  if (isServer) return;
  heard.set(socket, [...(heard.get(socket) ?? []), { from, frame: JSON.parse(text) as Frame }]);
};
/** Puts `before` in front of a method of every WebSocket of this process. */
function watch(method: 'send' | 'emit', before: (socket: WebSocket, given: readonly unknown[]) => void): void {
  const real: unknown = Reflect.get(WebSocket.prototype, method);
  if (typeof real !== 'function') throw new TypeError(`WebSocket has no ${method}`);
  Reflect.set(WebSocket.prototype, method, function watched(this: WebSocket, ...given: unknown[]): unknown {
    before(this, given);
    return Reflect.apply(real, this, given);
  });
}
watch('send', (socket, [data]) => {
  if (typeof data === 'string') note(socket, 'client', data);
});
watch('emit', (socket, [name, data]) => {
  if (name === 'message') note(socket, 'daemon', textOf(data as Buffer));
});

for (const [name, scenario] of Object.entries(SCENARIOS)) {
  await using world = await openWorld();
  const before = new Set(heard.keys());
  const client = await connect({ ...world.daemon.endpoint, name: 'recorded', version: VERSION });
  await scenario(client, world);
  await client.close();
  const frames = [...heard].find(([socket]) => !before.has(socket))?.[1] ?? [];
  const kept = withNames(frames, world.dir).filter(({ frame }) => !['progress', 'preview', '$/progress'].includes(frame.method ?? ''));
  writeFileSync(join(folder, `${name}.jsonl`), `${kept.map((one) => JSON.stringify(one)).join('\n')}\n`);
  console.log(`${name}: ${String(kept.length)} frames`);
}
