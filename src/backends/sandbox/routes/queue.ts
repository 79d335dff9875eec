/** /queue, /interrupt, /history and /free. */
import { type Call, HttpFailure, readJsonBody, readLenientBody, type Route, sendEmpty, sendJson } from '../http.ts';
import { isRecord, type Json, type JsonRecord } from '../json.ts';
import { itemTuple, type HistoryEntry, type QueueItem } from '../queue.ts';
import type { ServerState } from '../server-state.ts';

export function queueRoutes(state: ServerState): Route[] {
  const { queue, interrupt, faults } = state;
  const print = (): { bareNaN: boolean } => ({ bareNaN: faults.nan === true });
  return [
    {
      method: 'GET',
      pattern: '/queue',
      handler({ response }) {
        const running = queue.running();
        const answer = {
          queue_running: running === undefined ? [] : [itemTuple(leaky(running, state))],
          queue_pending: queue.pending().map((item) => itemTuple(leaky(item, state))),
        };
        sendJson(response, answer, 200, print());
      },
    },
    {
      method: 'POST',
      pattern: '/queue',
      async handler(call) {
        const body = await recordOf(call);
        if (body['clear'] === true) queue.clear();
        if (body['delete'] !== undefined) queue.remove(idsOf(body['delete']));
        sendEmpty(call.response);
      },
    },
    {
      method: 'POST',
      pattern: '/interrupt',
      async handler(call) {
        const body = await readLenientBody(call);
        const wanted = faults.oldServer !== true && isRecord(body) ? body['prompt_id'] : undefined;
        if (wanted === undefined || wanted === null || queue.running()?.promptId === wanted) interrupt.since ??= Date.now();
        sendEmpty(call.response);
      },
    },
    {
      method: 'GET',
      pattern: '/history',
      handler({ response, query }) {
        const most = integer(query.get('max_items'));
        const offset = integer(query.get('offset')) ?? -1;
        const all = [...queue.history()];
        const start = most === undefined ? Math.max(0, offset) : offset < 0 ? Math.max(0, all.length - most) : offset;
        const shown = all.slice(start, most === undefined ? undefined : start + most);
        sendJson(response, Object.fromEntries(shown.map(([id, entry]) => [id, historyJson(entry, state)])), 200, print());
      },
    },
    {
      method: 'GET',
      pattern: '/history/{id}',
      handler({ response, params }) {
        const entry = queue.history().get(params['id'] ?? '');
        sendJson(response, entry === undefined ? {} : { [entry.item.promptId]: historyJson(entry, state) }, 200, print());
      },
    },
    {
      method: 'POST',
      pattern: '/history',
      async handler(call) {
        const body = await recordOf(call);
        if (body['clear'] === true) queue.clearHistory();
        if (body['delete'] !== undefined) queue.forget(idsOf(body['delete']));
        sendEmpty(call.response);
      },
    },
    {
      method: 'POST',
      pattern: '/free',
      async handler(call) {
        const body = await readLenientBody(call);
        if (isRecord(body) && body['free_memory'] === true) state.free.memory = true;
        if (isRecord(body) && body['unload_models'] === true) state.free.models = true;
        state.wake();
        sendEmpty(call.response);
      },
    },
  ];
}

async function recordOf(call: Call): Promise<JsonRecord> {
  const body = await readJsonBody(call);
  if (!isRecord(body)) throw new HttpFailure(500, { error: 'The request body is not a JSON object.' });
  return body;
}

function idsOf(value: Json): string[] {
  return Array.isArray(value) ? value.filter((id) => typeof id === 'string') : [];
}

function integer(text: string | null): number | undefined {
  if (text === null) return undefined;
  if (!/^-?\d+$/.test(text)) throw new HttpFailure(500, { error: `invalid literal for int() with base 10: '${text}'` });
  return Number(text);
}

export function historyJson(entry: HistoryEntry, state: ServerState): JsonRecord {
  const { item, outputs, status, meta } = entry;
  return { prompt: itemTuple(leaky(item, state)), outputs, status: statusJson(status), meta };
}

export function statusJson({ status_str, completed, messages }: HistoryEntry['status']): JsonRecord {
  return { status_str, completed, messages: messages.map(([type, data]) => [type, data]) };
}

/** With the `nan` fault every node carries the `is_changed: NaN` that custom nodes leave behind. */
function leaky(item: QueueItem, { faults }: ServerState): QueueItem {
  if (faults.nan !== true) return item;
  const prompt: JsonRecord = {};
  for (const [id, node] of Object.entries(item.prompt)) prompt[id] = isRecord(node) ? { ...node, is_changed: Number.NaN } : node;
  return { ...item, prompt };
}
