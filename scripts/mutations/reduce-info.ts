/** An object info with only the classes, model names and facts that some graphs and the check need: small enough for a fixture. */
import { constantOf } from '#graph/input-values.ts';
import { isModelFile } from '#graph/models.ts';
import { parseGraph } from '#graph/graph.ts';
import { parseJson } from '#graph/json.ts';
import { isRecord } from '#graph/node-classes.ts';
import type { JsonValue } from '#graph/types.ts';
import { printJson, toValue } from '#graph/values.ts';

/** Texts for people, and what only a front end reads. */
const LEFT_OUT = new Set(['tooltip', 'description', 'output_tooltips', 'category', 'display_name', 'output_name', 'search_aliases']);

export function reduceInfo(text: string, graphs: readonly string[]): string {
  const { root } = parseJson(text);
  const info = root === undefined ? undefined : toValue(root);
  if (!isRecord(info)) throw new TypeError('That is no object info.');
  const classes = new Set<string>();
  const values = new Set<JsonValue>();
  for (const graph of graphs) {
    for (const node of parseGraph(graph).graph?.nodes.values() ?? []) {
      classes.add(node.classType);
      for (const { value } of node.inputs.values()) values.add(constantOf(value));
    }
  }
  const reduce = (value: JsonValue): JsonValue => {
    if (Array.isArray(value)) return (value as readonly JsonValue[]).filter((item) => !isModelFile(item) || values.has(item)).map(reduce);
    if (!isRecord(value)) return value;
    return Object.fromEntries(Object.entries(value).flatMap(([key, item]) => (LEFT_OUT.has(key) ? [] : [[key, reduce(item)] as const])));
  };
  const lines = Object.entries(info)
    .filter(([name]) => classes.has(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${JSON.stringify(name)}: ${printJson(reduce(value))}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}
