/** What tells one content of a server's file from another, and what of a server changes pixels. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startSandbox } from '#backends/sandbox/server.ts';
import { engineOf } from '#backends/comfyui/engine.ts';
import { connect, startFake } from './harness.ts';

const LISTING = JSON.stringify([
  { name: 'sub/a.safetensors', pathIndex: 0, modified: 1795993767.9, created: 1, size: 3 },
  { name: 'twice.safetensors', pathIndex: 0, modified: 1, size: 2 },
  { name: 'twice.safetensors', pathIndex: 1, modified: 3, size: 4 },
  { name: 'no-size.safetensors', modified: 1 },
  'nonsense',
]);

async function stamped(body: string, status: number, names: readonly string[]) {
  const fake = await startFake();
  fake.misbehave({ path: /^\/experiment\/models\/loras$/, mode: { kind: 'reply', status, type: 'application/json', body } });
  const files = names.map((name) => ({ folder: 'loras', name }));
  return { found: await connect(fake.url).stamps?.(files), fake };
}

describe('stamps of models', () => {
  it('are size and time of writing, whichever way the path is written, and also without the ending', async () => {
    const { found, fake } = await stamped(LISTING, 200, ['sub/a.safetensors', String.raw`sub\a.safetensors`, 'sub/a']);
    expect(found).toEqual(Array.from({ length: 3 }, () => '3 bytes of 1795993767.9'));
    expect(fake.requests.filter(({ path }) => path.includes('/experiment/'))).toHaveLength(1);
  });

  it('name every file that may be meant where several have one name', async () => {
    expect((await stamped(LISTING, 200, ['twice.safetensors'])).found).toEqual(['2 bytes of 1 or 4 bytes of 3']);
  });

  it('are not known where the server does not say', async () => {
    expect((await stamped(LISTING, 200, ['absent.safetensors', 'no-size.safetensors'])).found).toEqual([undefined, undefined]);
    for (const [status, body] of [
      [404, '404: Not Found'],
      [200, '<html>'],
      [200, '{"a": 1}'],
    ] as const) {
      expect((await stamped(body, status, ['sub/a.safetensors'])).found).toEqual([undefined]);
    }
  });
});

describe('stamps of files in the input folder', () => {
  it('are what the server answers for them, from the folder that the name speaks of, and others once they changed', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'callsheet-stamps-'));
    const sandbox = await startSandbox({ dir });
    onTestFinished(async () => {
      await sandbox.close();
      rmSync(dir, { recursive: true, force: true });
    });
    for (const [folder, name] of [
      ['input', 'a.png'],
      ['output/sub', 'b.png'],
    ] as const) {
      mkdirSync(join(dir, folder), { recursive: true });
      writeFileSync(join(dir, folder, name), `a file called ${name}`);
    }
    const backend = connect(sandbox.url);
    const ask = () => backend.stamps?.(['a.png', 'sub/b.png [output]', 'sub/b.png'].map((name) => ({ folder: 'input', name })));
    const before = (await ask()) ?? [];
    expect(before.map((stamp) => stamp !== undefined)).toEqual([true, true, false]);
    writeFileSync(join(dir, 'input', 'a.png'), 'another file of another length');
    const after = (await ask()) ?? [];
    expect([after[0] === before[0], after[1] === before[1]]).toEqual([false, true]);
  });

  it('are not known of a file that is not there', async () => {
    const fake = await startFake();
    expect(await connect(fake.url).stamps?.([{ folder: 'input', name: 'a.png' }])).toEqual([undefined]);
  });
});

describe('what of a server changes pixels', () => {
  const system = { comfyui_version: '0.3.64', pytorch_version: '2.7.1+cu126' };
  const card = (name: string) => [{ name, type: 'cuda', index: 0 }];

  it('is version, PyTorch, graphics card and the switches that choose how numbers are computed', () => {
    const argv = ['main.py', '--port', '8188', '--fast', 'fp16_accumulation', '--lowvram', '--use-pytorch-cross-attention'];
    expect(engineOf({ ...system, argv }, card('cuda:0 NVIDIA GeForce RTX 3090 : cudaMallocAsync'), false)).toEqual({
      kind: 'comfyui',
      version: '0.3.64',
      PyTorch: '2.7.1+cu126',
      device: 'cuda NVIDIA GeForce RTX 3090',
      switches: '--fast fp16_accumulation --use-pytorch-cross-attention',
    });
  });

  it('is the same for the same card under another number, allocator, port and folder', () => {
    const one = engineOf({ ...system, argv: ['main.py', '--port', '1'] }, card('cuda:0 NVIDIA GeForce RTX 3090 : native'), false);
    const two = engineOf(
      { ...system, argv: ['main.py', '--base-directory', '/x'] },
      card('cuda:1 NVIDIA GeForce RTX 3090 : cudaMallocAsync'),
      false,
    );
    expect(two).toEqual(one);
  });

  it('tells a processor from a card, and a sandbox from both', () => {
    expect(engineOf(system, [{ name: 'cpu', type: 'cpu' }], false)['device']).toBe('cpu');
    expect(engineOf(system, undefined, true)).toEqual({ kind: 'sandbox', version: '0.3.64', PyTorch: '2.7.1+cu126' });
  });
});
