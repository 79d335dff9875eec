import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findRuntime } from '#daemon/runtime-file.ts';
import { connect } from '#protocol/client.ts';
import type { TemplateChanged } from '#protocol/methods/event.ts';

let dir = '';
let env: Record<string, string> = {};
const started: { kill(): void }[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'callsheet-daemon-'));
  env = { PATH: process.env['PATH'] ?? '', HOME: dir, CALLSHEET_DATA: join(dir, 'data'), CALLSHEET_RUNTIME_DIR: join(dir, 'rt') };
});
afterEach(() => {
  for (const daemon of started.splice(0)) daemon.kill();
  rmSync(dir, { recursive: true, force: true });
});

/** Starts a daemon; `ready` rejects when the process ends before it says that it is. */
function start(orders: object = {}) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'daemon-child.ts')], {
    env: { ...env, CALLSHEET_TEST_ORDERS: JSON.stringify(orders) },
    cwd: dir,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push({ kill: () => child.kill('SIGKILL') });
  let out = '';
  let err = '';
  const ready = Promise.withResolvers<{ type: string; url: string; pid: number; runtimeFile: string }>();
  const exit = Promise.withResolvers<number | null>();
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    if (out.includes('\n') && out.startsWith('{"type":"ready"')) ready.resolve(JSON.parse(out.slice(0, out.indexOf('\n'))));
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  child.on('close', (code) => {
    exit.resolve(code);
    ready.reject(new Error(`the daemon ended with ${code}: ${out}${err}`));
  });
  ready.promise.catch(() => {});
  return {
    ready: ready.promise,
    exit: exit.promise,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    output: () => out + err,
    outText: () => out,
    pid: child.pid,
    /** Nobody reads what it writes any more. */
    turnAway() {
      child.stdout.destroy();
      child.stderr.destroy();
    },
  };
}

describe('the process of a daemon', () => {
  it('says that it is ready, is found by its runtime file, and removes that at the end', async () => {
    const daemon = start();
    const { url, pid, runtimeFile } = await daemon.ready;
    expect(pid).toBe(daemon.pid);
    expect(runtimeFile).toMatch(/rt\/runtime-[0-9a-f]{8}\.json$/);
    const info = findRuntime({ env });
    expect(info).toMatchObject({ protocol: 1, pid, url, dataDir: join(dir, 'data') });
    const client = await connect({ url, key: info?.key ?? '' });
    expect((await client.call('daemon/status')).pid).toBe(pid);
    expect((await client.call('backend/list')).backends.map(({ id }) => id)).toEqual(['sandbox']);
    await client.close();
    daemon.kill('SIGTERM');
    expect(await daemon.exit).toBe(0);
    expect(existsSync(runtimeFile)).toBe(false);
  });

  it('ends on daemon/shutdown with 0', async () => {
    const daemon = start();
    const { url } = await daemon.ready;
    const client = await connect({ url, key: findRuntime({ env })?.key ?? '' });
    expect(await client.call('daemon/shutdown')).toEqual({ stopping: true });
    expect(await daemon.exit).toBe(0);
    await client.close();
  });

  it('[F21] refuses a data directory that another one holds: exit 3, with the process id of the holder', async () => {
    const first = start();
    const { pid } = await first.ready;
    const second = start();
    expect(await second.exit).toBe(3);
    expect(JSON.parse(second.outText())).toMatchObject({
      type: 'error',
      error: { code: 'STORAGE_LOCKED', message: expect.stringContaining(String(pid)) },
    });
    expect(findRuntime({ env })?.pid).toBe(pid);
  });

  it('starts again at once after it was killed, though its runtime file still lies there', async () => {
    const first = start();
    const { pid } = await first.ready;
    first.kill('SIGKILL');
    await first.exit;
    expect(findRuntime({ env })).toBeUndefined();
    const second = start();
    expect((await second.ready).pid).not.toBe(pid);
  });

  it('refuses a runtime directory that others may read: exit 1, and says the cure', async () => {
    mkdirSync(join(dir, 'rt'), { mode: 0o755 });
    const daemon = start();
    expect(await daemon.exit).toBe(1);
    expect(daemon.output()).toContain('chmod 700');
    expect(readdirSync(join(dir, 'rt'))).toEqual([]);
  });

  it('says so when the port is taken, and when a directory can not be made: exit 1', async () => {
    const first = start();
    const { url } = await first.ready;
    const second = start({ data: join(dir, 'other'), port: Number(new URL(url).port) });
    expect(await second.exit).toBe(1);
    expect(second.outText()).toContain('PORT_UNAVAILABLE');
    writeFileSync(join(dir, 'file'), '');
    const third = start({ data: join(dir, 'third'), out: join(dir, 'file', 'out') });
    expect(await third.exit).toBe(1);
    expect(third.outText()).toContain('STORAGE_FAILED');
    expect(readdirSync(join(dir, 'rt')).filter((name) => name.endsWith('.json'))).toHaveLength(1);
  });

  it('logs what nobody caught, ends with 1, and leaves no runtime file', async () => {
    const daemon = start();
    const { runtimeFile } = await daemon.ready;
    daemon.kill('SIGUSR2');
    expect(await daemon.exit).toBe(1);
    expect(readFileSync(join(dir, 'data', 'log', 'callsheet.log'), 'utf8')).toContain('nobody catches this');
    expect(existsSync(runtimeFile)).toBe(false);
  });

  it('ends all the same when whoever started it is gone and nobody reads what it says', async () => {
    const daemon = start();
    const { runtimeFile } = await daemon.ready;
    daemon.turnAway();
    daemon.kill('SIGUSR2');
    expect(await daemon.exit).toBe(1);
    expect(existsSync(runtimeFile)).toBe(false);
  });

  it('[S5] keeps its key out of log, output, arguments and environment; only the runtime file has it', async () => {
    const daemon = start();
    const { url, pid, runtimeFile } = await daemon.ready;
    const key = findRuntime({ env })?.key ?? '';
    expect(key).toHaveLength(43);
    const client = await connect({ url, key });
    await client.call('template/list');
    const process = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'latin1')).join('');
    await client.close();
    const copy = readFileSync(runtimeFile, 'utf8');
    daemon.kill('SIGTERM');
    await daemon.exit;
    const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const written = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')).join('');
    expect(copy).toContain(key);
    expect(process + daemon.output() + written).not.toContain(key);
  });

  it('makes everything for its owner alone', async () => {
    const daemon = start();
    await daemon.ready;
    const modes = ['data', 'data/log', 'data/log/callsheet.log', 'rt'].map((path) => statSync(join(dir, path)).mode & 0o077);
    expect(modes).toEqual([0, 0, 0, 0]);
  });

  it('tells of a template that was saved, broken and mended, while it runs', async () => {
    const templates = join(dir, 'mine');
    mkdirSync(templates);
    const daemon = start({ templates: [templates] });
    const { url } = await daemon.ready;
    const told: TemplateChanged[] = [];
    const client = await connect({
      url,
      key: findRuntime({ env })?.key ?? '',
      onNotification: (name, params) => {
        if (name === 'template/changed') told.push(params as TemplateChanged);
      },
    });
    await client.subscribe({}, { onEvent: () => {} });
    const save = (text: string) => writeFileSync(join(templates, 'still.json'), text);
    const graph = {
      '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 0 } },
      '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'x' } },
    };
    save(JSON.stringify(graph));
    await expect.poll(() => told.at(-1)).toMatchObject({ id: 'still', runnable: true });
    save(JSON.stringify(graph).slice(0, 40));
    await expect.poll(() => told.at(-1)).toMatchObject({ id: 'still', runnable: false, problems: [{ severity: 'error' }] });
    const { template } = await client.call('template/get', { id: 'still' });
    expect(template.steps).toHaveLength(1);
    save(JSON.stringify(graph));
    await expect.poll(() => told.at(-1)).toMatchObject({ id: 'still', runnable: true });
    await client.close();
  });
});
