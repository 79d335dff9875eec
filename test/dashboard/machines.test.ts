// The place that the dashboard gives to the inspector, whichever one is built into it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM } from '../chromium.ts';
import { openStage, type Stage } from './stage.ts';
import { PLAIN } from './templates.ts';

/** Writes down what it is given, as an inspector would use it. */
const INSPECTOR = `export function mountInspector(element, { call, on, runId }) {
  const note = document.createElement('p');
  note.textContent = 'mounted';
  element.append(note);
  const stop = on('progress', () => { note.textContent += ' progress'; });
  call('run/get', { runId }).then(({ run }) => { note.textContent += ' ' + run.template; });
  return () => { stop(); note.remove(); document.body.dataset.unmounted = 'yes'; };
}`;

describe.skipIf(CHROMIUM === undefined)('machines in the dashboard', { timeout: 120_000 }, () => {
  let stage: Stage;
  let runId: string;
  beforeAll(async () => {
    stage = await openStage({ templates: { plain: PLAIN } });
    ({ runId } = await stage.client.call('run/start', { template: 'plain-picture', parameters: {} }));
    await stage.ended(runId);
  });
  afterAll(() => stage?.[Symbol.asyncDispose]());

  const at = (place: string): string => `http://127.0.0.1:${String(stage.port)}/#${place}`;

  it('mounts the inspector with the run, calls and notifications, and unmounts it when somebody goes on', async () => {
    const page = await stage.open();
    await page.route('**/dashboard/inspector.js', (route) => route.fulfill({ contentType: 'text/javascript', body: INSPECTOR }));
    await page.goto(at(`/runs/${runId}/machines`));
    await page.getByText('mounted plain-picture').waitFor();
    await page.getByRole('tab', { name: 'Events' }).click();
    await expect.poll(() => page.evaluate('document.body.dataset.unmounted')).toBe('yes');
    await page.context().close();
  });

  it('says plainly that the inspector is missing where it is', async () => {
    const page = await stage.open();
    await page.route('**/dashboard/inspector.js', (route) => route.fulfill({ status: 404, body: 'none' }));
    for (const place of [`/runs/${runId}/machines`, '/machines']) {
      await page.goto(at(place));
      await page.getByRole('heading', { name: 'The inspector is missing' }).waitFor();
    }
    expect(await page.locator('.inspector').textContent()).toBe('');
    await page.context().close();
  });
});
