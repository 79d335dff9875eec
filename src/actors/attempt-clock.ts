/** Times one attempt as it is followed: how long each phase lasts, and how long it is quiet in between. What stalls are measured by. */
import type { AttemptTimes } from '#protocol/provenance.ts';
import type { BackendEvent, NodeTime } from '#backends/contract.ts';
import type { TimingSample } from '#store/types.ts';

/** `loading`: started, and no node counts its steps yet, as while models are read. `working`: from the first step counted. */
export type Phase = 'queued' | 'loading' | 'working';

export interface AttemptClock {
  take(event: BackendEvent): void;
  /** Undefined before it is queued. */
  readonly phase: Phase | undefined;
  /** False while no step of its work was ever heard of, as of a prompt that an earlier process sent, or without a WebSocket. */
  readonly hears: boolean;
  /** Seconds since something was heard that says that it moves. */
  quiet(): number;
  /** What a finished attempt teaches; nothing when it was not seen from its start or contact was lost meanwhile. */
  lesson(nodes: readonly NodeTime[] | undefined): readonly Pick<TimingSample, 'part' | 'seconds'>[];
  /** What a finished attempt took, for its provenance; without the phases where they were not seen whole. */
  times(nodes: readonly NodeTime[] | undefined): AttemptTimes;
}

/** Shorter ones are lost in the noise and need no row. Seconds. */
const SHORTEST_NODE = 0.05;

/** To the millisecond. */
function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

/** `now` is monotonic, in milliseconds. */
export function createAttemptClock(now: () => number = () => performance.now()): AttemptClock {
  const began = new Map<Phase, number>();
  const longest = new Map<Phase, number>();
  let phase: Phase | undefined;
  let heardAt = now();
  let last = '';
  let disturbed = false;
  let hears = false;

  const enter = (next: Phase, at: number): void => {
    phase = next;
    began.set(next, at);
  };
  const noteSign = (at: number): void => {
    if (phase !== undefined) longest.set(phase, Math.max(longest.get(phase) ?? 0, (at - heardAt) / 1000));
    heardAt = at;
  };
  /** Only what is new is a sign of life: a poll that finds the same again is none. */
  const isNews = (sign: string): boolean => {
    const news = sign !== last;
    last = sign;
    return news;
  };

  return {
    take(event) {
      const at = now();
      if (event.type === 'progress' || event.type === 'preview') hears = true;
      if (event.type === 'contact') disturbed = true;
      else if (event.type === 'queued' && (phase === undefined || phase === 'queued') && isNews(`queued ${String(event.position)}`)) {
        noteSign(at);
        if (phase === undefined) enter('queued', at);
      } else if (event.type === 'started' && phase !== 'loading' && phase !== 'working') {
        noteSign(at);
        enter('loading', at);
      } else if (event.type === 'progress' && isNews(`${event.node ?? ''} ${String(event.value)} ${String(event.within ?? '')}`)) {
        noteSign(at);
        if (phase !== 'working' && event.within !== undefined && event.within > 0) enter('working', at);
      } else if (event.type === 'preview' || event.type === 'finished') noteSign(at);
    },
    get phase() {
      return phase;
    },
    get hears() {
      return hears;
    },
    quiet: () => (now() - heardAt) / 1000,
    times(nodes) {
      const queued = began.get('queued');
      const loading = began.get('loading');
      const seen = nodes === undefined ? {} : { nodes: nodes.map((one) => ({ ...one, seconds: rounded(one.seconds) })) };
      if (disturbed || loading === undefined) return seen;
      const at = now();
      const working = began.get('working');
      return {
        ...(queued === undefined ? {} : { queued: rounded((loading - queued) / 1000) }),
        loading: rounded(((working ?? at) - loading) / 1000),
        ...(working === undefined ? {} : { working: rounded((at - working) / 1000) }),
        ...seen,
      };
    },
    lesson(nodes = []) {
      const queued = began.get('queued');
      const loading = began.get('loading');
      if (disturbed || queued === undefined || loading === undefined) return [];
      const working = began.get('working');
      const at = now();
      const seconds = (from: number, to: number): number => (to - from) / 1000;
      const samples = [
        { part: 'item', seconds: seconds(loading, at) },
        { part: 'queued', seconds: seconds(queued, loading) },
        { part: 'loading', seconds: seconds(loading, working ?? at) },
        ...(working === undefined ? [] : [{ part: 'working', seconds: seconds(working, at) }]),
        // Who hears nothing in between learns nothing of how long it is quiet.
        ...[...(hears ? longest : [])].map(([name, quiet]) => ({ part: `quiet.${name}`, seconds: quiet })),
      ];
      const long = nodes.filter((node) => node.seconds >= SHORTEST_NODE);
      const perNode = long.map((node) => ({ part: `node.${node.node}`, seconds: node.seconds }));
      const perClass = new Map(long.map((node) => [node.className, node.seconds]));
      return [...samples, ...perNode, ...[...perClass].map(([name, spent]) => ({ part: `class.${name}`, seconds: spent }))];
    },
  };
}
