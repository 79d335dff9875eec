// The graph of a run as it is drawn: the nodes and links that were sent, each with its state.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { CHROMIUM } from '../chromium.ts';
import { openStage, type Stage } from './stage.ts';
import { PLAIN, WITH_PREVIEW } from './templates.ts';

describe.skipIf(CHROMIUM === undefined)('the graph in the dashboard', { timeout: 120_000 }, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ templates: { plain: PLAIN, preview: WITH_PREVIEW } });
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const done = async (template: string, parameters: Record<string, unknown> = {}): Promise<string> => {
    const { runId } = await stage.client.call('run/start', { template, parameters });
    await expect.poll(async () => (await stage.client.call('run/get', { runId })).run.status).toMatch(/succeeded|failed/);
    return runId;
  };
  const statesOn = async (page: Page): Promise<Record<string, string>> => {
    await page.locator('[data-node]').first().waitFor();
    return Object.fromEntries(
      await page.locator('[data-node]').evaluateAll((nodes) =>
        nodes.map((node) => {
          const { node: id, state } = (node as unknown as { dataset: Record<string, string> }).dataset;
          return [id ?? '', state ?? ''];
        }),
      ),
    );
  };

  it('has every node and every link of what was sent, laid out in a worker', async () => {
    const runId = await done('character-pipeline');
    const page = await stage.open(`/runs/${runId}/graph/base`);
    const states = await statesOn(page);
    const { nodes } = await stage.client.call('run/graph', { runId, step: 'base' });
    expect(Object.keys(states).toSorted()).toEqual(nodes.map(({ id }) => id).toSorted());
    const links = nodes.flatMap(({ inputs }) => inputs.filter(({ from }) => from !== undefined)).length;
    expect(await page.locator('.link').count()).toBe(links);
    expect(page.workers().map((worker) => worker.url())).toEqual([expect.stringContaining('/dashboard/elk-worker.js')]);
    await page.context().close();
  });

  it('marks what failed, what was done before it, and what nobody came to', async () => {
    stage.sandbox.faults.failNodes = { ImageInvert: 1 };
    const runId = await done('plain-picture', { shade: 3 });
    const page = await stage.open(`/runs/${runId}/graph`);
    expect(await statesOn(page)).toEqual({ '1': 'done', '2': 'failed', '3': 'unknown' });
    await page.context().close();
  });

  it('keeps what the optimiser left out in the picture, and says why', async () => {
    const runId = await done('with-preview', { shade: 4 });
    const page = await stage.open(`/runs/${runId}/graph`);
    expect(await statesOn(page)).toMatchObject({ '2': 'done', '4': 'left-out' });
    await page.getByText('left out by the optimiser').waitFor();
    await page.locator('[data-node="4"]').click();
    const { nodes } = await stage.client.call('run/graph', { runId, step: 'draw' });
    const why = nodes.find(({ id }) => id === '4')?.why;
    expect(await page.getByRole('complementary', { name: 'Node 4' }).textContent()).toContain(why);
    await page.context().close();
  });

  it('marks what the backend took from its own cache', async () => {
    await done('plain-picture', { shade: 5, size: 32 });
    const { runId } = await stage.client.call('run/start', {
      template: 'plain-picture',
      parameters: { shade: 5, size: 32 },
      cache: false,
    });
    await expect.poll(async () => (await stage.client.call('run/get', { runId })).run.status).toBe('succeeded');
    const page = await stage.open(`/runs/${runId}/graph`);
    expect(await statesOn(page)).toMatchObject({ '1': 'cached', '2': 'cached' });
    await page.context().close();
  });

  it('marks the whole of an item that came out of the result cache', async () => {
    await done('plain-picture', { shade: 6, size: 40 });
    const runId = await done('plain-picture', { shade: 6, size: 40 });
    const page = await stage.open(`/runs/${runId}/graph`);
    expect(new Set(Object.values(await statesOn(page)))).toEqual(new Set(['kept']));
    await page.context().close();
  });

  it('tells all of a node that is chosen by keyboard, its values as they were sent', async () => {
    const runId = await done('plain-picture', { shade: 8, size: 72 });
    const page = await stage.open(`/runs/${runId}/graph`);
    await page.locator('[data-node="1"]').focus();
    await page.keyboard.press('Enter');
    const facts = page.getByRole('complementary', { name: 'Node 1' });
    await facts.waitFor();
    expect(await facts.textContent()).toContain('EmptyImage');
    expect(await facts.textContent()).toMatch(/width\s*72/);
    await page.keyboard.press('Escape');
    await facts.waitFor({ state: 'detached' });
    await page.context().close();
  });

  it('complains of nothing', () => {
    expect(stage.complaints).toEqual([]);
  });
});
