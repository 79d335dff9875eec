/**
 * One client that looks at machines. It gets every actor first and then what happens, as fast as it reads and as often as the daemon can afford;
 * what is too much is left out, and how the actors stand follows. So the cost of being watched is bounded, in bytes and in work.
 */
import type { InspectMessage } from '#protocol/inspect.ts';
import { createTokenBucket } from '../token-bucket.ts';
import { actorMessage, currentSnapshot, type Entry, type Secrets } from './messages.ts';

export interface ViewerLimits {
  /** Messages each second, and how many may come at once. */
  readonly perSecond: number;
  readonly burst: number;
  /** Until a client that was left behind is told how all stand, in milliseconds. */
  readonly catchUpMs: number;
}

export const VIEWER_LIMITS: ViewerLimits = { perSecond: 500, burst: 1000, catchUpMs: 50 };

export interface ViewerOptions {
  /** False when the client has too much to read already; the text was not taken then. */
  readonly send: (text: string) => boolean;
  /** Types it does not want are left out. */
  readonly wants: (type: InspectMessage['type']) => boolean;
  readonly secretsOf: (runId: string) => Secrets;
  readonly limits?: ViewerLimits;
}

export interface Viewer {
  /** An actor that the client does not know yet. */
  meet(entry: Entry): void;
  /** Something happened to an actor. `text` makes the message, once for all viewers. */
  tell(entry: Entry, type: InspectMessage['type'], text: () => string | undefined): void;
  close(): void;
}

export function createViewer({ send, wants, secretsOf, limits = VIEWER_LIMITS }: ViewerOptions): Viewer {
  const bucket = createTokenBucket(limits.perSecond, limits.burst);
  const known = new Set<string>();
  /** Not told of yet, parents first. */
  const unmet = new Map<string, Entry>();
  const behind = new Map<string, Entry>();
  let skipped = 0;
  let timer: NodeJS.Timeout | undefined;
  let isDue = false;
  let closed = false;

  /** A text is only made when it may be sent. */
  function trySend(text: () => string | undefined): boolean {
    if (bucket.take() > 0) return false;
    const made = text();
    return made === undefined || send(made);
  }

  function meetAll(): boolean {
    for (const [id, entry] of unmet) {
      // While it is being made an actor has no snapshot.
      if (entry.actor.getSnapshot() === undefined) return false;
      if (!trySend(() => JSON.stringify(actorMessage(entry, secretsOf(entry.runId))))) return false;
      unmet.delete(id);
      // Nothing more comes of one that has ended.
      if (entry.closedAt === undefined) known.add(id);
    }
    return true;
  }

  function catchUp(): void {
    clearTimeout(timer);
    timer = undefined;
    isDue = false;
    if (closed) return;
    if (!meetAll() || !catchUpAll()) later();
  }

  function catchUpAll(): boolean {
    if (skipped > 0 && wants('callsheet.skipped')) {
      const count = skipped;
      if (!trySend(() => JSON.stringify({ type: 'callsheet.skipped', count } satisfies InspectMessage))) return false;
    }
    skipped = 0;
    for (const [id, entry] of behind) {
      if (!trySend(() => JSON.stringify(currentSnapshot(entry, secretsOf(entry.runId))))) return false;
      behind.delete(id);
      forgetIfOver(entry);
    }
    return true;
  }

  function later(): void {
    timer ??= setTimeout(catchUp, limits.catchUpMs).unref();
  }

  function forgetIfOver({ sessionId, closedAt }: Entry): void {
    if (closedAt !== undefined) known.delete(sessionId);
  }

  return {
    meet(entry) {
      unmet.set(entry.sessionId, entry);
      if (isDue || timer !== undefined) return;
      isDue = true;
      queueMicrotask(catchUp);
    },
    tell(entry, type, text) {
      if (closed || !wants(type)) return;
      const id = entry.sessionId;
      if (unmet.has(id)) meetAll();
      // Its message will say how it stands by then.
      if (!known.has(id)) return later();
      if (!behind.has(id) && trySend(text)) {
        if (type === '@xstate.snapshot') forgetIfOver(entry);
        return;
      }
      skipped += 1;
      behind.set(id, entry);
      later();
    },
    close() {
      closed = true;
      clearTimeout(timer);
      unmet.clear();
      behind.clear();
    },
  };
}
