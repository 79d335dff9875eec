// A run while it is at work: what is seen of it moves with it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM } from '../chromium.ts';
import { openStage, type Stage } from './stage.ts';

describe.skipIf(CHROMIUM === undefined)('a run at work in the dashboard', { timeout: 120_000 }, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ latencyMs: 120 });
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  it('shows the node at work, pictures of what is being made, and how far the whole is', async () => {
    const { runId } = await stage.client.call('run/start', { template: 'character-pipeline', parameters: {} });
    const page = await stage.open(`/runs/${runId}/graph/base`);
    const running = page.locator('[data-state=running]');
    await running.waitFor();
    expect(await page.locator('[data-node="1"]').getAttribute('data-state')).toBe('done');
    await page.getByRole('tab', { name: 'Overview' }).click();
    const preview = page.locator('.preview img');
    await preview.waitFor();
    await expect.poll(() => preview.evaluate((img: { naturalWidth: number }) => img.naturalWidth)).toBeGreaterThan(0);
    const bar = page.getByRole('progressbar', { name: 'Progress of the run' });
    const before = Number(await bar.getAttribute('aria-valuenow'));
    await expect.poll(async () => Number(await bar.getAttribute('aria-valuenow'))).toBeGreaterThan(before);
    // In the list as well, and gone from there as active once it ends.
    const list = await stage.open('/runs');
    const row = list.locator(`a[href="#/runs/${runId}"]`);
    await row.getByText('Running').waitFor();
    await stage.client.call('run/cancel', { runId });
    await row.getByText('Cancelled').waitFor();
    await list.getByRole('button', { name: 'Active' }).click();
    await row.waitFor({ state: 'detached' });
    await page.locator('.run-head .badge', { hasText: 'Cancelled' }).waitFor();
    expect(stage.complaints).toEqual([]);
    await page.context().close();
    await list.context().close();
  });

  it('draws what waits to be sent as the template has it', async () => {
    await stage.client.call('queue/pause', {});
    const { runId } = await stage.client.call('run/start', { template: 'pick-a-look', parameters: {} });
    const page = await stage.open(`/runs/${runId}/graph/finish`);
    await page.getByText('As the template has it; nothing was sent').waitFor();
    await page.locator('[data-node]').first().waitFor();
    const states = await page.locator('[data-node]').evaluateAll((nodes) => nodes.map((node) => node.getAttribute('data-state')));
    expect(new Set(states)).toEqual(new Set(['waiting']));
    await page.context().close();
  });
});
