/**
 * Where machines can be looked at from outside at any time. As long as nobody looks it only remembers which actors live, so it costs nothing that
 * could be measured (`npm run bench:inspect`). It is a witness: whatever goes wrong in it never reaches a machine.
 */
import type { AnyActor, InspectionEvent } from 'xstate';
import type { InspectMessage } from '#protocol/inspect.ts';
import { beginEntry, closeEntry, type Entry, messageOf, type Secrets } from './messages.ts';
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
  /** Values of a run that are never shown. As long as it throws nothing of the run is; undefined of one that was cleaned away, and nothing ever is. */
  readonly secretsOf?: (runId: string) => Secrets | undefined;
  readonly onDefect?: (error: unknown) => void;
  readonly limits?: ViewerLimits;
}

interface Looking {
  readonly runId: string | undefined;
  readonly viewer: Viewer;
}

export function createInspectHub({ secretsOf = () => [], onDefect = () => undefined, limits }: InspectHubOptions = {}): InspectHub {
  const live = new Map<string, Map<string, Entry>>();
  /** The newest; where the next one goes is the oldest. */
  const closed: Entry[] = [];
  let oldest = 0;
  const looking = new Set<Looking>();
  /** Of the runs that are looked at. */
  const secrets = new Map<string, Secrets>();

  function secretsFor(runId: string): Secrets | undefined {
    let found = secrets.get(runId);
    if (found !== undefined) return found;
    if (secrets.size >= SECRETS_KEPT) secrets.clear();
    found = secretsOf(runId);
    if (found !== undefined) secrets.set(runId, found);
    return found;
  }

  function begin(runId: string, rootId: string, actor: AnyActor): void {
    let actors = live.get(runId);
    if (actors === undefined) live.set(runId, (actors = new Map()));
    const entry = beginEntry(runId, rootId, actor);
    actors.set(actor.sessionId, entry);
    if (looking.size > 0) show(entry, (viewer) => viewer.meet(entry));
  }

  function end(entry: Entry): void {
    const { runId, sessionId, parentId } = entry;
    const actors = live.get(runId);
    if (parentId !== undefined) {
      actors?.delete(sessionId);
      keep(entry);
      return;
    }
    // A run that fails leaves actors behind that are never heard of again.
    for (const one of actors?.values() ?? []) {
      if (one.rootId !== entry.rootId) continue;
      actors?.delete(one.sessionId);
      keep(one);
    }
    if (actors?.size === 0) live.delete(runId);
  }

  function keep(entry: Entry): void {
    closeEntry(entry);
    closed[oldest] = entry;
    oldest = (oldest + 1) % CLOSED_KEPT;
  }

  function show(entry: Entry, work: (viewer: Viewer) => void): void {
    for (const { runId, viewer } of looking) if (runId === undefined || runId === entry.runId) work(viewer);
  }

  function drop(one: Looking): void {
    looking.delete(one);
    one.viewer.close();
    if (looking.size === 0) secrets.clear();
  }

  function hear(runId: string, event: InspectionEvent): void {
    if (event.type === '@xstate.actor') return begin(runId, event.rootId, event.actorRef as AnyActor);
    const isEnd = event.type === '@xstate.snapshot' && event.snapshot.status !== 'active';
    const entry = live.get(runId)?.get(event.actorRef.sessionId);
    if (entry === undefined) return;
    if (isEnd) end(entry);
    if (looking.size === 0) return;
    let text: string | undefined;
    const once = () => {
      const hidden = secretsFor(runId);
      return hidden === undefined ? undefined : (text ??= JSON.stringify(messageOf(entry, event, hidden)));
    };
    show(entry, (viewer) => viewer.tell(entry, event.type as InspectMessage['type'], once));
  }

  return {
    tap(runId, event) {
      // The whole of what most events cost when nobody looks.
      if (looking.size === 0 && event.type !== '@xstate.actor' && (event.type !== '@xstate.snapshot' || event.snapshot.status === 'active'))
        return;
      try {
        hear(runId, event);
      } catch (error) {
        onDefect(error);
      }
    },
    look({ runId, send, wants }) {
      const viewer = createViewer({ send, wants, secretsOf: secretsFor, onDefect, ...(limits === undefined ? {} : { limits }) });
      const one: Looking = { runId, viewer };
      looking.add(one);
      const shown = runId === undefined ? [...live.values()] : [live.get(runId) ?? new Map<string, Entry>()];
      for (const actors of shown) for (const entry of actors.values()) viewer.meet(entry);
      for (const entry of [...closed.slice(oldest), ...closed.slice(0, oldest)])
        if (runId === undefined || runId === entry.runId) viewer.meet(entry);
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
      oldest = 0;
    },
  };
}
