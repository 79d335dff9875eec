/** Matched types (V3): inputs of one template share a type, and an output of that template gives it on. */
import { isOpen, typesFit } from './link-types.ts';
import { nameInput, nameNode } from './names.ts';
import { isRecord } from './node-classes.ts';
import type { InputSpec, ObjectInfo } from './node-classes.ts';
import { inputsOf } from './node-inputs.ts';
import type { Finding, Graph, GraphInput, GraphLink, GraphNode } from './types.ts';

/** Matched nodes behind one link that are looked at; beyond them its type stays open. */
const MAX_SWITCHES = 64;

interface Template {
  readonly id: string;
  /** `IMAGE,MASK`, or `*`. */
  readonly allowed: string;
}

function templateOf(spec: InputSpec): Template | undefined {
  const template = spec.type === 'COMFY_MATCHTYPE_V3' ? spec.options['template'] : undefined;
  if (!isRecord(template) || typeof template['template_id'] !== 'string') return undefined;
  const allowed = template['allowed_types'];
  return { id: template['template_id'], allowed: typeof allowed === 'string' ? allowed : '*' };
}

/**
 * A link whose type, followed through matched outputs, cannot meet what the input takes. The server lets it pass (every
 * matched type fits for it) where the front end refuses to connect, so it is a warning.
 */
export function matchFinding(graph: Graph, info: ObjectInfo, node: GraphNode, spec: InputSpec, input: GraphInput): Finding | undefined {
  if (input.link === undefined) return undefined;
  const given = typeOf(graph, info, input.link);
  if (given === undefined || isOpen(given)) return undefined;
  const wanted = wantedType(graph, info, node, spec);
  if (wanted === undefined || typesFit(given, wanted)) return undefined;
  const source = graph.nodes.get(input.link.node);
  return {
    code: 'LINK_TYPE',
    severity: 'warning',
    message: `${nameInput(node, input)} takes ${wanted} here, but ${source === undefined ? 'the link' : nameNode(source).replace('Node', 'node')} gives ${given}.`,
    hint: `Connect something of type ${wanted}; the server does not check matched types, and the node would fail.`,
  };
}

/** What the input takes: its own type, or what its template allows and another input of the same template already has. */
function wantedType(graph: Graph, info: ObjectInfo, node: GraphNode, spec: InputSpec): string | undefined {
  const template = templateOf(spec);
  if (template === undefined) return spec.type.startsWith('COMFY_') ? undefined : spec.type;
  const nodeClass = info.classes.get(node.classType);
  for (const other of nodeClass === undefined ? [] : inputsOf(nodeClass, node).values()) {
    if (other.name === spec.name) break;
    const link = templateOf(other)?.id === template.id ? node.inputs.get(other.name)?.link : undefined;
    const type = link === undefined ? undefined : typeOf(graph, info, link);
    if (type !== undefined && !isOpen(type)) return type;
  }
  return template.allowed;
}

/** The type that a link brings, matched outputs resolved; undefined when it is not known. */
function typeOf(graph: Graph, info: ObjectInfo, link: GraphLink, seen = new Set<string>()): string | undefined {
  const source = graph.nodes.get(link.node);
  const sourceClass = source === undefined ? undefined : info.classes.get(source.classType);
  const output = sourceClass?.outputs[link.slot];
  if (source === undefined || sourceClass === undefined || output === undefined) return undefined;
  if (output.type !== 'COMFY_MATCHTYPE_V3') return output.type;
  // Switches that feed switches make many ways to the same node, and a broken graph may lead in a circle.
  if (seen.has(link.node) || seen.size > MAX_SWITCHES) return undefined;
  seen.add(link.node);
  for (const spec of inputsOf(sourceClass, source).values()) {
    const inner = templateOf(spec)?.id === output.match ? source.inputs.get(spec.name)?.link : undefined;
    const type = inner === undefined ? undefined : typeOf(graph, info, inner, seen);
    if (type !== undefined && !isOpen(type)) return type;
  }
  return undefined;
}
