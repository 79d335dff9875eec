/** Pass `shared-loaders`: a model that several nodes load is loaded by one of them. */
import { isModelFile } from '../models.ts';
import { type Draft, type DraftNode } from './draft.ts';
import { constantKey, type KeyOf, mergeEqual, plainKey } from './equal-nodes.ts';
import { isIdempotent } from './idempotent-classes.ts';
import type { Found, Pass } from './types.ts';

/** Optional inputs whose value, when it is not given, is the default of the function that ComfyUI calls. */
const DEFAULTS: ReadonlyMap<string, Readonly<Record<string, string>>> = new Map([
  ['CLIPLoader', { device: 'default' }],
  ['DualCLIPLoader', { device: 'default' }],
]);

const LOADERS: ReadonlySet<string> = new Set(
  (
    'CheckpointLoaderSimple CheckpointLoader unCLIPCheckpointLoader ImageOnlyCheckpointLoader DiffusersLoader UNETLoader CLIPLoader DualCLIPLoader ' +
    'TripleCLIPLoader QuadrupleCLIPLoader VAELoader ControlNetLoader DiffControlNetLoader CLIPVisionLoader StyleModelLoader GLIGENLoader ' +
    'UpscaleModelLoader PhotoMakerLoader ModelPatchLoader AudioEncoderLoader LoraLoader LoraLoaderModelOnly HypernetworkLoader'
  ).split(' '),
);

export const sharedLoaders: Pass = {
  name: 'shared-loaders',
  does: 'Lets one loader load a model for all that load the same.',
  condition:
    'Two loaders of ComfyUI’s own of one class, with the same file and the same settings; LoRA loaders also with the same model and CLIP. `a\\b.safetensors` and `a/b.safetensors` are one file, spelled as the server lists it, and `device` that is not given is `default` (`CLIPLoader`, `DualCLIPLoader`).',
  proof:
    'Loaders read the file and nothing else; what takes the model works on clones of it (`model_patcher.py`). Defaults are those of the functions that ComfyUI calls (`nodes.py`, `load_clip`). ComfyUI’s cache compares texts, so that it would load a model twice that is written in two ways.',
  example:
    '`CLIPLoader {clip_name, type}` and `CLIPLoader {clip_name, type, device: "default"}`: one is loaded, and the texts that both encode are equal then.',

  run: (draft: Draft): readonly Found[] => mergeEqual(draft, isLoader, loaderKey, why, betterSpelt),
};

// --- helpers ---

function isLoader({ nodeClass, classType }: DraftNode): boolean {
  return LOADERS.has(classType) && isIdempotent(nodeClass);
}

const loaderKey: KeyOf = (node, name, input) => {
  const { value } = input;
  if (value.kind === 'string' && DEFAULTS.get(node.classType)?.[name] === value.value) return undefined;
  const spec = node.specs.get(name);
  if (value.kind !== 'string' || spec?.type !== 'COMBO' || !isModelFile(value.value)) return plainKey(node, name, input);
  return constantKey({ ...value, value: value.value.replaceAll('\\', '/') }, spec.type);
};

/** The spelling that the server lists is the one that it takes. */
function betterSpelt(first: DraftNode, second: DraftNode): DraftNode {
  return misspelt(first) > misspelt(second) ? second : first;
}

function misspelt(node: DraftNode): number {
  return [...node.inputs].filter(([name, { value }]) => {
    const choices = node.specs.get(name)?.choices;
    return value.kind === 'string' && choices !== undefined && !choices.includes(value.value);
  }).length;
}

function why(gone: DraftNode): string {
  const [, input] = [...gone.inputs].find(([, { value }]) => value.kind === 'string' && isModelFile(value.value)) ?? [];
  const file = input?.value.kind === 'string' ? input.value.value : undefined;
  return file === undefined ? 'Another node loads the same.' : `Another node loads ${file} already.`;
}
