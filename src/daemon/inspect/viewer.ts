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
  /** Until a run that could not be read is tried again, in milliseconds. */
  readonly unreadableMs: number;
  /** Actors that a client may be owed, in each of both lists; beyond that the oldest that have ended are left out. */
  readonly owed: number;
}

export const VIEWER_LIMITS: ViewerLimits = { perSecond: 500, burst: 1000, catchUpMs: 50, unreadableMs: 1000, owed: 2000 };

export interface ViewerOptions {
  /** False when the client has too much to read already; the text was not taken then. */
  readonly send: (text: string) => boolean;
  /** Types it does not want are left out. */
  readonly wants: (type: InspectMessage['type']) => boolean;
  /** What it throws leaves the run unseen until it can be read: nothing is ever shown without its secrets being known. Undefined: the run is gone. */
  readonly secretsOf: (runId: string) => Secrets | undefined;
  /** Told once of each run that can not be read, and once of a client that fails, until they go well again. */
  readonly onDefect: (error: unknown) => void;
  readonly limits?: ViewerLimits;
}

/** Nothing here throws, neither to its caller nor from a timer. */
export interface Viewer {
  /** An actor that the client does not know yet. */
  meet(entry: Entry): void;
  /** Something happened to an actor. `text` makes the message, once for all viewers. */
  tell(entry: Entry, type: InspectMessage['type'], text: () => string | undefined): void;
  close(): void;
}

export function createViewer({ send, wants, secretsOf, onDefect, limits = VIEWER_LIMITS }: ViewerOptions): Viewer {
  const bucket = createTokenBucket(limits.perSecond, limits.burst);
  const known = new Set<string>();
  /** Not told of yet, parents first. */
  const unmet = new Map<string, Entry>();
  const behind = new Map<string, Entry>();
  /** Runs that could not be read, with the time of the next try. */
  const unreadable = new Map<string, number>();
  let skipped = 0;
  let timer: NodeJS.Timeout | undefined;
  let isDue = false;
  let isFailing = false;
  let closed = false;

  /** A text is only made when it may be sent. */
  function trySend(text: () => string | undefined): boolean {
    if (bucket.take() > 0) return false;
    const made = text();
    return made === undefined || trySendText(made);
  }

  function trySendText(text: string): boolean {
    try {
      const isTaken = send(text);
      isFailing = false;
      return isTaken;
    } catch (error) {
      if (!isFailing) onDefect(error);
      isFailing = true;
      return false;
    }
  }

  /** The same for what shows a run. */
  function tryShow({ runId }: Entry, make: (secrets: Secrets) => string | undefined): 'sent' | 'full' | 'unreadable' | 'gone' {
    if ((unreadable.get(runId) ?? 0) > performance.now()) return 'unreadable';
    let isUnreadable = false;
    let isGone = false;
    const isSent = trySend(() => {
      try {
        const secrets = secretsOf(runId);
        isGone = secrets === undefined;
        const made = secrets === undefined ? undefined : make(secrets);
        unreadable.delete(runId);
        return made;
      } catch (error) {
        if (!unreadable.has(runId)) onDefect(error);
        unreadable.set(runId, performance.now() + limits.unreadableMs);
        isUnreadable = true;
        return undefined;
      }
    });
    if (isUnreadable) return 'unreadable';
    if (isGone) return 'gone';
    return isSent ? 'sent' : 'full';
  }

  /** False when it has to stop. A run that can not be read does not hold up the others. */
  function meetAll(): boolean {
    for (const [id, entry] of unmet) {
      // While it is being made an actor has no snapshot.
      if (entry.actor.getSnapshot() === undefined) return false;
      const shown = tryShow(entry, (secrets) => JSON.stringify(actorMessage(entry, secrets)));
      if (shown === 'full') return false;
      if (shown === 'unreadable') continue;
      unmet.delete(id);
      // Nothing more comes of one that has ended.
      if (entry.closedAt === undefined && shown === 'sent') known.add(id);
    }
    return true;
  }

  function catchUp(): void {
    clearTimeout(timer);
    timer = undefined;
    isDue = false;
    if (closed) return;
    try {
      if (meetAll()) catchUpAll();
      leaveOut(unmet);
      leaveOut(behind);
      if (unmet.size + behind.size + skipped === 0) unreadable.clear();
      else later();
    } catch (error) {
      onDefect(error);
      later();
    }
  }

  function catchUpAll(): void {
    if (skipped > 0 && wants('callsheet.skipped')) {
      const count = skipped;
      if (!trySend(() => JSON.stringify({ type: 'callsheet.skipped', count } satisfies InspectMessage))) return;
    }
    skipped = 0;
    for (const [id, entry] of behind) {
      const shown = tryShow(entry, (secrets) => JSON.stringify(currentSnapshot(entry, secrets)));
      if (shown === 'full') return;
      if (shown === 'unreadable') continue;
      behind.delete(id);
      forgetIfOver(entry);
    }
  }

  /** Those that live are bounded by what the daemon runs; those that have ended would heap up for a client that does not read. */
  function leaveOut(owed: Map<string, Entry>): void {
    if (owed.size <= limits.owed) return;
    for (const [id, { closedAt }] of owed) {
      if (closedAt === undefined) continue;
      owed.delete(id);
      known.delete(id);
      skipped += 1;
      if (owed.size <= limits.owed) return;
    }
  }

  function fallBehind(entry: Entry): void {
    skipped += 1;
    behind.set(entry.sessionId, entry);
    later();
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
      if (closed) return;
      const id = entry.sessionId;
      try {
        if (!wants(type)) return;
        if (unmet.has(id)) meetAll();
        // Its message will say how it stands by then.
        if (!known.has(id)) return later();
        if (behind.has(id) || tryShow(entry, text) !== 'sent') return fallBehind(entry);
        if (type === '@xstate.snapshot') forgetIfOver(entry);
      } catch (error) {
        onDefect(error);
        fallBehind(entry);
      }
    },
    close() {
      closed = true;
      clearTimeout(timer);
      unmet.clear();
      behind.clear();
      unreadable.clear();
    },
  };
}
