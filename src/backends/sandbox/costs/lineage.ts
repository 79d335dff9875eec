/** Follows a prompt's links up to the loaders: which model a node works with, what is patched into it, which ControlNets act. */
import { isLink, type JsonRecord } from '../json.ts';
import type { Catalogue } from '../nodes/catalogue.ts';
import type { NodeDefinition } from '../nodes/define.ts';
import { definitionOf, inputsOf } from '../prompt-nodes.ts';
import type { SlotValue } from '../values.ts';

/** A prompt together with the results that are known by now. */
export interface Scene {
  readonly prompt: JsonRecord;
  readonly catalogue: Catalogue;
  /** The value at an output; undefined when the node has not run. */
  readonly output: (id: string, slot: number) => SlotValue | undefined;
}

export interface Lineage {
  /** The node that loaded it, and the output it came out of. */
  readonly loader: string;
  readonly type: string;
  /** Nodes on the way that take the same type in and give it out, nearest to the loader last. */
  readonly through: readonly string[];
}

export interface Control {
  readonly node: string;
  readonly net: Lineage | undefined;
  /** Share of the steps that it takes part in. */
  readonly share: number;
}

/** Undefined when nothing is linked or the way is lost in a node of unknown types. */
export function lineageOf(scene: Scene, id: string, input: string): Lineage | undefined {
  const through: string[] = [];
  for (let link = linkAt(scene, id, input); link !== undefined;) {
    const [node, slot] = link;
    const definition = definitionOf(scene.prompt, node, scene.catalogue);
    const type = definition?.outputs[slot]?.[0];
    if (definition === undefined || type === undefined || through.includes(node)) return undefined;
    const onward = inputsOfType(definition, type).find((name) => linkAt(scene, node, name) !== undefined);
    if (onward === undefined) return { loader: node, type, through };
    through.push(node);
    link = linkAt(scene, node, onward);
  }
  return undefined;
}

/** Every ControlNet with a strength that feeds a conditioning; each node once, also where it feeds both sides. */
export function controlsOf(scene: Scene, id: string, inputs: readonly string[]): readonly Control[] {
  const found: Control[] = [];
  const seen = new Set<string>();
  const waiting = inputs.flatMap((name) => originsAt(scene, id, name));
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    const definition = definitionOf(scene.prompt, node, scene.catalogue);
    if (definition === undefined) continue;
    for (const name of inputsOfType(definition, 'CONDITIONING')) waiting.push(...originsAt(scene, node, name));
    const [net] = inputsOfType(definition, 'CONTROL_NET');
    if (net === undefined || numberAt(scene, node, 'strength', 1) === 0) continue;
    const share = numberAt(scene, node, 'end_percent', 1) - numberAt(scene, node, 'start_percent', 0);
    found.push({ node, net: lineageOf(scene, node, net), share: Math.max(0, Math.min(1, share)) });
  }
  return found;
}

/** The constant at an input, or the value that came in over its link. */
export function valueAt({ prompt, output }: Pick<Scene, 'prompt' | 'output'>, id: string, input: string): SlotValue | undefined {
  const value = inputsOf(prompt, id)[input];
  if (isLink(value)) return output(value[0], value[1]);
  return typeof value === 'object' && value !== null ? undefined : value;
}

export function numberAt(scene: Pick<Scene, 'prompt' | 'output'>, id: string, input: string, otherwise: number): number {
  const value = valueAt(scene, id, input);
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : otherwise;
}

export function textAt(scene: Pick<Scene, 'prompt' | 'output'>, id: string, input: string): string {
  const value = valueAt(scene, id, input);
  return typeof value === 'string' ? value : '';
}

function linkAt({ prompt }: Pick<Scene, 'prompt'>, id: string, input: string): readonly [string, number] | undefined {
  const value = inputsOf(prompt, id)[input];
  return isLink(value) ? value : undefined;
}

function originsAt(scene: Pick<Scene, 'prompt'>, id: string, input: string): readonly string[] {
  const link = linkAt(scene, id, input);
  return link === undefined ? [] : [link[0]];
}

function inputsOfType({ required, optional }: NodeDefinition, type: string): string[] {
  return Object.entries({ ...required, ...optional }).flatMap(([name, spec]) => (spec.type === type ? [name] : []));
}
