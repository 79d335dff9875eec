/** A real daemon in this process with the sandbox behind it, the dashboard built, and pages of a real browser that came in by a code. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { parseConfig } from '#daemon/config.ts';
import { startDaemon } from '#daemon/daemon.ts';
import { connect } from '#protocol/client.ts';
import { RUN_ENDS, type RunStatus } from '#protocol/views.ts';
import { startSandbox } from '#backends/sandbox/server.ts';
import { buildDashboardOnce } from '../../scripts/build-dashboard.ts';
import { launchChromium } from '../chromium.ts';

export interface StageOptions {
  /** Milliseconds that the sandbox takes for each node and sampler step. */
  readonly latencyMs?: number;
  /** Folder name → file name → content, put into a template directory of the stage. */
  readonly templates?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly port?: number;
  /** Where everything lies; a fresh directory when absent. It is removed in the end. */
  readonly dir?: string;
}

export type Stage = Awaited<ReturnType<typeof openStage>>;

export async function openStage({ latencyMs = 5, templates = {}, port = 0, dir = freshDirectory() }: StageOptions = {}) {
  await buildDashboardOnce();
  const templateDir = join(dir, 'library');
  for (const [folder, files] of Object.entries(templates)) {
    mkdirSync(join(templateDir, folder), { recursive: true });
    for (const [name, content] of Object.entries(files)) writeFileSync(join(templateDir, folder, name), JSON.stringify(content));
  }
  mkdirSync(templateDir, { recursive: true });
  const sandbox = await startSandbox({ dir: join(dir, 'sandbox'), latencyMs });
  const config = parseConfig(
    { data: join(dir, 'data'), templates: [templateDir], roots: [dir], backends: [`studio:comfyui=${sandbox.url}`], port },
    { CALLSHEET_RUNTIME_DIR: join(dir, 'runtime'), HOME: dir, CALLSHEET_LOG_LEVEL: 'silent' },
    dir,
  );
  let daemon = await startDaemon(config);
  let client = await connect({ ...daemon.endpoint, name: 'stage' });
  const browser: Browser = await launchChromium();
  /** What pages said that went wrong: errors of scripts, and what the policy refused. */
  const complaints: string[] = [];

  return {
    dir,
    sandbox,
    browser,
    complaints,
    get client() {
      return client;
    },
    get port() {
      return daemon.port;
    },
    /** The process is gone without a word. */
    async stopDaemon(): Promise<void> {
      await client.close();
      await daemon.close();
    },
    /** At the same port, as the same data directory has it. */
    async startDaemon(): Promise<void> {
      daemon = await startDaemon({ ...config, port: daemon.port });
      client = await connect({ ...daemon.endpoint, name: 'stage' });
    },
    /** Waits for the end of a run; how it ended. */
    async ended(runId: string): Promise<RunStatus> {
      for (;;) {
        const { status } = (await client.call('run/get', { runId })).run;
        if (RUN_ENDS.includes(status)) return status;
        await pause(20);
      }
    },
    /** A browser of its own that ran `callsheet open`. */
    async open(place = '', options: BrowserContextOptions = {}): Promise<Page> {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
      context.setDefaultTimeout(60_000);
      const page = await context.newPage();
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error' && !/net::ERR_|status of 401/.test(message.text())) complaints.push(message.text());
      });
      await this.enter(page);
      if (place !== '') await page.goto(`http://127.0.0.1:${String(daemon.port)}/#${place}`);
      return page;
    },
    async enter(page: Page): Promise<void> {
      const { url } = await client.call('session/open', {});
      await page.goto(url);
      await page.waitForURL(/\/(?:#.*)?$/);
      await page.getByText('Connected').waitFor({ state: 'attached' });
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await browser.close();
      await client.close();
      await daemon.close();
      await sandbox.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

// --- helpers ---

function freshDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'callsheet-dashboard-'));
}
