/** Brings model names into the backend's own spelling: separators, case, sub-folders. */
import { inputsOf, type ObjectInfo } from '#graph/object-info.ts';
import type { InputSpec } from '#graph/node-classes.ts';
import type { Graph } from '#graph/types.ts';

export type Healed = { readonly value: string } | { readonly unknown: readonly string[] };

/**
 * The backend's spelling of `name` for this input. Files may lie in a sub-folder there, and Windows servers write `\`.
 * `unknown` lists what the backend has when nothing matches, or more than one file does.
 */
export function healName(info: ObjectInfo, graph: Graph, nodeId: string, input: string, name: string): Healed {
  const node = graph.nodes.get(nodeId);
  const nodeClass = node === undefined ? undefined : info.classes.get(node.classType);
  if (node === undefined || nodeClass === undefined) return { value: name };
  const spec = inputsOf(nodeClass, node).get(input);
  return spec === undefined ? { value: name } : healChoice(spec, name);
}

/** As `healName`, for an input whose node is not in the graph. */
export function healChoice(spec: InputSpec, name: string): Healed {
  const choices = spec.choices?.filter((choice) => typeof choice === 'string');
  if (choices === undefined || choices.length === 0) return { value: name };
  const value = healAmong(choices, name);
  return value === undefined ? { unknown: choices } : { value };
}

/** The one of `choices` that is meant by `name`; undefined when none is, or several may be. */
export function healAmong(choices: readonly string[], name: string): string | undefined {
  if (choices.includes(name)) return name;
  const wanted = plain(name);
  const base = baseOf(wanted);
  for (const same of [
    (choice: string) => plain(choice) === wanted,
    (choice: string) => plain(choice).toLowerCase() === wanted.toLowerCase(),
    (choice: string) => baseOf(plain(choice)) === base,
    (choice: string) => baseOf(plain(choice)).toLowerCase() === base.toLowerCase(),
  ]) {
    const [only, ...others] = choices.filter(same);
    if (only !== undefined && others.length === 0) return only;
  }
  return undefined;
}

const baseOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1);
const plain = (name: string): string => name.replaceAll('\\', '/').replace(/^\.\//, '');
