/** A graph against the object info of a server: what the server would refuse, found before it is asked. */
import type { Problem } from '#protocol/problem.ts';
import { type CheckContext, constantFinding } from './constants.ts';
import { createLineIndex, memberOf, pointerOf } from './json.ts';
import { checkLink, isLinkType, unlinked } from './links.ts';
import { nameInput, nameNode } from './names.ts';
import type { InputSpec, NodeClass, ObjectInfo } from './node-classes.ts';
import { inputsOf } from './node-inputs.ts';
import { NO_SOURCES, packAdvice, type Sources } from './sources.ts';
import { closest, createSuggester } from './suggest.ts';
import type { Suggester } from './suggest.ts';
import type { Finding, Graph, GraphInput, GraphNode } from './types.ts';
import { usedNodes } from './used-nodes.ts';
import { printJson } from './values.ts';

export { parseObjectInfo } from './node-classes.ts';
export type { ObjectInfo } from './node-classes.ts';
export { inputsOf } from './node-inputs.ts';

export interface AgainstOptions {
  readonly file?: string;
  /** The object info is of this moment: an input file that it does not list is not there, where a saved one only does not know. */
  readonly live?: boolean;
  /** Where node packs and models can be had. */
  readonly sources?: Sources;
}

/**
 * What `POST /prompt` would refuse, by the server's own rules and C6 of docs/checking.md: an `error` is certain, a `warning` is
 * not. It is not where a custom node may bring its own VALIDATE_INPUTS, which replaces bounds and lists, and in nodes that feed
 * no output, which the server never looks at. Expects a graph that passed checkStructure: links that lead nowhere are not
 * reported again.
 */
export function checkAgainstObjectInfo(graph: Graph, info: ObjectInfo, options: AgainstOptions = {}): Problem[] {
  const where = options.file === undefined ? {} : { file: options.file };
  const context: CheckContext = { live: options.live === true, sources: options.sources ?? NO_SOURCES };
  const lines = createLineIndex(graph.text);
  const problems: Problem[] = [];
  const used = usedNodes(graph, info);
  const suggest = createSuggester(info.classes.keys());
  if (used.size === 0 && graph.nodes.size > 0) {
    const message = 'No node of the graph is an output, so nothing would be executed.';
    const hint = 'Add a node that saves or previews something, such as SaveImage.';
    const place = { ...where, ...lines.positionOf(graph.root.start), pointer: '' };
    problems.push({ code: 'GRAPH_NO_OUTPUT', severity: 'error', message, hint, ...place });
  }
  for (const node of graph.nodes.values()) {
    const nodeClass = info.classes.get(node.classType);
    const idle = !used.has(node.id);
    const add = (finding: Finding, input: GraphInput | undefined, name?: string): void => {
      const at =
        input?.value.start ?? (name === undefined ? (memberOf(node.at, 'class_type')?.value.start ?? node.at.start) : node.inputsAt.start);
      const path = name === undefined ? [node.id, 'class_type'] : [node.id, 'inputs', ...(input === undefined ? [] : [name])];
      const severity = finding.severity === 'error' && nodeClass !== undefined && idle ? 'warning' : finding.severity;
      const place = { ...where, ...lines.positionOf(at), pointer: pointerOf(path), node: node.id };
      problems.push(name === undefined ? { ...finding, severity, ...place } : { ...finding, severity, ...place, input: name });
    };
    if (nodeClass === undefined) {
      add(unknownClass(node, suggest, context.sources), undefined);
      continue;
    }
    if (idle && used.size > 0) add(unused(node), undefined);
    for (const spec of inputsOf(nodeClass, node).values()) {
      const input = node.inputs.get(spec.name);
      const finding = input === undefined ? missing(node, nodeClass, spec) : checkInput(graph, info, node, nodeClass, spec, input, context);
      if (finding !== undefined) add(finding, input, spec.name);
    }
  }
  return problems;
}

function unknownClass(node: GraphNode, suggest: Suggester, { packs }: Sources): Finding {
  const suggestion = suggest(node.classType);
  const pack = packs.get(node.classType);
  const install = pack === undefined ? 'Install the node pack that brings this class, or replace the node.' : packAdvice(pack);
  return {
    code: 'NODE_CLASS_UNKNOWN',
    severity: 'error',
    message: `${nameNode(node)} is of a class that the server does not have.`,
    hint: suggestion === undefined ? install : `Did you mean "${suggestion}"? If not: ${install}`,
  };
}

function unused(node: GraphNode): Finding {
  return {
    code: 'NODE_UNUSED',
    severity: 'warning',
    message: `${nameNode(node)} feeds no output, so the server never runs it.`,
    hint: 'Connect it to a node that saves or previews something, or remove it.',
  };
}

function missing(node: GraphNode, nodeClass: NodeClass, spec: InputSpec): Finding | undefined {
  if (!spec.required) return undefined;
  const near = closest(
    spec.name,
    [...node.inputs.keys()].filter((name) => !nodeClass.inputs.has(name)),
  );
  const fallback = spec.options['default'];
  const cure = isLinkType(spec)
    ? `Connect something of type ${spec.type}.`
    : `Give it a value${fallback === undefined ? '' : `; the default is ${printJson(fallback)}`}.`;
  return {
    code: 'INPUT_MISSING',
    severity: 'error',
    message: `${nameNode(node)} lacks its required input "${spec.name}".`,
    hint: near === undefined ? cure : `The node has an input "${near}" that its class does not know: rename it. Otherwise: ${cure}`,
  };
}

function checkInput(
  graph: Graph,
  info: ObjectInfo,
  node: GraphNode,
  nodeClass: NodeClass,
  spec: InputSpec,
  input: GraphInput,
  context: CheckContext,
): Finding | undefined {
  if (input.link !== undefined) return checkLink(graph, info, node, spec, input);
  if (input.value.kind === 'array') {
    const [first, second] = input.value.items;
    const pair = input.value.items.length === 2;
    const named =
      first?.kind === 'string' && graph.nodes.has(first.value) && !(pair && second?.kind === 'string' && !/^\d+$/.test(second.value));
    // checkStructure said it already, as an error.
    if (named || (pair && (first?.kind === 'null' || (first?.kind === 'string' && second?.kind === 'null')))) return undefined;
    return {
      code: 'GRAPH_LIST_UNWRAPPED',
      severity: 'error',
      message: `${nameInput(node, input)} is a plain list, which the server takes for a broken link.`,
      hint: 'Write a list as {"__value__": […]}, and a link as ["node id", output number].',
    };
  }
  if (isLinkType(spec)) return unlinked(node, nodeClass, spec, input);
  return constantFinding(node, nodeClass, spec, input, context);
}
