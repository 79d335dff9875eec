/** Legacy group nodes. */
import type { ObjectInfo } from '../node-classes.ts';
import type { JsonNode } from '../types.ts';
import type { UiGraph, UiNode } from './shapes.ts';

/** `workflow>Name`, in files of 2023 `workflow/Name`. */
export function groupNodeName(type: string): string | undefined {
  return /^workflow[>/]/.test(type) ? type.slice('workflow>'.length) : undefined;
}

export function expandGroupNode(_node: UiNode, _group: JsonNode, _info: ObjectInfo, _text: string): UiGraph | undefined {
  return undefined;
}
