/** What is known here of one prompt, from before its POST until its end: frames arrive before anyone follows, and before the POST is answered. */
import type { EndHint, Frame, PreviewFrame } from './frames.ts';
import { readFrame, readPreview, readProgress } from './frames.ts';
import { createNodeTimes } from './node-times.ts';
import type { NodeTimes } from './node-times.ts';
import { createProgress } from './progress.ts';
import type { Progress } from './progress.ts';
import type { Clock } from './settings.ts';

export interface Track {
  readonly promptId: string;
  readonly progress: Progress;
  readonly times: NodeTimes;
  /** `sending` while the POST is in the air; `unknown` when it was never answered; `rejected` when it was answered with a no. */
  sent: 'no' | 'sending' | 'unknown' | 'accepted' | 'rejected';
  /** Posted by this process, so that the socket tells of it; a prompt adopted from an earlier process is only seen in `status`. */
  ours: boolean;
  /** The queue number of the receipt and when it was learnt. A later receipt with a smaller one: the server restarted in between. */
  number: { readonly value: number; readonly at: number } | undefined;
  counterReset: boolean;
  /** When its POST began, in milliseconds since 1970; undefined for one that an earlier process sent. */
  sentAt: number | undefined;
  /** Reading of contact.refusals when the prompt was sent or first followed. */
  refusalsThen: number;
  /** A cancel is being proven: it has the say about an absent prompt. */
  cancelling: boolean;
  started: boolean;
  hint: EndHint | undefined;
  /** What `executed` events reported, in case the history is cleared before it is read. */
  readonly executed: Map<string, { readonly shown: string; readonly output: unknown }>;
  cachedNodes: readonly string[];
  listener: TrackListener | undefined;
}

export interface TrackListener {
  started(): void;
  progress(): void;
  preview(frame: PreviewFrame): void;
  mayHaveEnded(): void;
  /** The POST was answered with a yes, or not at all. */
  accepted(): void;
  unanswered(): void;
  /** We cancelled it and proved it. */
  gone(): void;
}

export interface Tracks {
  get(promptId: string): Track;
  drop(promptId: string): void;
  /** Takes down the number that a POST sent at `sentAt` was given; a number from an earlier process proves nothing about others. */
  numbered(track: Track, number: number | undefined, sentAt: number): void;
  text(frame: string): void;
  binary(frame: Buffer): void;
  /** Reads progress that is still waiting. */
  flush(): void;
  readonly all: Iterable<Track>;
}

/** Finished tracks that nobody follows are dropped, the oldest first, beyond this number. */
const KEPT = 512;

export function createTracks(clock: Clock, progressMs: number, refusals: () => number): Tracks {
  const tracks = new Map<string, Track>();
  let executing: Track | undefined;
  const waiting = new Map<string, string>();
  let cancelFlush: (() => void) | undefined;
  /** Beyond so many, those that nobody follows are looked for: not with each new one, since thousands may be followed. */
  let most = KEPT;
  const tidy = (): void => {
    for (const [id, old] of tracks) {
      if (tracks.size <= KEPT) break;
      if (old.listener === undefined) tracks.delete(id);
    }
    most = Math.max(KEPT, tracks.size + KEPT / 8);
  };

  const get = (promptId: string): Track => {
    const known = tracks.get(promptId);
    if (known !== undefined) return known;
    const track: Track = {
      promptId,
      progress: createProgress(),
      times: createNodeTimes(() => clock.now()),
      sent: 'no',
      ours: false,
      number: undefined,
      counterReset: false,
      sentAt: undefined,
      refusalsThen: refusals(),
      cancelling: false,
      started: false,
      hint: undefined,
      executed: new Map(),
      cachedNodes: [],
      listener: undefined,
    };
    if (tracks.size >= most) tidy();
    tracks.set(promptId, track);
    return track;
  };

  const start = (track: Track): void => {
    executing = track;
    if (track.started) return;
    track.started = true;
    track.listener?.started();
  };

  const flush = (): void => {
    cancelFlush?.();
    cancelFlush = undefined;
    for (const source of waiting.values()) {
      const frame = readProgress(source);
      const track = frame === undefined ? undefined : tracks.get(frame.promptId);
      if (frame === undefined || track === undefined) continue;
      start(track);
      if (track.progress.take(frame)) track.listener?.progress();
    }
    waiting.clear();
  };

  const take = (frame: Exclude<Frame, { kind: 'progress' | 'status' | 'other' }>, track: Track): void => {
    switch (frame.kind) {
      case 'started':
        start(track);
        break;
      case 'cached':
        start(track);
        track.cachedNodes = frame.nodes;
        track.progress.cached(frame.nodes);
        if (frame.nodes.length > 0) track.listener?.progress();
        break;
      case 'executing':
        start(track);
        track.progress.at(frame.node);
        track.times.at(frame.node);
        track.listener?.progress();
        break;
      case 'executed':
        // By its own id: one node of the graph may have become several.
        track.executed.set(frame.node, { shown: frame.shown, output: frame.output });
        break;
      case 'end':
        // A bare `executing null` of a reconnect, or one that follows the real end, must not hide what ended it.
        if (track.hint === undefined || track.hint.end === 'idle') track.hint = frame.hint;
        track.listener?.mayHaveEnded();
        break;
    }
  };

  return {
    get,
    drop(promptId) {
      const track = tracks.get(promptId);
      if (track === executing) executing = undefined;
      tracks.delete(promptId);
    },
    numbered(track, number, sentAt) {
      if (number === undefined) return;
      // The counter only grows (comfyui.md 1.1), but answers to POSTs sent side by side may cross: only numbers known before count.
      for (const other of tracks.values()) {
        if (other.number !== undefined && other.number.at < sentAt && other.number.value > number) other.counterReset = true;
      }
      track.number = { value: number, at: clock.now() };
    },
    text(source) {
      const frame = readFrame(source);
      if (frame.kind === 'progress') {
        // Only the newest of each sort counts: progress_state carries the whole map every time.
        waiting.set(source.slice(0, 20), source);
        cancelFlush ??= clock.after(progressMs, flush);
        return;
      }
      if (frame.kind === 'other') return;
      if (frame.kind === 'status') {
        // Broadcast at every change of the queue, after the history is written: all that is heard of adopted prompts.
        for (const track of tracks.values()) if (!track.ours && track.sent !== 'no') track.listener?.mayHaveEnded();
        return;
      }
      const track = tracks.get(frame.promptId);
      if (track === undefined) {
        if (frame.kind === 'started' || frame.kind === 'executing') executing = undefined;
        return;
      }
      if (waiting.size > 0) flush();
      take(frame, track);
    },
    binary(source) {
      const preview = readPreview(source);
      if (preview === undefined) return;
      const track = preview.promptId === undefined ? executing : tracks.get(preview.promptId);
      track?.listener?.preview(preview);
    },
    flush,
    get all() {
      return tracks.values();
    },
  };
}
