/** Looks one prompt up by its id: /api/jobs where it exists, else queue and history; `absent` only after two looks (comfyui.md 2.5). */
import type { Ended } from './history.ts';
import { readEndedJob, readHistoryEntry } from './history.ts';
import { isUnknownRoute, MIB } from './http.ts';
import type { Http } from './http.ts';
import { httpError, isFields, list, parsePython, readObject, text } from './replies.ts';
import type { Fields } from './replies.ts';
import { wait } from './settings.ts';
import { createSharedLook } from './shared-look.ts';
import { withSilent } from './silent.ts';
import type { Clock, Timeouts } from './settings.ts';

/** What a prompt that has not ended says of itself. */
interface Sent {
  /** Class of each node of its graph, by id. */
  readonly nodes?: ReadonlyMap<string, string>;
  /** The client that sent it, to whom its events go. */
  readonly clientId?: string;
}

export type Found =
  | { readonly state: 'absent' }
  | ({ readonly state: 'queued'; readonly position?: number } & Sent)
  | ({ readonly state: 'running' } & Sent)
  | Ended;

export interface LookUp {
  /** One look. `absent` from here proves nothing yet. */
  once(promptId: string, signal?: AbortSignal): Promise<Found>;
  /** Looks again after `absentGapMs` before it says `absent`. */
  twice(promptId: string, signal?: AbortSignal): Promise<Found>;
  /** The end, when the history has it. Never asks for the bare history, which holds every graph (SillyTavern#5790). */
  ended(promptId: string, signal?: AbortSignal): Promise<Ended | undefined>;
  /** The queue alone: one consistent picture of pending and running. */
  queue(promptId: string, signal?: AbortSignal): Promise<Extract<Found, { state: 'queued' | 'running' | 'absent' }>>;
  /** After a reconnect the server may be another version. */
  forgetFeatures(): void;
}

const BIG = 256 * MIB;

export function createLookUp(http: Http, timeouts: Timeouts, clock: Clock): LookUp {
  let jobs: boolean | undefined;
  const get = (path: string, signal: AbortSignal | undefined) =>
    http.send({ method: 'GET', path, timeoutMs: timeouts.getMs, maxBytes: BIG, signal });

  const ended = async (promptId: string, signal?: AbortSignal): Promise<Ended | undefined> => {
    const reply = await get(`/history/${encodeURIComponent(promptId)}`, signal);
    const entry = readObject(http.address, 'a look at the history', reply)[promptId];
    if (!isFields(entry)) return undefined;
    const found = readHistoryEntry(entry);
    if (found.state !== 'finished') return found;
    return { ...found, outputs: await withSilent({ http, timeoutMs: timeouts.getMs }, entry, found.outputs, signal) };
  };

  // It holds every graph of everybody: thousands of prompts that are looked for at once share one answer.
  const wholeQueue = createSharedLook(
    async () => {
      const body = readObject(http.address, 'a look at the queue', await get('/queue', undefined));
      const running = list(body['queue_running']).map(list);
      // Pending is a heap array, not sorted (comfyui.md 1.2).
      const pending = list(body['queue_pending']).map(list).toSorted(byPriority);
      return {
        running: new Map(running.map((item) => [item[1], item])),
        pending: new Map(pending.map((item, position) => [item[1], { item, position }])),
      };
    },
    clock,
    timeouts.slowMs,
  );

  const queue: LookUp['queue'] = async (promptId, signal) => {
    const { running, pending } = await wholeQueue(signal);
    const atWork = running.get(promptId);
    if (atWork !== undefined) return { state: 'running', ...sentOf(atWork[2], atWork[3]) };
    const waiting = pending.get(promptId);
    return waiting === undefined
      ? { state: 'absent' }
      : { state: 'queued', position: waiting.position, ...sentOf(waiting.item[2], waiting.item[3]) };
  };

  /** Undefined when the server has no such route. */
  const job = async (promptId: string, signal: AbortSignal | undefined): Promise<Found | undefined> => {
    const reply = await get(`/jobs/${encodeURIComponent(promptId)}`, signal);
    if (isUnknownRoute(reply) || reply.status === 405) return undefined;
    if (reply.status === 404) return isMissingJob(reply.text) ? { state: 'absent' } : undefined;
    const body = readObject(http.address, 'a look at the job', reply);
    const workflow = isFields(body['workflow']) ? body['workflow'] : {};
    const sent = sentOf(workflow['prompt'], workflow['extra_data']);
    switch (text(body['status'])) {
      case 'pending':
        return { state: 'queued', ...sent };
      case 'in_progress':
        return { state: 'running', ...sent };
      case 'completed':
      case 'failed':
      case 'cancelled':
        // The history keeps what the job's normalised outputs leave out.
        return (await ended(promptId, signal)) ?? readEndedJob(body);
      default:
        throw httpError(http.address, `a look at the job with the status ${JSON.stringify(body['status'])}`, reply);
    }
  };

  /** While it is not known whether the server has that route, one asks for all: after a restart there may be thousands. */
  let probing: Promise<void> | undefined;
  const probe = async (promptId: string, signal: AbortSignal | undefined): Promise<Found | undefined> => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    probing = promise.then(() => undefined);
    try {
      const found = await job(promptId, signal);
      jobs = found !== undefined;
      return found;
    } finally {
      probing = undefined;
      resolve(undefined);
    }
  };

  const once = async (promptId: string, signal?: AbortSignal): Promise<Found> => {
    if (jobs === undefined && probing === undefined) {
      const found = await probe(promptId, signal);
      if (found !== undefined) return found;
    } else if (jobs === undefined) await Promise.race([probing, wait(clock, timeouts.slowMs, signal)]);
    if (jobs !== false) {
      const found = await job(promptId, signal);
      jobs = found !== undefined;
      if (found !== undefined) return found;
    }
    const queued = await queue(promptId, signal);
    return queued.state === 'absent' ? ((await ended(promptId, signal)) ?? queued) : queued;
  };

  const twice = async (promptId: string, signal?: AbortSignal): Promise<Found> => {
    const first = await once(promptId, signal);
    if (first.state !== 'absent') return first;
    await wait(clock, timeouts.absentGapMs, signal);
    return once(promptId, signal);
  };

  return {
    once,
    twice,
    ended,
    queue,
    forgetFeatures() {
      jobs = undefined;
    },
  };
}

function isMissingJob(body: string): boolean {
  try {
    const value = parsePython(body);
    return isFields(value) && 'error' in value;
  } catch {
    return false;
  }
}

function byPriority(a: readonly unknown[], b: readonly unknown[]): number {
  const difference = Number(a[0]) - Number(b[0]);
  return difference === 0 || Number.isNaN(difference) ? (String(a[1]) < String(b[1]) ? -1 : 1) : difference;
}

function sentOf(prompt: unknown, extra: unknown): Sent {
  const clientId = isFields(extra) ? text(extra['client_id']) : undefined;
  return { nodes: nodesOf(prompt), ...(clientId === undefined ? {} : { clientId }) };
}

function nodesOf(prompt: unknown): ReadonlyMap<string, string> {
  if (!isFields(prompt)) return new Map();
  return new Map(Object.entries(prompt satisfies Fields).map(([id, node]) => [id, isFields(node) ? (text(node['class_type']) ?? '') : '']));
}
