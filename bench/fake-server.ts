/**
 * A ComfyUI server that computes nothing: it answers and sends events in the order of ComfyUI 0.3.64, so that what is measured is the client.
 * A process of its own. Options: `hopMs` between accepting a prompt and starting it; 0 starts it in the next turn of the event loop.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { childOptions, serveParent, tell } from './processes.ts';
import type { ApiGraph } from './sample-graphs.ts';

interface Job {
  readonly id: string;
  readonly number: number;
  readonly prompt: ApiGraph;
  readonly client: string;
  readonly extra: unknown;
}

const { hopMs = 0 } = childOptions() as { readonly hopMs?: number };
const SAMPLER_STEPS = 4;
/** 64 × 64 pixels, one colour. */
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAT0lEQVR42u3PQQkAAAgEsMtpEuMY1Qi+hcEKLNXzWgQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQELguCQCFaZUpEFQAAAABJRU5ErkJggg==',
  'base64',
);
const sockets = new Map<string, WebSocket>();
const pending: Job[] = [];
const ready: Job[] = [];
const history = new Map<string, unknown>();
const requests: Record<string, number> = {};
let running: Job | undefined;
let number = 0;
let files = 0;

function send(client: string, type: string, data: Readonly<Record<string, unknown>>): void {
  sockets.get(client)?.send(JSON.stringify({ type, data }));
}

function queueLength(): number {
  return pending.length + (running === undefined ? 0 : 1);
}

function sayStatus(): void {
  for (const client of sockets.keys()) send(client, 'status', { status: { exec_info: { queue_remaining: queueLength() } } });
}

/** Nodes in the order in which their links let them run, ending at the savers. */
function executionOrder(prompt: ApiGraph): readonly string[] {
  const order = new Set<string>();
  const visit = (id: string): void => {
    const inputs = prompt[id]?.inputs;
    if (inputs === undefined || order.has(id)) return;
    for (const value of Object.values(inputs)) if (Array.isArray(value)) visit(String(value[0]));
    order.add(id);
  };
  for (const [id, { class_type }] of Object.entries(prompt)) if (class_type === 'SaveImage') visit(id);
  return [...order];
}

function execute(job: Job): void {
  const { id, client, prompt } = job;
  const socket = (sockets.get(client) as unknown as { readonly _socket?: { cork(): void; uncork(): void } } | undefined)?._socket;
  // One write for all frames, so that the server is not what is measured; they are still single frames.
  socket?.cork();
  pending.splice(pending.indexOf(job), 1);
  running = job;
  sayStatus();
  const now = Date.now();
  send(client, 'execution_start', { prompt_id: id, timestamp: now });
  send(client, 'execution_cached', { nodes: [], prompt_id: id, timestamp: now });
  const states: Record<string, unknown> = {};
  const outputs: Record<string, unknown> = {};
  const state = (node: string, value: number, max: number, name: string): void => {
    states[node] = {
      value,
      max,
      state: name,
      node_id: node,
      prompt_id: id,
      display_node_id: node,
      parent_node_id: null,
      real_node_id: node,
    };
    send(client, 'progress_state', { prompt_id: id, nodes: states });
  };
  for (const node of executionOrder(prompt)) {
    const kind = prompt[node]?.class_type;
    state(node, 0, 1, 'running');
    send(client, 'executing', { node, display_node: node, prompt_id: id });
    const samples = kind === 'KSampler' ? SAMPLER_STEPS : 0;
    for (let value = 1; value <= samples; value += 1) {
      state(node, value, SAMPLER_STEPS, 'running');
      send(client, 'progress', { value, max: SAMPLER_STEPS, prompt_id: id, node });
    }
    if (kind === 'SaveImage') {
      files += 1;
      const prefix = String(prompt[node]?.inputs['filename_prefix']);
      const cut = prefix.lastIndexOf('/');
      const filename = `${prefix.slice(cut + 1)}_${String(files).padStart(5, '0')}_.png`;
      const output = { images: [{ filename, subfolder: cut < 0 ? '' : prefix.slice(0, cut), type: 'output' }] };
      outputs[node] = output;
      send(client, 'executed', { node, display_node: node, output, prompt_id: id });
    }
    state(node, 1, 1, 'finished');
  }
  send(client, 'execution_success', { prompt_id: id, timestamp: now });
  socket?.uncork();
  // The history is written only after the success was sent (ComfyUI#11540), so that whoever asks at once may come too early.
  setImmediate(() => finish(job, outputs));
}

function finish({ id, client, prompt, number: place, extra }: Job, outputs: Readonly<Record<string, unknown>>): void {
  const now = Date.now();
  running = undefined;
  history.set(id, {
    prompt: [place, id, prompt, extra, Object.keys(outputs)],
    outputs,
    status: { status_str: 'success', completed: true, messages: [['execution_success', { prompt_id: id, timestamp: now }]] },
    meta: Object.fromEntries(Object.keys(outputs).map((node) => [node, { node_id: node, display_node: node, real_node_id: node }])),
  });
  sayStatus();
  send(client, 'executing', { node: null, prompt_id: id });
  executeNext();
}

function executeNext(): void {
  const job = running === undefined ? ready.shift() : undefined;
  if (job !== undefined) execute(job);
}

function json(response: ServerResponse, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(200, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

function accept(response: ServerResponse, body: string): void {
  const given = JSON.parse(body) as { prompt: ApiGraph; prompt_id: string; client_id: string; extra_data?: object };
  const job: Job = {
    id: given.prompt_id,
    number,
    prompt: given.prompt,
    client: given.client_id,
    extra: { ...given.extra_data, client_id: given.client_id },
  };
  number += 1;
  pending.push(job);
  sayStatus();
  json(response, { prompt_id: job.id, number: job.number, node_errors: {} });
  const start = (): void => {
    ready.push(job);
    executeNext();
  };
  if (hopMs > 0) setTimeout(start, hopMs);
  else setImmediate(start);
}

function forget(response: ServerResponse, body: string): void {
  const { delete: ids = [] } = JSON.parse(body) as { delete?: string[] };
  for (const id of ids) history.delete(id);
  response.writeHead(200, { 'Content-Length': 0 }).end();
}

const queueItem = (job: Job): unknown => [job.number, job.id, job.prompt, job.extra, []];
const GETS: Readonly<Record<string, () => unknown>> = {
  '/prompt': () => ({ exec_info: { queue_remaining: queueLength() } }),
  '/queue': () => ({ queue_running: running === undefined ? [] : [queueItem(running)], queue_pending: pending.map(queueItem) }),
  '/object_info': () => OBJECT_INFO,
  '/features': () => ({ supports_preview_metadata: true, max_upload_size: 104_857_600 }),
  '/system_stats': () => ({ system: { os: 'posix', comfyui_version: '0.3.64', python_version: '3.12.0', argv: [] }, devices: [] }),
};

function answer(request: IncomingMessage, response: ServerResponse, body: string): void {
  const path = (request.url ?? '/').replace(/^\/api(?=\/)/, '').replace(/\?.*$/, '');
  const counted = `${request.method ?? ''} ${path.replace(/^(\/history|\/jobs)\/.*/, '$1/{id}')}`;
  requests[counted] = (requests[counted] ?? 0) + 1;
  if (request.method === 'POST' && path === '/prompt') accept(response, body);
  else if (request.method === 'POST' && path === '/history') forget(response, body);
  else if (path === '/view') {
    response.writeHead(200, { 'Content-Type': 'image/png', 'Content-Length': PICTURE.length }).end(PICTURE);
  } else if (path.startsWith('/history/')) {
    const id = path.slice('/history/'.length);
    json(response, history.has(id) ? { [id]: history.get(id) } : {});
  } else if (GETS[path] === undefined) {
    response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' }).end('404: Not Found');
  } else json(response, GETS[path]());
}

const required = (inputs: object, output: readonly string[], output_node = false): object => ({
  input: { required: inputs },
  output,
  output_name: output,
  output_is_list: output.map(() => false),
  output_node,
  category: 'bench',
});
const OBJECT_INFO = {
  CheckpointLoaderSimple: required({ ckpt_name: [['sd15.safetensors']] }, ['MODEL', 'CLIP', 'VAE']),
  CLIPTextEncode: required({ text: ['STRING', { multiline: true }], clip: ['CLIP'] }, ['CONDITIONING']),
  EmptyLatentImage: required({ width: ['INT', {}], height: ['INT', {}], batch_size: ['INT', {}] }, ['LATENT']),
  KSampler: required(
    {
      model: ['MODEL'],
      seed: ['INT', { default: 0, min: 0, max: Number.MAX_SAFE_INTEGER }],
      steps: ['INT', {}],
      cfg: ['FLOAT', {}],
      sampler_name: [['euler']],
      scheduler: [['normal']],
      positive: ['CONDITIONING'],
      negative: ['CONDITIONING'],
      latent_image: ['LATENT'],
      denoise: ['FLOAT', {}],
    },
    ['LATENT'],
  ),
  VAEDecode: required({ samples: ['LATENT'], vae: ['VAE'] }, ['IMAGE']),
  SaveImage: required({ images: ['IMAGE'], filename_prefix: ['STRING', {}] }, [], true),
};

const server = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => answer(request, response, Buffer.concat(pieces).toString('utf8')));
});
server.keepAliveTimeout = 120_000;
const webSockets = new WebSocketServer({ server, perMessageDeflate: false });
webSockets.on('connection', (socket, request) => {
  const client = new URL(request.url ?? '/', 'http://localhost').searchParams.get('clientId') ?? '';
  sockets.set(client, socket);
  send(client, 'status', { status: { exec_info: { queue_remaining: queueLength() } }, sid: client });
  socket.on('close', () => {
    if (sockets.get(client) === socket) sockets.delete(client);
  });
  socket.on('error', () => socket.terminate());
});
server.listen(0, '127.0.0.1', () => tell({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
serveParent(
  () => ({ requests: { ...requests } }),
  () => undefined,
);
