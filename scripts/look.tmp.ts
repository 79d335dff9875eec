import { setTimeout as pause } from 'node:timers/promises';
import { openStage } from '../test/dashboard/stage.ts';
import { PLAIN, HOSTILE } from '../test/dashboard/templates.ts';
await using stage = await openStage({ templates: { plain: PLAIN, hostile: HOSTILE } });
const { runId } = await stage.client.call('run/start', { template: 'hostile', parameters: {  } });
await stage.ended(runId);
for (const width of [390, 320]) {
const page = await stage.open('', { viewport: { width, height: 800 } });
for (const place of ['/templates/hostile', `/runs/${runId}/graph`, `/runs/${runId}`, '/backends', '/templates', '/templates/pick-a-look', '/runs', `/runs/${runId}/events`, `/runs/${runId}/details`]) {
await page.goto(`http://127.0.0.1:${stage.port}/#${place}`);
await pause(900);
console.log(await page.evaluate('document.documentElement.scrollWidth'), width, place, await page.evaluate(`(() => { const w = document.documentElement.clientWidth; return [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > w + 0.5 && !e.closest('svg') && !e.closest('.chips,.tabs,.scroll-x,.windowed')).slice(0,6).map((e) => e.tagName + '.' + e.className + ' ' + e.getBoundingClientRect().right); })()`));
if (width === 320) await page.screenshot({ path: `/tmp/dash-look/w320-${place.replaceAll('/', '_').slice(0,60)}.png`});
}
}
