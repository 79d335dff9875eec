// The inspector in a real Chromium, with a whole daemon behind it.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connect, type Client } from '#protocol/client.ts';
import type { RunEvent, RunEventBody } from '#protocol/events.ts';
import { openWaitingRun, type WaitingRun } from '../../daemon/inspect/waiting-run.ts';
import { CHROMIUM } from '../../chromium.ts';
import { type InspectorPage, openPage } from './open-page.ts';

/** Where pictures are left to be looked at; nowhere when it is not set. */
const PICTURES = process.env['CALLSHEET_TEST_PICTURES'];

let place: WaitingRun;
let client: Client;
let shown: InspectorPage;

async function open(look: Parameters<typeof openPage>[1] = {}): Promise<void> {
  shown = await openPage((method, params) => client.call(method, params), look);
  client = await connect({ ...place.daemon.endpoint, onNotification: (name, params) => shown.notify(name, params) });
}

async function picture(name: string): Promise<void> {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  await shown.page.screenshot({ path: join(PICTURES, `${name}.png`) });
}

const state = () => shown.page.locator('.mi-state').textContent();
const active = async () => (await shown.page.locator('.mi-node.is-active > .mi-key').allTextContents()).toSorted();
const gone = () => shown.page.locator('.mi-edge.is-last > .mi-label').allTextContents();
const position = async () => Number(await shown.page.locator('.mi-range').inputValue());
const rows = async () => {
  const names = await shown.page.locator('.mi-row:not(.mi-is-actor) > .mi-name').allTextContents();
  const values = await shown.page.locator('.mi-row:not(.mi-is-actor) > .mi-value').allTextContents();
  return names.map((name, nth) => `${name}: ${values[nth] ?? ''}`);
};
const choose = (name: string) => shown.page.locator('.mi-row', { has: shown.page.getByText(name, { exact: true }) }).click();

describe.skipIf(CHROMIUM === undefined)('the inspector in a browser', () => {
  beforeEach(async () => {
    place = await openWaitingRun();
  });
  afterEach(async () => {
    await shown[Symbol.asyncDispose]();
    await client.close();
    await place[Symbol.asyncDispose]();
  });

  it('shows the live machines of a run, follows them to the end, and goes back through the log by keys', async () => {
    await open();
    await shown.mount(place.runId);
    await expect.poll(rows).toEqual(['run: executing', 'step draw:0: done', 'choice best: waiting › open']);
    await choose('choice best');
    await expect.poll(state).toBe('choice: waiting › open — by at once');
    expect(await active()).toEqual(['open', 'waiting']);
    await picture('waiting');

    await choose('run');
    await place.choose();
    await expect.poll(state, { timeout: 20_000 }).toBe('run: succeeded — by collect done [allGood]');
    expect(await active()).toEqual(['succeeded']);
    expect(await rows()).toEqual(['run: succeeded', 'step draw:0: done', 'choice best: made', 'step again:0: done']);
    await picture('succeeded');

    const end = await position();
    await shown.page.locator('.mi-chart').focus();
    await shown.page.keyboard.press('ArrowLeft');
    await expect.poll(position).toBe(end - 1);
    await expect.poll(state).toBe('run: collecting — by at once [allSettled]');
    await shown.page.keyboard.press('Home');
    await expect.poll(state).toBe('run: not there yet');
    expect([await active(), await gone()]).toEqual([[], []]);
    for (const wanted of ['run: loading', 'run: executing — by inject done']) {
      await shown.page.keyboard.press('ArrowRight');
      await expect.poll(state).toBe(wanted);
    }
    expect(await gone()).toEqual(['load done', 'inject done']);
    expect(shown.faults).toEqual([]);
  });

  it('moves by the slider, by a line of the log and by its buttons, each alike', async () => {
    await place.choose();
    await place.ended(place.runId);
    await open();
    await shown.mount(place.runId);
    await choose('step draw:0');
    await expect.poll(state).toMatch(/^step: done/);
    await shown.page.locator('.mi-event', { hasText: 'draw: running' }).click();
    await expect.poll(active).toEqual(['executing', 'running']);
    const at = await position();
    await shown.page.getByRole('button', { name: 'Next event' }).click();
    await expect.poll(position).toBe(at + 1);
    await shown.page.locator('.mi-range').focus();
    await shown.page.keyboard.press('ArrowLeft');
    await expect.poll(position).toBe(at);
    await shown.page.keyboard.press('Home');
    await expect.poll(state).toBe('step: not there yet');
    await shown.page.getByRole('button', { name: 'Newest event' }).click();
    await expect.poll(state).toMatch(/^step: done/);
    expect(shown.faults).toEqual([]);
  });

  it('shows where the daemon was started again, and the machines as they were cut off there', async () => {
    await place.restart();
    await place.choose();
    await place.ended(place.runId);
    await open();
    await shown.mount(place.runId);
    await shown.page.getByRole('button', { name: 'Go to: Daemon started again' }).click();
    await expect.poll(rows).toEqual(['run: executing', 'step draw:0: done', 'choice best: waiting › open']);
    await choose('choice best');
    await expect.poll(active).toEqual(['open', 'waiting']);
    expect(await shown.page.locator('.mi-heading').allTextContents()).toEqual(['Daemon started again']);
    await picture('restart');
    expect(shown.faults).toEqual([]);
  });

  it('lets a person choose a run where none is given, and tells what went wrong where it is', async () => {
    await open({ dark: true });
    await shown.mount();
    await expect
      .poll(() => shown.page.locator('.mi-select option').allTextContents())
      .toEqual([expect.stringMatching(/^pick · waiting · /)]);
    await expect.poll(rows).toEqual(['run: executing', 'step draw:0: done', 'choice best: waiting › open']);
    await picture('dark');
    const second = await client.call('run/start', { template: 'pick', parameters: {} });
    await expect.poll(() => shown.page.locator('.mi-select option').count()).toBe(2);
    await shown.page.locator('.mi-select').selectOption(second.runId);
    await expect.poll(rows).toContain('choice best: waiting › open');

    await shown.page.evaluate(() => (globalThis as unknown as { unmount: () => void }).unmount());
    expect(await shown.page.locator('main > *').count()).toBe(0);
    await expect.poll(() => shown.calls.filter((method) => method.endsWith('/unsubscribe')).length).toBe(5);
    await shown.mount('nobody');
    await expect.poll(() => shown.page.getByRole('alert').first().textContent()).toMatch(/nobody/);
    expect(shown.faults).toEqual([]);
  });

  it('is readable on a phone: nothing is wider than the page', async () => {
    await open({ width: 390, height: 844 });
    await shown.mount(place.runId);
    await expect.poll(rows).toContain('choice best: waiting › open');
    const wide = await shown.page.evaluate(() => {
      const root = (globalThis as unknown as { document: { documentElement: { scrollWidth: number; clientWidth: number } } }).document
        .documentElement;
      return root.scrollWidth - root.clientWidth;
    });
    expect(wide).toBeLessThanOrEqual(0);
    await picture('phone');
    expect(shown.faults).toEqual([]);
  });
});

describe.skipIf(CHROMIUM === undefined)('the inspector on a long log', () => {
  const ITEMS = 1000;
  const bodies: readonly RunEventBody[] = [
    { type: 'run.created', template: 'long', version: '1.0.0' },
    { type: 'run.status', status: 'running' },
    { type: 'step.planned', step: 'a', items: ITEMS },
    ...Array.from({ length: ITEMS }, (_, item) =>
      (['submitting', 'queued', 'running', 'done'] as const).map((status) => ({
        type: 'step.status' as const,
        step: 'a',
        item,
        attempt: 1,
        status,
      })),
    ).flat(),
    { type: 'run.status', status: 'succeeded' },
  ];
  const events: readonly RunEvent[] = bodies.map((event, nth) => ({
    runId: 'r',
    seq: nth + 1,
    position: nth + 1,
    epoch: 'e',
    at: 1e12 + nth,
    event,
  }));
  const answers: Readonly<Record<string, (params: { readonly after: number; readonly limit: number }) => unknown>> = {
    'run/get': () => ({ run: { runId: 'r', template: 'long', status: 'succeeded', steps: [{ id: 'a' }] } }),
    'daemon/status': () => ({ startedAt: 0 }),
    'event/list': ({ after, limit }) => ({ epoch: 'e', events: events.slice(after, after + limit), more: after + limit < events.length }),
  };
  const answer = async (method: string, params: unknown) => answers[method]?.(params as never) ?? { subscription: method };

  it('reads all of it, and draws what can be looked at', async () => {
    await using long = await openPage(answer as Client['call']);
    await long.mount('r');
    const slider = long.page.locator('.mi-range');
    const words = () => long.page.locator('.mi-state').textContent();
    await expect.poll(() => slider.getAttribute('max')).toBe(String(events.length));
    await expect.poll(words).toBe('run: succeeded — by collect done [allGood]');
    expect(await long.page.locator('*').count()).toBeLessThan(3000);
    expect(await long.page.locator('.mi-more').textContent()).toBe('701 more');

    await long.page.locator('.mi-chart').focus();
    await long.page.keyboard.press('Home');
    for (let nth = 0; nth < 3; nth += 1) await long.page.keyboard.press('ArrowRight');
    await expect.poll(() => long.page.locator('.mi-row').count()).toBe(17);
    await long.page.keyboard.press('Shift+ArrowRight');
    await expect.poll(() => slider.inputValue()).toBe('13');
    // A line far away is drawn once the position is near it.
    await slider.fill('2003');
    await long.page.locator('.mi-event', { hasText: 'a #499: running' }).click();
    await expect.poll(() => slider.inputValue()).toBe('2002');
    await long.page.keyboard.press('End');
    await expect.poll(words).toBe('run: succeeded — by collect done [allGood]');
    expect(long.faults).toEqual([]);
  });
});
