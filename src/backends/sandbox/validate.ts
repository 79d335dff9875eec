/** Validates a whole prompt as ComfyUI does: outputs one by one, only their ancestors, partial success allowed. */
import { isRecord, type Json, type JsonRecord } from './json.ts';
import type { Catalogue } from './nodes/catalogue.ts';
import type { Environment, NodeDefinition } from './nodes/define.ts';
import { inputConfig } from './object-info.ts';
import { classOf, definitionOf, inputsOf } from './prompt-nodes.ts';
import { pyRepr, pyStr } from './python.ts';
import { checkConstant, type NodeError, typesMatch } from './validate-input.ts';

export interface Validation {
  /** The whole answer's error; undefined when at least one output can run. */
  readonly error?: { type: string; message: string; details: string; extra_info: JsonRecord };
  /** Outputs that can run, in the prompt's order. */
  readonly outputs: readonly string[];
  readonly nodeErrors: NodeErrors;
}

export type NodeErrors = Record<string, { errors: readonly NodeError[]; dependent_outputs: string[]; class_type: string | null }>;

interface Verdict {
  readonly valid: boolean;
  readonly errors: readonly NodeError[];
}

interface Walk {
  readonly prompt: JsonRecord;
  readonly catalogue: Catalogue;
  readonly environment: Environment;
  readonly verdicts: Map<string, Verdict>;
  /** The path from the output to the node at work, for cycles. */
  readonly path: string[];
}

export interface ValidateOptions {
  /** `partial_execution_targets`: restricts which output nodes are roots. */
  readonly targets?: readonly string[];
  /** Before 0.14 a missing class was `invalid_prompt`. */
  readonly old?: boolean;
}

/** Coerces constants in `prompt` in place. */
export function validatePrompt(
  prompt: JsonRecord,
  catalogue: Catalogue,
  environment: Environment,
  options: ValidateOptions = {},
): Validation {
  const roots: string[] = [];
  for (const [id, node] of Object.entries(prompt)) {
    const missing = missingClass(id, node, catalogue, options.old ?? false);
    if (missing !== undefined) return { error: missing, outputs: [], nodeErrors: {} };
    if (definitionOf(prompt, id, catalogue)?.isOutput === true && (options.targets?.includes(id) ?? true)) roots.push(id);
  }
  if (roots.length === 0) {
    return {
      error: { type: 'prompt_no_outputs', message: 'Prompt has no outputs', details: '', extra_info: {} },
      outputs: [],
      nodeErrors: {},
    };
  }

  const walk: Walk = { prompt, catalogue, environment, verdicts: new Map(), path: [] };
  const outputs: string[] = [];
  const nodeErrors: NodeErrors = {};
  const details: string[] = [];
  for (const root of roots) {
    const verdict = validateRoot(root, walk);
    if (verdict.valid) {
      outputs.push(root);
      continue;
    }
    details.push(...verdict.errors.map(({ message, details: text }) => `${message}: ${text}`));
    for (const [id, { valid, errors }] of walk.verdicts) {
      if (valid || errors.length === 0) continue;
      const entry = (nodeErrors[id] ??= { errors, dependent_outputs: [], class_type: classOf(prompt, id) ?? null });
      entry.dependent_outputs.push(root);
    }
  }
  if (outputs.length > 0) return { outputs, nodeErrors };
  const error = {
    type: 'prompt_outputs_failed_validation',
    message: 'Prompt outputs failed validation',
    details: details.join('\n'),
    extra_info: {},
  };
  return { error, outputs, nodeErrors };
}

function missingClass(id: string, node: Json, catalogue: Catalogue, old: boolean): Validation['error'] {
  const classType = isRecord(node) ? node['class_type'] : undefined;
  if (typeof classType === 'string' && catalogue.has(classType)) return undefined;
  const meta = isRecord(node) && isRecord(node['_meta']) ? node['_meta']['title'] : undefined;
  const known = typeof classType === 'string';
  const message = known
    ? `Node '${classType}' not found. The custom node may not be installed.`
    : `Node 'ID #${id}' has no class_type. The workflow may be corrupted or a custom node is missing.`;
  if (old) {
    const short = known
      ? `Cannot execute because node ${classType} does not exist.`
      : 'Cannot execute because a node is missing the class_type property.';
    return { type: 'invalid_prompt', message: short, details: `Node ID '#${id}'`, extra_info: {} };
  }
  const title = typeof meta === 'string' ? meta : known ? classType : null;
  return {
    type: 'missing_node_type',
    message,
    details: `Node ID '#${id}'`,
    extra_info: { node_id: id, class_type: known ? classType : null, node_title: title },
  };
}

/** What escapes from the root's own check is reported on the root. */
function validateRoot(root: string, walk: Walk): Verdict {
  try {
    return validateNode(root, walk);
  } catch (error) {
    walk.path.length = 0;
    const { name, message } = asException(error);
    const verdict: Verdict = {
      valid: false,
      errors: [
        {
          type: 'exception_during_validation',
          message: 'Exception when validating node',
          details: message,
          extra_info: { exception_type: name, traceback: [] },
        },
      ],
    };
    walk.verdicts.set(root, verdict);
    return verdict;
  }
}

class PythonException extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

function asException(error: unknown): { name: string; message: string } {
  return error instanceof Error ? error : { name: 'Exception', message: String(error) };
}

function validateNode(id: string, walk: Walk): Verdict {
  const known = walk.verdicts.get(id);
  if (known !== undefined) return known;
  const start = walk.path.indexOf(id);
  if (start >= 0) return reportCycle(walk.path.slice(start), walk);
  const definition = definitionOf(walk.prompt, id, walk.catalogue);
  if (definition === undefined) throw new PythonException('KeyError', `'${id}'`);

  walk.path.push(id);
  const errors: NodeError[] = [];
  let valid = true;
  const inputs = inputsOf(walk.prompt, id);
  for (const [name, spec] of Object.entries({ ...definition.required, ...definition.optional })) {
    const given = inputs[name];
    if (given === undefined) {
      if (name in definition.required)
        errors.push({
          type: 'required_input_missing',
          message: 'Required input is missing',
          details: name,
          extra_info: { input_name: name },
        });
      continue;
    }
    if (Array.isArray(given)) {
      const linked = validateLink(name, given, definition, walk);
      if (linked === 'invalid') valid = false;
      else if (linked !== undefined) errors.push(linked);
      continue;
    }
    const free = definition.check?.inputs.includes(name) ?? false;
    const { value, error } = checkConstant(name, given, spec, definition.schema, walk.environment, free);
    inputs[name] = value;
    if (error !== undefined) errors.push(error);
  }
  walk.path.pop();
  if (errors.length === 0 && valid) {
    const complaint = definition.check?.run(inputs, walk.environment);
    if (complaint !== undefined) {
      const text = `${complaint.input} - ${complaint.text}`;
      errors.push({
        type: 'custom_validation_failed',
        message: 'Custom validation failed for node',
        details: text,
        extra_info: { input_name: complaint.input },
      });
    }
  }
  // A cycle found further down has already spoken for this node.
  const verdict = walk.verdicts.get(id) ?? { valid: valid && errors.length === 0, errors };
  walk.verdicts.set(id, verdict);
  return verdict;
}

/** `invalid`: the fault lies further up and is reported there. */
function validateLink(name: string, given: readonly Json[], definition: NodeDefinition, walk: Walk): NodeError | 'invalid' | undefined {
  const spec = definition.required[name] ?? definition.optional?.[name];
  if (spec === undefined) return undefined;
  const info: JsonRecord = {
    input_name: name,
    input_config: inputConfig(spec, definition.schema, walk.environment),
    received_value: [...given],
  };
  const [from, slot] = given;
  if (given.length !== 2) {
    return {
      type: 'bad_linked_input',
      message: 'Bad linked input, must be a length-2 list of [node_id, slot_index]',
      details: name,
      extra_info: info,
    };
  }
  const origin = pyStr(from);
  const source = definitionOf(walk.prompt, origin, walk.catalogue);
  if (source === undefined || !(origin in walk.prompt)) throw new PythonException('KeyError', pyRepr(from));
  const output = typeof slot === 'number' ? source.outputs.at(slot) : undefined;
  if (output === undefined) throw new PythonException('IndexError', 'tuple index out of range');
  if (!typesMatch(output[0], spec.type)) {
    return {
      type: 'return_type_mismatch',
      message: 'Return type mismatch between linked nodes',
      details: `${name}, received_type(${output[0]}) mismatch input_type(${spec.type})`,
      extra_info: { ...info, received_type: output[0], linked_node: [...given] },
    };
  }
  const depth = walk.path.length;
  try {
    return validateNode(origin, walk).valid ? undefined : 'invalid';
  } catch (error) {
    walk.path.length = depth;
    const exception = asException(error);
    const errors: NodeError[] = [
      {
        type: 'exception_during_inner_validation',
        message: 'Exception when validating inner node',
        details: exception.message,
        extra_info: {
          ...info,
          exception_message: exception.message,
          exception_type: exception.name,
          traceback: [],
          linked_node: [...given],
        },
      },
    ];
    walk.verdicts.set(origin, { valid: false, errors });
    return 'invalid';
  }
}

function reportCycle(cycle: readonly string[], walk: Walk): Verdict {
  const label = (id: string): string => `${id} (${classOf(walk.prompt, id) ?? '?'})`;
  const details = [...cycle, cycle[0] ?? ''].map(label).join(' -> ');
  for (const id of cycle) {
    const extra: JsonRecord = { node_id: id, cycle_nodes: [...cycle] };
    walk.verdicts.set(id, {
      valid: false,
      errors: [{ type: 'dependency_cycle', message: 'Dependency cycle detected', details, extra_info: extra }],
    });
  }
  return { valid: false, errors: [] };
}
