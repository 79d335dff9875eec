/** A run through the optimiser, on a server that really executes: what is sent, what is told of it, and whose files come home. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Saving } from '#protocol/views.ts';
import type { Sandbox } from '#backends/sandbox/options.ts';
import { startTestSandbox } from '../backends/sandbox/graphs.ts';
import { type Engine, startEngine } from './supervisor-harness.ts';

/** A look at the picture that nobody declares, another saver, a LoRA whose strength is a parameter, and two equal previews that are declared. */
const WORKFLOW = `{
  "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd_xl_base_1.0.safetensors"}, "_meta": {"title": "Model"}},
  "2": {"class_type": "LoraLoader", "inputs": {"model": ["1", 0], "clip": ["1", 1], "lora_name": "draft-style.safetensors", "strength_model": "{strength}", "strength_clip": "{strength}"}},
  "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "a red fox", "clip": ["2", 1]}},
  "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
  "5": {"class_type": "KSampler", "inputs": {"seed": "{seed}", "steps": 2, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1, "model": ["2", 0], "positive": ["3", 0], "negative": ["3", 0], "latent_image": ["4", 0]}},
  "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
  "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "final"}},
  "8": {"class_type": "PreviewImage", "inputs": {"images": ["9", 0]}, "_meta": {"title": "Look"}},
  "9": {"class_type": "ImageInvert", "inputs": {"image": ["6", 0]}},
  "10": {"class_type": "PreviewImage", "inputs": {"images": ["6", 0]}},
  "11": {"class_type": "PreviewImage", "inputs": {"images": ["6", 0]}},
  "12": {"class_type": "SaveImage", "inputs": {"images": ["13", 0], "filename_prefix": "negative"}},
  "13": {"class_type": "ImageInvert", "inputs": {"image": ["6", 0]}}
}
`;

const manifest = (id: string, changes: object = {}): object => ({
  format: 1,
  id,
  version: '1.0.0',
  parameters: { strength: { type: 'number', default: 0 }, seed: { type: 'seed', default: '18446744073709551615' } },
  steps: [{ id: 'a', workflow: 'w.json', outputs: { picture: '7', one: '10', two: '11' } }],
  ...changes,
});

let templates: string;
let sandbox: Sandbox;
let engine: Engine;
beforeEach(async () => {
  templates = mkdtempSync(join(tmpdir(), 'callsheet-optimiser-'));
  for (const [id, changes] of [
    ['plain', {}],
    ['strict', { optimize: false }],
  ] as const) {
    mkdirSync(join(templates, id));
    writeFileSync(join(templates, id, 'template.json'), JSON.stringify(manifest(id, changes)));
    writeFileSync(join(templates, id, 'w.json'), WORKFLOW);
  }
  sandbox = await startTestSandbox({ latencyMs: 1 });
  engine = await startEngine({ servers: { comfyui: { url: sandbox.url } }, templates });
});
afterEach(async () => {
  await engine.close();
  rmSync(templates, { recursive: true, force: true });
});

const request = { template: 'plain', parameters: {} };
const executed = (): string[] => (sandbox.ledger().at(-1)?.nodes ?? []).toSorted((a, b) => Number(a) - Number(b));
const told = (savings: readonly Saving[] | undefined): string[] =>
  (savings ?? []).map(
    ({ pass, item, nodes }) =>
      `${pass} ${String(item)}: ${nodes.map(({ id, into }) => (into === undefined ? id : `${id}>${into}`)).join(' ')}`,
  );

async function run(more: object = {}) {
  const { runId } = await engine.supervisor.start({ ...request, ...more });
  return engine.ended(runId);
}

describe('a run', () => {
  it('sends less than its workflow, says what and why, and brings home what it was asked for', async () => {
    const view = await run();
    expect(view.status).toBe('succeeded');
    expect(executed()).toEqual(['1', '3', '4', '5', '6', '7', '10']);
    expect(told(view.optimiser?.savings)).toEqual(['dead-nodes 0: 12 13', 'equal-nodes 0: 11>10', 'no-ops 0: 2>1', 'previews 0: 8 9']);
    expect(view.optimiser?.savings[3]).toMatchObject({
      step: 'a',
      nodes: [{ id: '8', classType: 'PreviewImage', title: 'Look' }, { id: '9' }],
    });
    expect(view.artifacts.map(({ output, node }) => `${output} ${node}`)).toEqual(['one 10', 'picture 7', 'two 11']);
    const [one, , two] = view.artifacts.map(({ path }) => readFileSync(path));
    expect(two?.equals(one ?? Buffer.alloc(0))).toBe(true);
  });

  it('keeps what does something: the same template with another strength', async () => {
    const view = await run({ parameters: { strength: 0.5 } });
    expect(executed()).toContain('2');
    expect(told(view.optimiser?.savings)).not.toContain('no-ops 0: 2>1');
  });

  it('is sent as it was written when it asks for that, with the same pixels', async () => {
    const optimised = await run();
    const plain = await run({ optimize: false });
    expect(executed()).toContain('8');
    expect(plain.optimiser).toEqual({ enabled: false, savings: [] });
    expect(plain.artifacts.map(({ output, node }) => `${output} ${node}`)).toEqual(
      optimised.artifacts.map(({ output, node }) => `${output} ${node}`),
    );
  });

  it('is sent as it was written when its template asks for that', async () => {
    const view = await run({ template: 'strict' });
    expect(executed()).toContain('8');
    expect(view.optimiser).toEqual({ enabled: false, savings: [] });
  });

  it('sends the same text after a restart of the daemon', async () => {
    const first = await run();
    await engine.restart();
    const second = await run();
    const hashOf = (runId: string) => engine.store.attempts(runId).map(({ payloadHash }) => payloadHash);
    expect(hashOf(second.runId)).toEqual(hashOf(first.runId));
  });

  it('that was ended with its daemon knows afterwards whose files are whose', async () => {
    const slow = await startTestSandbox({ latencyMs: 60 });
    const other = await startEngine({ servers: { comfyui: { url: slow.url } }, templates });
    try {
      const { runId } = await other.supervisor.start(request);
      await new Promise<void>((resolve) => {
        other.supervisor.onEvents((events) => {
          if (events.some(({ event }) => event.type === 'step.status' && event.status === 'running')) resolve();
        });
      });
      await other.restart();
      const view = await other.ended(runId);
      expect(view.artifacts.map(({ output, node }) => `${output} ${node}`)).toEqual(['one 10', 'picture 7', 'two 11']);
      expect(told(view.optimiser?.savings)).toContain('equal-nodes 0: 11>10');
      expect(slow.ledger()).toHaveLength(1);
    } finally {
      await other.close();
    }
  });

  it('keeps its workflow as the author wrote it: that is what is pinned and exported', async () => {
    const { runId } = await run();
    const source = JSON.parse(engine.store.template(engine.store.run(runId)?.templateHash ?? '') ?? '') as {
      workflows: Record<string, string>;
    };
    expect(source.workflows).toEqual({ 'w.json': WORKFLOW });
  });
});

describe('seconds', () => {
  it('are those of earlier runs of the step, and of nothing else', async () => {
    const view = await run();
    expect(view.optimiser?.savings.map(({ seconds }) => seconds)).toEqual([undefined, undefined, undefined, undefined]);
    expect(view.optimiser).not.toHaveProperty('seconds');
    const timing = (part: string, seconds: number) => ({ template: 'plain', step: 'a', backend: 'comfyui', part, seconds });
    const ofClass = { template: '', step: '', backend: 'comfyui', part: 'class.PreviewImage', seconds: 0.5 };
    engine.store.commit({ timings: [timing('node.12', 2), timing('node.13', 1), timing('node.2', 9), timing('node.11', 7), ofClass] });
    await engine.restart();
    const again = await run();
    // A LoRA of strength 0 and an equal preview take nothing on a server that keeps its results.
    expect(again.optimiser?.savings.map(({ pass, seconds }) => [pass, seconds])).toEqual([
      ['dead-nodes', 3],
      ['equal-nodes', undefined],
      ['no-ops', undefined],
      ['previews', 0.5],
    ]);
    expect(again.optimiser?.seconds).toBe(3.5);
  });
});
