/** Makes a template of a bare workflow file: a manifest with one step, its parameters from placeholders, the app mode, or common settings. Pure. */
import { convertWorkflow } from '#graph/convert/convert.ts';
import { detectFormat, parseGraph } from '#graph/graph.ts';
import { parseJson } from '#graph/json.ts';
import type { ObjectInfo } from '#graph/object-info.ts';
import type { Graph, JsonNode, JsonValue } from '#graph/types.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { inputParameters, type WantedInput } from './adopt-inputs.ts';
import { type AdoptedOutputs, adoptOutputs } from './adopt-outputs.ts';
import { MAX_PARAMETERS, placeholderParameters } from './adopt-placeholders.ts';
import { settingsParameters } from './adopt-settings.ts';
import { type AppMode, readAppMode } from './app-mode.ts';
import { SETTINGS_NODE } from './compiled.ts';
import { slug } from './filters.ts';
import { type Located, problemAt, problemIn } from './locate.ts';
import { withFittingDefault } from './merge-definitions.ts';
import { printManifest } from './print-manifest.ts';
import { suggestInputs } from './suggest-inputs.ts';
import type { ParameterDefinition } from './types.ts';

export const ADOPTED_VERSION = '0.0.0';

export interface AdoptOptions {
  /** What a server has: types, bounds and choices of inputs, and the way out of UI format. */
  readonly info?: ObjectInfo | undefined;
  /** Where it comes from, for `origin` and messages. */
  readonly infoName?: string | undefined;
  /** Offers common inputs where the file names none itself: for a template that a person goes on writing. */
  readonly suggest?: boolean;
}

export interface Adopted {
  /** Text of a manifest; undefined when the file is no workflow, or cannot be run. */
  readonly manifest: string | undefined;
  /** The workflow that its step runs: the file itself, or what a file in UI format was converted to. */
  readonly workflow: string;
  /** `workflow` is not the text of the file. */
  readonly converted: boolean;
  readonly problems: readonly Problem[];
  /** The file is JSON of some other kind: in a library it is left alone. */
  readonly foreign: boolean;
}

/** Ids: lower case Latin letters, digits and hyphens, at most 64; empty when the name has none. */
export function idOf(fileName: string): string {
  const ascii = slug(fileName.replace(/\.json$/i, '')).replaceAll(/[^a-z0-9-]/g, '');
  return ascii.replaceAll(/-{2,}/g, '-').replaceAll(/^-|-$/g, '');
}

/** `fileName` is the workflow's name without its folder, `file` how problems call it. Never throws. */
export function adopt(text: string, fileName: string, file: string, options: AdoptOptions = {}): Adopted {
  const { root, problems } = parseJson(text, { file });
  const none = (found: readonly Problem[], foreign = false): Adopted => {
    return { manifest: undefined, workflow: text, converted: false, problems: found, foreign };
  };
  if (root === undefined || problems.some(isBlocking)) return none(problems);
  const format = detectFormat(root);
  const where: Located = { file, text, root };
  if (format === 'unknown') {
    const message = 'This JSON is neither a template, a ComfyUI workflow nor Wan2GP settings.';
    const hint = 'Give a folder with template.json, a workflow saved in ComfyUI, or saved Wan2GP settings.';
    return none([problemAt(where, [], 'TEMPLATE_WORKFLOW_FORMAT', message, { hint })], true);
  }
  const id = idOf(fileName);
  if (id === '') {
    const message = `No id can be made of the file name "${fileName}".`;
    const hint = 'Rename the file with Latin letters or digits, or write a template.json.';
    return none([problemIn(file, 'TEMPLATE_ID_INVALID', message, hint)]);
  }
  const title = fileName.replace(/\.json$/i, '').slice(0, 200);
  const head = { format: 1, id, version: ADOPTED_VERSION, title, category: 'adopted' };
  if (format === 'wan2gp') return { ...none([]), manifest: settingsManifest(head, root, text, fileName) };
  const converted = format === 'ui' ? convert(where, options) : undefined;
  if (converted !== undefined && converted.graph === undefined) return none(converted.problems);
  const workflow = converted?.graph ?? text;
  const { graph } = parseGraph(workflow);
  const appMode = format === 'ui' ? readAppMode(root) : undefined;
  const found: Problem[] = [...(converted?.problems ?? [])];
  const manifest = graph === undefined ? undefined : graphManifest({ head, graph, appMode, where, fileName, options, found });
  return { manifest, workflow, converted: converted !== undefined, problems: found, foreign: false };
}

function convert(where: Located, { info }: AdoptOptions): { readonly graph: string | undefined; readonly problems: readonly Problem[] } {
  if (info !== undefined) return convertWorkflow(where.text, info, { file: where.file, strict: true });
  const message = 'This workflow is in UI format, and there is nothing at hand that says which inputs its nodes have.';
  const hint =
    'Start the backend, or save http://ADDRESS:8188/object_info of your ComfyUI as object_info.json beside the file; or choose Workflow › Export (API) in ComfyUI and use that file. Commands take it from --object-info FILE and --backend ID.';
  return { graph: undefined, problems: [problemAt(where, [], 'TEMPLATE_WORKFLOW_UI_FORMAT', message, { hint })] };
}

type Head = Readonly<Record<'format' | 'id' | 'version' | 'title' | 'category', JsonValue>>;

interface GraphParts {
  readonly head: Head;
  readonly graph: Graph;
  readonly appMode: AppMode | undefined;
  readonly where: Located;
  readonly fileName: string;
  readonly options: AdoptOptions;
  readonly found: Problem[];
}

function graphManifest({ head, graph, appMode, where, fileName, options, found }: GraphParts): string {
  const { info, infoName = 'object info', suggest = false } = options;
  const classOf = (node: string): string => graph.nodes.get(node)?.classType ?? '';
  const placeholders = placeholderParameters(graph, info, (node, input) => `${node}.${input} (${classOf(node)})`);
  const app = (appMode?.inputs ?? []).map((input): WantedInput => {
    const [first] = input.targets;
    const place = first === undefined ? '' : `: ${first.node}.${first.input} (${classOf(first.node)})`;
    return { ...input, origin: `app mode of the workflow${place}` };
  });
  const offered = app.length === 0 && placeholders.size === 0 && suggest ? suggestInputs(graph) : [];
  const wanted = [...app, ...offered].slice(0, MAX_PARAMETERS - placeholders.size);
  const inputs = inputParameters(graph, info, wanted, new Set(placeholders.keys()));
  for (const { input, reason } of inputs.refused) {
    const at = appMode?.inputs[wanted.indexOf(input)]?.at;
    if (at !== undefined && input.name !== 'control_after_generate') found.push(notOffered(where, input, reason, at));
  }
  return manifestText(head, {
    backend: 'comfyui',
    workflow: fileName,
    parameters: tidy([...placeholders, ...inputs.parameters], infoName),
    set: inputs.set,
    outputs: adoptOutputs(graph, info, appMode?.outputs ?? []),
  });
}

function notOffered(where: Located, { name, targets }: WantedInput, reason: string, at: JsonNode): Problem {
  const [first] = targets;
  const message = `The app mode offers "${name}", which cannot be a parameter: ${reason}.`;
  const hint = 'Take it out of the app mode, or connect and enable its node.';
  const index = where.root.kind === 'object' ? pathTo(where.root, at) : undefined;
  const node = first === undefined ? {} : { node: first.node, input: first.input };
  return problemAt(where, index ?? ['extra', 'linearData'], 'TEMPLATE_APP_INPUT', message, { severity: 'warning', hint, ...node });
}

function pathTo(root: JsonNode, at: JsonNode): readonly (string | number)[] | undefined {
  const extra = root.kind === 'object' ? root.members.findLast(({ key }) => key.value === 'extra')?.value : undefined;
  const data = extra?.kind === 'object' ? extra.members.findLast(({ key }) => key.value === 'linearData')?.value : undefined;
  const inputs = data?.kind === 'object' ? data.members.findLast(({ key }) => key.value === 'inputs')?.value : undefined;
  const index = inputs?.kind === 'array' ? inputs.items.indexOf(at) : -1;
  return index < 0 ? undefined : ['extra', 'linearData', 'inputs', index];
}

function settingsManifest(head: Head, root: JsonNode, text: string, fileName: string): string | undefined {
  if (root.kind !== 'object') return undefined;
  const inputs = new Map(root.members.map(({ key, value }) => [key.value, { name: key.value, value }]));
  const node = { id: SETTINGS_NODE, classType: '', inputs, at: root, inputsAt: root };
  const graph: Graph = { text, root, nodes: new Map([[SETTINGS_NODE, node]]) };
  const placeholders = placeholderParameters(graph, undefined, (_, input) => input);
  const settings = placeholders.size > 0 ? { parameters: placeholders, set: {} } : settingsParameters(graph);
  return manifestText(head, {
    backend: 'wan2gp',
    workflow: fileName,
    parameters: tidy([...settings.parameters], ''),
    set: settings.set,
    outputs: { step: { files: '*' }, template: { files: { from: '{steps.main.files}' } } },
  });
}

/** Definitions whose defaults keep their own rules. */
function tidy(
  parameters: readonly (readonly [string, ParameterDefinition])[],
  infoName: string,
): Readonly<Record<string, ParameterDefinition>> {
  return Object.fromEntries(
    parameters.map(([name, definition]) => {
      const { origin = '', ...rest } = withFittingDefault(definition);
      return [name, { ...rest, origin: origin.replace('by object info', `by ${infoName}`).slice(0, 4000) }];
    }),
  );
}

interface Step {
  readonly backend: string;
  readonly workflow: string;
  readonly parameters: Readonly<Record<string, ParameterDefinition>>;
  readonly set: Readonly<Record<string, string>>;
  readonly outputs: AdoptedOutputs;
}

function manifestText(head: Head, { backend, workflow, parameters, set, outputs }: Step): string {
  const step = { id: 'main', backend, workflow, ...(Object.keys(set).length === 0 ? {} : { set }), outputs: outputs.step };
  return printManifest({ ...head, parameters, steps: [step], outputs: outputs.template });
}
