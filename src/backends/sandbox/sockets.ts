/** The sockets of all clients: one live socket per client id, JSON messages and binary previews. */
import { randomUUID } from 'node:crypto';
import { WebSocket, type RawData } from 'ws';
import type { SandboxFaults } from './faults.ts';
import { isRecord, printJson, readJson, type JsonRecord } from './json.ts';

export interface PreviewPlace {
  readonly node_id: string;
  readonly prompt_id: string;
}

export interface Sockets {
  /** Takes over an upgraded socket. `greeting` gives the first messages for this client id. */
  accept(
    socket: WebSocket,
    clientId: string | null,
    greeting: (sid: string) => readonly [string, JsonRecord][],
    flags: () => JsonRecord,
  ): void;
  /** To one client, or to all when no id is given; a client that is not connected misses it. */
  send(type: string, data: JsonRecord, clientId?: string): void;
  preview(image: Uint8Array, place: PreviewPlace, clientId?: string): void;
  /** Cuts all connections without a closing handshake. */
  cut(): void;
}

const PREVIEW_IMAGE = 1;
const PREVIEW_IMAGE_WITH_METADATA = 4;
const JPEG = 1;
const PNG = 2;

export function createSockets(faults: SandboxFaults): Sockets {
  /** The socket that messages for a client id go to: the newest one. */
  const current = new Map<string, WebSocket>();
  const withMetadata = new WeakSet<WebSocket>();
  const open = new Set<WebSocket>();
  let sent = 0;

  const deliver = (socket: WebSocket, payload: string | Buffer): void => {
    if (faults.muteSockets === true || socket.readyState !== WebSocket.OPEN) return;
    socket.send(payload);
  };
  const targets = (clientId: string | undefined): WebSocket[] => {
    if (clientId === undefined) return [...current.values()];
    const socket = current.get(clientId);
    return socket === undefined ? [] : [socket];
  };
  const cut = (): void => {
    for (const socket of open) socket.terminate();
  };
  /** True when the message must not go out because the fault cut the line instead. */
  const cutInstead = (): boolean => {
    sent += 1;
    if (faults.dropSocketAtEvent === undefined || sent < faults.dropSocketAtEvent) return false;
    delete faults.dropSocketAtEvent;
    cut();
    return true;
  };

  return {
    accept(socket, clientId, greeting, flags) {
      const sid = clientId === null || clientId === '' ? randomUUID().replaceAll('-', '') : clientId;
      current.set(sid, socket);
      open.add(socket);
      let first = true;
      socket.on('message', (payload, isBinary) => {
        if (isBinary || !first) return;
        first = false;
        const message = readJson(textOf(payload));
        if (!isRecord(message) || message['type'] !== 'feature_flags') return;
        if (isRecord(message['data']) && message['data']['supports_preview_metadata'] === true) withMetadata.add(socket);
        deliver(socket, printJson({ type: 'feature_flags', data: flags() }));
      });
      socket.on('error', () => socket.terminate());
      // Only the socket that is still registered may unregister: ComfyUI#16010 silences the newer one.
      socket.on('close', () => {
        open.delete(socket);
        if (current.get(sid) === socket) current.delete(sid);
      });
      for (const [type, data] of greeting(sid)) deliver(socket, printJson({ type, data }));
    },
    send(type, data, clientId) {
      if (cutInstead()) return;
      const payload = printJson({ type, data });
      for (const socket of targets(clientId)) deliver(socket, payload);
    },
    preview(image, place, clientId) {
      if (cutInstead()) return;
      const isPng = image[0] === 0x89;
      const plain = Buffer.concat([word(PREVIEW_IMAGE), word(isPng ? PNG : JPEG), image]);
      const metadata = Buffer.from(
        printJson({
          ...place,
          display_node_id: place.node_id,
          parent_node_id: null,
          real_node_id: place.node_id,
          image_type: isPng ? 'image/png' : 'image/jpeg',
        }),
      );
      const rich = Buffer.concat([word(PREVIEW_IMAGE_WITH_METADATA), word(metadata.length), metadata, image]);
      for (const socket of targets(clientId)) deliver(socket, withMetadata.has(socket) ? rich : plain);
    },
    cut,
  };
}

function word(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

function textOf(payload: RawData): string {
  if (Array.isArray(payload)) return Buffer.concat(payload).toString('utf8');
  return payload instanceof ArrayBuffer ? Buffer.from(payload).toString('utf8') : payload.toString('utf8');
}
