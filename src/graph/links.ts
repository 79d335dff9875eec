/** Links against object info: does the output exist, and does its type fit the input. */
import { matchFinding } from './match-types.ts';
import { nameInput, nameNode } from './names.ts';
import { typesFit } from './link-types.ts';
import type { InputSpec, NodeClass, ObjectInfo } from './node-classes.ts';
import type { Finding, Graph, GraphInput, GraphNode } from './types.ts';

/** Data that no widget and no JSON constant can be: ComfyUI core never offers a value for these. */
const DATA = new Set(
  'MODEL CLIP VAE CONDITIONING LATENT IMAGE MASK CONTROL_NET CLIP_VISION CLIP_VISION_OUTPUT STYLE_MODEL GLIGEN UPSCALE_MODEL GUIDER NOISE SAMPLER SIGMAS AUDIO VIDEO'.split(
    ' ',
  ),
);

export function isLinkType(spec: InputSpec): boolean {
  return spec.type.split(',').every((type) => DATA.has(type.trim()));
}

/** Expects that the graph passed checkStructure: what is reported there is passed over here. */
export function checkLink(graph: Graph, info: ObjectInfo, node: GraphNode, spec: InputSpec, input: GraphInput): Finding | undefined {
  const source = input.link === undefined ? undefined : graph.nodes.get(input.link.node);
  const sourceClass = source === undefined ? undefined : info.classes.get(source.classType);
  if (input.link === undefined || source === undefined || sourceClass === undefined) return undefined;
  const slot = input.link.slot;
  if (!Number.isSafeInteger(slot) || slot < 0) return undefined;
  const output = sourceClass.outputs[slot];
  if (output === undefined) {
    return {
      code: 'GRAPH_LINK_SLOT',
      // Custom nodes may declare outputs that answer to any number.
      severity: isCustom(sourceClass) ? 'warning' : 'error',
      message: `${nameInput(node, input)} is linked to output ${slot} of ${nameNode(source).replace('Node', 'node')}, which has ${countOutputs(sourceClass)}.`,
      hint: outputsHint(sourceClass, spec),
    };
  }
  if (typesFit(output.type, spec.type)) return matchFinding(graph, info, node, spec, input);
  return {
    code: 'LINK_TYPE',
    severity: 'error',
    message: `${nameInput(node, input)} wants ${spec.type}, but output ${slot} of ${nameNode(source).replace('Node', 'node')} gives ${output.type}.`,
    hint: outputsHint(sourceClass, spec),
  };
}

function countOutputs({ outputs }: NodeClass): string {
  if (outputs.length === 0) return 'no output';
  return outputs.length === 1 ? 'only output 0' : `outputs 0 to ${outputs.length - 1}`;
}

function outputsHint(source: NodeClass, spec: InputSpec): string {
  const fitting = source.outputs.findIndex((output) => typesFit(output.type, spec.type));
  const output = source.outputs[fitting];
  if (output === undefined) return `Connect a node that gives ${spec.type}.`;
  return `Use output ${fitting} (${output.name ?? output.type}) of that node.`;
}

/** A constant where only a link can be: the server lets it pass and the node fails (rule C6 of docs/checking.md). */
export function unlinked(node: GraphNode, nodeClass: NodeClass, spec: InputSpec, input: GraphInput): Finding | undefined {
  const isNull = input.value.kind === 'null';
  if (isNull && !spec.required) return undefined;
  return {
    code: isNull ? 'GRAPH_LINK_NULL' : 'INPUT_TYPE',
    // A custom node may make something of it.
    severity: spec.required && !isCustom(nodeClass) ? 'error' : 'warning',
    message: `${nameInput(node, input)} wants ${spec.type} from another node, but ${isNull ? 'is null' : 'has a constant'}.`,
    hint: `Connect a node that gives ${spec.type}${spec.required ? '' : ', or remove the input'}.`,
  };
}

export function isCustom({ pythonModule }: NodeClass): boolean {
  return pythonModule?.startsWith('custom_nodes') === true;
}
