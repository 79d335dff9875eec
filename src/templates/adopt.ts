/** Makes a template of a bare workflow file: a manifest with one step, its parameters the placeholders in the workflow's strings. */
import { detectFormat, parseGraph } from '#graph/graph.ts';
import { parseJson } from '#graph/json.ts';
import type { JsonNode } from '#graph/types.ts';
import type { Problem } from '#protocol/problem.ts';
import { PARAMETER_NAME_PATTERN } from './manifest-schema.ts';
import { RESERVED_NAMES } from './environment.ts';
import { slug } from './filters.ts';
import { placeholdersIn } from './grammar.ts';
import { type Located, problemAt, problemIn } from './locate.ts';
import type { ParameterDefinition, ParameterType } from './types.ts';

export const ADOPTED_VERSION = '0.0.0';

export interface Adopted {
  /** Text of a manifest; undefined when the file is no workflow. */
  readonly manifest: string | undefined;
  readonly problems: readonly Problem[];
  /** The file is JSON of some other kind: in a library it is left alone. */
  readonly foreign: boolean;
}

/** Ids: lower case Latin letters, digits and hyphens, at most 64; empty when the name has none. */
export function idOf(fileName: string): string {
  const ascii = slug(fileName.replace(/\.json$/i, '')).replaceAll(/[^a-z0-9-]/g, '');
  return ascii.replaceAll(/-{2,}/g, '-').replaceAll(/^-|-$/g, '');
}

/** `fileName` is the workflow's name without its folder, `file` how problems call it. */
export function adopt(text: string, fileName: string, file: string): Adopted {
  const { root, problems } = parseJson(text, { file });
  if (root === undefined) return { manifest: undefined, problems, foreign: false };
  const format = detectFormat(root);
  const where: Located = { file, text, root };
  if (format === 'ui') {
    const message = 'This is a workflow in UI format, which cannot be run as it is: converting it is not available yet.';
    const hint = 'In ComfyUI choose Workflow › Export (API) and put that file here.';
    return { manifest: undefined, problems: [problemAt(where, [], 'TEMPLATE_WORKFLOW_UI_FORMAT', message, { hint })], foreign: false };
  }
  if (format === 'unknown') {
    const message = 'This JSON is neither a template, a ComfyUI workflow nor Wan2GP settings.';
    const hint = 'Give a folder with template.json, a workflow exported with Export (API), or saved Wan2GP settings.';
    return { manifest: undefined, problems: [problemAt(where, [], 'TEMPLATE_WORKFLOW_FORMAT', message, { hint })], foreign: true };
  }
  const id = idOf(fileName);
  if (id === '') {
    const message = `No id can be made of the file name "${fileName}".`;
    const hint = 'Rename the file with Latin letters or digits, or write a template.json.';
    return { manifest: undefined, problems: [problemIn(file, 'TEMPLATE_ID_INVALID', message, hint)], foreign: false };
  }
  const wan2gp = format === 'wan2gp';
  const manifest = {
    format: 1,
    id,
    version: ADOPTED_VERSION,
    title: fileName.replace(/\.json$/i, ''),
    category: 'adopted',
    parameters: Object.fromEntries(wan2gp ? settingsParameters(root) : graphParameters(text)),
    steps: [{ id: 'main', backend: wan2gp ? 'wan2gp' : 'comfyui', workflow: fileName, outputs: { files: '*' } }],
    outputs: { files: { from: '{steps.main.files}' } },
  };
  return { manifest: `${JSON.stringify(manifest, null, 2)}\n`, problems: [], foreign: false };
}

type Definitions = Map<string, ParameterDefinition>;

function graphParameters(text: string): Definitions {
  const found: Definitions = new Map();
  const { graph } = parseGraph(text);
  for (const node of graph?.nodes.values() ?? []) {
    for (const input of node.inputs.values()) {
      if (input.link === undefined) collect(input.value, input.name, node.classType, found);
    }
  }
  return found;
}

function settingsParameters(root: JsonNode): Definitions {
  const found: Definitions = new Map();
  if (root.kind === 'object') for (const { key, value } of root.members) collect(value, key.value, '', found);
  return found;
}

const NAME = new RegExp(PARAMETER_NAME_PATTERN);

/** A name that is a whole value somewhere takes its type from there; within longer texts it is a text. */
function collect(value: JsonNode, input: string, classType: string, found: Definitions): void {
  if (value.kind === 'array') for (const item of value.items) collect(item, input, classType, found);
  if (value.kind === 'object') for (const each of value.members) collect(each.value, each.key.value, classType, found);
  if (value.kind !== 'string') return;
  for (const placeholder of placeholdersIn(value.value)) {
    for (const { path } of placeholder.alternatives) {
      const [name = ''] = path;
      if (path.length !== 1 || RESERVED_NAMES.includes(name) || !NAME.test(name) || name === '__proto__') continue;
      const whole = placeholder.text === value.value;
      const type: ParameterType = whole ? typeOfInput(input, classType) : 'string';
      const known = found.get(name)?.type;
      if (known === undefined || (known === 'string' && type !== 'string')) found.set(name, { type, title: titleOf(name) });
    }
  }
}

const BY_CLASS: Readonly<Record<string, ParameterType>> = {
  LoadImage: 'image',
  LoadImageMask: 'mask',
  LoadVideo: 'video',
  LoadAudio: 'audio',
};
const BY_INPUT: readonly (readonly [RegExp, ParameterType])[] = [
  [/^(?:noise_)?seed$/, 'seed'],
  [/^(?:width|height|length|batch_size|steps|start_at_step|end_at_step|video_length|num_inference_steps|x|y)$/, 'integer'],
  [/^(?:cfg|denoise|strength|strength_model|strength_clip|guidance|guidance_scale|fps|frame_rate|shift|flow_shift)$/, 'number'],
  [/^(?:ckpt_name|lora_name|vae_name|unet_name|clip_name\d?|control_net_name|style_model_name|gligen_name|model_name)$/, 'model'],
  [/^(?:image_start|image_end|image_guide)$/, 'image'],
  [/^(?:image_mask|video_mask)$/, 'mask'],
  [/^(?:video_guide|video_source)$/, 'video'],
  [/^(?:audio_guide\d?|audio_source)$/, 'audio'],
  [/^(?:text|prompt|negative_prompt|positive|negative)$/, 'text'],
];

/** By the names that ComfyUI's core nodes and Wan2GP's settings use; anything else is a string, which ComfyUI converts itself. */
function typeOfInput(input: string, classType: string): ParameterType {
  const media = BY_CLASS[classType];
  if (media !== undefined && /^(?:image|file|audio|video)$/.test(input)) return media;
  return BY_INPUT.find(([names]) => names.test(input))?.[1] ?? 'string';
}

function titleOf(name: string): string {
  const words = name.replaceAll('_', ' ').trim();
  return words === '' ? name : words.charAt(0).toUpperCase() + words.slice(1);
}
