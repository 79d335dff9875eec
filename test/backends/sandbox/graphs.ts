/** Graphs that several tests send to a sandbox, and a start in a fresh folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { Sandbox, SandboxOptions } from '#backends/sandbox/options.ts';
import { startSandbox } from '#backends/sandbox/server.ts';

export interface TestNode {
  class_type: string;
  inputs: Record<string, string | number | boolean | [string, number]>;
  _meta?: { title: string };
}
export type TestGraph = Record<string, TestNode>;

/** Closed and removed when the test ends. Without a pace unless the test asks for one. */
export async function startTestSandbox(
  options: Partial<SandboxOptions> = {},
  pace: 'none' | 'default' = 'none',
): Promise<Sandbox & { readonly dir: string }> {
  const dir = options.dir ?? mkdtempSync(path.join(tmpdir(), 'callsheet-sandbox-'));
  const sandbox = await startSandbox({ ...(pace === 'none' ? { latencyMs: 0 } : {}), ...options, dir });
  onTestFinished(async () => {
    await sandbox.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return { ...sandbox, dir };
}

export function textToImage(seed: number | string = 42, steps = 4): TestGraph {
  return {
    '3': {
      class_type: 'KSampler',
      inputs: {
        seed,
        steps,
        cfg: 7,
        sampler_name: 'euler',
        scheduler: 'normal',
        denoise: 1,
        model: ['4', 0],
        positive: ['6', 0],
        negative: ['7', 0],
        latent_image: ['5', 0],
      },
    },
    '4': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'sd_xl_base_1.0.safetensors' } },
    '5': { class_type: 'EmptyLatentImage', inputs: { width: 128, height: 128, batch_size: 1 } },
    '6': { class_type: 'CLIPTextEncode', inputs: { text: 'a red fox', clip: ['4', 1] } },
    '7': { class_type: 'CLIPTextEncode', inputs: { text: 'blurry', clip: ['4', 1] } },
    '8': { class_type: 'VAEDecode', inputs: { samples: ['3', 0], vae: ['4', 2] } },
    '9': { class_type: 'SaveImage', inputs: { images: ['8', 0], filename_prefix: 'ComfyUI' } },
  };
}

/** Two nodes: a plain colour saved. */
export function plainColour(color = 0xff0000, prefix = 'plain'): TestGraph {
  return {
    '1': { class_type: 'EmptyImage', inputs: { width: 16, height: 8, batch_size: 1, color } },
    '2': { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: prefix } },
  };
}

/** A prompt that runs for `steps` paces and can be interrupted at each. */
export function sleeping(steps: number, color = 1): TestGraph {
  return {
    '1': { class_type: 'EmptyImage', inputs: { width: 8, height: 8, batch_size: 1, color } },
    '2': { class_type: 'SandboxSleep', inputs: { value: ['1', 0], steps } },
    '3': { class_type: 'SaveImage', inputs: { images: ['2', 0], filename_prefix: 'slept' } },
  };
}
