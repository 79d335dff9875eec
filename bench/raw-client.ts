/**
 * The hand-written client that Callsheet is measured beside: keep-alive HTTP and one shared WebSocket, prompt ids of its own choosing,
 * every message parsed, done at `execution_success`. It stores nothing, reads no history, checks no template and fetches no file.
 * With a directory it also fetches each file and writes it durably (temporary file, fsync, rename, fsync of the directory).
 */
import { randomUUID } from 'node:crypto';
import { open, rename } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import type { ApiGraph } from './sample-graphs.ts';

interface FileName {
  readonly filename: string;
  readonly subfolder: string;
  readonly type: string;
}

interface Waiting {
  readonly resolve: (files: readonly FileName[]) => void;
  readonly files: FileName[];
  node: string | undefined;
  progress: number;
}

interface Message {
  readonly type: string;
  readonly data: {
    readonly prompt_id?: string;
    readonly node?: string;
    readonly value?: number;
    readonly max?: number;
    readonly output?: { readonly images?: readonly FileName[] };
  };
}

export interface RawClient {
  /** Sends one graph and resolves when it has succeeded (and its files are on disk, when a directory was given). */
  run(graph: ApiGraph): Promise<void>;
  close(): void;
}

export async function connectRaw(url: string, directory?: string): Promise<RawClient> {
  const clientId = randomUUID();
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const waiting = new Map<string, Waiting>();
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws?clientId=${clientId}`, { perMessageDeflate: false });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.on('message', (bytes: Buffer, isBinary) => {
    if (!isBinary) take(JSON.parse(bytes.toString('utf8')) as Message);
  });

  function take({ type, data }: Message): void {
    const one = data.prompt_id === undefined ? undefined : waiting.get(data.prompt_id);
    if (one === undefined) return;
    if (type === 'progress') one.progress = (data.value ?? 0) / (data.max ?? 1);
    else if (type === 'executing') one.node = data.node;
    else if (type === 'executed') one.files.push(...(data.output?.images ?? []));
    else if (type === 'execution_success') {
      waiting.delete(data.prompt_id ?? '');
      one.resolve(one.files);
    }
  }

  function call(method: 'GET' | 'POST', path: string, body?: string): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
      const outgoing = request(`${url}${path}`, { method, agent, headers }, (incoming) => {
        const pieces: Buffer[] = [];
        incoming.on('data', (piece: Buffer) => pieces.push(piece));
        incoming.on('end', () => {
          if (incoming.statusCode === 200) resolve(Buffer.concat(pieces));
          else reject(new Error(`${method} ${path} was answered with ${String(incoming.statusCode)}`));
        });
        incoming.on('error', reject);
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  async function keep(folder: string, { filename, subfolder, type }: FileName): Promise<void> {
    const bytes = await call('GET', `/view?${new URLSearchParams({ filename, subfolder, type }).toString()}`);
    const temporary = join(folder, `.${randomUUID()}.partial`);
    const handle = await open(temporary, 'wx');
    await handle.write(bytes);
    await handle.sync();
    await handle.close();
    await rename(temporary, join(folder, `${randomUUID()}-${filename}`));
    const parent = await open(folder, 'r');
    await parent.sync();
    await parent.close();
  }

  return {
    async run(graph) {
      const id = randomUUID();
      const done = new Promise<readonly FileName[]>((resolve) => {
        waiting.set(id, { resolve, files: [], node: undefined, progress: 0 });
      });
      const body = JSON.stringify({ prompt: graph, client_id: clientId, prompt_id: id });
      const [files, answer] = await Promise.all([done, call('POST', '/prompt', body)]);
      if ((JSON.parse(answer.toString('utf8')) as { prompt_id?: string }).prompt_id !== id) throw new Error('Another prompt was accepted.');
      if (directory !== undefined) for (const file of files) await keep(directory, file);
    },
    close() {
      socket.terminate();
      agent.destroy();
    },
  };
}
