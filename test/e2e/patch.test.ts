/** Runs whose graphs are patched, on the sandbox, through the command line. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ArtifactView, RunView } from '#protocol/views.ts';
import { freshPlace, jsonLines, runCli } from './run-cli.ts';

type Graph = Record<string, { class_type: string; inputs: Record<string, unknown> }>;

/** The one picture of a run, and the graph that the server wrote into it: the one that it executed. */
async function pictureOf(argv: readonly string[], env: Readonly<Record<string, string>>) {
  const { code, stdout, stderr } = await runCli(['run', ...argv, '--json'], env);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { run, artifacts } = jsonLines(stdout).at(-1) as unknown as { readonly run: RunView; readonly artifacts: readonly ArtifactView[] };
  expect(run.status).toBe('succeeded');
  const [artifact] = artifacts;
  const bytes = readFileSync(artifact?.path ?? '');
  return { artifact, sha256: artifact?.sha256, graph: JSON.parse(promptIn(bytes)) as Graph };
}

/** The text chunk `prompt` of a PNG. */
function promptIn(bytes: Buffer): string {
  for (let at = 8; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const body = bytes.subarray(at + 8, at + 8 + length);
    const end = body.indexOf(0);
    if (bytes.toString('latin1', at + 4, at + 8) === 'tEXt' && body.toString('latin1', 0, end) === 'prompt')
      return body.toString('utf8', end + 1);
    at += 12 + length;
  }
  throw new Error('the picture does not say how it was made');
}

const classes = (graph: Graph): string[] => Object.values(graph).map(({ class_type }) => class_type);

describe('text-to-image-lora', () => {
  const small = ['text-to-image-lora', '-p', 'width=64', '-p', 'height=64', '-p', 'seed=7', '-p', 'sampling_steps=1'];

  it('runs with as many LoRAs as are given, and without any', async () => {
    const { env } = freshPlace();
    const without = await pictureOf([...small, '-p', 'loras=[]'], env);
    expect(classes(without.graph)).not.toContain('LoraLoader');
    const two = await pictureOf([...small, '-p', 'loras=["draft-style.safetensors:0.5","draft-hero.safetensors"]'], env);
    expect(two.graph['1:patch1-lora2']?.inputs).toMatchObject({
      model: ['1:patch1-lora1', 0],
      lora_name: 'characters/draft-hero.safetensors',
      strength_model: 0.8,
    });
    expect(two.graph['6']?.inputs['model']).toEqual(['1:patch1-lora2', 0]);
    expect(two.sha256).not.toBe(without.sha256);
    const { code, stdout } = await runCli(
      ['templates', 'render', 'text-to-image-lora', '-p', 'loras=["draft-style.safetensors:0.5"]'],
      env,
    );
    expect(code).toBe(0);
    expect(stdout).toContain('//   One LoRA goes behind node 1 "Checkpoint" (CheckpointLoaderSimple): draft-style.safetensors (0.5)');
  });

  it('is rendered for any backend that is named, by its address too, and what cannot be rendered ends with code 1', async () => {
    const { env } = freshPlace();
    const nobody = 'comfyui=http://127.0.0.1:9';
    const argv = ['templates', 'render', 'text-to-image-lora', '-p', 'loras=["draft-style.safetensors"]'];
    expect(await runCli([...argv, '--backend', nobody], env)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('BACKEND_UNREACHABLE'),
    });
    expect(await runCli(argv, { ...env, CALLSHEET_BACKENDS: nobody })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('error STEP_PATCH_OBJECT_INFO'),
    });
  });
});

describe('a template with patches', () => {
  const node = (class_type: string, inputs: object) => ({ class_type, inputs });
  const workflow = {
    1: node('EmptyImage', { width: 32, height: 16, batch_size: 1, color: 0xff0000 }),
    2: node('ImageInvert', { image: ['1', 0] }),
    9: node('SaveImage', { images: ['2', 0], filename_prefix: 'plain' }),
  };
  const patch = [
    { bypass: '2', when: '!params.invert' },
    {
      swap: '9',
      when: 'params.twice',
      nodes: {
        again: node('ImageInvert', { image: ['2', 0] }),
        save: node('SaveImage', { images: ['again', 0], filename_prefix: '{name}' }),
      },
      outputs: {},
    },
  ];
  const manifest = {
    format: 1,
    id: 'patched',
    version: '1.0.0',
    parameters: {
      invert: { type: 'boolean', default: true },
      twice: { type: 'boolean', default: false },
      name: { type: 'string', default: 'swapped' },
    },
    steps: [{ id: 'main', workflow: 'w.json', patch, outputs: { picture: '9' } }],
  };

  it('brings the files of a node that was swapped in home under the name of the old one', async () => {
    const { folder, env } = freshPlace();
    const place = join(folder, 'patched');
    mkdirSync(place);
    writeFileSync(join(place, 'template.json'), JSON.stringify(manifest));
    writeFileSync(join(place, 'w.json'), JSON.stringify(workflow));
    const plain = await pictureOf([place], env);
    expect(plain.artifact).toMatchObject({ output: 'picture', node: '9' });
    expect(Object.keys(plain.graph)).toEqual(['1', '2', '9']);
    const bypassed = await pictureOf([place, '-p', 'invert=false'], env);
    expect(bypassed.graph['9']?.inputs['images']).toEqual(['1', 0]);
    const swapped = await pictureOf([place, '-p', 'twice=true'], env);
    expect(swapped.artifact).toMatchObject({ output: 'picture', node: '9' });
    expect(swapped.graph['9:patch2-save']?.inputs).toMatchObject({ images: ['9:patch2-again', 0] });
    expect(swapped.graph['9']).toBeUndefined();
  });
});
