/** The one worker: takes a prompt, executes it, writes history, and says so in ComfyUI's order. */
import { setTimeout as sleep } from 'node:timers/promises';
import { execute } from './executor.ts';
import { takeFault } from './faults.ts';
import type { QueueItem } from './queue.ts';
import { sendStatus, type ServerState } from './server-state.ts';

/** Works until the signal; a prompt at work is then dropped where it stands, as when a process is killed. */
export async function runWorker(state: ServerState, latencyMs: number, signal: AbortSignal): Promise<void> {
  const { queue, interrupt, faults } = state;
  const pace = async (): Promise<void> => {
    await sleep(latencyMs, undefined, { signal });
  };
  while (!signal.aborted) {
    if (state.free.models) state.account?.unload();
    if (state.free.memory) {
      state.cache.clear();
      state.ledger.freed();
    }
    state.free.memory = state.free.models = false;
    const item = queue.take();
    if (item === undefined) {
      await idle(state, signal);
      continue;
    }
    sendStatus(state);
    if (faults.crashWorker === true) {
      // In Python's words, for that is how it is found out.
      state.log(`Exception in thread Thread-1 (prompt_worker):\nRuntimeError: the worker died at prompt ${item.promptId}`);
      return;
    }
    // An interrupt that lands between dequeue and start is lost in ComfyUI, too.
    interrupt.since = undefined;
    await runItem(state, item, pace, signal);
  }
}

async function runItem(state: ServerState, item: QueueItem, pace: () => Promise<void>, signal: AbortSignal): Promise<void> {
  const { queue, sockets, faults, interrupt } = state;
  const client = item.extraData['client_id'];
  const record = state.ledger.begin(item.promptId);
  const interrupted = (): boolean => interrupt.since !== undefined && Date.now() - interrupt.since >= (faults.ignoreInterruptMs ?? 0);
  await pace();
  if (takeFault(faults, 'slowStarts')) await sleep(faults.slowStartMs ?? 0, undefined, { signal });
  const outOfMemory = takeFault(faults, 'outOfMemory');
  const { entry, costs } = await execute(item, record, {
    ...state,
    pace,
    interrupted,
    outOfMemory,
    ...(faults.failNodes === undefined ? {} : { failNodes: faults.failNodes }),
    onNode: (id) => void (state.currentNode = id),
  });
  state.currentNode = undefined;
  signal.throwIfAborted();
  const last = entry.status.messages.at(-1)?.[0];
  record.finish(last === 'execution_success' ? 'success' : last === 'execution_interrupted' ? 'interrupted' : 'error', costs);
  if (faults.historyDelayMs !== undefined) await sleep(faults.historyDelayMs, undefined, { signal });
  queue.finish(entry);
  sendStatus(state);
  if (typeof client === 'string') sockets.send('executing', { node: null, prompt_id: item.promptId }, client);
  state.log(`prompt ${item.promptId}: ${last ?? 'ended'}`);
}

async function idle(state: ServerState, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  state.wake = resolve;
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}
