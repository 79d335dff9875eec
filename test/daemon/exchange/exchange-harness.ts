/** A whole daemon on the sandbox, with a root to put files into and a client that uploads and downloads. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '#daemon/config.ts';
import { type Daemon, startDaemon } from '#daemon/daemon.ts';
import { type Client, connect } from '#protocol/client.ts';
import type { TemplateChanged } from '#protocol/methods/event.ts';
import { RUN_ENDS, type RunView } from '#protocol/views.ts';
import { packBundle } from '#templates/bundle/pack.ts';

export const HUGE_SEED = '18446744073709551615';

/** Makes a card without any model: the sandbox and a real ComfyUI draw the same pixels. */
export const GRAPH = {
  '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 0 } },
  '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'card' } },
};

export function manifest(id: string, version = '1.0.0'): object {
  return {
    format: 1,
    id,
    version,
    title: `Card ${id}`,
    parameters: { name: { type: 'string', default: 'card' }, seed: { type: 'seed' } },
    steps: [{ id: 'draw', workflow: 'draw.json', set: { '2.filename_prefix': '{name}-{seed}' }, outputs: { card: '2' } }],
    outputs: { card: { from: '{steps.draw.card}' } },
  };
}

export function bundle(id: string, version?: string, extra: Readonly<Record<string, string>> = {}): Uint8Array {
  const files = { 'template.json': JSON.stringify(manifest(id, version), null, 2), 'draw.json': JSON.stringify(GRAPH, null, 2), ...extra };
  return packBundle(new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)])));
}

export interface Place {
  readonly dir: string;
  readonly data: string;
  readonly imports: string;
  client: Client;
  daemon: Daemon;
  readonly changes: TemplateChanged[];
  /** Writes a file into the approved root and answers its path. */
  put(name: string, content: Uint8Array | string): string;
  download(assetId: string): Promise<Uint8Array>;
  ended(runId: string): Promise<RunView>;
  /** Resolves with the next change of the template that fits. */
  changed(id: string, fits: (change: TemplateChanged) => boolean): Promise<TemplateChanged>;
  restart(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function openPlace(own: Readonly<Record<string, object>> = {}): Promise<Place> {
  const dir = mkdtempSync(join(tmpdir(), 'callsheet-exchange-'));
  const root = join(dir, 'project');
  const templates = join(dir, 'templates');
  mkdirSync(root);
  for (const [id, content] of Object.entries(own)) {
    mkdirSync(join(templates, id), { recursive: true });
    writeFileSync(join(templates, id, 'template.json'), JSON.stringify(content, null, 2));
    writeFileSync(join(templates, id, 'draw.json'), JSON.stringify(GRAPH, null, 2));
  }
  const data = join(dir, 'data');
  const env = { HOME: dir, CALLSHEET_DATA: data, CALLSHEET_RUNTIME_DIR: join(dir, 'rt'), CALLSHEET_LOG_LEVEL: 'silent' };
  const waiting = new Set<() => void>();
  const changes: TemplateChanged[] = [];
  const start = async (): Promise<{ daemon: Daemon; client: Client }> => {
    const daemon = await startDaemon(parseConfig({ templates: [templates], roots: [root], backends: ['sandbox'] }, env, dir));
    const client = await connect({
      ...daemon.endpoint,
      onNotification(name, params) {
        if (name === 'template/changed') changes.push(params as TemplateChanged);
        for (const wake of waiting) wake();
      },
    });
    await client.subscribe({}, { onEvent: () => undefined });
    return { daemon, client };
  };
  /** Looks now and after every notification. */
  const until = <T>(look: () => T | undefined): Promise<T> =>
    new Promise((resolve) => {
      const wake = (): void => {
        const found = look();
        if (found === undefined) return;
        waiting.delete(wake);
        resolve(found);
      };
      waiting.add(wake);
      wake();
    });
  const { daemon, client } = await start();
  const place: Place = {
    dir,
    data,
    imports: join(data, 'templates', 'imported'),
    client,
    daemon,
    changes,
    put(name, content) {
      const path = join(root, name);
      writeFileSync(path, content);
      return path;
    },
    async download(assetId) {
      const { url, key } = place.daemon.endpoint;
      const response = await fetch(new URL(`/assets/${assetId}`, url.replace(/^ws/, 'http')), {
        headers: { authorization: `Bearer ${key}` },
      });
      const bytes = new Uint8Array(await response.arrayBuffer());
      if (createHash('sha256').update(bytes).digest('hex') !== assetId) throw new Error(`HTTP ${response.status}`);
      return bytes;
    },
    ended: (runId) =>
      new Promise((resolve, reject) => {
        const look = async (): Promise<void> => {
          const { run } = await place.client.call('run/get', { runId });
          if (RUN_ENDS.includes(run.status)) resolve(run);
        };
        const wake = (): void => void look().catch(reject);
        place.client.subscribe({ runId }, { onEvent: wake }).then(wake, reject);
      }),
    changed: (id, fits) => until(() => changes.find((change) => change.id === id && fits(change))),
    async restart() {
      await place.client.close();
      await place.daemon.close();
      Object.assign(place, await start());
    },
    async [Symbol.asyncDispose]() {
      await place.client.close();
      await place.daemon.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  return place;
}
