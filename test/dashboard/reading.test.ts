// Whoever reads the dashboard: with the keyboard alone, on a phone, in the dark, with names that are attacks, and with a thousand runs.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { CHROMIUM } from '../chromium.ts';
import { openStage, type Stage } from './stage.ts';
import { ATTACK, HOSTILE, PLAIN } from './templates.ts';

/** As text: it runs in the page. */
const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
const FOCUSED = '((at) => (at?.getAttribute("aria-label") || at?.textContent || at?.id || "").trim())(document.activeElement)';

/** Relative luminance and ratio after WCAG 2. */
const CONTRASTS = `(() => {
  const style = getComputedStyle(document.documentElement);
  const light = (name) => {
    const [r, g, b] = style.getPropertyValue(name).trim().match(/[0-9a-f]{2}/gi).map((part) => {
      const value = parseInt(part, 16) / 255;
      return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05);
  const pairs = [
    ...['--ink', '--ink-2', '--ink-3', '--accent'].flatMap((ink) => [[ink, '--ground'], [ink, '--surface']]),
    ...['idle', 'busy', 'ask', 'good', 'bad', 'warn', 'draft'].flatMap((tone) => [['--' + tone, '--' + tone + '-soft'], ['--' + tone, '--surface']]),
    ['--accent-ink', '--accent'],
  ];
  return pairs.map(([ink, ground]) => ({ pair: ink + ' on ' + ground, ratio: ratio(ink, ground) }));
})()`;

describe.skipIf(CHROMIUM === undefined)('reading the dashboard', { timeout: 120_000 }, () => {
  let stage: Stage;
  let hostileRun: string;
  beforeAll(async () => {
    stage = await openStage({ templates: { plain: PLAIN, hostile: HOSTILE } });
    ({ runId: hostileRun } = await stage.client.call('run/start', { template: 'hostile', parameters: {} }));
    await stage.ended(hostileRun);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const at = (place: string): string => `http://127.0.0.1:${String(stage.port)}/#${place}`;
  const places = (): readonly string[] => [
    '/runs',
    '/templates',
    '/templates/hostile',
    '/templates/pick-a-look',
    '/backends',
    `/runs/${hostileRun}`,
    `/runs/${hostileRun}/graph`,
    `/runs/${hostileRun}/events`,
    `/runs/${hostileRun}/details`,
  ];
  const settled = async (page: Page, place: string): Promise<void> => {
    await page.goto(at(place));
    await page.locator('main h1').first().waitFor();
    await expect.poll(() => page.locator('[aria-busy=true]').count()).toBe(0);
  };

  it('takes every name as text, whatever it looks like', async () => {
    const page = await stage.open();
    for (const place of places()) {
      await settled(page, place);
      expect([place, await page.locator('img[src=x]').count(), await page.title()]).toEqual([place, 0, 'Callsheet']);
    }
    await settled(page, '/templates/hostile');
    expect(await page.locator('h1').textContent()).toBe(ATTACK);
    expect(await page.locator('label[for=field-text]').textContent()).toBe(ATTACK);
    await settled(page, `/runs/${hostileRun}/graph`);
    expect(await page.locator('[data-node="2"]').getAttribute('aria-label')).toContain(ATTACK);
    await page.context().close();
  });

  it('refuses scripts and addresses of others by policy', async () => {
    const page = await stage.open();
    const ran = await page.evaluate(`(async () => {
      const script = document.createElement('script');
      script.textContent = 'document.title = "inline"';
      document.body.append(script);
      // Later, because what a test has evaluated may evaluate.
      const evaluated = await new Promise((resolve) => setTimeout(() => { try { resolve((0, eval)('1')); } catch { resolve('refused'); } }));
      const fetched = await fetch('http://127.0.0.1:9/').catch(() => 'refused');
      return [document.title, evaluated, fetched];
    })()`);
    expect(ran).toEqual(['Callsheet', 'refused', 'refused']);
    stage.complaints.length = 0;
    await page.context().close();
  });

  it.each([390, 320])('has nothing wider than a phone of %d pixels', async (width) => {
    const page = await stage.open('', { viewport: { width, height: 800 } });
    for (const place of places()) {
      await settled(page, place);
      expect([place, await page.evaluate(OVERFLOW)]).toEqual([place, 0]);
    }
    await page.context().close();
  });

  it.each(['light', 'dark'] as const)('is %s as the system is, with words that can be read', async (colorScheme) => {
    const page = await stage.open('', { colorScheme });
    const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(ground).toBe(colorScheme === 'light' ? 'rgb(246, 246, 244)' : 'rgb(19, 20, 24)');
    const contrasts = (await page.evaluate(CONTRASTS)) as readonly { readonly pair: string; readonly ratio: number }[];
    expect(contrasts.filter(({ ratio }) => ratio < 4.5)).toEqual([]);
    await page.context().close();
  });

  it('keeps the colours that a person chose', async () => {
    const page = await stage.open('', { colorScheme: 'light' });
    await page.getByRole('button', { name: /Colours: auto/ }).click();
    await page.getByRole('button', { name: /Colours: light/ }).click();
    await page.getByRole('button', { name: /Colours: dark/ }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: /Colours: dark/ }).waitFor();
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(19, 20, 24)');
    await page.context().close();
  });

  it('is used with the keyboard alone, from the list to a run that is done and back', async () => {
    const page = await stage.open();
    const tabTo = async (name: RegExp): Promise<void> => {
      for (let press = 0; press < 40; press += 1) {
        if (name.test(String(await page.evaluate(FOCUSED)))) return;
        await page.keyboard.press('Tab');
      }
      throw new Error(`Tab does not lead to ${String(name)}`);
    };
    await page.keyboard.press('g');
    await page.keyboard.press('t');
    await page.getByRole('heading', { name: 'Templates' }).waitFor();
    await tabTo(/^Plain picture/);
    await page.keyboard.press('Enter');
    await page.getByLabel('Shade').waitFor();
    await tabTo(/^field-shade$/);
    await page.keyboard.press('ArrowUp');
    expect(await page.getByLabel('Shade').inputValue()).toBe('8421505');
    await page.keyboard.press('Control+Enter');
    await page.locator('.run-head .badge', { hasText: 'Done' }).waitFor();
    await tabTo(/^Overview$/);
    await page.keyboard.press('ArrowRight');
    await page.locator('[data-node="1"]').waitFor();
    expect(await page.evaluate(FOCUSED)).toBe('Graph');
    await page.keyboard.press('g');
    await page.keyboard.press('r');
    await tabTo(/^Plain picture/);
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => page.evaluate(FOCUSED)).toContain(ATTACK);
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.context().close();
  });

  it('shows a thousand runs with as many rows as fit, and the oldest with one key', async () => {
    await stage.client.call('queue/pause', {});
    const oldest = (await stage.client.call('run/list', { limit: 1000 })).runs.at(-1)?.runId ?? '';
    for (let batch = 0; batch < 20; batch += 1) {
      await Promise.all(Array.from({ length: 50 }, () => stage.client.call('run/start', { template: 'plain-picture', parameters: {} })));
      // Within the rate at which the daemon takes calls.
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    const page = await stage.open();
    const rows = page.locator('.run-row');
    await rows.first().waitFor();
    expect(await rows.count()).toBeLessThan(60);
    await rows.first().focus();
    // Older pages are read as the end comes near.
    await expect
      .poll(async () => {
        await page.keyboard.press('End');
        return page.locator(`a[href="#/runs/${oldest}"]`).count();
      })
      .toBe(1);
    expect(await rows.count()).toBeLessThan(120);
    expect(await page.evaluate(FOCUSED)).not.toBe('');
    await page.keyboard.press('Home');
    await expect.poll(() => page.evaluate('scrollY')).toBeLessThan(200);
    await page.context().close();
  });

  it('finds what is searched for also among runs that were not read yet', async () => {
    const page = await stage.open();
    await page.locator('.run-row').first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('hostile');
    await page.locator(`a[href="#/runs/${hostileRun}"]`).waitFor();
    expect(await page.locator('.run-row').count()).toBe(1);
    await page.getByRole('button', { name: 'Failed' }).click();
    await page.getByText('No run fits').waitFor();
    await page.context().close();
  });

  it('keeps its place when runs come in above it', async () => {
    const page = await stage.open();
    await page.locator('.run-row').first().waitFor();
    await page.evaluate('scrollTo(0, 4000)');
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    const look = (): Promise<unknown> =>
      page.evaluate(
        '(() => { const row = [...document.querySelectorAll(".run-row")].find((one) => one.getBoundingClientRect().top >= 0); return [row.href, Math.round(row.getBoundingClientRect().top)]; })()',
      );
    const before = await look();
    const count = Number(await page.locator('.windowed > li').first().getAttribute('aria-setsize'));
    await Promise.all(Array.from({ length: 3 }, () => stage.client.call('run/start', { template: 'plain-picture', parameters: {} })));
    await expect
      .poll(async () => Number(await page.locator('.windowed > li').first().getAttribute('aria-setsize')))
      .toBeGreaterThanOrEqual(count + 3);
    expect(await look()).toEqual(before);
    await page.context().close();
  });

  it('complains of nothing', () => {
    expect(stage.complaints).toEqual([]);
  });
});
