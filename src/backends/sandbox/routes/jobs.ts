/** /api/jobs: the one place that tells pending, running, finished and unknown apart (ComfyUI ≥ 0.6, cancel ≥ 0.26). */
import { type Call, HttpFailure, readLenientBody, type Route, sendJson } from '../http.ts';
import { isRecord, type Json, type JsonRecord } from '../json.ts';
import { pyStr } from '../python.ts';
import type { HistoryEntry, QueueItem } from '../queue.ts';
import type { ServerState } from '../server-state.ts';
import { statusJson } from './queue.ts';

type JobStatus = 'pending' | 'in_progress' | 'completed' | 'failed' | 'cancelled';
const STATUSES: readonly string[] = ['pending', 'in_progress', 'completed', 'failed', 'cancelled'];
const SORTS = ['created_at', 'execution_duration'];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Keys under which ComfyUI looks for files to count. */
const PREVIEWABLE = ['images', 'video', 'audio', '3d', 'gifs'];

export function jobRoutes(state: ServerState): Route[] {
  const { queue } = state;
  return [
    {
      method: 'GET',
      pattern: '/jobs',
      handler(call) {
        sendJson(call.response, list(state, call));
      },
    },
    {
      method: 'GET',
      pattern: '/jobs/{id}',
      handler({ response, params }) {
        const found = find(state, params['id'] ?? '');
        if (found === undefined) throw new HttpFailure(404, { error: 'Job not found' });
        const { item, entry } = found;
        const { outputs = {}, status } = entry ?? {};
        sendJson(
          response,
          {
            ...found.job,
            ...(status === undefined ? {} : { outputs, execution_status: statusJson(status) }),
            workflow: { prompt: item.prompt, extra_data: item.extraData },
          },
          200,
          { bareNaN: state.faults.nan === true },
        );
      },
    },
    {
      method: 'POST',
      pattern: '/jobs/cancel',
      async handler(call) {
        const body = await readLenientBody(call);
        const ids = isRecord(body) ? body['job_ids'] : undefined;
        if (!Array.isArray(ids) || ids.length === 0) throw new HttpFailure(400, { error: 'job_ids must be a non-empty list' });
        const names = ids.map(pyStr);
        const invalid = names.filter((id) => !UUID.test(id));
        if (invalid.length > 0) throw new HttpFailure(400, { error: 'job_ids must be canonical UUIDs', invalid_ids: invalid });
        const cancelled = names.map((id) => cancel(state, id));
        sendJson(call.response, { cancelled: cancelled.includes(true) });
      },
    },
    {
      method: 'POST',
      pattern: '/jobs/{id}/cancel',
      async handler(call) {
        await readLenientBody(call);
        sendJson(call.response, { cancelled: cancel(state, call.params['id'] ?? '') });
      },
    },
  ];

  function cancel({ interrupt }: ServerState, id: string): boolean {
    if (queue.running()?.promptId === id) {
      interrupt.since ??= Date.now();
      return true;
    }
    return queue.pending().some((item) => item.promptId === id) && queue.remove([id]);
  }
}

interface Found {
  readonly job: JsonRecord;
  readonly item: QueueItem;
  readonly entry?: HistoryEntry;
}

function all({ queue }: ServerState): Found[] {
  const running = queue.running();
  return [
    ...queue.pending().map((item) => ({ job: jobOf(item, 'pending'), item })),
    ...(running === undefined ? [] : [{ job: jobOf(running, 'in_progress'), item: running }]),
    ...[...queue.history().values()].map((entry) => ({ job: finishedJob(entry), item: entry.item, entry })),
  ];
}

function find(state: ServerState, id: string): Found | undefined {
  return all(state).find(({ item }) => item.promptId === id);
}

function list(state: ServerState, { query }: Call): JsonRecord {
  const wanted =
    query
      .get('status')
      ?.split(',')
      .filter((part) => part !== '') ?? [];
  const sort = query.get('sort_by') ?? 'created_at';
  const order = query.get('sort_order') ?? 'desc';
  const limit = count(query.get('limit'), 'limit', 1);
  const offset = count(query.get('offset'), 'offset', 0) ?? 0;
  const bad = wanted.find((status) => !STATUSES.includes(status));
  if (bad !== undefined) throw new HttpFailure(400, { error: `Invalid status value: ${bad}. Valid values: ${STATUSES.join(', ')}` });
  if (!SORTS.includes(sort)) throw new HttpFailure(400, { error: `sort_by must be one of ${SORTS.join(', ')}` });
  if (order !== 'asc' && order !== 'desc') throw new HttpFailure(400, { error: "sort_order must be 'asc' or 'desc'" });

  const workflow = query.get('workflow_id');
  const key = (job: JsonRecord): number =>
    sort === 'created_at'
      ? Number(job['create_time'] ?? 0)
      : Number(job['execution_end_time'] ?? 0) - Number(job['execution_start_time'] ?? 0);
  const jobs = all(state)
    .map(({ job }) => job)
    .filter(
      (job) => (wanted.length === 0 || wanted.includes(pyStr(job['status']))) && (workflow === null || job['workflow_id'] === workflow),
    )
    .toSorted((one, two) => (order === 'asc' ? key(one) - key(two) : key(two) - key(one)));
  const page = jobs.slice(offset, limit === undefined ? undefined : offset + limit);
  return { jobs: page, pagination: { offset, limit: limit ?? null, total: jobs.length, has_more: offset + page.length < jobs.length } };
}

function count(text: string | null, name: string, least: number): number | undefined {
  if (text === null) return undefined;
  if (!/^\d+$/.test(text) || Number(text) < least) throw new HttpFailure(400, { error: `${name} must be an integer from ${least} up` });
  return Number(text);
}

function jobOf(item: QueueItem, status: JobStatus): JsonRecord {
  const png = item.extraData['extra_pnginfo'];
  const workflow = isRecord(png) && isRecord(png['workflow']) ? png['workflow']['id'] : undefined;
  return {
    id: item.promptId,
    status,
    priority: item.number,
    ...(item.extraData['create_time'] === undefined ? {} : { create_time: item.extraData['create_time'] }),
    outputs_count: 0,
    previewable_outputs_count: 0,
    ...(workflow === undefined ? {} : { workflow_id: workflow }),
  };
}

function finishedJob(entry: HistoryEntry): JsonRecord {
  const message = (type: string): JsonRecord | undefined => entry.status.messages.find(([name]) => name === type)?.[1];
  const error = message('execution_error');
  const interrupted = message('execution_interrupted');
  const end = message('execution_success') ?? error ?? interrupted;
  const status: JobStatus = interrupted !== undefined ? 'cancelled' : error === undefined ? 'completed' : 'failed';
  const started = message('execution_start')?.['timestamp'];
  const ended = end?.['timestamp'];
  const { files, preview } = countFiles(entry.outputs);
  return {
    ...jobOf(entry.item, status),
    ...(started === undefined ? {} : { execution_start_time: started }),
    ...(ended === undefined ? {} : { execution_end_time: ended }),
    ...(error === undefined ? {} : { execution_error: error }),
    outputs_count: files,
    previewable_outputs_count: files,
    ...(preview === undefined ? {} : { preview_output: preview }),
  };
}

/** Saved files come before temporary ones as the preview; text is shown but not counted. */
function countFiles(outputs: JsonRecord): { files: number; preview: JsonRecord | undefined } {
  let files = 0;
  let saved: JsonRecord | undefined;
  let other: JsonRecord | undefined;
  for (const [nodeId, ui] of Object.entries(outputs)) {
    for (const [mediaType, items] of Object.entries(isRecord(ui) ? ui : {})) {
      for (const item of Array.isArray(items) ? items : []) {
        if (PREVIEWABLE.includes(mediaType) && isRecord(item) && typeof item['filename'] === 'string') {
          files += 1;
          const candidate = { ...item, nodeId, mediaType };
          if (item['type'] === 'output') saved ??= candidate;
          else other ??= candidate;
        } else if (mediaType === 'text') other ??= textPreview(item, nodeId);
      }
    }
  }
  return { files, preview: saved ?? other };
}

function textPreview(item: Json, nodeId: string): JsonRecord {
  return { content: typeof item === 'string' ? item : '', nodeId, mediaType: 'text' };
}
