/** What a template would have a backend do, for whoever decides whether to trust it: node classes, models, files, addresses. */
import type { JsonNode } from '#graph/types.ts';
import { toValue } from '#graph/values.ts';
import { parseJson } from '#graph/json.ts';
import { type CompiledTemplate, SETTINGS_NODE } from './compiled.ts';
import { LORA_LOADERS } from './decide-patches.ts';

export interface ModelUse {
  readonly name: string;
  readonly folder?: string;
  readonly sha256?: string;
  readonly bytes?: number;
  readonly url?: string;
}

export interface TemplateContents {
  /** Sorted, as all lists here. */
  readonly nodeClasses: readonly string[];
  readonly models: readonly ModelUse[];
  /** Texts in workflows and manifest that are, or look like, names of files or folders. */
  readonly files: readonly string[];
  /** Addresses that stand in workflows and manifest: http, ws, ftp, file, network shares … */
  readonly addresses: readonly string[];
  /** Kinds of backends that its steps go to. */
  readonly backends: readonly string[];
}

const MODEL = /\.(?:safetensors|sft|ckpt|pt2?|pth|bin|gguf|onnx|engine|tflite|npz|pkl|pickle|patch)$/i;
const FILE =
  /^[^\n\r]{0,500}\.(?:png|jpe?g|webp|avif|gif|bmp|exr|hdr|tiff?|psd|mp4|mov|m4v|mkv|webm|avi|wav|flac|mp3|ogg|opus|m4a|glb|gltf|obj|fbx|ply|stl|usd[acz]?|json|ya?ml|txt|csv|py|sh|bat|ps1|exe|dll|so|dylib|zip|latent|cube)$/i;
const PLACE = /^(?:~?\/|[A-Za-z]:[\\/]|\\\\|\.\.?[\\/])/;
const ADDRESS =
  /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s"'<>\\^`{}|]{1,500}|\b(?:data|javascript|mailto):[^\s"'<>]{1,100}|\\\\[\w.-]{1,100}\\[^\s"'<>]{1,300}/gi;
/** So that a hostile file cannot make an endless page. */
const MOST = 1000;

export function contentsOf(template: CompiledTemplate): TemplateContents {
  const classes = new Set<string>();
  const names = new Set<string>();
  const files = new Set<string>();
  const addresses = new Set<string>();
  const look = (text: string): void => {
    for (const [address] of text.slice(0, 100_000).matchAll(ADDRESS)) if (addresses.size < MOST) addresses.add(address);
    if (text.length > 1000) return;
    if (MODEL.test(text)) names.add(text);
    else if (files.size < MOST && (FILE.test(text) || PLACE.test(text))) files.add(text);
  };
  for (const step of template.steps) {
    for (const node of step.graph.nodes.values()) {
      if (node.id !== SETTINGS_NODE || step.backend !== 'wan2gp') classes.add(node.classType);
      for (const input of node.inputs.values()) if (input.link === undefined) eachText(input.value, look);
    }
    for (const patch of step.patches) {
      if (patch.kind === 'swap') for (const { classType } of patch.nodes) classes.add(classType);
      if (patch.kind === 'loras') for (const name of LORA_LOADERS) classes.add(name);
    }
    if (step.backend === 'wan2gp')
      for (const input of step.graph.nodes.get(SETTINGS_NODE)?.inputs.values() ?? [])
        if (input.name === 'model_type') eachText(input.value, (text) => names.add(text));
  }
  const workflows = new Set(template.steps.map((step) => step.workflow));
  const { root } = parseJson(template.source.manifest);
  // `$schema` is for editors; nothing reads it.
  const members = root?.kind === 'object' ? root.members.filter(({ key }) => key.value !== '$schema') : [];
  for (const { value } of members) eachText(value, (text) => workflows.has(text) || look(text));
  return {
    nodeClasses: [...classes].toSorted(),
    models: modelsOf(template, names),
    files: [...files].toSorted(),
    addresses: [...addresses].toSorted(),
    backends: [...new Set(template.steps.map((step) => step.backend))].toSorted(),
  };
}

function eachText(node: JsonNode, take: (text: string) => void): void {
  if (node.kind === 'string') take(node.value);
  else if (node.kind === 'array') for (const item of node.items) eachText(item, take);
  else if (node.kind === 'object') for (const { value } of node.members) eachText(value, take);
}

/** Those of the graphs, joined with what the manifest says about them. */
function modelsOf(template: CompiledTemplate, names: ReadonlySet<string>): readonly ModelUse[] {
  const declared = declaredModels(template);
  const known = new Set(declared.map((model) => baseOf(model.name)));
  const others = [...names].filter((name) => !known.has(baseOf(name))).map((name): ModelUse => ({ name }));
  return [...declared, ...others].toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)).slice(0, MOST);
}

/** What the manifest says of model files. */
export function declaredModels(template: Pick<CompiledTemplate, 'source'>): readonly ModelUse[] {
  const { root } = parseJson(template.source.manifest);
  const manifest = root === undefined ? undefined : toValue(root);
  const requires = recordOf(recordOf(manifest).requires);
  const models: readonly unknown[] = Array.isArray(requires.models) ? requires.models : [];
  return models.flatMap((model) => {
    const { name, folder, sha256, bytes, url } = recordOf(model);
    if (typeof name !== 'string') return [];
    const size = typeof bytes === 'number' ? { bytes } : {};
    const texts = Object.entries({ folder, sha256, url }).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    return [{ name, ...Object.fromEntries(texts), ...size }];
  });
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};
}

function baseOf(name: string): string {
  return name.split(/[\\/]/).at(-1) ?? name;
}
