/**
 * What a server keeps from prompt to prompt in ComfyUI's modes: on the sandbox, and on real ones that were started with --cache-classic,
 * --cache-lru 3 and --cache-none, when CALLSHEET_TEST_COMFYUI_CACHES holds their addresses: classic=http://…,lru:3=http://…,none=http://….
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { parseCacheMode } from '#backends/sandbox/cache.ts';
import { at, connect, post, submit } from '../backends/sandbox/client.ts';
import { startTestSandbox } from '../backends/sandbox/graphs.ts';
import { CACHE_CASES, type CacheCase, type Mode } from './cache-cases.ts';

const MODES: readonly Mode[] = ['classic', 'lru:3', 'none'];
/** A real server looks at the wish to free its memory when it wakes up. */
const FREED_MS = 500;

const given = process.env['CALLSHEET_TEST_COMFYUI_CACHES'];
const real = new Map((given ?? '').split(',').map((part) => [part.split('=')[0] ?? '', part.slice(part.indexOf('=') + 1)]));
if (given === undefined) {
  process.stderr.write('CALLSHEET_TEST_COMFYUI_CACHES is not set: the cache modes are tried on the sandbox alone.\n');
}

for (const mode of MODES) {
  describe(`cache mode ${mode}`, () => {
    for (const each of CACHE_CASES) {
      it(`sandbox: ${each.name}`, async () => {
        const cache = parseCacheMode(mode);
        if (cache === undefined) throw new Error(`no mode ${mode}`);
        const { url } = await startTestSandbox({ cache });
        expect(await play(url, each)).toEqual(each.expected[mode]);
      });
      const address = real.get(mode);
      it.runIf(address !== undefined)(`ComfyUI: ${each.name}`, async () => {
        const url = address ?? '';
        await post(url, '/free', { free_memory: true });
        await sleep(FREED_MS);
        expect(await play(url, each)).toEqual(each.expected[mode]);
      });
    }
  });
}

async function play(url: string, { prompts, alike }: CacheCase): Promise<[string, string][]> {
  const client = await connect(url, `cache-${randomUUID()}`);
  const rows: [string, string][] = [];
  for (const prompt of prompts) {
    const id = await submit(url, prompt, { client_id: new URL(client.socket.url).searchParams.get('clientId'), prompt_id: randomUUID() });
    await client.ended(id);
    const own = client.messages.filter(({ data }) => data['prompt_id'] === id);
    const cached = own.find(({ type }) => type === 'execution_cached')?.data['nodes'];
    const ran = own.filter(({ type, data }) => type === 'executing' && data['node'] !== null).map((message) => at(message, 'data', 'node'));
    rows.push([
      sorted(Array.isArray(cached) ? cached : []),
      sorted(ran.map((node) => (alike !== undefined && node === alike[0] ? alike[1] : node))),
    ]);
  }
  return rows;
}

function sorted(nodes: readonly unknown[]): string {
  return nodes.map(String).toSorted().join(' ');
}
