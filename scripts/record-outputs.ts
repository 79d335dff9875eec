/**
 * Records what a real ComfyUI reports for every kind of output, into test/fixtures/comfyui-outputs: `node scripts/record-outputs.ts URL`.
 * For all of them test/fixtures/comfyui-nodes must be among its custom nodes.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { OUTPUT_CASES } from '../test/contracts/output-cases.ts';

const FOLDER = join(import.meta.dirname, '..', 'test', 'fixtures', 'comfyui-outputs');
const [url] = process.argv.slice(2);
if (url === undefined) {
  process.stderr.write('Usage: node scripts/record-outputs.ts URL\n');
  process.exit(2);
}

async function get(path: string): Promise<unknown> {
  return (await fetch(url + path)).json();
}

function slug(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
}

const info = (await get('/object_info')) as Readonly<Record<string, unknown>>;
const stats = (await get('/system_stats')) as { readonly system: { readonly comfyui_version: string } };
mkdirSync(FOLDER, { recursive: true });
for (const { name, graph, onSandbox } of OUTPUT_CASES) {
  const missing = Object.values(graph).find(({ class_type: classType }) => !Object.hasOwn(info, classType));
  if (missing !== undefined || onSandbox === true) {
    process.stdout.write(`- ${name}: no ${missing?.class_type ?? 'model'}\n`);
    continue;
  }
  const promptId = randomUUID();
  const answer = await fetch(`${url}/prompt`, {
    method: 'POST',
    body: JSON.stringify({ prompt: graph, prompt_id: promptId, client_id: 'record' }),
  });
  if (!answer.ok) throw new Error(`${name}: ${await answer.text()}`);
  let history: Readonly<Record<string, unknown>> = {};
  for (let wait = 0; wait < 600 && history[promptId] === undefined; wait += 1) {
    await pause(100);
    history = (await get(`/history/${promptId}`)) as typeof history;
  }
  const record = { case: name, server: stats.system.comfyui_version, history };
  // Where the server of whoever recorded it keeps its files is nobody's business.
  const text = JSON.stringify(record, null, 1).replaceAll(/"\/[^"]*?\/output\//g, '"/srv/comfyui/output/');
  writeFileSync(join(FOLDER, `${stats.system.comfyui_version}-${slug(name)}.json`), `${text}\n`);
  process.stdout.write(`+ ${name}\n`);
}
