// Makes docs/screenshots/*.png for docs/dashboard.md: a real daemon, the sandbox behind it, a real browser. Pictures differ from run to run in ids and times.
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import sharp from 'sharp';
import type { ParamsOf } from '#protocol/methods/index.ts';
import { openStage } from '../test/dashboard/stage.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'docs', 'screenshots');
const DESK = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

// A name that says nothing of this machine: paths are in the pictures.
const dir = join(tmpdir(), 'callsheet-show');
rmSync(dir, { recursive: true, force: true });
cpSync(join(root, 'templates'), join(dir, 'library'), { recursive: true });
cpSync(join(root, 'examples', 'every-kind.json'), join(dir, 'library', 'every-kind.json'));
rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });

await using stage = await openStage({ dir, latencyMs: 30 });

const start = async (params: ParamsOf<'run/start'>): Promise<string> => (await stage.client.call('run/start', params)).runId;
const show = (page: Page, place: string): Promise<unknown> => page.goto(`http://127.0.0.1:${String(stage.port)}/#${place}`);

async function take(page: Page, name: string): Promise<void> {
  // What is still being read or decoded is waited for, and transitions end.
  while ((await page.locator('[aria-busy=true]').count()) > 0) await pause(50);
  await pause(400);
  const picture = await page.screenshot();
  writeFileSync(join(target, `${name}.png`), await sharp(picture).png({ palette: true, quality: 92, effort: 8 }).toBuffer());
  console.log(`docs/screenshots/${name}.png`);
}

const light = await stage.open('', { viewport: DESK, colorScheme: 'light' });
const dark = await stage.open('', { viewport: DESK, colorScheme: 'dark' });
const phone = await stage.open('', { viewport: PHONE, colorScheme: 'light', deviceScaleFactor: 2 });
await take(light, 'empty');

// Some runs that have ended, each in its own way.
const kinds = await start({ template: 'every-kind', parameters: {} });
await stage.ended(kinds);
const photo = join(root, 'templates', 'image', 'pixel-postcard', 'example.png');
cpSync(photo, join(dir, 'photo.png'));
await stage.ended(await start({ template: 'pixel-postcard', parameters: { photo: join(dir, 'photo.png') } }));
stage.sandbox.faults.failNodes = { KSampler: 1 };
const failed = await start({ template: 'character-pipeline', parameters: {} });
await stage.ended(failed);
const portrait = await start({ template: 'character-pipeline', parameters: {} });
await stage.ended(portrait);
const cancelled = await start({ template: 'text-to-image-lora', parameters: {} });
await stage.client.call('run/cancel', { runId: cancelled });
await stage.ended(cancelled);

const look = await start({ template: 'pick-a-look', parameters: {} });
await show(light, `/runs/${look}`);
await light.getByRole('button', { name: 'Candidate 2' }).click();
await take(light, 'choice');
await show(phone, `/runs/${look}`);
await phone.getByRole('button', { name: 'Candidate 3' }).click();
await take(phone, 'phone-choice');

const running = await start({ template: 'character-pipeline', parameters: { character: 'a diver in an old brass suit, low tide' } });
await show(light, `/runs/${running}`);
await show(dark, `/runs/${running}/graph/face`);
await light.locator('.preview', { hasText: 'Face detail' }).locator('img').waitFor();
await take(light, 'run');
await dark.locator('.node-running').first().waitFor();
await take(dark, 'graph-dark');
const next = await start({ template: 'text-to-image-lora', parameters: {} });
await start({ template: 'character-pipeline', parameters: {} });
await show(light, '/runs');
await show(dark, '/runs');
await show(phone, '/runs');
await take(light, 'runs');
await take(dark, 'runs-dark');
await take(phone, 'phone-runs');
await show(light, '/backends');
await take(light, 'backends');
await stage.ended(next);

await show(light, `/runs/${failed}`);
await light.locator('.step-row').first().click();
await take(light, 'failed');
await show(light, `/runs/${portrait}/graph/face`);
await light.locator('[data-node]').first().waitFor();
await light.locator('[data-node="11"]').click();
await take(light, 'graph');
await show(light, `/runs/${portrait}/events`);
await take(light, 'events');
await show(light, `/runs/${kinds}`);
await light.locator('.artifact').first().scrollIntoViewIfNeeded();
await light.evaluate('document.querySelector("[aria-label=Results]").scrollIntoView()');
await take(light, 'results');
await show(light, `/runs/${portrait}`);
await light.locator('.frame-open').first().click();
await light.getByRole('dialog').getByText('sha256').waitFor();
await take(light, 'file');
await show(dark, '/templates');
await take(dark, 'templates-dark');
await show(light, '/templates/pick-a-look');
await take(light, 'form');
