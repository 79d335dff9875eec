/** Looks into a prompt as it was posted: class, definition and inputs of a node. */
import { isRecord, type JsonRecord } from './json.ts';
import type { Catalogue } from './nodes/catalogue.ts';
import type { NodeDefinition } from './nodes/define.ts';

export function classOf(prompt: JsonRecord, id: string): string | undefined {
  const node = prompt[id];
  const classType = isRecord(node) ? node['class_type'] : undefined;
  return typeof classType === 'string' ? classType : undefined;
}

export function definitionOf(prompt: JsonRecord, id: string, catalogue: Catalogue): NodeDefinition | undefined {
  const classType = classOf(prompt, id);
  return classType === undefined ? undefined : catalogue.get(classType);
}

export function inputsOf(prompt: JsonRecord, id: string): JsonRecord {
  const node = prompt[id];
  if (!isRecord(node)) return {};
  if (!isRecord(node['inputs'])) node['inputs'] = {};
  return node['inputs'];
}
