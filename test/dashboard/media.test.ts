// Every kind of file that a run can make, as the dashboard shows it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { CHROMIUM } from '../chromium.ts';
import { ROOT } from '../e2e/run-cli.ts';
import { openStage, type Stage } from './stage.ts';

describe.skipIf(CHROMIUM === undefined)('files in the dashboard', { timeout: 120_000 }, () => {
  let stage: Stage;
  let page: Page;
  beforeAll(async () => {
    const everyKind: unknown = JSON.parse(readFileSync(join(ROOT, 'examples', 'every-kind.json'), 'utf8'));
    stage = await openStage({ templates: { '.': { 'every-kind.json': everyKind } } });
    const { runId } = await stage.client.call('run/start', { template: 'every-kind', parameters: {} });
    await stage.ended(runId);
    page = await stage.open(`/runs/${runId}`);
    await page.locator('.artifact').first().waitFor();
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const card = (name: string) => page.locator('.artifact', { hasText: name });

  it.each(['main_files_still.png', 'main_files_apng.png', 'main_files_awebp.webp'])('%s is a picture', async (name) => {
    const picture = card(name).locator('img');
    await picture.scrollIntoViewIfNeeded();
    await expect.poll(() => picture.evaluate((img: { naturalWidth: number }) => img.naturalWidth)).toBe(320);
  });

  it.each(['main_files_webm.webm', 'main_files_mp4.mp4'])('%s plays, from where one winds it to', async (name) => {
    await card(name).locator('.frame-open').click();
    const film = page.locator('.viewer video');
    await expect.poll(() => film.evaluate((video: { duration: number }) => video.duration)).toBeGreaterThan(0.9);
    await film.evaluate((video: { currentTime: number }) => void (video.currentTime = 0.6));
    await expect.poll(() => film.evaluate((video: { currentTime: number }) => video.currentTime)).toBeGreaterThan(0.5);
    await page.keyboard.press('Escape');
  });

  it('a sound can be heard', async () => {
    const sound = card('main_files_flac.flac').locator('audio');
    await expect.poll(() => sound.evaluate((audio: { duration: number }) => audio.duration)).toBeCloseTo(1, 1);
  });

  it('a text is read as text', async () => {
    await expect.poll(() => card('main_files_text.md').locator('pre').textContent()).toContain('# A caption');
  });

  it('a 3D model is drawn and can be turned with the keys', async () => {
    await card('main_files_mesh.glb').getByRole('button', { name: 'View' }).click();
    const model = page.locator('.model[data-state=shown] canvas');
    await model.waitFor();
    const look = () => model.screenshot();
    const before = await look();
    await model.focus();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(async () => (await look()).equals(before)).toBe(false);
    await page.keyboard.press('Escape');
    await model.waitFor({ state: 'detached' });
  });

  it.each(['main_files_svg.svg', 'main_files_latent.latent'])('%s is an honest card that offers the file', async (name) => {
    expect(await card(name).locator('img').count()).toBe(0);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      card(name)
        .getByRole('link', { name: /^Download \d/ })
        .click(),
    ]);
    expect(download.suggestedFilename()).toBe(name);
  });

  it('a file opens with what made it', async () => {
    await card('main_files_still.png').locator('.card-name').click();
    const facts = page.getByRole('dialog');
    await facts.getByText('sd_xl_base_1.0.safetensors').waitFor();
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => page.getByRole('dialog').getAttribute('aria-label')).not.toBe('main_files_still.png');
    await page.keyboard.press('Escape');
    await facts.waitFor({ state: 'detached' });
  });

  it('complains of nothing', () => {
    expect(stage.complaints).toEqual([]);
  });
});
