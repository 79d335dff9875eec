/** template.lock.json: the schemas of the node classes that a template uses, as they were when it was made or last known to work. */
import { type ClassSchema, type InputSchema, schemaHash, schemaOf } from '#graph/class-schema.ts';
import { parseJson } from '#graph/json.ts';
import { isRecord, type NodeClass, type ObjectInfo } from '#graph/node-classes.ts';
import type { JsonValue } from '#graph/types.ts';
import { printJson, toValue } from '#graph/values.ts';
import type { Problem } from '#protocol/problem.ts';
import type { CompiledTemplate } from './compiled.ts';
import { problemIn } from './locate.ts';
import { createInsideReader } from './source-files.ts';

export const CLASS_LOCK_FILE = 'template.lock.json';
const MAX_LOCK_BYTES = 16 * 1024 ** 2;

export interface LockedClass {
  /** `schemaHash` of the rest. */
  readonly hash: string;
  readonly schema: ClassSchema;
}

export interface ClassLock {
  /** Of the server, where one was asked. */
  readonly comfyui?: string;
  readonly classes: ReadonlyMap<string, LockedClass>;
}

const locked = new WeakMap<NodeClass, LockedClass>();

/** Classes that the server does not have are left out: nothing is known of them. */
export function lockClasses(names: Iterable<string>, info: ObjectInfo, comfyui?: string): ClassLock {
  const classes = new Map<string, LockedClass>();
  for (const name of [...new Set(names)].toSorted()) {
    const nodeClass = info.classes.get(name);
    if (nodeClass !== undefined) classes.set(name, lockOf(nodeClass));
  }
  return comfyui === undefined ? { classes } : { comfyui, classes };
}

function lockOf(nodeClass: NodeClass): LockedClass {
  const known = locked.get(nodeClass);
  if (known !== undefined) return known;
  const schema = schemaOf(nodeClass);
  const made = { hash: schemaHash(schema), schema };
  locked.set(nodeClass, made);
  return made;
}

/** Classes of the graphs that run on ComfyUI. */
export function classesOf({ steps }: Pick<CompiledTemplate, 'steps'>): string[] {
  const graphs = steps.filter(({ backend }) => backend !== 'wan2gp').map(({ graph }) => graph);
  return [...new Set(graphs.flatMap(({ nodes }) => [...nodes.values()].map(({ classType }) => classType)))];
}

/** A class on a line of its own, so that a version control shows which ones changed. */
export function classLockText({ comfyui, classes }: ClassLock): string {
  const lines = [...classes].map(([name, { hash, schema }]) => {
    const value = { hash, ...schema } as unknown as JsonValue;
    return `    ${JSON.stringify(name)}: ${printJson(value)}`;
  });
  const version = comfyui === undefined ? '' : `  "comfyui": ${JSON.stringify(comfyui)},\n`;
  return `{\n  "format": 1,\n${version}  "classes": {\n${lines.join(',\n')}\n  }\n}\n`;
}

export interface ReadLock {
  readonly lock: ClassLock | undefined;
  readonly problems: readonly Problem[];
}

/** `file` is what problems call it. */
export function readClassLock(text: string, file: string): ReadLock {
  const { root } = parseJson(text);
  const value = root === undefined ? undefined : toValue(root);
  const damaged = (message: string): ReadLock => {
    const hint = 'Delete the file, or get the template again; without it changes of node classes are not seen.';
    return { lock: undefined, problems: [{ ...problemIn(file, 'TEMPLATE_LOCK_INVALID', message, hint), severity: 'warning' }] };
  };
  if (!isRecord(value) || value['format'] !== 1 || !isRecord(value['classes'])) return damaged('This is no lock of node classes.');
  const classes = new Map<string, LockedClass>();
  for (const [name, entry] of Object.entries(value['classes'])) {
    const schema = readSchema(entry);
    const hash = isRecord(entry) ? entry['hash'] : undefined;
    if (schema === undefined || hash !== schemaHash(schema))
      return damaged(`What the lock says of "${name.slice(0, 100)}" does not fit its hash.`);
    classes.set(name, { hash, schema });
  }
  const { comfyui } = value;
  return { lock: typeof comfyui === 'string' ? { comfyui: comfyui.slice(0, 100), classes } : { classes }, problems: [] };
}

/** Of a template's folder; undefined where there is none. */
export function readLockIn(folder: string): ReadLock | undefined {
  const read = createInsideReader(folder)(CLASS_LOCK_FILE, MAX_LOCK_BYTES);
  if (read === undefined) return undefined;
  if ('text' in read) return readClassLock(read.text, `${folder}/${CLASS_LOCK_FILE}`);
  return { lock: undefined, problems: [{ ...read.problem, severity: 'warning' }] };
}

// --- helpers ---

/** Undefined when it has another shape. */
export function readSchema(value: JsonValue): ClassSchema | undefined {
  if (!isRecord(value) || !isRecord(value['inputs']) || !Array.isArray(value['outputs']) || typeof value['outputNode'] !== 'boolean')
    return undefined;
  const inputs = Object.entries(value['inputs']);
  const outputs = value['outputs'] as readonly JsonValue[];
  if (!inputs.every(([, input]) => isInput(input)) || !outputs.every(isOutput)) return undefined;
  return {
    inputs: Object.fromEntries(inputs) as unknown as Record<string, InputSchema>,
    outputs: outputs as unknown as ClassSchema['outputs'],
    outputNode: value['outputNode'],
  };
}

function isInput(value: JsonValue): boolean {
  return (
    isRecord(value) &&
    typeof value['type'] === 'string' &&
    typeof value['required'] === 'boolean' &&
    (value['choices'] === undefined || Array.isArray(value['choices']))
  );
}

function isOutput(value: JsonValue): boolean {
  return isRecord(value) && typeof value['type'] === 'string' && (value['name'] === undefined || typeof value['name'] === 'string');
}
