// What the dashboard does when the daemon goes away and comes back.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM } from '../chromium.ts';
import { cutAt, cutSocket, hear, keepSockets, leftToRefuse, refuse } from './sockets.ts';
import { openStage, type Stage } from './stage.ts';
import { PLAIN } from './templates.ts';

/** Frames come late, so that what waits for one can be met. */
const SLOW_FRAMES = `window.requestAnimationFrame = (draw) => setTimeout(() => draw(performance.now()), 500);`;

describe.skipIf(CHROMIUM === undefined)('the connection of the dashboard', { timeout: 120_000 }, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ templates: { plain: PLAIN } });
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  it('comes back by itself and has every event that happened meanwhile, each once', async () => {
    const { runId } = await stage.client.call('run/start', { template: 'pick-a-look', parameters: {} });
    const page = await stage.open();
    await keepSockets(page);
    await page.goto(`http://127.0.0.1:${String(stage.port)}/#/runs/${runId}/events`);
    await page.locator('.log-line').getByText('waiting', { exact: true }).waitFor();
    await page.route('**/session/ticket', (route) => route.abort());
    await cutSocket(page);
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

  it('has the events of a run whose log could not be read for a moment', async () => {
    const { runId } = await stage.client.call('run/start', { template: 'pick-a-look', parameters: {} });
    const page = await stage.open();
    await keepSockets(page);
    await page.getByText('Connected').waitFor({ state: 'attached' });
    await refuse(page, 'event/subscribe', 2);
    await page.goto(`http://127.0.0.1:${String(stage.port)}/#/runs/${runId}/events`);
    await page.locator('.log-line').getByText('waiting', { exact: true }).waitFor();
    expect(await leftToRefuse(page, 'event/subscribe')).toBe(0);
    await stage.client.call('run/cancel', { runId });
    await page.locator('.log-line').getByText('cancelled', { exact: true }).first().waitFor();
    await page.context().close();
  });

  it('shows how a run ended although the answer that says so was lost with the connection', async () => {
    const { runId } = await stage.client.call('run/start', { template: 'pick-a-look', parameters: {} });
    const page = await stage.open();
    await keepSockets(page);
    await page.goto(`http://127.0.0.1:${String(stage.port)}/#/runs/${runId}`);
    await page.locator('.run-head .badge', { hasText: 'Needs you' }).waitFor();
    // The last events of the run come, and the connection goes before it is read for them.
    await cutAt(page, 'run/get');
    await stage.client.call('run/cancel', { runId });
    await expect.poll(() => page.evaluate('window.sockets.length')).toBe(2);
    await page.locator('.run-head .badge', { hasText: 'Cancelled' }).waitFor();
    await page.context().close();
  });

  it('shows a run that could not be read for a moment', async () => {
    const { runId } = await stage.client.call('run/start', { template: 'plain-picture', parameters: {} });
    await stage.ended(runId);
    const page = await stage.open();
    await keepSockets(page);
    await page.getByText('Connected').waitFor({ state: 'attached' });
    // More often than what its events are a reason for.
    await refuse(page, 'run/get', 3);
    await page.goto(`http://127.0.0.1:${String(stage.port)}/#/runs/${runId}`);
    await page.locator('.run-head .badge', { hasText: 'Done' }).waitFor();
    expect(await leftToRefuse(page, 'run/get')).toBe(0);
    await page.context().close();
  });

  it('does not show runs any more that were removed while it was away', async () => {
    const [removed, kept] = await startBoth(stage);
    const page = await stage.open();
    await keepSockets(page);
    await page.goto(`http://127.0.0.1:${String(stage.port)}/#/runs`);
    const row = page.locator(`a[href="#/runs/${removed}"]`);
    await row.waitFor();
    await page.route('**/session/ticket', (route) => route.abort());
    await cutSocket(page);
    await page.getByText('The daemon does not answer.').waitFor();
    await stage.client.call('run/clean', { keep: 0, template: 'plain-picture' });
    await page.unroute('**/session/ticket');
    await row.waitFor({ state: 'detached' });
    expect(await page.locator(`a[href="#/runs/${kept}"]`).count()).toBe(1);
    await page.context().close();
  });

  it('does not show a run again that was removed while news of it waited to be drawn', async () => {
    const { runId: removed } = await stage.client.call('run/start', { template: 'plain-picture', parameters: {} });
    await stage.ended(removed);
    const page = await stage.open();
    await keepSockets(page, SLOW_FRAMES);
    await page.goto(`http://127.0.0.1:${String(stage.port)}/#/runs`);
    const row = page.locator(`a[href="#/runs/${removed}"]`);
    await row.waitFor();
    // The daemon, which has the run still, does not name it again.
    await refuse(page, 'run/list', 1000);
    await hear(
      page,
      { method: 'progress', params: { runId: removed, progress: 0.5 } },
      { method: 'run/removed', params: { runIds: [removed] } },
    );
    // Two frames on, the news are drawn.
    await page.evaluate('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))');
    expect(await row.count()).toBe(0);
    await page.context().close();
  });

  it('shows a run that was asked for while the daemon was away', async () => {
    const [runId] = await startBoth(stage);
    const page = await stage.open();
    await keepSockets(page);
    await page.getByText('Connected').waitFor({ state: 'attached' });
    let tries = 0;
    await page.route('**/session/ticket', (route) => {
      tries += 1;
      return route.abort();
    });
    await cutSocket(page);
    await expect.poll(() => tries).toBeGreaterThan(0);
    await page.goto(`http://127.0.0.1:${String(stage.port)}/#/runs/${runId}/events`);
    const before = tries;
    await expect.poll(() => tries).toBeGreaterThan(before);
    await page.unroute('**/session/ticket');
    await page.locator('.log-line').getByText('succeeded').waitFor();
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

// --- helpers ---

/** A run that has ended and may be cleaned away, and one that waits for a person. */
async function startBoth(stage: Stage): Promise<readonly [ended: string, waiting: string]> {
  const { runId } = await stage.client.call('run/start', { template: 'plain-picture', parameters: {} });
  const waiting = await stage.client.call('run/start', { template: 'pick-a-look', parameters: {} });
  await stage.ended(runId);
  return [runId, waiting.runId];
}
