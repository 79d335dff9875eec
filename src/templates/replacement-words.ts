/** What is told of node classes that were replaced: everything that is another in the new class, so that nobody is surprised by the result. */
import { createLineIndex, memberOf, pointerOf } from '#graph/json.ts';
import { nameNode } from '#graph/names.ts';
import type { ReplacedNode } from '#graph/replace-nodes.ts';
import type { Graph, NodeReplacement } from '#graph/types.ts';
import { printJson } from '#graph/values.ts';
import type { Problem } from '#protocol/problem.ts';

const HINT = 'This is done in memory; `callsheet templates migrate --write` with the same server or object info writes it into the file.';

/** Longer values are cut. */
const SHOWN = 60;

export type ReplacedPlace = Pick<Problem, 'file' | 'line' | 'column' | 'pointer' | 'node'>;

/** Where the class of a node stands in its file. */
export function placeOfClass({ id, node }: ReplacedNode, { text }: Pick<Graph, 'text'>, file: string): ReplacedPlace {
  const position = createLineIndex(text).positionOf((memberOf(node.at, 'class_type')?.value ?? node.at).start);
  return { file, ...position, pointer: pointerOf([id, 'class_type']), node: id };
}

/** `text` is the one that the node stood in. */
export function tellReplaced(replaced: ReplacedNode, { text }: Pick<Graph, 'text'>, place: ReplacedPlace): Problem {
  const { node, replacement } = replaced;
  const message = `${nameNode(node)} is of a class that the server no longer has; ${replacement.to} stands in for it, as ${replacement.source} says.`;
  return {
    code: 'TEMPLATE_NODE_REPLACED',
    severity: 'info',
    message: [message, ...changesOf(replaced, text)].join(' '),
    hint: HINT,
    ...place,
  };
}

/** The same of a class as a whole, where single nodes are not looked at. */
export function tellReplacedClass(replacement: NodeReplacement, server: string): Pick<Problem, 'code' | 'severity' | 'message' | 'hint'> {
  const { from, to, source, inputs = [], widgets = [] } = replacement;
  const message = `The workflow uses the node class "${from}", which ${server} no longer has; ${to} stands in for it, as ${source} says.`;
  const set = inputs.flatMap((mapping) => ('value' in mapping ? [`${mapping.to} to ${shown(printJson(mapping.value))}`] : []));
  const kept = new Set(inputs.map((mapping) => ('from' in mapping ? mapping.from : mapping.to)));
  const lost = replacement.inputs === undefined ? [] : widgets.filter((name) => !kept.has(name));
  const told = [message, ...list('Set', set), ...list('Left out', lost)];
  return { code: 'TEMPLATE_NODE_REPLACED', severity: 'info', message: told.join(' '), hint: HINT };
}

/** One line for a graph that is shown. */
export function replacedLine({ node, replacement }: ReplacedNode): string {
  return `${nameNode(node)} becomes ${replacement.to}`;
}

// --- helpers ---

function changesOf({ node, replacement, namesOf, dropped, set, filled }: ReplacedNode, text: string): readonly string[] {
  const valueOf = (name: string): string => {
    const input = node.inputs.get(name);
    if (input === undefined) return '';
    return input.link === undefined ? shown(text.slice(input.value.start, input.value.end)) : `a link from node ${input.link.node}`;
  };
  const renamed = [...node.inputs.keys()].flatMap((name) => {
    const names = namesOf(name);
    return names.length === 0 || (names.length === 1 && names[0] === name) ? [] : [`${name} is ${names.join(' and ')}`];
  });
  const given = [...set].map(([name, json]) => {
    const before = node.inputs.has(name) ? valueOf(name) : undefined;
    return `${name} to ${shown(json)}${before === undefined || before === shown(json) ? '' : ` (it was ${before})`}`;
  });
  const left = dropped.filter((name) => !set.has(name)).map((name) => `${name} (${valueOf(name)})`);
  const defaults = [...filled].map(([name, json]) => `${name} (${shown(json)})`);
  const outputs = [...(replacement.outputs ?? [])].flatMap(([from, to]) => (from === to ? [] : [`${from} is ${to}`]));
  return [
    ...list('Renamed', renamed),
    ...list('Set', given),
    ...list('Left out', left),
    ...list('Set to its default', defaults),
    ...list('Outputs', outputs),
  ];
}

function list(what: string, items: readonly string[]): readonly string[] {
  return items.length === 0 ? [] : [`${what}: ${items.join(', ')}.`];
}

function shown(json: string): string {
  const line = json.replaceAll(/\s+/g, ' ');
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
}
