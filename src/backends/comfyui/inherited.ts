/**
 * Sockets under the names of daemons that died. ComfyUI tells of a prompt only to the client that sent it, so its name is taken up for as long
 * as a prompt of it is at work: progress and previews go on. A name that is in use by nobody else, since a data directory has one daemon.
 */
import { readFrame } from './frames.ts';
import type { Clock } from './settings.ts';
import type { Socket, SocketEvents } from './socket.ts';
import type { Tracks } from './track.ts';

export interface Inherited {
  /** This prompt, sent under another name, waits or is at work. Said again with each look at it. */
  take(promptId: string, clientId: string, isRunning: boolean): void;
  release(promptId: string): void;
  close(): Promise<void>;
}

export interface InheritedOptions {
  readonly open: (clientId: string, events: SocketEvents) => Socket;
  readonly tracks: Pick<Tracks, 'text' | 'binary'>;
  readonly clock: Clock;
}

/** Nothing heard of a running prompt for so long: its server may have forgotten the socket with that of the dead (ComfyUI#16010). */
const MUTE_MS = 25_000;

interface Heir {
  readonly socket: Socket;
  /** Whether each of its prompts is at work. */
  readonly prompts: Map<string, boolean>;
  heardAt: number;
}

export function createInherited({ open, tracks, clock }: InheritedOptions): Inherited {
  const heirs = new Map<string, Heir>();

  const openHeir = (clientId: string): Heir => {
    const prompts = new Map<string, boolean>();
    const touch = (): void => {
      heir.heardAt = clock.now();
    };
    const socket = open(clientId, {
      text(frame) {
        // Everybody is told of the queue, this process on its own socket.
        if (readFrame(frame).kind === 'status') return;
        touch();
        tracks.text(named(frame, prompts));
      },
      binary(frame) {
        touch();
        tracks.binary(frame);
      },
      opened: touch,
      // Whether the server is there is judged by the socket of this process.
      down: () => undefined,
      silent: () => undefined,
      heard: () => undefined,
    });
    const heir: Heir = { socket, prompts, heardAt: clock.now() };
    heirs.set(clientId, heir);
    socket.want(false);
    return heir;
  };

  return {
    take(promptId, clientId, isRunning) {
      const heir = heirs.get(clientId) ?? openHeir(clientId);
      heir.prompts.set(promptId, isRunning);
      if (!isRunning || !heir.socket.open || clock.now() - heir.heardAt < MUTE_MS) return;
      heir.heardAt = clock.now();
      heir.socket.renew();
    },
    release(promptId) {
      for (const [clientId, { prompts, socket }] of heirs) {
        if (!prompts.delete(promptId) || prompts.size > 0) continue;
        heirs.delete(clientId);
        void socket.close();
      }
    },
    async close() {
      const last = [...heirs.values()];
      heirs.clear();
      await Promise.all(last.map(({ socket }) => socket.close()));
    },
  };
}

/** To a client that connects while its prompt runs, the node at work is told without the prompt's id (comfyui.md 2). */
function named(frame: string, prompts: ReadonlyMap<string, boolean>): string {
  if (!frame.includes('"executing"') || frame.includes('"prompt_id"')) return frame;
  const [promptId, ...others] = [...prompts].flatMap(([id, isRunning]) => (isRunning ? [id] : []));
  if (promptId === undefined || others.length > 0) return frame;
  return frame.replace(/"data"\s*:\s*\{/, (start) => `${start}"prompt_id": ${JSON.stringify(promptId)}, `);
}
