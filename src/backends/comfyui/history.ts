/** One entry of ComfyUI's history as an attempt's end (comfyui.md 1.2). */
import type { AttemptState, RemoteOutputs } from '../contract.ts';
import { nodeFailure } from './failures.ts';
import { readOutputs } from './outputs.ts';
import { isFields, list, text } from './replies.ts';
import type { Fields } from './replies.ts';

export type Ended = Extract<AttemptState, { state: 'finished' | 'failed' | 'interrupted' }>;

export function readHistoryEntry(entry: Fields): Ended {
  const status = isFields(entry['status']) ? entry['status'] : {};
  const messages = new Map<string, Fields>();
  for (const message of list(status['messages'])) {
    const [name, data] = list(message);
    if (typeof name === 'string') messages.set(name, isFields(data) ? data : {});
  }
  // An interrupted prompt has the status `error` too: the message tells them apart.
  if (messages.has('execution_interrupted')) return { state: 'interrupted' };
  const failure = messages.get('execution_error');
  // Before 0.3.65 or so a cycle found while running leaves `success` beside its error message.
  const cached = list(messages.get('execution_cached')?.['nodes']).map(String);
  const outputs = readOutputs(entry['outputs'], entry['meta'], cached, idsIn(list(entry['prompt'])[2]));
  if (failure !== undefined) return { state: 'failed', error: nodeFailure(failure), ...before(outputs) };
  if (status['status_str'] === 'error') return { state: 'failed', error: nodeFailure({}), ...before(outputs) };
  return { state: 'finished', outputs };
}

/** What nodes gave before one failed. */
function before(outputs: RemoteOutputs): { readonly outputs?: RemoteOutputs } {
  return outputs.files.length === 0 && outputs.texts.length === 0 ? {} : { outputs };
}

/** A terminal job of /api/jobs/{id}, for servers whose history has dropped the entry meanwhile. */
export function readEndedJob(job: Fields): Ended | undefined {
  const status = text(job['status']);
  if (status === 'cancelled') return { state: 'interrupted' };
  if (status === 'failed') return { state: 'failed', error: nodeFailure(isFields(job['execution_error']) ? job['execution_error'] : {}) };
  if (status === 'completed') {
    const { prompt } = isFields(job['workflow']) ? job['workflow'] : {};
    return { state: 'finished', outputs: readOutputs(job['outputs'], undefined, [], idsIn(prompt)) };
  }
  return undefined;
}

/** The author's nodes, where the server tells them. */
function idsIn(prompt: unknown): ReadonlySet<string> | undefined {
  return isFields(prompt) ? new Set(Object.keys(prompt)) : undefined;
}
