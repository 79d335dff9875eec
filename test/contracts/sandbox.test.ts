/** The backend contract on the embedded sandbox, driven by the comfyui backend over real HTTP and WebSocket. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createComfyUIBackend } from '#backends/comfyui/backend.ts';
import { startSandbox } from '#backends/sandbox/server.ts';
import { describeBackend, emptyImage, saveImage } from './backend-contract.ts';
import type { ContractSetup } from './backend-contract.ts';

const SECRET = { header: 'x-callsheet-sandbox', value: 'only this process' };

/** Hundreds of cheap nodes: each takes the sandbox's latency, and interrupts are looked for between them. */
function chain(mark: number): string {
  const nodes: Record<string, unknown> = { 0: emptyImage(mark, 4, 4) };
  const count = 600;
  for (let index = 1; index <= count; index += 1) nodes[index] = { class_type: 'ImageInvert', inputs: { image: [String(index - 1), 0] } };
  return JSON.stringify({ ...nodes, save: saveImage(String(count)) });
}

async function start(): Promise<ContractSetup> {
  const dir = await mkdtemp(join(tmpdir(), 'callsheet-sandbox-'));
  const sandbox = await startSandbox({ dir, secret: SECRET, latencyMs: 10 });
  const headers = { [SECRET.header]: SECRET.value };
  return {
    connect: () => createComfyUIBackend({ id: 'sandbox', kind: 'sandbox', url: sandbox.url, headers }),
    raw: async (path) => (await fetch(sandbox.url + path, { headers })).text(),
    slow: chain,
    async close() {
      await sandbox.close();
      await rm(dir, { recursive: true });
    },
  };
}

describeBackend('the sandbox', start);
