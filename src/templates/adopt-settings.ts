/** The parameters that Wan2GP settings offer when no placeholder stands in them: those that every model takes, and the files it asks for. */
import type { Graph, JsonNode } from '#graph/types.ts';
import { titleOf } from './identifier.ts';
import { withDefault } from './merge-definitions.ts';
import type { ParameterDefinition } from './types.ts';

/** Setting → what it takes. `resolution` is a text of Wan2GP's own form. */
const PLAIN: Readonly<Record<string, ParameterDefinition>> = {
  prompt: { type: 'text' },
  negative_prompt: { type: 'text' },
  alt_prompt: { type: 'text' },
  resolution: { type: 'string', pattern: '^[1-9][0-9]{1,4}x[1-9][0-9]{1,4}$', description: 'Width x height in pixels.' },
  video_length: { type: 'integer', minimum: 1, unit: 'frames' },
  duration_seconds: { type: 'number', minimum: 0, unit: 's' },
  num_inference_steps: { type: 'integer', minimum: 1, advanced: true },
  guidance_scale: { type: 'number', minimum: 0, step: 0.1, advanced: true },
};

/** Setting → the setting whose letters ask for it, the letter, and its type. */
const FILES: readonly (readonly [string, string, string, ParameterDefinition])[] = [
  ['image_start', 'image_prompt_type', 'S', { type: 'image' }],
  ['image_end', 'image_prompt_type', 'E', { type: 'image' }],
  ['video_source', 'image_prompt_type', 'V', { type: 'video' }],
  ['image_refs', 'video_prompt_type', 'I', { type: 'list', of: 'image', minItems: 1 }],
  ['video_guide', 'video_prompt_type', 'V', { type: 'video' }],
  ['video_mask', 'video_prompt_type', 'A', { type: 'video' }],
  ['audio_guide', 'audio_prompt_type', 'A', { type: 'audio' }],
  ['audio_guide2', 'audio_prompt_type', 'B', { type: 'audio' }],
];
/** Image models name the pictures that they work over differently. */
const IMAGE_MODE_NAMES: Readonly<Record<string, readonly [string, ParameterDefinition]>> = {
  video_guide: ['image_guide', { type: 'image' }],
  video_mask: ['image_mask', { type: 'mask' }],
};

export interface AdoptedSettings {
  readonly parameters: ReadonlyMap<string, ParameterDefinition>;
  readonly set: Readonly<Record<string, string>>;
}

/** `graph` holds the settings as the inputs of its one node. */
export function settingsParameters(graph: Graph): AdoptedSettings {
  const [node] = graph.nodes.values();
  const parameters = new Map<string, ParameterDefinition>();
  const add = (name: string, definition: ParameterDefinition, origin: string): void =>
    void parameters.set(name, { title: titleOf(name), ...definition, origin });
  const valueOf = (name: string): JsonNode | undefined => node?.inputs.get(name)?.value;
  for (const [name, definition] of Object.entries(PLAIN)) {
    const value = valueOf(name);
    if (value?.kind !== 'string' && value?.kind !== 'number') continue;
    const begun = withDefault(definition, value.kind === 'string' ? value.value : Number(value.raw));
    // Lengths in seconds ("5s") are texts.
    if (begun !== undefined) add(name, begun, 'the setting of this name');
  }
  const seed = valueOf('seed');
  if (seed?.kind === 'number') {
    const kept = Number(seed.raw) >= 0 ? withDefault({ type: 'seed' }, Number(seed.raw)) : undefined;
    add(
      'seed',
      kept ?? { type: 'seed', maximum: 4_294_967_295 },
      kept === undefined ? 'the setting of this name, which is random' : 'the setting of this name',
    );
  }
  const mode = valueOf('image_mode');
  const pictures = mode?.kind === 'number' && Number(mode.raw) >= 1;
  for (const [video, letters, letter, type] of FILES) {
    const [name, definition] = (pictures && Object.hasOwn(IMAGE_MODE_NAMES, video) ? IMAGE_MODE_NAMES[video] : undefined) ?? [video, type];
    const asked = textOf(valueOf(letters)).includes(letter);
    const current = valueOf(name);
    // Neither is the name of a file: the setting is damaged, and stays as it is.
    if (current?.kind === 'number' || current?.kind === 'boolean') continue;
    const held = isHeld(current);
    if (held)
      add(
        name,
        { ...definition, default: null },
        `the setting of this name; without a value it stays ${textOf(current) || 'as it is'}`.slice(0, 300),
      );
    else if (asked) add(name, definition, `"${letter}" in ${letters}`);
  }
  return { parameters, set: Object.fromEntries([...parameters.keys()].map((name) => [name, `{${name}}`])) };
}

const textOf = (node: JsonNode | undefined): string => (node?.kind === 'string' ? node.value : '');
const isHeld = (node: JsonNode | undefined): boolean =>
  (node?.kind === 'string' && node.value !== '') || (node?.kind === 'array' && node.items.length > 0);
