/** Runs one prompt: nodes in order, cached ones not at all, every event in ComfyUI's order. */
import { cacheKeys } from './cache-keys.ts';
import type { NodeCache } from './cache.ts';
import type { Account, PromptCosts } from './costs/account.ts';
import { isLink, type Json, type JsonRecord, printJson } from './json.ts';
import type { LedgerRecord } from './ledger.ts';
import type { ResultMemo } from './options.ts';
import type { Catalogue } from './nodes/catalogue.ts';
import type { Environment, NodeResult } from './nodes/define.ts';
import { createInputs } from './nodes/inputs.ts';
import { SandboxOutOfMemory } from './nodes/testing.ts';
import { createProgress } from './progress.ts';
import type { HistoryEntry, QueueItem } from './queue.ts';
import { createSchedule } from './schedule.ts';
import type { Sockets } from './sockets.ts';
import { classOf, definitionOf, inputsOf } from './prompt-nodes.ts';
import { unwrap } from './validate-input.ts';
import { isBlocked, type SlotValue } from './values.ts';

export interface ExecutorOptions {
  readonly catalogue: Catalogue;
  readonly environment: Environment;
  readonly cache: NodeCache;
  readonly sockets: Sockets;
  /** Waits one pace. */
  readonly pace: () => Promise<void>;
  /** True once an interrupt has reached the running prompt; looked at before each node and at each step. */
  readonly interrupted: () => boolean;
  readonly onNode: (id: string | undefined) => void;
  /** The first node that is really executed runs out of memory. */
  readonly outOfMemory?: boolean;
  /** Classes whose next executions fail, with how often. */
  readonly failNodes?: Record<string, number>;
  readonly account?: Account;
  readonly memo?: ResultMemo;
  readonly previews?: boolean;
}

export interface Execution {
  readonly entry: HistoryEntry;
  readonly costs?: PromptCosts;
}

class Interrupted extends Error {}

/** Never rejects: whatever happens ends in a history entry, which the worker drops when the server stops. */
export async function execute(item: QueueItem, ledger: LedgerRecord, options: ExecutorOptions): Promise<Execution> {
  const { catalogue, environment, cache, sockets } = options;
  const { prompt, promptId } = item;
  const client = typeof item.extraData['client_id'] === 'string' ? item.extraData['client_id'] : undefined;
  const messages: [string, JsonRecord][] = [];
  const outputs: JsonRecord = {};
  const meta: JsonRecord = {};
  const executed: string[] = [];
  const results = new Map<string, NodeResult>();
  const keys = cacheKeys(prompt, catalogue, environment);
  const cached = cache.begin(prompt, keys);
  const account = options.account?.begin(keys);
  const scene = { prompt, catalogue, output: (id: string, slot: number) => results.get(id)?.outputs[slot] };
  const progress = createProgress(promptId, sockets, client);

  /** Without a client nobody hears of a prompt's life; interrupts are told to everybody. */
  const tell = (type: string, data: JsonRecord, everybody = false): void => {
    if (client !== undefined || everybody) sockets.send(type, data, client);
  };
  const record = (type: string, data: JsonRecord, everybody = false): void => {
    const message = { prompt_id: promptId, ...data, timestamp: Date.now() };
    messages.push([type, message]);
    tell(type, message, everybody);
  };
  const show = (id: string, { ui }: NodeResult): void => {
    tell('executed', { node: id, display_node: id, output: ui === undefined ? null : toJson(ui), prompt_id: promptId });
    if (ui === undefined) return;
    outputs[id] = toJson(ui);
    meta[id] = { node_id: id, display_node: id, parent_node: null, real_node_id: id };
  };
  const isDone = (id: string): boolean => {
    const found = results.get(id) ?? cached.get(id);
    if (found !== undefined) results.set(id, found);
    return found !== undefined;
  };
  const schedule = createSchedule(prompt, catalogue, isDone);

  const gather = (id: string): Map<string, SlotValue> => {
    const definition = definitionOf(prompt, id, catalogue);
    const values = new Map<string, SlotValue>();
    for (const [name, value] of Object.entries(inputsOf(prompt, id))) {
      if (definition === undefined || !(name in definition.required || name in (definition.optional ?? {}))) continue;
      if (!isLink(value)) values.set(name, asConstant(unwrap(value)));
      else if (results.has(value[0])) values.set(name, results.get(value[0])?.outputs[value[1]] ?? null);
    }
    return values;
  };

  /** False when the node waits for lazy inputs first. */
  const runNode = async (id: string): Promise<boolean> => {
    const definition = definitionOf(prompt, id, catalogue);
    if (definition === undefined) throw new Error(`Node ${id} does not exist.`);
    // An equal node of the same prompt may have filled the cache since.
    const twin = cached.get(id);
    if (twin !== undefined) {
      results.set(id, twin);
      progress.finish(id);
      if (definition.isOutput === true) show(id, twin);
      return true;
    }
    if (options.interrupted()) throw new Interrupted();
    progress.start(id);
    options.onNode(id);
    tell('executing', { node: id, display_node: id, prompt_id: promptId });
    await options.pace();
    const values = gather(id);
    const lazy =
      definition.lazy?.needs(createInputs(values)).filter((name) => isLink(inputsOf(prompt, id)[name]) && !values.has(name)) ?? [];
    if (lazy.length > 0) {
      schedule.require(id, lazy);
      return false;
    }
    const blocked = [...values.values()].find(isBlocked);
    if (blocked !== undefined) {
      // Only the first node behind a blocker speaks; what follows is skipped in silence.
      if (blocked.message !== null && definition.isOutput === true) {
        sockets.send('execution_error', blockedMessage(promptId, id, definition.name, executed, blocked.message), client);
      }
      results.set(id, { outputs: definition.outputs.length === 0 ? [] : definition.outputs.map(() => blocked) });
      progress.finish(id);
      return true;
    }
    if (options.interrupted()) throw new Interrupted();
    ledger.node(id);
    if (options.outOfMemory === true) throw new SandboxOutOfMemory();
    const failures = options.failNodes?.[definition.name] ?? 0;
    if (options.failNodes !== undefined && failures > 0) {
      options.failNodes[definition.name] = failures - 1;
      throw new Error(`${definition.name} failed on purpose`);
    }
    const key = keys.get(id) ?? '';
    const memo = definition.isOutput === true ? undefined : options.memo;
    const known = memo?.get(key);
    const result =
      known ??
      (await definition.run(createInputs(values), {
        environment,
        nodeId: id,
        prompt,
        showsSteps: options.previews !== false,
        extraPngInfo: pngInfo(item.extraData),
        preview: (image) => sockets.preview(image, { node_id: id, prompt_id: promptId }, client),
        async step(value, max, preview) {
          progress.step(id, value, max);
          if (preview !== undefined) sockets.preview(preview, { node_id: id, prompt_id: promptId }, client);
          await options.pace();
          if (options.interrupted()) throw new Interrupted();
        },
      }));
    if (known === undefined) memo?.put(key, result);
    results.set(id, result);
    executed.push(id);
    cached.put(id, result, account?.node({ id, inputs: values, outputs: result.outputs }, scene));
    if (result.ui !== undefined) show(id, result);
    progress.finish(id);
    return true;
  };

  /** A cached root is served at once; what it depends on is not even looked at. */
  function addUncached(id: string): void {
    const found = cached.get(id);
    if (found === undefined) return schedule.add(id);
    results.set(id, found);
    show(id, found);
    progress.finish(id);
  }

  const ended = (status: 'success' | 'error'): Execution => ({
    entry: { item, outputs, meta, status: { status_str: status, completed: status === 'success', messages } },
    ...(account === undefined ? {} : { costs: account.costs() }),
  });

  let current = '';
  try {
    record('execution_start', {});
    record('execution_cached', { nodes: Object.keys(prompt).filter((id) => cached.get(id) !== undefined) });
    for (const id of item.outputs) addUncached(id);
    for (let id = schedule.next(); id !== undefined; id = schedule.next()) {
      current = id;
      if (await runNode(id)) schedule.done(id);
    }
  } catch (error) {
    const base = { node_id: current, node_type: classOf(prompt, current) ?? '', executed: [...executed] };
    if (error instanceof Interrupted) record('execution_interrupted', base, true);
    else {
      progress.fail(current);
      record('execution_error', { ...base, ...failure(error, gather(current)), current_outputs: [...executed] });
    }
    return ended('error');
  }
  record('execution_success', {});
  return ended('success');
}

function toJson(ui: Readonly<Record<string, readonly Json[]>>): JsonRecord {
  return Object.fromEntries(Object.entries(ui).map(([key, items]) => [key, [...items]]));
}

function asConstant(value: Json): SlotValue {
  return typeof value === 'object' && value !== null ? printJson(value) : value;
}

function pngInfo(extraData: JsonRecord): JsonRecord {
  const info = extraData['extra_pnginfo'];
  return typeof info === 'object' && info !== null && !Array.isArray(info) ? info : {};
}

function failure(error: unknown, inputs: ReadonlyMap<string, SlotValue>): JsonRecord {
  const thrown = error instanceof Error ? error : new Error(String(error));
  const shown: JsonRecord = {};
  for (const [name, value] of inputs) shown[name] = [typeof value === 'object' && value !== null ? value.kind : value];
  const plain = thrown.name === 'Error' ? 'Exception' : thrown.name === 'RangeError' ? 'RuntimeError' : thrown.name;
  return {
    exception_message: thrown.message,
    exception_type: thrown instanceof SandboxOutOfMemory ? 'torch.OutOfMemoryError' : plain,
    traceback: [`  sandbox: ${thrown.name}: ${thrown.message}\n`],
    current_inputs: shown,
  };
}

function blockedMessage(promptId: string, id: string, type: string, executed: readonly string[], text: string): JsonRecord {
  return {
    prompt_id: promptId,
    node_id: id,
    node_type: type,
    executed: [...executed],
    exception_message: `Execution Blocked: ${text}`,
    exception_type: 'ExecutionBlocked',
    traceback: [],
    current_inputs: [],
    current_outputs: [],
  };
}
