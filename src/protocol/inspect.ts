/** Inspection messages: what machines do, in the words of XState's inspection API as Stately's own clients read them (docs/inspector.md). */

/** The edition of `@statelyai/inspect` whose messages these are. */
export const INSPECT_VERSION = '0.7.2';

interface Inspected {
  readonly runId: string;
  /** Names the actor; new in every process, so it is never kept. */
  readonly sessionId: string;
  /** `sessionId` of the run machine. */
  readonly rootId: string;
  readonly id: null;
  /** Milliseconds since 1970, as text. */
  readonly createdAt: string;
  readonly _version: string;
}

/** Snapshots and events are plain and bounded: long texts and lists are cut, secrets are taken out. */
export type InspectMessage =
  | (Inspected & {
      readonly type: '@xstate.actor';
      /** Its id in its parent: `step:hero:0`; that of the run machine is the run's. */
      readonly name: string;
      readonly parentId?: string;
      /** The configuration of its machine as JSON text; of other actors their id alone. */
      readonly definition: string;
      /** As it is when the message is made, not as it was when the actor began. */
      readonly snapshot: unknown;
      /** Only of one that has ended: when, in milliseconds since 1970. */
      readonly closedAt?: number;
    })
  | (Inspected & { readonly type: '@xstate.event'; readonly event: unknown; readonly sourceId?: string })
  | (Inspected & { readonly type: '@xstate.snapshot'; readonly event: unknown; readonly snapshot: unknown })
  | (Inspected & {
      readonly type: '@xstate.microstep';
      readonly event: unknown;
      readonly value: unknown;
      readonly transitions: readonly InspectedTransition[];
    })
  | (Inspected & { readonly type: '@xstate.action'; readonly action: unknown })
  /** So many messages were left out since the one before: the client or the daemon was too slow. Snapshots of all actors concerned follow. */
  | { readonly type: 'callsheet.skipped'; readonly count: number };

export interface InspectedTransition {
  readonly eventType: string;
  /** Ids of states, as in `definition`: `run.loading`. */
  readonly source: string;
  readonly targets: readonly string[];
}

/** The three types that Stately's clients know. */
export const STANDARD_TYPES: ReadonlySet<InspectMessage['type']> = new Set(['@xstate.actor', '@xstate.event', '@xstate.snapshot']);
