/** Follows one attempt to its end. The socket only says when to look; queue and history say what is so (comfyui.md 2.5). */
import { CallsheetError } from '#protocol/errors.ts';
import type { BackendEvent, FollowOptions } from '../contract.ts';
import type { Contact } from './contact.ts';
import type { Found, LookUp } from './look-up.ts';
import type { BackendLog, Clock, Timeouts } from './settings.ts';
import type { Track } from './track.ts';
import { asEvent, verdictOnAbsent } from './verdict.ts';
import type { Terminal } from './verdict.ts';

export interface FollowDependencies {
  readonly lookUp: LookUp;
  readonly contact: Contact;
  readonly clock: Clock;
  readonly timeouts: Timeouts;
  readonly log: BackendLog;
  readonly socketOpen: () => boolean;
  /** A look found what the socket had not told: it may have gone mute while it is open (ComfyUI#9393, #16010). */
  readonly socketMissed: () => void;
  /** Since when the server has been there, in milliseconds since 1970; undefined when nothing says it. */
  readonly serverStart: () => Promise<number | undefined>;
  /** Sent by an earlier process under this name, and now found waiting or at work. */
  readonly inherit: (clientId: string, isRunning: boolean) => void;
  /** `ended`: its end was found; otherwise it was told to stop. */
  readonly done: (ended: boolean) => void;
}

export interface Follower {
  /** Looks now, e.g. because the socket is up again. */
  look(): void;
  /** Says nothing more. */
  stop(): void;
}

const FIRST_LOOK_MS = 2_000;

export function startFollowing(track: Track, options: FollowOptions, dependencies: FollowDependencies): Follower {
  const { lookUp, contact, clock, timeouts, log } = dependencies;
  const { signal } = options;
  let over = false;
  let toldQueued: number | 'yes' | undefined;
  let toldStarted = false;
  let toldValue = -1;
  let toldNode: string | undefined;
  let looking = false;
  let again = false;
  let absentAt: number | undefined;
  let cancelPoll: (() => void) | undefined;
  let hurry: (() => void) | undefined;
  let nudged = false;
  let puzzled = false;

  const emit = (event: BackendEvent): void => {
    if (!over) tell(event);
  };

  const tell = (event: BackendEvent): void => {
    try {
      options.onEvent(event);
    } catch (error) {
      log.warn({ error: String(error), event: event.type }, 'a listener of an attempt threw');
    }
  };

  const end = (terminal: Terminal): void => {
    if (over) return;
    const nodes = terminal.type === 'finished' && track.ours ? track.times.take((node) => track.progress.classOf(node)) : [];
    const event = terminal.type === 'finished' && nodes.length > 0 ? { ...terminal, nodes } : terminal;
    // Over before it is told: the listener may follow the same attempt again at once.
    finish(true);
    tell(event);
  };

  const stop = (): void => {
    if (!over) finish(false);
  };

  const finish = (hasEnded: boolean): void => {
    over = true;
    cancelPoll?.();
    hurry?.();
    unlisten();
    signal.removeEventListener('abort', stop);
    if (track.listener === listener) track.listener = undefined;
    dependencies.done(hasEnded);
  };

  const started = (): void => {
    if (toldStarted || track.sent === 'sending') return;
    toldStarted = true;
    emit({ type: 'started' });
  };

  const progress = (): void => {
    const value = track.progress.value();
    const { node, within } = track.progress;
    if (track.sent === 'sending' || (value <= toldValue && node === toldNode)) return;
    toldValue = value;
    toldNode = node;
    started();
    emit({ type: 'progress', value, ...(node === undefined ? {} : { node }), ...(within === undefined ? {} : { within }) });
  };

  /** `executing null` comes after the history is written: whoever waits for that entry need not wait longer. */
  const mayHaveEnded = (): void => {
    nudged = true;
    hurry?.();
    look();
  };

  const listener = {
    started,
    progress,
    preview: (frame: { mediaType: string; bytes: Uint8Array }) => {
      if (options.previews !== true || track.sent === 'sending') return;
      started();
      emit({ type: 'preview', mediaType: frame.mediaType, bytes: frame.bytes });
    },
    mayHaveEnded,
    // Events overtake the answer to the POST (comfyui.md 2.3): what they told is told on from here.
    accepted: () => {
      if (!toldStarted && toldQueued === undefined) {
        toldQueued = 'yes';
        emit({ type: 'queued' });
      }
      if (track.started) progress();
      // The first look comes early: a socket that is mute from the start shows by then.
      if (track.hint === undefined) schedule(Math.min(timeouts.pollMs, FIRST_LOOK_MS));
      else look();
    },
    unanswered: () => look(),
    gone: () => end({ type: 'interrupted' }),
  };

  const absent = async (): Promise<void> => {
    const acknowledged = options.acknowledged || track.sent === 'accepted';
    if (isUnsent() || track.cancelling) return;
    if (absentAt === undefined) absentAt = clock.now();
    if (clock.now() - absentAt < timeouts.absentGapMs) return;
    const verdict = verdictOnAbsent(track, acknowledged, contact);
    const isRemoval = verdict.type === 'lost' && verdict.cause === 'removed';
    end(isRemoval && (await hasRestarted()) ? { type: 'lost', cause: 'restarted' } : verdict);
  };

  /** Nobody may have been there to see the server go: in a power cut the daemon goes with it. */
  const hasRestarted = async (): Promise<boolean> => {
    const sentAt = track.sentAt ?? options.sentAt;
    if (sentAt === undefined) return false;
    const start = await dependencies.serverStart().catch(() => undefined);
    return start !== undefined && start > sentAt;
  };

  const take = async (found: Found): Promise<void> => {
    if (found.state === 'absent') {
      await absent();
      return;
    }
    absentAt = undefined;
    // It is there, so it was accepted, whatever became of the answer.
    if (track.sent !== 'sending') track.sent = 'accepted';
    if ((found.state === 'queued' || found.state === 'running') && !track.ours && track.sent !== 'sending' && found.clientId !== undefined)
      dependencies.inherit(found.clientId, found.state === 'running');
    if (found.state === 'queued') {
      if (found.nodes !== undefined) track.progress.know(found.nodes);
      const position = found.position ?? 'yes';
      if (!toldStarted && position !== toldQueued)
        emit({ type: 'queued', ...(found.position === undefined ? {} : { position: found.position }) });
      toldQueued = position;
    } else if (found.state === 'running') {
      if (found.nodes !== undefined) track.progress.know(found.nodes);
      if (track.ours && !track.started && dependencies.socketOpen()) dependencies.socketMissed();
      track.started = true;
      started();
    } else {
      if (track.ours && track.hint === undefined && dependencies.socketOpen()) dependencies.socketMissed();
      end(asEvent(found));
    }
  };

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      hurry = () => {
        cancel();
        hurry = undefined;
        resolve();
      };
      const cancel = clock.after(ms, hurry);
    });

  /** After an event that looks like an end: only the history, with a back-off, since the event precedes its entry. */
  const readEnd = async (): Promise<boolean> => {
    for (const ms of timeouts.historyBackoffMs) {
      if (ms > 0 && !nudged) await pause(ms);
      nudged = false;
      if (over) return true;
      const found = await lookUp.ended(track.promptId, signal);
      if (found !== undefined) {
        end(asEvent(found));
        return true;
      }
    }
    return false;
  };

  /** An answer that cannot be read says no more about the prompt than silence; nobody else notices, since something did answer. */
  const lookFailed = (error: unknown): void => {
    // What no answer means for the contact was told where it happened.
    log.debug({ error: String(error) }, 'a look at the backend failed');
    if (error instanceof CallsheetError && (error.code === 'BACKEND_UNREACHABLE' || error.code === 'CANCELLED')) return;
    if (!puzzled) emit({ type: 'contact', status: 'unresponsive' });
    puzzled = true;
  };

  const lookSucceeded = (): void => {
    if (puzzled && contact.status === 'ok') emit({ type: 'contact', status: 'restored' });
    puzzled = false;
  };

  const lookOnce = async (): Promise<void> => {
    if (track.hint !== undefined && (await readEnd())) return;
    await take(await lookUp.once(track.promptId, signal));
  };

  /** Nothing can be lost that has not been posted, and nothing is known while the POST is in the air. */
  const isUnsent = (): boolean => track.sent === 'sending' || track.sent === 'rejected' || (track.sent === 'no' && !options.acknowledged);

  const look = (): void => {
    if (over || isUnsent()) return;
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    again = false;
    cancelPoll?.();
    lookOnce()
      .then(lookSucceeded, lookFailed)
      .finally(() => {
        looking = false;
        if (over) return;
        if (again) look();
        else schedule(nextPoll());
      });
  };

  const schedule = (ms: number): void => {
    cancelPoll?.();
    if (!over && !looking) cancelPoll = clock.after(ms, look);
  };

  const nextPoll = (): number => {
    if (absentAt !== undefined || track.hint !== undefined) return timeouts.absentGapMs;
    return dependencies.socketOpen() ? timeouts.pollMs : timeouts.pollOfflineMs;
  };

  track.listener = listener;
  if (options.weightOf !== undefined) track.progress.weigh(options.weightOf);
  signal.addEventListener('abort', stop, { once: true });
  const unlisten = contact.listen((status) => {
    emit({ type: 'contact', status });
    if (status === 'restored') look();
  });
  if (contact.status !== 'ok') emit({ type: 'contact', status: contact.status });
  if (track.started) started();
  if (signal.aborted) stop();
  else if (track.sent === 'accepted' && track.ours) listener.accepted();
  else look();
  return { look, stop };
}
