/** The routes of the fake ComfyUI: what a well-behaved server answers (comfyui.md 1). */
import sharp from 'sharp';
import type { FakeComfyUI, Request } from './fake-comfyui.ts';
import type { GraphJson, QueueItem } from './fake-comfyui-engine.ts';
import { pythonJson } from './python-json.ts';

export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: Record<string, string>;
}

const json = (status: number, value: unknown): Reply => ({ status, type: 'application/json; charset=utf-8', body: pythonJson(value) });
const raw = (body: string): Reply => ({ status: 200, type: 'application/json; charset=utf-8', body });
const EMPTY: Reply = { status: 200, type: 'application/octet-stream', body: '' };
const UNKNOWN: Reply = { status: 404, type: 'text/plain; charset=utf-8', body: '404: Not Found' };
/** Node classes that it has, until a test changes them. */
export const CLASSES: readonly string[] = [
  'EmptyImage',
  'ImageInvert',
  'ImageScale',
  'LoadImage',
  'SaveImage',
  'PreviewImage',
  'PreviewAny',
  'Slow',
];

export async function answerRoute(fake: FakeComfyUI, request: Request, url: URL): Promise<Reply> {
  const { engine, options } = fake;
  const { method, path } = request;
  const route = `${method} ${path}`;
  const jobId = /^\/jobs\/([^/]+)(\/cancel)?$/.exec(path);
  if (jobId?.[1] !== undefined && options.jobs === true) {
    if (jobId[2] === undefined) return job(fake, jobId[1]);
    if (options.cancelRoute !== true) return UNKNOWN;
    const dequeued = engine.remove(jobId[1]);
    if (!dequeued) engine.interrupt(jobId[1]);
    return json(200, { cancelled: true });
  }
  const historyId = /^\/history\/(.+)$/.exec(path)?.[1];
  if (method === 'GET' && historyId !== undefined) return raw(historyText(fake, decodeURIComponent(historyId)));
  switch (route) {
    case 'POST /prompt':
      return prompt(fake, request);
    case 'GET /prompt':
      return json(200, { exec_info: { queue_remaining: engine.remaining() } });
    case 'GET /queue': {
      const running = engine.running();
      return raw(
        `{"queue_running": [${running === undefined ? '' : itemText(running)}], "queue_pending": [${engine.pending().map(itemText).toReversed().join(', ')}]}`,
      );
    }
    case 'POST /queue': {
      for (const id of deletions(request)) engine.remove(id);
      return EMPTY;
    }
    case 'POST /history': {
      for (const id of deletions(request)) engine.history.delete(id);
      return EMPTY;
    }
    case 'POST /interrupt': {
      const body: { prompt_id?: string } = JSON.parse(request.body.toString('utf8') || '{}');
      engine.interrupt(olderThan(options.version, 57) ? undefined : body.prompt_id);
      return EMPTY;
    }
    case 'POST /free':
      return EMPTY;
    case 'GET /features':
      return json(200, { supports_preview_metadata: true, max_upload_size: 104857600 });
    case 'GET /system_stats':
      return json(200, {
        system: { os: 'posix', comfyui_version: options.version ?? '0.3.64', argv: ['main.py'] },
        devices: options.devices ?? [],
      });
    case 'GET /object_info':
      return json(
        200,
        Object.fromEntries(
          [...fake.classes].map((name) => [
            name,
            {
              input: { required: { strength: ['FLOAT', { max: Number.POSITIVE_INFINITY }] } },
              output: ['IMAGE'],
              output_is_list: [false],
              output_node: /^(?:Save|Preview)/.test(name),
              name,
            },
          ]),
        ),
      );
    case 'POST /upload/image':
      return upload(fake, request);
    case 'GET /internal/logs/raw':
      return json(200, { entries: fake.log.map(toLogEntry), size: null });
    case 'GET /view':
      return view(fake, url);
    default:
      return UNKNOWN;
  }
}

function olderThan(version: string | undefined, patch: number): boolean {
  const match = /^0\.3\.(\d+)$/.exec(version ?? '0.3.64');
  return match?.[1] !== undefined && Number(match[1]) < patch;
}

function deletions(request: Request): readonly string[] {
  const body: { delete?: string[] } = JSON.parse(request.body.toString('utf8'));
  return body.delete ?? [];
}

function toLogEntry(print: string): { readonly t: string; readonly m: string } {
  const [, t = '2026-01-01T00:00:00', m = print] = /^(\d{4}-[^|]+)\|(.*)$/s.exec(print) ?? [];
  return { t, m };
}

function itemText(item: QueueItem): string {
  const roots = Object.entries(item.prompt).flatMap(([id, { class_type: name }]) => (/^(?:Save|Preview)/.test(name) ? [id] : []));
  return `[${item.number}, ${JSON.stringify(item.promptId)}, ${item.promptText}, ${item.extraData}, ${JSON.stringify(roots)}]`;
}

function historyText(fake: FakeComfyUI, id: string): string {
  const entry = fake.engine.history.get(id);
  if (entry === undefined) return '{}';
  const { item, ...rest } = entry;
  return `{${JSON.stringify(id)}: {"prompt": ${itemText(item)}, ${pythonJson(rest).slice(1)}}`;
}

function job(fake: FakeComfyUI, id: string): Reply {
  const { engine } = fake;
  if (engine.running()?.promptId === id)
    return json(200, { id, status: 'in_progress', priority: 0, workflow: { prompt: engine.running()?.prompt } });
  if (engine.pending().some((item) => item.promptId === id)) return json(200, { id, status: 'pending', priority: 0 });
  const entry = engine.history.get(id);
  if (entry === undefined) return json(404, { error: 'Job not found' });
  const { status } = entry;
  const cancelled = status.messages.some(([name]) => name === 'execution_interrupted');
  const state = cancelled ? 'cancelled' : status.status_str === 'success' ? 'completed' : 'failed';
  return json(200, { id, status: state, priority: 0, outputs: entry.outputs });
}

function prompt(fake: FakeComfyUI, request: Request): Reply {
  const source = request.body.toString('utf8');
  const body: { prompt: GraphJson; client_id?: string; prompt_id?: string } = JSON.parse(source);
  for (const [id, node] of Object.entries(body.prompt)) {
    if (!fake.classes.has(node.class_type)) {
      return json(400, {
        error: {
          type: 'invalid_prompt',
          message: `Cannot execute because node ${node.class_type} does not exist.`,
          details: `Node ID '#${id}'`,
          extra_info: {},
        },
        node_errors: {},
      });
    }
    if (node.class_type === 'EmptyImage' && node.inputs['width'] === 0) {
      const error = {
        type: 'value_smaller_than_min',
        message: 'Value 0 smaller than min of 1',
        details: 'width',
        extra_info: { input_name: 'width', input_config: ['INT', { min: 1 }], received_value: 0 },
      };
      return json(400, {
        error: { type: 'prompt_outputs_failed_validation', message: 'Prompt outputs failed validation', details: '', extra_info: {} },
        node_errors: { [id]: { errors: [error], dependent_outputs: [], class_type: node.class_type } },
      });
    }
  }
  const number = fake.engine.counter;
  fake.engine.counter += 1;
  const promptId = fake.options.clientPromptIds === false ? `made-up-${number}` : (body.prompt_id ?? `minted-${number}`);
  const extra = /"extra_data":(\{.*\})\}$/.exec(source)?.[1] ?? '{}';
  // The server adds the client to what it was given (comfyui.md 1.1).
  const client = body.client_id === undefined ? '' : `"client_id":${JSON.stringify(body.client_id)}`;
  const extraData = client === '' ? extra : extra.replace(/\}$/, (end) => `${extra === '{}' ? '' : ','}${client}${end}`);
  const promptText = /^\{"prompt":(.*),"client_id":/s.exec(source)?.[1] ?? JSON.stringify(body.prompt);
  fake.engine.enqueue({ number, promptId, prompt: body.prompt, extraData, promptText, clientId: body.client_id });
  return json(200, { prompt_id: promptId, number, node_errors: {} });
}

function upload(fake: FakeComfyUI, request: Request): Reply {
  const boundary = /boundary=(.+)$/.exec(String(request.headers['content-type']))?.[1];
  const source = request.body.toString('latin1');
  const part = source.split(`--${boundary ?? ''}`).find((piece) => piece.includes('filename="'));
  const filename = /filename="([^"]+)"/.exec(part ?? '')?.[1];
  if (part === undefined || filename === undefined) return { status: 400, type: 'text/plain', body: '' };
  const bytes = Buffer.from(part.slice(part.indexOf('\r\n\r\n') + 4, -2), 'latin1');
  let name = filename;
  for (let copy = 1; fake.files.has(`input//${name}`) && fake.files.get(`input//${name}`)?.equals(bytes) !== true; copy += 1) {
    name = filename.replace(/(\.[^.]+)?$/, ` (${copy})$1`);
  }
  fake.files.set(`input//${name}`, bytes);
  return json(200, { name, subfolder: '', type: 'input' });
}

async function view(fake: FakeComfyUI, url: URL): Promise<Reply> {
  const filename = url.searchParams.get('filename') ?? '';
  const subfolder = url.searchParams.get('subfolder') ?? '';
  const type = url.searchParams.get('type') ?? 'output';
  if (filename.includes('..') || filename.startsWith('/')) return { status: 400, type: 'text/plain', body: '' };
  const kept = fake.files.get(`${type}/${subfolder}/${filename}`);
  if (kept !== undefined) return { status: 200, type: 'image/png', body: kept, headers: { 'Content-Length': String(kept.length) } };
  const promptId = /^callsheet\/([^/]+)/.exec(subfolder)?.[1];
  const isSaved = promptId !== undefined && fake.engine.saved.has(promptId) && filename.endsWith('_00001_.png');
  const entry = isSaved ? fake.engine.ledger.find((run) => run.promptId === promptId) : undefined;
  if (entry === undefined) return { status: 404, type: 'text/plain', body: '' };
  const bytes = await picture(fake, entry.prompt);
  return { status: 200, type: 'image/png', body: bytes, headers: { 'Content-Length': String(bytes.length) } };
}

/** The picture that a graph of one EmptyImage or LoadImage stands for. */
async function picture(fake: FakeComfyUI, graph: GraphJson): Promise<Buffer> {
  const nodes = Object.values(graph);
  const inverted = nodes.some((node) => node.class_type === 'ImageInvert');
  const loaded = nodes.find((node) => node.class_type === 'LoadImage')?.inputs['image'];
  const empty = nodes.find((node) => node.class_type === 'EmptyImage')?.inputs ?? {};
  const color = Number(empty['color'] ?? 0);
  const background = { r: (color >> 16) & 255, g: (color >> 8) & 255, b: color & 255 };
  const base =
    typeof loaded === 'string'
      ? sharp(fake.files.get(`input//${loaded}`))
      : sharp({ create: { width: Number(empty['width'] ?? 1), height: Number(empty['height'] ?? 1), channels: 3, background } });
  return (inverted ? base.negate({ alpha: false }) : base).png().toBuffer();
}
