/** The schema of a node class: what graphs depend on and nothing else, with a hash that changes only when that does. */
import { canonicalJson, sha256Hex } from './hash.ts';
import { parseJson } from './json.ts';
import { modelFolder } from './models.ts';
import { type InputSpec, isRecord, type NodeClass } from './node-classes.ts';
import type { JsonValue } from './types.ts';
import { printJson } from './values.ts';

export interface InputSchema {
  readonly type: string;
  readonly required: boolean;
  /** Finite bounds of numbers. */
  readonly min?: JsonValue;
  readonly max?: JsonValue;
  readonly default?: JsonValue;
  /** Of a combo, sorted; absent where they name files, which every server has others of. */
  readonly choices?: readonly JsonValue[];
  /** What a dynamic input (V3) grows from. */
  readonly dynamic?: JsonValue;
}

export interface OutputSchema {
  readonly type: string;
  readonly name?: string;
}

export interface ClassSchema {
  readonly inputs: Readonly<Record<string, InputSchema>>;
  readonly outputs: readonly OutputSchema[];
  readonly outputNode: boolean;
}

export function schemaOf(nodeClass: NodeClass): ClassSchema {
  const inputs = [...nodeClass.inputs.values()].map((spec) => [spec.name, inputSchema(nodeClass.name, spec)] as const);
  return {
    inputs: Object.fromEntries(inputs),
    outputs: nodeClass.outputs.map(({ type, name }) => (name === undefined ? { type } : { type, name })),
    outputNode: nodeClass.outputNode,
  };
}

/** sha256 in hexadecimal digits. The order of inputs and of choices, texts for people and lists of files do not count. */
export function schemaHash(schema: ClassSchema): string {
  const { root } = parseJson(printJson(schema as unknown as JsonValue));
  return sha256Hex(root === undefined ? '' : canonicalJson(root));
}

// --- helpers ---

function inputSchema(classType: string, spec: InputSpec): InputSchema {
  const { type, required, options, choices } = spec;
  const files = choices !== undefined && namesFiles(classType, spec, choices);
  const { min, max, default: preset } = options;
  const dynamic = type.startsWith('COMFY_')
    ? bare({ options: options['options'] ?? null, template: options['template'] ?? null })
    : undefined;
  return {
    type,
    required,
    ...(isBound(min) ? { min } : {}),
    ...(isBound(max) ? { max } : {}),
    ...(preset === undefined || files || isEndless(preset) ? {} : { default: preset }),
    ...(choices === undefined || files ? {} : { choices: choices.toSorted(byText) }),
    ...(dynamic === undefined ? {} : { dynamic }),
  };
}

const FILE = /\.[A-Za-z0-9]{1,12}$/;
const NO_FILE = /^(?:none|default|auto|baked vae|undefined|)$/i;

/** Files of a folder of the server: by flag, by the name of the input, or by how they look. An empty list is one of no files. */
function namesFiles(classType: string, { name, options }: InputSpec, choices: readonly JsonValue[]): boolean {
  if (Object.keys(options).some((key) => key.endsWith('_upload') || key === 'remote' || key === 'remote_combo' || key === 'image_folder'))
    return true;
  if (modelFolder(classType, name) !== undefined) return true;
  const named = choices.filter((choice) => typeof choice !== 'string' || !NO_FILE.test(choice));
  if (named.length === 0) return true;
  const files = named.filter((choice) => typeof choice === 'string' && FILE.test(choice) && !/^\d+(?:\.\d+)*$/.test(choice));
  return files.length * 2 > named.length;
}

function isBound(value: JsonValue | undefined): value is number | bigint {
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value));
}

/** JSON has no word for it. */
function isEndless(value: JsonValue): boolean {
  return typeof value === 'number' && !Number.isFinite(value);
}

/** Texts for people change with every release and bind nobody. */
const FOR_PEOPLE = new Set(['tooltip', 'display_name', 'description', 'placeholder', 'display', 'label_on', 'label_off', 'advanced']);

function bare(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(bare);
  if (!isRecord(value)) return typeof value === 'number' && isEndless(value) ? null : value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, item]) => (FOR_PEOPLE.has(key) ? [] : [[key, bare(item)]])));
}

const byText = (a: JsonValue, b: JsonValue): number => {
  const [left, right] = [printJson(a), printJson(b)];
  if (left === right) return 0;
  return left < right ? -1 : 1;
};
