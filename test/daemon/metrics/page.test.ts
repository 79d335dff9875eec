// The page of a real daemon: who gets it, what stands in it, and what a daemon pays for it that nobody asks.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseConfig } from '#daemon/config.ts';
import { type Daemon, startDaemon } from '#daemon/daemon.ts';
import { METRICS } from '#daemon/metrics/catalogue.ts';
import { ATTEMPT_OUTCOMES, ITEM_ENDS, PHASES } from '#daemon/metrics/facts.ts';
import { findRuntime } from '#daemon/runtime-file.ts';
import { connect } from '#protocol/client.ts';
import { RUN_ENDS } from '#protocol/views.ts';
import { startCollector } from '../tracing/collector.ts';
import { parseExposition, valueOf } from './exposition.ts';

const GRAPH = {
  '1': { class_type: 'EmptyImage', inputs: { width: 64, height: 64, batch_size: 1, color: 7 } },
  '2': { class_type: 'ImageInvert', inputs: { image: ['1', 0] } },
  '9': { class_type: 'ImageInvert', inputs: { image: ['1', 0] } },
  '3': { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: 'card' } },
};

function place() {
  const dir = mkdtempSync(join(tmpdir(), 'callsheet-page-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, 'templates'));
  writeFileSync(join(dir, 'templates', 'card.json'), JSON.stringify(GRAPH));
  const keyFile = join(dir, 'metrics.key');
  const env = {
    HOME: dir,
    CALLSHEET_DATA: join(dir, 'data'),
    CALLSHEET_RUNTIME_DIR: join(dir, 'rt'),
    CALLSHEET_METRICS_KEY_FILE: keyFile,
  };
  return { dir, env, keyFile };
}

async function daemonWith(extra: Readonly<Record<string, string>> = {}) {
  const { dir, env, keyFile } = place();
  const config = parseConfig({ templates: [join(dir, 'templates')], backends: ['sandbox'] }, { ...env, ...extra }, dir);
  const daemon = await startDaemon(config);
  let open = true;
  const close = async () => {
    if (open) await daemon.close();
    open = false;
  };
  onTestFinished(close);
  return { daemon, dir, keyFile, close };
}

function get(daemon: Daemon, headers: Readonly<Record<string, string>>, method = 'GET') {
  return fetch(`http://127.0.0.1:${daemon.port}/metrics`, { method, headers });
}

async function runTo(daemon: Daemon, template: string): Promise<string> {
  const client = await connect(daemon.endpoint);
  try {
    const { runId } = await client.call('run/start', { template });
    await expect
      .poll(async () => RUN_ENDS.includes((await client.call('run/get', { runId })).run.status), { timeout: 30_000, interval: 50 })
      .toBe(true);
    return runId;
  } finally {
    await client.close();
  }
}

describe('GET /metrics', () => {
  it('counts a run, the same from the cache, what the optimiser saved, and what was refused', async () => {
    const { daemon, keyFile } = await daemonWith();
    const key = readFileSync(keyFile, 'utf8');
    expect((await get(daemon, {})).status).toBe(401);
    expect((await get(daemon, { Authorization: `Bearer ${'x'.repeat(43)}` })).status).toBe(401);
    expect((await get(daemon, { Authorization: `Bearer ${key}`, Origin: 'https://elsewhere.example' })).status).toBe(403);
    await runTo(daemon, 'card');
    await runTo(daemon, 'card');
    const response = await get(daemon, { Authorization: `Bearer ${key}` });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const page = parseExposition(await response.text());

    expect(valueOf(page, 'callsheet_runs', { status: 'succeeded', template: 'card' })).toBe(2);
    expect(valueOf(page, 'callsheet_runs_ended_total', { status: 'succeeded', template: 'card' })).toBe(2);
    expect(valueOf(page, 'callsheet_step_items_total', { status: 'done' })).toBe(1);
    expect(valueOf(page, 'callsheet_step_items_total', { status: 'cached' })).toBe(1);
    expect(valueOf(page, 'callsheet_result_cache_hits_total')).toBe(1);
    expect(valueOf(page, 'callsheet_result_cache_misses_total')).toBe(1);
    expect(valueOf(page, 'callsheet_result_cache_bytes')).toBeGreaterThan(0);
    expect(valueOf(page, 'callsheet_attempts_total', { backend: 'sandbox', outcome: 'finished' })).toBe(1);
    expect(valueOf(page, 'callsheet_optimiser_saved_nodes_total', { pass: 'dead-nodes' })).toBe(1);
    expect(valueOf(page, 'callsheet_optimiser_savings_total', { pass: 'result-cache' })).toBe(1);
    expect(valueOf(page, 'callsheet_refusals_total', { reason: 'token' })).toBe(2);
    expect(valueOf(page, 'callsheet_refusals_total', { reason: 'origin' })).toBe(1);
    expect(valueOf(page, 'callsheet_refusals_total', { reason: 'slow-reader' })).toBe(0);
    expect(valueOf(page, 'callsheet_backend_status', { backend: 'sandbox', kind: 'sandbox', status: 'ready' })).toBe(1);
    expect(valueOf(page, 'callsheet_store_file_bytes', { file: 'database' })).toBeGreaterThan(0);
    expect(valueOf(page, 'callsheet_storage_ready')).toBe(1);
    expect(page.get('nodejs_eventloop_lag_seconds')?.samples).toHaveLength(1);
    expect(page.get('process_cpu_seconds_total')?.samples).toHaveLength(1);
  });

  it('has every metric of the catalogue, as it says, with labels whose values are known beforehand', async () => {
    const { daemon, keyFile } = await daemonWith();
    await runTo(daemon, 'card');
    const page = parseExposition(await (await get(daemon, { Authorization: `Bearer ${readFileSync(keyFile, 'utf8')}` })).text());
    const values: Readonly<Record<string, readonly string[]>> = { phase: PHASES, outcome: ATTEMPT_OUTCOMES };
    const wrong: string[] = [];
    for (const [name, { type, labels }] of Object.entries(METRICS)) {
      if (page.get(name)?.type !== type) wrong.push(`${name} is no ${type}`);
      // The conventions of Prometheus.
      if (name.endsWith('_total') !== (type === 'counter')) wrong.push(`${name} is a ${type}`);
      if (type === 'histogram' && !name.endsWith('_seconds')) wrong.push(`${name} has no unit`);
      for (const { labels: found } of page.get(name)?.samples ?? []) {
        const { le: _le, ...own } = found;
        if (Object.keys(own).toSorted().join() !== labels.toSorted().join()) wrong.push(`${name} has ${Object.keys(own).join()}`);
        for (const [label, value] of Object.entries(own)) {
          if (values[label]?.includes(value) === false) wrong.push(`${name} has ${label}=${value}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    for (const { labels } of page.get('callsheet_step_items_total')?.samples ?? []) expect(ITEM_ENDS).toContain(labels['status']);
    // Nothing of ours is on the page that the catalogue lacks.
    expect([...page.keys()].filter((name) => name.startsWith('callsheet_')).toSorted()).toEqual(Object.keys(METRICS).toSorted());
  });

  it('answers HEAD without a body, and other methods not at all', async () => {
    const { daemon, keyFile } = await daemonWith();
    const headers = { Authorization: `Bearer ${readFileSync(keyFile, 'utf8')}` };
    const head = await get(daemon, headers, 'HEAD');
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await get(daemon, headers, 'POST')).status).toBe(405);
  });

  it('is had with the key of a file for its owner alone, which goes with the daemon; it opens nothing but what may be read', async () => {
    const { daemon, keyFile, close } = await daemonWith();
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    const headers = { Authorization: `Bearer ${readFileSync(keyFile, 'utf8')}` };
    expect((await fetch(`http://127.0.0.1:${daemon.port}/uploads`, { method: 'POST', headers, body: 'x' })).status).toBe(403);
    await close();
    expect(existsSync(keyFile)).toBe(false);
  });

  it('gives no key away: not in the log at its finest, nor in the database, nor on the page', async () => {
    const { daemon, dir, keyFile, close } = await daemonWith({ CALLSHEET_LOG_LEVEL: 'trace' });
    const key = readFileSync(keyFile, 'utf8');
    await get(daemon, { Authorization: `Bearer ${'y'.repeat(43)}` });
    await runTo(daemon, 'card');
    const page = await (await get(daemon, { Authorization: `Bearer ${key}` })).text();
    await close();
    const data = join(dir, 'data');
    const files = readdirSync(data, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(data, name)).isFile());
    expect(files).toContain(join('log', 'callsheet.log'));
    expect(readFileSync(join(data, 'log', 'callsheet.log'), 'utf8')).toContain('item submitting');
    const texts = [page, ...files.map((name) => readFileSync(join(data, name), 'latin1'))];
    for (const secret of [key, daemon.endpoint.key, 'y'.repeat(43)]) expect(texts.filter((text) => text.includes(secret))).toEqual([]);
  });

  it('says what is wrong when that file cannot be written, and starts nothing', async () => {
    const { dir, env } = place();
    const config = parseConfig({ backends: ['sandbox'] }, { ...env, CALLSHEET_METRICS_KEY_FILE: join(dir, 'nowhere', 'key') }, dir);
    await expect(startDaemon(config)).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('nowhere') });
  });
});

/** A daemon as a process of its own, and the packages that it loaded until it ended. */
async function packagesOf(
  act: (url: string, key: string, env: Readonly<Record<string, string>>) => Promise<void>,
  extra: Readonly<Record<string, string>> = {},
) {
  const { dir, env, keyFile } = place();
  const loaded = join(dir, 'loaded');
  writeFileSync(loaded, '');
  const watch = pathToFileURL(join(import.meta.dirname, 'load-watch.ts')).href;
  const main = join(import.meta.dirname, '..', '..', '..', 'src', 'cli', 'main.ts');
  const child = spawn(
    process.execPath,
    ['--import', watch, main, 'daemon', '--json', '--backend', 'sandbox', '--templates', join(dir, 'templates')],
    {
      cwd: dir,
      env: { PATH: process.env['PATH'] ?? '', ...env, ...extra, CALLSHEET_TEST_LOADED: loaded },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const exit = new Promise((resolve) => child.once('close', resolve));
  const url = await new Promise<string>((resolve, reject) => {
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      if (out.includes('\n')) resolve((JSON.parse(out.split('\n')[0] ?? '') as { readonly url: string }).url);
    });
    child.once('close', () => reject(new Error(`the daemon ended: ${out}`)));
  });
  await act(url, readFileSync(keyFile, 'utf8'), env);
  child.kill('SIGTERM');
  await exit;
  const names = readFileSync(loaded, 'utf8').matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/g);
  return [...new Set([...names].map(([, name = '']) => name))].filter((name) => /^(?:prom-client|@opentelemetry\/)/.test(name)).toSorted();
}

describe('what is loaded', () => {
  const scrape = async (url: string, key: string) => {
    const page = await fetch(`${url.replace('ws:', 'http:').replace('/rpc', '')}/metrics`, { headers: { Authorization: `Bearer ${key}` } });
    expect(page.status).toBe(200);
  };

  it('is neither prom-client nor OpenTelemetry while nobody scrapes and no endpoint is set', async () => {
    expect(await packagesOf(async () => undefined)).toEqual([]);
  });

  it('is prom-client with its own small interface, and no OpenTelemetry that sends anything, once somebody scrapes', async () => {
    expect(await packagesOf(scrape)).toEqual(['@opentelemetry/api', 'prom-client']);
  });

  it('is the exporter with the first span of a run, where an endpoint is set', async () => {
    await using collector = await startCollector();
    const extra = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.base, OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=film', OTEL_SERVICE_NAME: 'stage' };
    const packages = await packagesOf(async (url, _key, env) => {
      const found = findRuntime({ env });
      const client = await connect({ url, key: found?.key ?? '' });
      const { runId } = await client.call('run/start', { template: 'card' });
      await expect
        .poll(async () => (await client.call('run/get', { runId })).run.status, { timeout: 30_000, interval: 50 })
        .toBe('succeeded');
      await client.close();
    }, extra);
    expect(packages).toContain('@opentelemetry/exporter-trace-otlp-http');
    // What the standard variables say holds.
    expect(collector.requests[0]?.headers['x-tenant']).toBe('film');
    expect(collector.spans.find(({ name }) => name === 'run card')?.resource).toMatchObject({ 'service.name': 'stage' });
  });
});
