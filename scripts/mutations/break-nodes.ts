/** Breaks 1 to 9 and 44 of docs/checking.md: the text and its nodes. */
import type { JsonValue } from '#graph/types.ts';
import { printJson, toValue } from '#graph/values.ts';
import type { Random } from './random.ts';
import { edited, type Mutant, type Target } from './target.ts';

export type Break = (target: Target, random: Random) => Mutant | undefined;

const anyNode = ({ graph }: Target, random: Random) => random.pick([...graph.nodes.values()]);

/** Breaks one node; `undefined` as replacement removes the field. */
const field =
  (name: string, value: JsonValue | undefined): Break =>
  (target, random) => {
    const node = anyNode(target, random);
    if (node === undefined) return undefined;
    const text = edited(target, (nodes) => {
      const record = nodes[node.id] as Record<string, JsonValue> | undefined;
      if (value === undefined) delete record?.[name];
      else if (record !== undefined) record[name] = value;
    });
    return { where: `${node.id}.${name}`, text };
  };

const className =
  (change: (name: string, random: Random) => string): Break =>
  (target, random) => {
    const node = anyNode(target, random);
    const name = node === undefined ? '' : change(node.classType, random);
    if (node === undefined || target.info.classes.has(name)) return undefined;
    const text = edited(target, (nodes) => {
      const record = nodes[node.id] as Record<string, JsonValue> | undefined;
      if (record !== undefined) record['class_type'] = name;
    });
    return { where: `${node.id} ${name}`, text };
  };

function exchanged(name: string, random: Random): string {
  const at = random.below(Math.max(1, name.length - 1));
  return name.slice(0, at) + (name[at + 1] ?? '') + (name[at] ?? '') + name.slice(at + 2);
}

export const NODE_BREAKS: Readonly<Record<number, Break>> = {
  1: ({ text }, random) => ({ where: 'text', text: text.trimEnd().slice(0, 1 + random.below(Math.max(1, text.trimEnd().length - 2))) }),
  2: (target, random) => {
    const node = anyNode(target, random);
    if (node === undefined) return undefined;
    const whole = printJson(toValue(target.graph.root));
    const entry = `${JSON.stringify(node.id)}:${printJson(toValue(node.at))}`;
    return { where: node.id, text: `{${entry},${whole.slice(1)}` };
  },
  3: (target, random) => {
    const node = anyNode(target, random);
    if (node === undefined) return undefined;
    const nodes = toValue(target.graph.root) as Record<string, JsonValue>;
    return { where: node.id, text: printJson({ ...nodes, [node.id]: null }) };
  },
  4: field('class_type', undefined),
  5: field('inputs', undefined),
  6: field('class_type', ''),
  7: className(exchanged),
  8: className((name) => (name === name.toLowerCase() ? name.toUpperCase() : name.toLowerCase())),
  9: (target, random) => {
    const link = random.pick(target.links)?.given.link;
    if (link === undefined) return undefined;
    const text = edited(target, (nodes) => {
      delete nodes[link.node];
    });
    return { where: `${link.node} removed`, text };
  },
  44: (target) => {
    const outputs = [...target.graph.nodes.values()].filter(({ classType }) => target.info.classes.get(classType)?.outputNode === true);
    const text = edited(target, (nodes) => {
      for (const { id } of outputs) delete nodes[id];
    });
    return outputs.length === target.graph.nodes.size ? undefined : { where: outputs.map(({ id }) => id).join(), text };
  },
};
