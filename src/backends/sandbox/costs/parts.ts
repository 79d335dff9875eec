/** What a loader node loads: its files, and the parts of them that go onto the card. */
import type { Encoder, Family, FileRule, Prices } from './cost-model.ts';
import { type Lineage, numberAt, type Scene, textAt } from './lineage.ts';
import type { FileUse, Part } from './memory.ts';
import { classOf } from '../prompt-nodes.ts';

/** Class → its inputs that name files, with the folders they lie in. */
const LOADERS: ReadonlyMap<string, readonly (readonly [input: string, folder: string])[]> = new Map([
  ['CheckpointLoaderSimple', [['ckpt_name', 'checkpoints']]],
  ['UNETLoader', [['unet_name', 'diffusion_models']]],
  ['CLIPLoader', [['clip_name', 'text_encoders']]],
  [
    'DualCLIPLoader',
    [
      ['clip_name1', 'text_encoders'],
      ['clip_name2', 'text_encoders'],
    ],
  ],
  ['VAELoader', [['vae_name', 'vae']]],
  ['ControlNetLoader', [['control_net_name', 'controlnet']]],
  ['UpscaleModelLoader', [['model_name', 'upscale_models']]],
  ['CLIPVisionLoader', [['clip_name', 'clip_vision']]],
  ['LoraLoader', [['lora_name', 'loras']]],
  ['LoraLoaderModelOnly', [['lora_name', 'loras']]],
  ['IPAdapterModelLoader', [['ipadapter_file', 'ipadapter']]],
]);

interface Known {
  readonly use: FileUse;
  readonly rule: FileRule;
  readonly name: string;
}

/** Files that a node reads when it runs. A LoRA at strength 0 is not even opened. */
export function filesOf(scene: Scene, prices: Prices, id: string): readonly FileUse[] {
  if (isLora(scene, id) && loraStrength(scene, id, 'MODEL') === 0 && loraStrength(scene, id, 'CLIP') === 0) return [];
  return knownFiles(scene, prices, id).map(({ use }) => use);
}

/** The part that came out of a loader; `instance` tells one load of it from the next. */
export function partOf(scene: Scene, prices: Prices, lineage: Lineage, instance: string): Part | undefined {
  const known = knownFiles(scene, prices, lineage.loader);
  if (known.length === 0) return undefined;
  const bytes = known.reduce((sum, file) => sum + bytesOfType(scene, lineage, file), 0);
  const patches = lineage.through
    .filter((id) => isLora(scene, id) && loraStrength(scene, id, lineage.type) !== 0)
    .map((id) => `${textAt(scene, id, 'lora_name')}:${loraStrength(scene, id, lineage.type)}`);
  return { id: `${instance}/${lineage.type}`, files: known.map(({ use }) => use), bytes, patches: patches.join(' ') };
}

export function familyOf(scene: Scene, prices: Prices, lineage: Lineage): Family | undefined {
  const [file] = knownFiles(scene, prices, lineage.loader);
  return prices.families.get(file?.rule.family ?? '');
}

/** Encoders that a text goes through. */
export function encodersOf(scene: Scene, prices: Prices, lineage: Lineage): readonly Encoder[] {
  return knownFiles(scene, prices, lineage.loader).flatMap(({ rule }): Encoder[] => {
    if (rule.encoder !== undefined) return [rule.encoder];
    return rule.family === 'flux' ? ['clip', 't5'] : ['clip'];
  });
}

function knownFiles(scene: Scene, prices: Prices, id: string): readonly Known[] {
  return (LOADERS.get(classOf(scene.prompt, id) ?? '') ?? []).flatMap(([input, folder]) => {
    const name = textAt(scene, id, input);
    const rule = ruleOf(prices, folder, name);
    return rule === undefined ? [] : [{ use: { name: `${folder}/${name}`, bytes: rule.bytes }, rule, name }];
  });
}

/** `folder/name` with its size; empty when the cost model knows no such file. */
export function knownFile(prices: Prices, path: string): readonly FileUse[] {
  const cut = path.indexOf('/');
  const rule = ruleOf(prices, path.slice(0, cut), path.slice(cut + 1));
  return rule === undefined ? [] : [{ name: path, bytes: rule.bytes }];
}

function ruleOf(prices: Prices, folder: string, name: string): FileRule | undefined {
  return prices.files.find((one) => one.folder === folder && one.match.test(name));
}

function bytesOfType(scene: Scene, { loader, type }: Lineage, { rule, name }: Known): number {
  const part = { MODEL: rule.diffusion, CLIP: rule.text, VAE: rule.vae }[type] ?? rule.bytes;
  const halved = type === 'MODEL' && textAt(scene, loader, 'weight_dtype').startsWith('fp8') && !/fp8/i.test(name);
  return halved ? part / 2 : part;
}

function isLora({ prompt }: Scene, id: string): boolean {
  return classOf(prompt, id)?.startsWith('LoraLoader') ?? false;
}

function loraStrength(scene: Scene, id: string, type: string): number {
  return numberAt(scene, id, type === 'CLIP' ? 'strength_clip' : 'strength_model', 0);
}
