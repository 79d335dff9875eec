/** Looks one prompt up by its id: /api/jobs where it exists, else queue and history; `absent` only after two looks (comfyui.md 2.5). */
import type { Ended } from './history.ts';
import { readEndedJob, readHistoryEntry } from './history.ts';
import { isUnknownRoute, MIB } from './http.ts';
import type { Http } from './http.ts';
import { httpError, isFields, list, parsePython, readObject, text } from './replies.ts';
import type { Fields } from './replies.ts';
import { wait } from './settings.ts';
import { withSilent } from './silent.ts';
import type { Clock, Timeouts } from './settings.ts';

export type Found =
  | { readonly state: 'absent' }
  | { readonly state: 'queued'; readonly position?: number; readonly nodes?: ReadonlyMap<string, string> }
  | { readonly state: 'running'; readonly nodes?: ReadonlyMap<string, string> }
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

  const queue: LookUp['queue'] = async (promptId, signal) => {
    const body = readObject(http.address, 'a look at the queue', await get('/queue', signal));
    const running = list(body['queue_running']).find((item) => list(item)[1] === promptId);
    if (running !== undefined) return { state: 'running', nodes: nodesOf(list(running)[2]) };
    // Pending is a heap array, not sorted (comfyui.md 1.2).
    const pending = list(body['queue_pending']).map(list).toSorted(byPriority);
    const position = pending.findIndex((item) => item[1] === promptId);
    return position < 0 ? { state: 'absent' } : { state: 'queued', position, nodes: nodesOf(pending[position]?.[2]) };
  };

  /** Undefined when the server has no such route. */
  const job = async (promptId: string, signal: AbortSignal | undefined): Promise<Found | undefined> => {
    const reply = await get(`/jobs/${encodeURIComponent(promptId)}`, signal);
    if (isUnknownRoute(reply) || reply.status === 405) return undefined;
    if (reply.status === 404) return isMissingJob(reply.text) ? { state: 'absent' } : undefined;
    const body = readObject(http.address, 'a look at the job', reply);
    const nodes = nodesOf(isFields(body['workflow']) ? body['workflow']['prompt'] : undefined);
    switch (text(body['status'])) {
      case 'pending':
        return { state: 'queued', nodes };
      case 'in_progress':
        return { state: 'running', nodes };
      case 'completed':
      case 'failed':
      case 'cancelled':
        // The history keeps what the job's normalised outputs leave out.
        return (await ended(promptId, signal)) ?? readEndedJob(body);
      default:
        throw httpError(http.address, `a look at the job with the status ${JSON.stringify(body['status'])}`, reply);
    }
  };

  const once = async (promptId: string, signal?: AbortSignal): Promise<Found> => {
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

/** Class of each node of the graph, by id. */
function nodesOf(prompt: unknown): ReadonlyMap<string, string> {
  if (!isFields(prompt)) return new Map();
  return new Map(Object.entries(prompt satisfies Fields).map(([id, node]) => [id, isFields(node) ? (text(node['class_type']) ?? '') : '']));
}
