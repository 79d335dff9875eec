/** Small templates in memory and on disk for the tests of this room. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';
import type { ObjectInfo } from '#graph/object-info.ts';
import type { Problem } from '#protocol/problem.ts';
import { compileTemplate, type CompiledTemplate } from '#templates/compile.ts';
import { sourceOf } from '#templates/load.ts';
import { renderStep } from '#templates/render.ts';
import type { MediaValue, Scope, Value } from '#templates/types.ts';

export const GRAPH = {
  '3': { class_type: 'KSampler', inputs: { seed: 1, steps: 20, cfg: 8, positive: ['6', 0], latent_image: ['5', 0], model: ['4', 0] } },
  '4': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'base.safetensors' } },
  '5': { class_type: 'EmptyLatentImage', inputs: { width: 512, height: 512, batch_size: 1 } },
  '6': { class_type: 'CLIPTextEncode', inputs: { text: 'a photo', clip: ['4', 1] }, _meta: { title: 'Positive prompt' } },
  '10': { class_type: 'LoadImage', inputs: { image: 'in.png' } },
  '9': { class_type: 'SaveImage', inputs: { images: ['3', 0], filename_prefix: 'out' }, _meta: { title: 'Save' } },
};

/** A manifest with one step `a` over `GRAPH`; `changes` replace top-level fields, `step` fields of the step. */
export function manifest(changes: object = {}, step: object = {}): object {
  return {
    format: 1,
    id: 'demo',
    version: '1.0.0',
    steps: [{ id: 'a', workflow: 'w.json', outputs: { image: '9' }, ...step }],
    ...changes,
  };
}

export function compile(content: object | string, workflows: Readonly<Record<string, object | string>> = { 'w.json': GRAPH }) {
  const text = (value: object | string): string => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));
  const files = Object.fromEntries(Object.entries(workflows).map(([name, value]) => [name, text(value)]));
  return compileTemplate(sourceOf(text(content), files));
}

export function compiled(content: object | string, workflows?: Readonly<Record<string, object | string>>): CompiledTemplate {
  const { value, problems } = compile(content, workflows);
  if (value === undefined) throw new Error(problems.map((problem) => `${problem.code}: ${problem.message}`).join('\n'));
  return value;
}

export const scope = (params: Readonly<Record<string, Value>> = {}, more: Partial<Scope> = {}): Scope => ({
  params,
  steps: {},
  choices: {},
  ...more,
});

export function render(template: CompiledTemplate, at: Scope, step = 'a', objectInfo?: ObjectInfo) {
  const info = objectInfo === undefined ? {} : { objectInfo };
  return renderStep(template, step, at, { mediaName: (file) => `uploaded/${file.name}`, ...info });
}

/** The rendered graph as plain data; 64-bit integers have to be looked for in `renderedText`. */
export function rendered(template: CompiledTemplate, at: Scope, step = 'a'): Record<string, { inputs: Record<string, unknown> }> {
  return JSON.parse(renderedText(template, at, step));
}

export function renderedText(template: CompiledTemplate, at: Scope, step = 'a'): string {
  const { value, problems } = render(template, at, step);
  if (value === undefined) throw new Error(problems.map((problem) => `${problem.code}: ${problem.message}`).join('\n'));
  return value.text;
}

export function media(path: string): MediaValue {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return { $media: 'media', path, name, sha256: `hash of ${path}`, bytes: 10, mediaType: 'image/png' };
}

export const codes = (problems: readonly Problem[]): string[] => problems.map((problem) => problem.code);

const folders: string[] = [];
afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

/** A fresh folder with these files, removed after the test. */
export async function folderWith(files: Readonly<Record<string, string | object | Uint8Array>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'callsheet-templates-'));
  folders.push(folder);
  await put(folder, files);
  return folder;
}

export async function put(folder: string, files: Readonly<Record<string, string | object | Uint8Array>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content, null, 2));
  }
}
