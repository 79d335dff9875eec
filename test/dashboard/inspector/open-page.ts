/** A real Chromium on the harness page, under the rules that the daemon sets for its pages. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { rolldown } from 'rolldown';
import type { Client } from '#protocol/client.ts';
import { launchChromium } from '../../chromium.ts';

const CSP =
  "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; form-action 'none'";
const PAGE = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Inspector</title><meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/page.css"><link rel="stylesheet" href="/inspector.css"></head><body><main></main><script type="module" src="/harness.js"></script></body></html>`;
const PAGE_CSS = ':root{color-scheme:light dark;font-family:system-ui,sans-serif}body{margin:0}main{padding:8px;box-sizing:border-box}';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export interface InspectorPage {
  readonly page: Page;
  /** Everything that went wrong in the page, and every address outside of it that it asked for. */
  readonly faults: string[];
  /** Methods that were called, in order. */
  readonly calls: string[];
  /** For what the daemon sends unasked. */
  notify(name: string, params: unknown): void;
  mount(runId?: string): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function openPage(
  call: Client['call'],
  look: { readonly width?: number; readonly height?: number; readonly dark?: boolean } = {},
): Promise<InspectorPage> {
  const bundle = await rolldown({ input: here('./harness.ts'), platform: 'browser', logLevel: 'silent' });
  const { output } = await bundle.generate({ format: 'esm' });
  await bundle.close();
  const files = new Map([
    ['/', ['text/html', PAGE]],
    ['/page.css', ['text/css', PAGE_CSS]],
    ['/inspector.css', ['text/css', readFileSync(here('../../../dashboard/inspector/inspector.css'), 'utf8')]],
    ['/harness.js', ['text/javascript', output[0].code]],
  ]);
  const server = createServer((request, response) => {
    const [type = 'text/plain', text = ''] = files.get(request.url ?? '') ?? [];
    response.writeHead(text === '' ? 404 : 200, { 'Content-Type': `${type}; charset=utf-8`, 'Content-Security-Policy': CSP });
    response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const browser = await launchChromium();
  const page = await browser.newPage({
    viewport: { width: look.width ?? 1280, height: look.height ?? 800 },
    colorScheme: look.dark === true ? 'dark' : 'light',
  });
  const faults: string[] = [];
  const calls: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(`${address}/`)) faults.push(`asked for ${request.url()}`);
  });
  await page.exposeFunction('rpcCall', async (method: string, params: unknown) => {
    calls.push(method);
    try {
      return { result: await call(method as 'ping', params as never) };
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  });
  await page.goto(`${address}/`);
  return {
    page,
    faults,
    calls,
    notify(name, params) {
      // The page may have been closed meanwhile.
      page
        .evaluate(
          ([to, given]) => (globalThis as unknown as { notify: (a: unknown, b: unknown) => void }).notify(to, given),
          [name, params],
        )
        .catch(() => undefined);
    },
    mount: (runId) => page.evaluate((id) => (globalThis as unknown as { mount: (id?: string) => void }).mount(id), runId),
    async [Symbol.asyncDispose]() {
      await browser.close();
      server.close();
      server.closeAllConnections();
    },
  };
}
