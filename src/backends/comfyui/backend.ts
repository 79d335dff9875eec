/** The comfyui backend: one server, one socket, and the contract over them. The sandbox is driven by it too. */
import { randomUUID } from 'node:crypto';
import { CallsheetError } from '#protocol/errors.ts';
import { retryClass } from '#protocol/retry-class.ts';
import type { Attempt, AttemptState, Backend, Payload, SubmitReceipt } from '../contract.ts';
import { wasNeverSent } from '../never-sent.ts';
import { parseAddress } from './address.ts';
import { cancelPrompt } from './cancel.ts';
import { createContact } from './contact.ts';
import { createDiagnosis } from './diagnose.ts';
import { describeServer, readNodeReplacements, readObjectInfo, versionAtLeast } from './describe.ts';
import { viewFile } from './fetch.ts';
import type { Follower } from './follow.ts';
import { startFollowing } from './follow.ts';
import { createHttp } from './http.ts';
import { findLeft } from './left-behind.ts';
import type { Found } from './look-up.ts';
import { createLookUp } from './look-up.ts';
import { createInherited } from './inherited.ts';
import { buildPrompt } from './prompt.ts';
import { httpError } from './replies.ts';
import type { ComfyUIOptions } from './settings.ts';
import { DEFAULT_TIMEOUTS, logOf, silentLog, systemClock } from './settings.ts';
import { serverStart } from './server-start.ts';
import { createSharedAnswer } from './shared-answer.ts';
import type { Socket, SocketEvents } from './socket.ts';
import { createSocket } from './socket.ts';
import { readStamps } from './stamps.ts';
import { postPrompt } from './submit.ts';
import { createTracks } from './track.ts';
import { createUploader } from './upload.ts';

export type { ComfyUIOptions } from './settings.ts';

/** Nothing is opened before it is needed. Throws INVALID_PARAMS for an address that cannot be used. */
export function createComfyUIBackend(options: ComfyUIOptions): Backend {
  const address = parseAddress(options.url);
  const { clock = systemClock, log = silentLog, headers = {}, kind = 'comfyui' } = options;
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  // A second socket under one id would silence the first: what this process sends is never told to the id of an earlier one (comfyui.md 2.3).
  const clientId = randomUUID();
  const contact = createContact();
  const http = createHttp(
    address,
    headers,
    {
      answered: () => contact.heard(),
      refused() {
        contact.lost(true);
        serverGone();
        // A container begins with an empty input folder.
        uploader.forget();
      },
      broken: () => contact.lost(false),
      slow: () => contact.unresponsive(),
    },
    timeouts.slowMs,
  );
  const lookUp = createLookUp(http, timeouts, clock);
  const diagnosis = createDiagnosis(http, lookUp, timeouts, clock);
  const uploader = createUploader(http, timeouts.transferMs);
  const tracks = createTracks(clock, timeouts.progressMs, () => contact.refusals);
  /** POSTs that are not answered yet. */
  const posting = new Map<string, Promise<unknown>>();
  const followers = new Map<string, Follower>();
  const watched = (): boolean => followers.size > 0;
  const objectInfo = createSharedAnswer(() => readObjectInfo(http, timeouts));
  const replacements = createSharedAnswer(() => readNodeReplacements(http, timeouts));
  const version = createSharedAnswer(() => describeServer(http, timeouts, false).then((description) => description.version));
  let probing = false;

  /** What comes back may have other nodes and another version. */
  const serverGone = (): void => {
    objectInfo.forget();
    replacements.forget();
    version.forget();
  };

  /** The socket says nothing: is it the socket or the server? */
  const probe = (): void => {
    if (probing) return;
    probing = true;
    http
      .send({ method: 'GET', path: '/prompt', timeoutMs: timeouts.probeMs })
      .then(
        () => socket.renew(),
        () => undefined,
      )
      .finally(() => {
        probing = false;
      });
  };

  const openSocket = (name: string, events: SocketEvents): Socket =>
    createSocket({ address, clientId: name, headers, token: options.token, clock, timeouts, log, events });
  const inherited = createInherited({ open: openSocket, tracks, clock });
  const socket = openSocket(clientId, {
    text: (frame) => tracks.text(frame),
    binary: (frame) => tracks.binary(frame),
    heard: () => contact.heard(),
    silent: probe,
    opened() {
      lookUp.forgetFeatures();
      for (const follower of followers.values()) follower.look();
    },
    down(reason) {
      if (reason === 'closed' || reason === 'failed') contact.lost(false);
      else if (reason === 'refused') contact.lost(true);
      if (reason !== 'renewed' && reason !== 'answered') serverGone();
      for (const follower of followers.values()) follower.look();
    },
  });

  const isInterruptOurs = async (): Promise<boolean | undefined> => {
    try {
      return versionAtLeast(await version.get(), [0, 3, 57]);
    } catch {
      return undefined;
    }
  };

  const send = async (attempt: Attempt, payload: Payload, signal?: AbortSignal): Promise<SubmitReceipt> => {
    const prompt = buildPrompt(attempt, payload, clientId);
    const track = tracks.get(attempt.promptId);
    track.progress.know(prompt.nodes);
    track.sent = 'sending';
    // Events may arrive before the POST is answered, and what is sent while nobody listens is lost.
    socket.want(watched());
    if (!socket.open) await socket.ready(timeouts.socketReadyMs);
    const sentAt = clock.now();
    track.sentAt = Date.now();
    try {
      const receipt = await postPrompt(http, attempt, prompt, timeouts.promptMs, signal);
      track.ours = true;
      track.refusalsThen = contact.refusals;
      tracks.numbered(track, receipt.number, sentAt);
      track.sent = 'accepted';
      track.listener?.accepted();
      return receipt;
    } catch (error) {
      track.sent = afterFailure(error);
      track.ours = track.sent === 'unknown';
      if (track.ours) track.listener?.unanswered();
      // An input that the server no longer has is sent again the next time.
      if (track.sent === 'rejected') uploader.forget();
      throw error;
    }
  };

  return {
    id: options.id,
    kind,
    url: address.label,
    describe: (signal) => describeServer(http, timeouts, kind === 'sandbox', signal),

    objectInfo({ refresh = false, signal } = {}) {
      if (refresh) {
        objectInfo.forget();
        replacements.forget();
      }
      return objectInfo.get(signal);
    },

    nodeReplacements: (signal) => replacements.get(signal),

    stamps: (files, signal) => readStamps(http, timeouts.getMs, files, signal),

    upload: (file, signal) => uploader.upload(file, signal),

    async submit(attempt, payload, signal) {
      const { promptId } = attempt;
      const sending = send(attempt, payload, signal);
      posting.set(promptId, sending);
      try {
        return await sending;
      } finally {
        if (posting.get(promptId) === sending) posting.delete(promptId);
      }
    },

    async attach(attempt, signal) {
      // What is on its way is not absent, whoever sent it.
      await Promise.allSettled([posting.get(attempt.promptId)]);
      const found = await lookUp.twice(attempt.promptId, signal);
      const track = tracks.get(attempt.promptId);
      // It is there, so it was accepted once, whoever heard the answer.
      if (found.state !== 'absent' && track.sent !== 'sending') track.sent = 'accepted';
      return stateOf(found);
    },

    follow(attempt, followOptions) {
      const { promptId } = attempt;
      const track = tracks.get(promptId);
      if (track.number === undefined) tracks.numbered(track, followOptions.number, Number.NEGATIVE_INFINITY);
      const follower = startFollowing(track, followOptions, {
        lookUp,
        contact,
        clock,
        timeouts,
        log: logOf(log, attempt),
        socketOpen: () => socket.open,
        socketMissed: () => socket.renew(),
        serverStart: () => serverStart(http, address, timeouts),
        inherit(name, isRunning) {
          if (name !== clientId) inherited.take(promptId, name, isRunning);
        },
        done(ended) {
          inherited.release(promptId);
          if (ended) tracks.drop(promptId);
          if (followers.get(promptId) === follower) followers.delete(promptId);
          socket.want(watched());
        },
      });
      if (followOptions.signal.aborted) return;
      followers.set(promptId, follower);
      socket.want(true);
    },

    fetch: (file, signal) => viewFile(http, file, timeouts.transferMs, signal),

    findLeft: (attempt, payload, signal) =>
      findLeft({ http, objectInfo: (given) => objectInfo.get(given), timeoutMs: timeouts.getMs }, attempt, payload, signal),

    diagnose: (attempt, signal) => diagnosis.of(attempt && tracks.get(attempt.promptId), signal),

    async cancel(attempt, signal) {
      await Promise.allSettled([posting.get(attempt.promptId)]);
      const track = tracks.get(attempt.promptId);
      const canceller = { http, lookUp, clock, timeouts, log: logOf(log, attempt), interruptIsOurs: isInterruptOurs };
      track.cancelling = true;
      const outcome = await cancelPrompt(canceller, attempt.promptId, track.sent === 'accepted', signal).finally(() => {
        track.cancelling = false;
      });
      if (outcome.result === 'gone') track.listener?.gone();
      else followers.get(attempt.promptId)?.look();
      return outcome;
    },

    async forget(attempt) {
      // Only ever our own id: the bare `clear` would take other people's work away.
      const body = JSON.stringify({ delete: [attempt.promptId] });
      const reply = await http.send({ method: 'POST', path: '/history', body, timeoutMs: timeouts.getMs });
      if (reply.status >= 400) throw httpError(address, 'the request to forget a prompt', reply);
      tracks.drop(attempt.promptId);
    },

    async free() {
      const body = JSON.stringify({ unload_models: true, free_memory: true });
      const reply = await http.send({ method: 'POST', path: '/free', body, timeoutMs: timeouts.getMs });
      if (reply.status >= 400) throw httpError(address, 'the request to free memory', reply);
    },

    async close() {
      for (const follower of followers.values()) follower.stop();
      await Promise.all([socket.close(), inherited.close()]);
      http.close();
    },
  };
}

/** What a POST that failed leaves behind: an answer is a no, a connection that never stood sent nothing, anything else may have arrived. */
function afterFailure(error: unknown): 'no' | 'unknown' | 'rejected' {
  if (!(error instanceof CallsheetError)) return 'rejected';
  if (error.code === 'CANCELLED') return 'unknown';
  if (wasNeverSent(error)) return 'no';
  // A proxy's error may follow a prompt that got through.
  return retryClass(error.data) === 'transient' ? 'unknown' : 'rejected';
}

function stateOf(found: Found): AttemptState {
  if (found.state === 'queued') return { state: 'queued', ...(found.position === undefined ? {} : { position: found.position }) };
  if (found.state === 'running') return { state: 'running' };
  return found;
}
