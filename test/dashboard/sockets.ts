/** The sockets of a page at hand: one can be cut, calls can be refused or cut, and notifications be heard, without the daemon's doing. */
import type { Page } from 'playwright-core';

/** As text: it runs in the page. `refused` and `cut` say how many more calls of a method meet that end. */
const SOCKETS = `
window.sockets = []; window.refused = {}; window.cut = {};
window.WebSocket = class extends WebSocket {
  constructor(...given) { super(...given); window.sockets.push(this); }
  send(text) {
    const { id, method } = JSON.parse(text);
    if (window.cut[method] > 0) { window.cut[method] -= 1; this.close(); return; }
    if (window.refused[method] > 0) {
      window.refused[method] -= 1;
      const data = { code: 'STORAGE_BUSY', message: 'Another program holds the database.', retryable: true };
      const answer = { jsonrpc: '2.0', id, error: { code: -32010, message: data.message, data } };
      queueMicrotask(() => this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(answer) })));
      return;
    }
    super.send(text);
  }
};`;

/** Reloads the page with its sockets kept; `more` runs in the page as well, before it. */
export async function keepSockets(page: Page, more = ''): Promise<void> {
  await page.addInitScript(SOCKETS + more);
  await page.reload();
}

export async function cutSocket(page: Page): Promise<void> {
  await page.evaluate('window.sockets.at(-1).close()');
}

/** The next calls of the method are answered with STORAGE_BUSY, which passes. */
export async function refuse(page: Page, method: string, times: number): Promise<void> {
  await page.evaluate(`window.refused[${JSON.stringify(method)}] = ${String(times)}`);
}

/** How many calls are still to be refused. */
export async function leftToRefuse(page: Page, method: string): Promise<number> {
  return Number(await page.evaluate(`window.refused[${JSON.stringify(method)}]`));
}

/** The socket is cut instead of the next call of the method being sent. */
export async function cutAt(page: Page, method: string): Promise<void> {
  await page.evaluate(`window.cut[${JSON.stringify(method)}] = 1`);
}

/** The page hears these notifications at once, one after the other. */
export async function hear(page: Page, ...notifications: readonly { readonly method: string; readonly params: unknown }[]): Promise<void> {
  const frames = notifications.map((one) => JSON.stringify({ jsonrpc: '2.0', ...one }));
  await page.evaluate(
    `for (const data of ${JSON.stringify(frames)}) window.sockets.at(-1).dispatchEvent(new MessageEvent('message', { data }))`,
  );
}
