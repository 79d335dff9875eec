/**
 * Where machines can be looked at from outside at any time. As long as nobody looks it only remembers which actors live, so it costs nothing that
 * could be measured (`npm run bench:inspect`). It is a witness: whatever goes wrong in it never reaches a machine.
 */
import type { AnyActor, InspectionEvent } from 'xstate';
import type { InspectMessage } from '#protocol/inspect.ts';
import { type Entry, messageOf, parentOf, type Secrets } from './messages.ts';
import { createViewer, type Viewer, type ViewerLimits } from './viewer.ts';

/** Actors that have ended and are still shown to who comes late. */
const CLOSED_KEPT = 64;
/** Runs whose secrets are remembered; they can be read again. */
const SECRETS_KEPT = 256;

export interface LookOptions {
  /** Absent: every run. */
  readonly runId?: string;
  readonly send: (text: string) => boolean;
  readonly wants: (type: InspectMessage['type']) => boolean;
}

export interface InspectHub {
  /** For the `inspect` of a run's actors. Never throws. */
  tap(runId: string, event: InspectionEvent): void;
  /** Shows every actor that lives, parents first, those that ended lately, and then what happens. Gives what ends it. */
  look(options: LookOptions): () => void;
  readonly viewers: number;
  /** Actors that live. */
  readonly actors: number;
  close(): void;
}

export interface InspectHubOptions {
  /** Values of a run that are never shown. */
  readonly secretsOf?: (runId: string) => Secrets;
  readonly onDefect?: (error: unknown) => void;
  readonly limits?: ViewerLimits;
}

interface Looking {
  readonly runId: string | undefined;
  readonly viewer: Viewer;
}

export function createInspectHub({ secretsOf = () => [], onDefect = () => undefined, limits }: InspectHubOptions = {}): InspectHub {
  const live = new Map<string, Map<string, Entry>>();
  const closed: Entry[] = [];
  const looking = new Set<Looking>();
  /** Of the runs that are looked at. */
  const secrets = new Map<string, Secrets>();

  function secretsFor(runId: string): Secrets {
    let found = secrets.get(runId);
    if (found !== undefined) return found;
    if (secrets.size >= SECRETS_KEPT) secrets.clear();
    found = secretsOf(runId);
    secrets.set(runId, found);
    return found;
  }

  function begin(runId: string, actor: AnyActor): void {
    let actors = live.get(runId);
    if (actors === undefined) live.set(runId, (actors = new Map()));
    const entry: Entry = { runId, actor, since: Date.now() };
    actors.set(actor.sessionId, entry);
    show(entry, (viewer) => viewer.meet(entry));
  }

  function end(entry: Entry): void {
    const { runId, actor } = entry;
    const actors = live.get(runId);
    // A run that fails leaves actors behind that are never heard of again.
    const gone = parentOf(actor) === undefined ? [...(actors?.values() ?? [])] : [entry];
    for (const one of gone) {
      one.closedAt = Date.now();
      actors?.delete(one.actor.sessionId);
      closed.push(one);
    }
    closed.splice(0, Math.max(0, closed.length - CLOSED_KEPT));
    if (actors?.size === 0) live.delete(runId);
  }

  /** A viewer that throws is a defect of ours: it is let go, and the others see on. */
  function show(entry: Entry, work: (viewer: Viewer) => void): void {
    for (const one of looking) {
      if (one.runId !== undefined && one.runId !== entry.runId) continue;
      try {
        work(one.viewer);
      } catch (error) {
        drop(one);
        onDefect(error);
      }
    }
  }

  function drop(one: Looking): void {
    looking.delete(one);
    one.viewer.close();
    if (looking.size === 0) secrets.clear();
  }

  function hear(runId: string, event: InspectionEvent): void {
    if (event.type === '@xstate.actor') return begin(runId, event.actorRef as AnyActor);
    const isEnd = event.type === '@xstate.snapshot' && event.snapshot.status !== 'active';
    if (looking.size === 0 && !isEnd) return;
    const entry = live.get(runId)?.get(event.actorRef.sessionId);
    if (entry === undefined) return;
    if (isEnd) end(entry);
    if (looking.size === 0) return;
    let text: string | undefined;
    const once = () => (text ??= JSON.stringify(messageOf(entry, event, secretsFor(runId))));
    show(entry, (viewer) => viewer.tell(entry, event.type as InspectMessage['type'], once));
  }

  return {
    tap(runId, event) {
      try {
        hear(runId, event);
      } catch (error) {
        onDefect(error);
      }
    },
    look({ runId, send, wants }) {
      const viewer = createViewer({ send, wants, secretsOf: secretsFor, ...(limits === undefined ? {} : { limits }) });
      const one: Looking = { runId, viewer };
      looking.add(one);
      const shown = runId === undefined ? [...live.values()] : [live.get(runId) ?? new Map<string, Entry>()];
      for (const actors of shown) for (const entry of actors.values()) viewer.meet(entry);
      for (const entry of closed) if (runId === undefined || runId === entry.runId) viewer.meet(entry);
      return () => drop(one);
    },
    get viewers() {
      return looking.size;
    },
    get actors() {
      let count = 0;
      for (const actors of live.values()) count += actors.size;
      return count;
    },
    close() {
      for (const one of looking) drop(one);
      live.clear();
      closed.length = 0;
    },
  };
}
