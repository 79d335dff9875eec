// What the dashboard does when the daemon goes away and comes back.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM } from '../chromium.ts';
import { openStage, type Stage } from './stage.ts';
import { PLAIN } from './templates.ts';

/** Keeps the sockets of the page at hand, so that one can be cut. As text: it runs in the page. */
const KEEP_SOCKETS = `window.sockets = []; window.WebSocket = class extends WebSocket { constructor(...given) { super(...given); window.sockets.push(this); } };`;

describe.skipIf(CHROMIUM === undefined)('the connection of the dashboard', { timeout: 120_000 }, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ templates: { plain: PLAIN } });
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  it('comes back by itself and has every event that happened meanwhile, each once', async () => {
    const { runId } = await stage.client.call('run/start', { template: 'pick-a-look', parameters: {} });
    const page = await stage.open();
    await page.addInitScript(KEEP_SOCKETS);
    await page.reload();
    await page.goto(`http://127.0.0.1:${String(stage.port)}/#/runs/${runId}/events`);
    await page.locator('.log-line').getByText('waiting', { exact: true }).waitFor();
    await page.route('**/session/ticket', (route) => route.abort());
    await page.evaluate('window.sockets.at(-1).close()');
    await page.getByText('The daemon does not answer.').waitFor();
    await stage.client.call('run/choose', { runId, indices: [0] });
    await expect.poll(async () => (await stage.client.call('run/get', { runId })).run.status).toBe('succeeded');
    expect(await page.locator('.log-line').getByText('succeeded').count()).toBe(0);
    await page.unroute('**/session/ticket');
    await page.locator('.log-line').getByText('succeeded').waitFor();
    const numbers = (await page.locator('.log-seq').allTextContents()).map(Number);
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => numbers.length - index));
    await page.getByText('The daemon does not answer.').waitFor({ state: 'detached' });
    await page.context().close();
  });

  it('says that the daemon is gone, that its session ended with it, and goes on once somebody ran callsheet open', async () => {
    const page = await stage.open('/runs');
    await stage.stopDaemon();
    await page.getByText('The daemon does not answer.').waitFor();
    await stage.startDaemon();
    await page.getByText('This browser is not let in any more.').waitFor();
    const other = await page.context().newPage();
    await stage.enter(other);
    await other.close();
    await page.getByText('This browser is not let in any more.').waitFor({ state: 'detached' });
    const { runId } = await stage.client.call('run/start', { template: 'plain-picture', parameters: {} });
    const row = page.locator(`a[href="#/runs/${runId}"]`);
    await row.waitFor();
    expect(await row.textContent()).toContain('Plain picture');
    await page.context().close();
  });
});
