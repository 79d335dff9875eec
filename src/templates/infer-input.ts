/** The parameter that fits an input of a node: from object info where it describes the input, else from tables, else from the value there. */
import { inputsOf, type ObjectInfo } from '#graph/object-info.ts';
import type { InputSpec } from '#graph/node-classes.ts';
import type { Graph, JsonNode, JsonValue } from '#graph/types.ts';
import { mediaOf, modelFolderOf, tableDefinition } from './input-tables.ts';
import { SEED_MAXIMUM } from './parameter-schema.ts';
import type { ParameterDefinition, ParameterType } from './types.ts';

export interface Inferred {
  readonly definition: ParameterDefinition;
  /** Where type and bounds come from, in words. */
  readonly by: string;
}

export interface InputPlace {
  readonly graph: Graph;
  readonly node: string;
  readonly input: string;
  readonly info?: ObjectInfo | undefined;
}

/** The input as object info describes it; undefined without one. */
export function specOf({ graph, node, input, info }: InputPlace): InputSpec | undefined {
  const found = graph.nodes.get(node);
  const nodeClass = found === undefined ? undefined : info?.classes.get(found.classType);
  return found === undefined || nodeClass === undefined ? undefined : inputsOf(nodeClass, found).get(input);
}

/** `current` is the value that a form would begin with; a placeholder is none. */
export function inferInput(place: InputPlace, current: JsonNode | undefined): Inferred {
  const classType = place.graph.nodes.get(place.node)?.classType ?? '';
  const spec = specOf(place);
  const described = spec === undefined ? undefined : fromSpec(spec, classType);
  if (described !== undefined) return { definition: described, by: 'object info' };
  const listed = tableDefinition(classType, place.input);
  if (listed !== undefined) return { definition: listed, by: 'the name of the input' };
  return { definition: fromValue(current), by: current === undefined ? 'nothing: it is a text' : 'its value' };
}

function fromValue(current: JsonNode | undefined): ParameterDefinition {
  if (current?.kind === 'boolean') return { type: 'boolean' };
  // Whether 8 may also be 8.5 cannot be seen.
  if (current?.kind === 'number')
    return { type: Number.isSafeInteger(Number(current.raw)) || /[.eENI]/.test(current.raw) ? 'number' : 'integer' };
  if (current?.kind === 'string' && (current.value.includes('\n') || current.value.length > 80)) return { type: 'text' };
  return { type: 'string' };
}

/** Undefined for inputs that hold no plain value. */
function fromSpec(spec: InputSpec, classType: string): ParameterDefinition | undefined {
  const shape = shapeOf(spec, classType);
  if (shape === undefined) return undefined;
  const { tooltip, advanced, display_name: label } = spec.options;
  return {
    ...shape,
    ...(typeof label === 'string' && label !== '' ? { title: label.slice(0, 200) } : {}),
    ...(typeof tooltip === 'string' && tooltip !== '' ? { description: tooltip.slice(0, 4000) } : {}),
    ...(advanced === true ? { advanced } : {}),
  };
}

function shapeOf(spec: InputSpec, classType: string): ParameterDefinition | undefined {
  const { options, name } = spec;
  const given = options['default'];
  switch (spec.type) {
    case 'INT':
      return options['control_after_generate'] === true || /^(?:noise_)?seed$/.test(name) ? seed(options) : integer(options);
    case 'FLOAT':
      return float(options);
    case 'BOOLEAN':
      return { type: 'boolean', ...(typeof given === 'boolean' ? { default: given } : {}) };
    case 'STRING': {
      const type: ParameterType = options['multiline'] === true ? 'text' : 'string';
      return { type, ...(typeof given === 'string' && given !== '' ? { default: given } : {}) };
    }
    case 'COLOR':
      return { type: 'color', ...(typeof given === 'string' && /^#[0-9a-f]{6}$/i.test(given) ? { default: given.toLowerCase() } : {}) };
    case 'COMBO':
      return combo(spec, classType);
    default:
      return undefined;
  }
}

function seed(options: InputSpec['options']): ParameterDefinition {
  const { min, max } = options;
  const low = whole(min);
  const high = whole(max);
  return {
    type: 'seed',
    ...(low !== undefined && low > 0 ? { minimum: low } : {}),
    ...(high !== undefined && high > 0 && high < SEED_MAXIMUM ? { maximum: high } : {}),
  };
}

function integer(options: InputSpec['options']): ParameterDefinition {
  const [low, high, step, given] = [whole(options['min']), whole(options['max']), whole(options['step']), whole(options['default'])];
  return {
    type: 'integer',
    ...(low !== undefined && low >= -(2n ** 63n) ? { minimum: low } : {}),
    ...(high !== undefined && high <= SEED_MAXIMUM ? { maximum: high } : {}),
    ...(step !== undefined && step > 1 && typeof step === 'number' ? { step } : {}),
    ...(options['display'] === 'slider' && low !== undefined && high !== undefined ? { widget: 'slider' as const } : {}),
    ...(given === undefined ? {} : { default: given }),
  };
}

function float(options: InputSpec['options']): ParameterDefinition {
  const [low, high, step, given] = [real(options['min']), real(options['max']), real(options['step']), real(options['default'])];
  return {
    type: 'number',
    ...(low === undefined ? {} : { minimum: low }),
    ...(high === undefined ? {} : { maximum: high }),
    ...(step !== undefined && step > 0 ? { step } : {}),
    ...(options['display'] === 'slider' && low !== undefined && high !== undefined ? { widget: 'slider' as const } : {}),
    ...(given === undefined ? {} : { default: given }),
  };
}

const whole = (value: JsonValue | undefined): number | bigint | undefined =>
  typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value)) ? value : undefined;
const real = (value: JsonValue | undefined): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : typeof value === 'bigint' ? Number(value) : undefined;

const UPLOADS: readonly (readonly [string, ParameterType])[] = [
  ['image_upload', 'image'],
  ['animated_image_upload', 'image'],
  ['video_upload', 'video'],
  ['audio_upload', 'audio'],
  ['file_upload', 'file'],
];
const MODEL_FILE = /\.(?:safetensors|sft|ckpt|pt|pth|bin|gguf|onnx)$/i;
const MAX_CHOICES = 1000;

const isChoice = (choice: JsonValue): choice is string | number =>
  typeof choice === 'string' || (typeof choice === 'number' && Number.isFinite(choice));

function combo({ name, options, choices }: InputSpec, classType: string): ParameterDefinition {
  const media = mediaOf(classType, name) ?? UPLOADS.find(([flag]) => options[flag] === true)?.[1];
  if (media !== undefined) return { type: media };
  const folder = modelFolderOf(classType, name);
  const values = (choices ?? []).filter(isChoice);
  const files = values.filter((value) => typeof value === 'string' && MODEL_FILE.test(value));
  if (folder !== undefined || files.length * 2 > values.length) return { type: 'model', ...(folder === undefined ? {} : { folder }) };
  const distinct = values.filter((value, index) => values.findIndex((other) => String(other) === String(value)) === index);
  // A list that the server fetches elsewhere, or one that holds more than texts and numbers.
  if (distinct.length === 0 || distinct.length !== choices?.length || distinct.length > MAX_CHOICES || options['multiselect'] === true) {
    return { type: 'string' };
  }
  const given = options['default'];
  const first = distinct.find((value) => value === given) ?? distinct[0];
  return { type: 'choice', choices: distinct, ...(first === undefined ? {} : { default: first }) };
}
