/** Constants against object info: type, bounds and choices, by the server's coercions. */
import { constantOf, isAmong, pythonFloat, pythonInt } from './input-values.ts';
import { isCustom } from './links.ts';
import { isModelFile, modelFolder, nearestModel, offersModels } from './models.ts';
import { nameInput } from './names.ts';
import type { InputSpec, NodeClass } from './node-classes.ts';
import { dynamicKeys } from './node-inputs.ts';
import { modelAdvice, modelKey, type Sources } from './sources.ts';
import { closest } from './suggest.ts';
import type { Finding, GraphInput, GraphNode, JsonValue } from './types.ts';
import { printJson } from './values.ts';

/** Core inputs without an upload flag whose class checks the file itself, so that the list of choices does not bind. */
const OWN_CHECK = new Set(['LoadLatent.latent']);

export interface CheckContext {
  readonly live: boolean;
  readonly sources: Sources;
}

export function constantFinding(
  node: GraphNode,
  nodeClass: NodeClass,
  spec: InputSpec,
  input: GraphInput,
  context: CheckContext,
): Finding | undefined {
  const value = constantOf(input.value);
  switch (spec.type) {
    case 'INT':
      return numberFinding(node, nodeClass, spec, input, value, pythonInt(value), 'a whole number');
    case 'FLOAT':
      return numberFinding(node, nodeClass, spec, input, value, pythonFloat(value), 'a number');
    case 'COMBO':
      return choiceFinding(node, nodeClass, spec, input, value, spec.choices, context);
    case 'COMFY_DYNAMICCOMBO_V3':
      return choiceFinding(node, nodeClass, spec, input, value, dynamicKeys(spec), context);
    default:
      // STRING and BOOLEAN take whatever Python's str() and bool() take, which is everything.
      return undefined;
  }
}

function numberFinding(
  node: GraphNode,
  nodeClass: NodeClass,
  spec: InputSpec,
  input: GraphInput,
  value: JsonValue,
  number: number | bigint | undefined,
  kind: string,
): Finding | undefined {
  if (number === undefined) {
    const hint = `Give it ${kind}${range(spec) === '' ? '' : ` ${range(spec)}`}.`;
    return { code: 'INPUT_TYPE', severity: 'error', message: `${nameInput(node, input)} is ${show(value)}, not ${kind}.`, hint };
  }
  const { min, max } = spec.options;
  const low = isNumber(min) && number < min;
  const high = isNumber(max) && number > max;
  if (!low && !high) return undefined;
  return {
    code: 'INPUT_RANGE',
    severity: isCustom(nodeClass) ? 'warning' : 'error',
    message: `${nameInput(node, input)} is ${show(value)}, which is ${low ? 'below the minimum' : 'above the maximum'} of ${show((low ? min : max) ?? null)}.`,
    hint: `Give it ${kind} ${range(spec)}.`,
  };
}

function choiceFinding(
  node: GraphNode,
  nodeClass: NodeClass,
  spec: InputSpec,
  input: GraphInput,
  value: JsonValue,
  choices: readonly JsonValue[] | undefined,
  context: CheckContext,
): Finding | undefined {
  if (choices === undefined || isAmong(value, choices)) return undefined;
  if (isUpload(spec)) return unseenFile(node, nodeClass, spec, input, value, context);
  if (isOpenList(node, spec) || choices.some((choice) => typeof choice === 'object' && choice !== null)) return undefined;
  const severity = isCustom(nodeClass) ? 'warning' : 'error';
  const names = choices.map((choice) => (typeof choice === 'string' ? choice : printJson(choice)));
  if (isModelFile(value) && (choices.length === 0 || offersModels(spec) || modelFolder(node.classType, spec.name) !== undefined)) {
    const source = context.sources.models.get(modelKey(value));
    const near = nearestModel(value, names);
    const advice = modelAdvice(value, source, modelFolder(node.classType, spec.name));
    return {
      code: 'MODEL_MISSING',
      severity,
      message: `${nameInput(node, input)} is ${show(value)}, a model that the server does not have.`,
      hint: near === undefined ? advice : `Did you mean "${near}"? If not: ${advice}`,
    };
  }
  const near = typeof value === 'string' ? closest(value, names) : undefined;
  let hint = `Choose one of: ${names.slice(0, 10).join(', ')}${names.length > 10 ? `, … (${names.length} in all)` : ''}.`;
  if (names.length === 0) hint = 'The server has nothing to choose from here: install the model or file, then refresh the object info.';
  else if (near !== undefined) hint = `Did you mean "${near}"?`;
  return {
    code: 'INPUT_CHOICE',
    severity,
    message: `${nameInput(node, input)} is ${show(value)}, which is not among the server's choices.`,
    hint,
  };
}

/** What ComfyUI lists of its input folder, by the extension; others may lie there without being listed. */
const LISTED = /\.(?:png|jpe?g|webp|gif|bmp|tiff?|mp4|webm|mov|mkv|avi|mp3|wav|flac|ogg|opus|m4a|glb|obj)$/i;

/**
 * A plain name that the server does not list; annotated names ("x.png [output]") and sub-folders are never listed. A saved
 * object info cannot know what has been put there since.
 */
function unseenFile(
  node: GraphNode,
  nodeClass: NodeClass,
  spec: InputSpec,
  input: GraphInput,
  value: JsonValue,
  { live }: CheckContext,
): Finding | undefined {
  const custom = isCustom(nodeClass);
  if (typeof value !== 'string') {
    if (value === null && !spec.required) return undefined;
    return {
      code: 'INPUT_TYPE',
      severity: custom ? 'warning' : 'error',
      message: `${nameInput(node, input)} is ${show(value)}, not the name of a file.`,
      hint: 'Give it the name of a file in the input folder of the server, or make it a parameter of the template.',
    };
  }
  const address = /^[a-z]{2,10}:\/\//i.test(value);
  if (!address && /[\\/[\]]/.test(value)) return undefined;
  return {
    code: 'INPUT_FILE',
    severity: !custom && (address || (live && LISTED.test(value))) ? 'error' : 'warning',
    message: `${nameInput(node, input)} is ${show(value)}, ${address ? 'an address, and ComfyUI downloads nothing' : 'a file that the server does not list'}.`,
    hint: 'Make the file a parameter of the template, so that it is uploaded, or put it into the input folder of the server.',
  };
}

function isUpload({ options }: InputSpec): boolean {
  return Object.keys(options).some((key) => key.endsWith('_upload') && options[key] === true);
}

/** Lists that do not bind: those fetched elsewhere, several choices at once. */
function isOpenList(node: GraphNode, { options, name }: InputSpec): boolean {
  return OWN_CHECK.has(`${node.classType}.${name}`) || options['multiselect'] === true || 'remote' in options || 'remote_combo' in options;
}

function range(spec: InputSpec): string {
  const { min, max } = spec.options;
  if (isNumber(min) && isNumber(max)) return `from ${min} to ${max}`;
  if (isNumber(min)) return `of at least ${min}`;
  return isNumber(max) ? `of at most ${max}` : '';
}

function isNumber(value: JsonValue | undefined): value is number | bigint {
  return typeof value === 'bigint' || (typeof value === 'number' && !Number.isNaN(value));
}

/** A value short enough for a sentence. */
function show(value: JsonValue): string {
  const text = printJson(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
