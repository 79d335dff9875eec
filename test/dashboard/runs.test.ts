// Whatever a person does with runs, in a real browser against a real daemon.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { CHROMIUM } from '../chromium.ts';
import { ROOT } from '../e2e/run-cli.ts';
import { openStage, type Stage } from './stage.ts';
import { PLAIN } from './templates.ts';

describe.skipIf(CHROMIUM === undefined)('runs in the dashboard', { timeout: 120_000 }, () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ templates: { plain: PLAIN } });
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const start = async (template: string, parameters: Record<string, unknown> = {}): Promise<string> =>
    (await stage.client.call('run/start', { template, parameters })).runId;
  const badge = (page: Page, word: string) => page.locator('.run-head .badge', { hasText: word });

  it('begins from a form with a picture that is uploaded, and what it makes appears as a picture', async () => {
    const page = await stage.open('/templates/pixel-postcard');
    await page.locator('#field-photo').setInputFiles(join(ROOT, 'templates', 'image', 'pixel-postcard', 'example.png'));
    await page.getByText('example.png').waitFor();
    await page.getByRole('button', { name: 'Start' }).click();
    await badge(page, 'Done').waitFor();
    const picture = page.locator('.artifact img').first();
    await picture.waitFor();
    await expect.poll(() => picture.evaluate((img: { naturalWidth: number }) => img.naturalWidth)).toBeGreaterThan(0);
    await page.context().close();
  });

  it('says at the field what is wrong with a value, and starts nothing', async () => {
    const page = await stage.open('/templates/plain-picture');
    const before = (await stage.client.call('run/list', {})).runs.length;
    await page.getByLabel('Size').fill('9999');
    await page.getByRole('button', { name: 'Start' }).click();
    const field = page.locator('[data-parameter=size]');
    await field.locator('.field-problem').waitFor();
    expect(await page.getByLabel('Size').getAttribute('aria-invalid')).toBe('true');
    expect(
      await page
        .getByLabel('Size')
        .evaluate((input: unknown) => input === (globalThis as { document?: { activeElement: unknown } }).document?.activeElement),
    ).toBe(true);
    expect((await stage.client.call('run/list', {})).runs).toHaveLength(before);
    await page.context().close();
  });

  it('shows a field only while its condition holds', async () => {
    const page = await stage.open('/templates/plain-picture');
    await page.getByLabel('Size').waitFor();
    expect(await page.getByLabel('Note', { exact: true }).count()).toBe(0);
    await page.getByLabel('With notes').check();
    await page.getByLabel('Note', { exact: true }).waitFor();
    await page.context().close();
  });

  it('checks a form without running anything', async () => {
    const before = (await stage.client.call('run/list', {})).runs.length;
    const page = await stage.open('/templates/plain-picture');
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByText('1 graph would be sent').waitFor();
    expect((await stage.client.call('run/list', {})).runs).toHaveLength(before);
    await page.context().close();
  });

  it('asks for a choice with the candidates as pictures, and goes on with the one that is picked', async () => {
    const runId = await start('pick-a-look');
    const page = await stage.open(`/runs/${runId}`);
    const second = page.getByRole('button', { name: 'Candidate 2' });
    await second.click();
    await page.getByRole('button', { name: 'Go on with this' }).click();
    await badge(page, 'Done').waitFor();
    const { choices = [], artifacts } = (await stage.client.call('run/get', { runId })).run;
    expect(choices[0]).toMatchObject({ status: 'made', pickedBy: 'person' });
    expect(choices[0]?.picked).toEqual([choices[0]?.candidates[1]?.id]);
    await expect.poll(() => page.locator('.artifact').count()).toBe(artifacts.length);
    await page.context().close();
  });

  it('does not jump while it goes on', async () => {
    const page = await stage.open();
    await page.addInitScript(`window.shift = 0;
      new PerformanceObserver((list) => {
        for (const { hadRecentInput, value } of list.getEntries()) if (!hadRecentInput) window.shift += value;
      }).observe({ type: 'layout-shift', buffered: true });`);
    await page.reload();
    const runId = await start('character-pipeline');
    await page.goto(`http://127.0.0.1:${String(stage.port)}/#/runs/${runId}`);
    await badge(page, 'Done').waitFor();
    // Beyond 0.1 people call it jumping (web.dev, Cumulative Layout Shift).
    expect(Number(await page.evaluate('window.shift'))).toBeLessThan(0.1);
    await page.context().close();
  });

  it('is cancelled by a person who says so twice', async () => {
    const runId = await start('pick-a-look');
    const page = await stage.open(`/runs/${runId}`);
    await badge(page, 'Needs you').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Cancel the run' }).click();
    await badge(page, 'Cancelled').waitFor();
    expect((await stage.client.call('run/get', { runId })).run.status).toBe('cancelled');
    await page.context().close();
  });

  it('shows what failed with its cure, and goes on from there', async () => {
    stage.sandbox.faults.failNodes = { ImageInvert: 1 };
    const runId = await start('plain-picture', { shade: 1 });
    const page = await stage.open(`/runs/${runId}`);
    await badge(page, 'Failed').waitFor();
    const { error } = (await stage.client.call('run/get', { runId })).run;
    const problem = page.locator('.problem').first();
    expect(await problem.textContent()).toContain(error?.message);
    expect(await problem.textContent()).toContain('NODE_FAILED');
    await page.getByRole('button', { name: 'Retry', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Retry' }).click();
    await badge(page, 'Done').waitFor();
    await page.getByText('2 tries').waitFor();
    await page.context().close();
  });

  it('begins again with the values of an earlier run', async () => {
    const runId = await start('plain-picture', { size: 48, shade: 7 });
    const page = await stage.open(`/runs/${runId}`);
    await page.getByRole('link', { name: 'Run again' }).click();
    await expect.poll(() => page.getByLabel('Size').inputValue()).toBe('48');
    expect(await page.getByLabel('Shade').inputValue()).toBe('7');
    await page.context().close();
  });

  it('waits while the queue is paused, and goes on when it is resumed', async () => {
    const page = await stage.open('/backends');
    await page.getByRole('button', { name: 'Pause the queue' }).click();
    await page.getByText('The queue is paused.', { exact: true }).first().waitFor();
    const runId = await start('plain-picture', { shade: 12_345 });
    await page.getByText('Waiting for a place: 1 run').waitFor();
    expect((await stage.client.call('run/get', { runId })).run.status).toBe('queued');
    await page.locator('.banner').getByRole('button', { name: 'Resume' }).click();
    await page.goto(`http://127.0.0.1:${String(stage.port)}/#/runs/${runId}`);
    await badge(page, 'Done').waitFor();
    await page.context().close();
  });

  it('shows every line of its log, the newest first', async () => {
    const runId = await start('plain-picture', { shade: 99 });
    const page = await stage.open(`/runs/${runId}/events`);
    await page.locator('.log-line').getByText('succeeded').waitFor();
    const numbers = (await page.locator('.log-seq').allTextContents()).map(Number);
    expect(numbers.at(-1)).toBe(1);
    expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
    expect(new Set(numbers).size).toBe(numbers[0]);
    await page.getByLabel('Search events').fill('artifact');
    await expect.poll(() => page.locator('.log-line').count()).toBe(1);
    await page.context().close();
  });

  it('complains of nothing: no error of a script, nothing that the policy refused', () => {
    expect(stage.complaints).toEqual([]);
  });
});
