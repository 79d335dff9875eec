/** Compiles one step's workflow: where placeholders stand in it, and what `set` writes over. */
import { createLineIndex, type LineIndex, parseJson } from '#graph/json.ts';
import { detectFormat, parseGraph } from '#graph/graph.ts';
import { checkStructure } from '#graph/structure.ts';
import type { Graph, GraphInput, GraphNode, JsonNode } from '#graph/types.ts';
import type { Problem } from '#protocol/problem.ts';
import { findNode, parseAddress } from './addresses.ts';
import { type Piece, SETTINGS_NODE, type Site } from './compiled.ts';
import { type Environment, kindOf } from './environment.ts';
import type { Reference, TextTemplate } from './grammar.ts';
import { type Located, nodeAt, objectAt, type Path, pointerOf, problemAt } from './locate.ts';
import { compileText, type Report, type TextPlace } from './references.ts';
import { didYouMean, closest } from '#graph/suggest.ts';

export type WorkflowKind = 'comfyui' | 'wan2gp';

/** A workflow file, read once however many steps use it. */
export interface Workflow {
  readonly file: string;
  readonly text: string;
  readonly lines: LineIndex;
  /** Undefined when the file is of no use; the problems say why. */
  readonly graph: Graph | undefined;
  readonly problems: readonly Problem[];
}

export function readWorkflow(text: string, file: string, kind: WorkflowKind): Workflow {
  const lines = createLineIndex(text);
  if (kind === 'wan2gp') return { file, text, lines, ...readSettings(text, file) };
  const { graph, problems } = parseGraph(text, { file });
  if (graph === undefined) return { file, text, lines, graph, problems: problems.map((problem) => explainUi(problem, text)) };
  return { file, text, lines, graph, problems: [...problems, ...checkStructure(graph, { file })] };
}

/** Where an object info was at hand, the text was converted before it came here. */
function explainUi(problem: Problem, text: string): Problem {
  if (problem.code !== 'GRAPH_NOT_API') return problem;
  const { root } = parseJson(text);
  if (root === undefined || detectFormat(root) !== 'ui') return problem;
  const message = 'This workflow is in UI format, and there is nothing at hand that says which inputs its nodes have.';
  const hint =
    'Save http://ADDRESS:8188/object_info of your ComfyUI as object_info.json beside the file; or choose Workflow › Export (API) in ComfyUI and use that file.';
  return { ...problem, code: 'TEMPLATE_WORKFLOW_UI_FORMAT', message, hint };
}

function readSettings(text: string, file: string): Pick<Workflow, 'graph' | 'problems'> {
  const { root, problems } = parseJson(text, { file });
  if (root === undefined) return { graph: undefined, problems };
  if (root.kind !== 'object' || detectFormat(root) !== 'wan2gp') {
    const message = 'This is not a Wan2GP settings file: it has no "model_type".';
    const hint = 'Save the settings in Wan2GP and use that file, or give the step "backend": "comfyui".';
    return {
      graph: undefined,
      problems: [...problems, problemAt({ file, text, root }, [], 'TEMPLATE_WORKFLOW_FORMAT', message, { hint })],
    };
  }
  const inputs = new Map(root.members.map(({ key, value }): [string, GraphInput] => [key.value, { name: key.value, value }]));
  const node: GraphNode = { id: SETTINGS_NODE, classType: '', inputs, at: root, inputsAt: root };
  return { graph: { text, root, nodes: new Map([[SETTINGS_NODE, node]]) }, problems };
}

export interface WorkflowPlace {
  readonly step: string;
  readonly kind: WorkflowKind;
  readonly environment: Environment;
  readonly uses: (reference: Reference) => void;
  readonly problems: Problem[];
}

/** Placeholders in the strings of all inputs. Only inputs are looked at: titles and classes stay as they are. */
export function workflowSites(graph: Graph, workflow: Workflow, place: WorkflowPlace, overwritten: ReadonlySet<string>): Site[] {
  const { text } = graph;
  const escaped = /\\u007b/i.test(text);
  const sites: Site[] = [];
  for (const node of graph.nodes.values()) {
    // Most nodes of a large graph hold no brace at all: a search of the raw text is much cheaper than a look at every input.
    const brace = text.indexOf('{', node.inputsAt.start + 1);
    if (!escaped && (brace === -1 || brace >= node.inputsAt.end)) continue;
    for (const input of node.inputs.values()) {
      if (input.link !== undefined || !mayHold(input.value)) continue;
      // Wan2GP has placeholders of its own in the name of the result.
      if (place.kind === 'wan2gp' && input.name === 'output_filename') continue;
      const where = (): Site['place'] => {
        const pointer = place.kind === 'wan2gp' ? pointerOf([input.name]) : pointerOf([node.id, 'inputs', input.name]);
        return { file: workflow.file, ...workflow.lines.positionOf(input.value.start), pointer };
      };
      const hidden = overwritten.has(siteKey(node.id, input.name));
      const report: Report = (problem) => {
        if (!hidden) place.problems.push({ ...problem, ...where(), ...nodeFields(place, node, input.name), step: place.step });
      };
      const pieces = compilePieces(input.value, graph.text, { ...place, report, ours: false });
      if (pieces === undefined) continue;
      sites.push({
        node: node.id,
        input: input.name,
        classType: node.classType,
        pieces,
        from: 'workflow',
        current: input.value,
        place: where(),
      });
      if (!hidden) checkWhole(pieces, undefined, place, report);
    }
  }
  return sites;
}

export const siteKey = (node: string, input: string): string => `${node}\n${input}`;

function nodeFields(place: WorkflowPlace, node: GraphNode, input: string): Partial<Problem> {
  return place.kind === 'wan2gp' ? { input } : { node: node.id, input };
}

function mayHold(value: JsonNode): boolean {
  if (value.kind === 'string') return value.value.includes('{');
  if (value.kind === 'array') return value.items.some(mayHold);
  return value.kind === 'object' && value.members.some((each) => mayHold(each.value));
}

/** The value's JSON text cut at its strings with placeholders; undefined when it has none. */
export function compilePieces(value: JsonNode, text: string, place: TextPlace): Piece[] | undefined {
  const pieces: Piece[] = [];
  let from = value.start;
  const visit = (node: JsonNode): void => {
    if (node.kind === 'array') node.items.forEach(visit);
    if (node.kind === 'object') for (const each of node.members) visit(each.value);
    if (node.kind !== 'string') return;
    const template = compileText(node.value, place);
    if (template === undefined) return;
    if (node.start > from) pieces.push(text.slice(from, node.start));
    pieces.push(template);
    from = node.end;
  };
  visit(value);
  if (from === value.start) return undefined;
  if (from < value.end) pieces.push(text.slice(from, value.end));
  return pieces;
}

/** What one `set` writes, each checked against the workflow. `parent` is the path of the object that holds it. */
export function setSites(graph: Graph, where: Located, parent: Path, place: WorkflowPlace): Site[] {
  const set = objectAt(nodeAt(where.root, parent), 'set');
  if (set === undefined) return [];
  const lines = createLineIndex(where.text);
  const sites = new Map<string, Site>();
  for (const { key, value } of set.members) {
    const path: Path = [...parent, 'set', key.value];
    const report =
      (onKey: boolean, fields: Partial<Problem> = {}): Report =>
      ({ code, message, severity, hint }) =>
        void place.problems.push(problemAt(where, path, code, message, { severity, hint, ...fields, step: place.step, key: onKey }));
    const target = findTarget(graph, key.value, place.kind, report(true));
    if (target === undefined) continue;
    const { node, input } = target;
    const fields = nodeFields(place, node, input);
    const current = node.inputs.get(input);
    if (!checkTarget(node, input, current, report(true, fields))) continue;
    if (
      value.kind === 'array' &&
      value.items.length === 2 &&
      value.items[0]?.kind === 'string' &&
      value.items[1]?.kind === 'number' &&
      place.kind === 'comfyui'
    ) {
      const message = `"${key.value}" would become a link: ComfyUI reads a list of a text and a number as one.`;
      report(
        false,
        fields,
      )({ code: 'TEMPLATE_SET_LINK', severity: 'error', message, hint: 'Change links in the workflow itself; "set" writes values only.' });
      continue;
    }
    const pieces = compilePieces(value, where.text, {
      environment: place.environment,
      uses: place.uses,
      report: report(false, fields),
      ours: true,
    });
    checkWhole(pieces ?? [], current?.value, place, report(false, fields));
    const id = siteKey(node.id, input);
    if (sites.has(id)) {
      const hint = 'Keep one of the two.';
      report(
        true,
        fields,
      )({
        code: 'TEMPLATE_SET_TWICE',
        severity: 'error',
        message: `Two entries of "set" write input "${input}" of node ${node.id}.`,
        hint,
      });
    }
    sites.set(id, {
      node: node.id,
      input,
      classType: node.classType,
      pieces: pieces ?? [where.text.slice(value.start, value.end)],
      from: 'set',
      current: current?.value,
      place: { file: where.file, ...lines.positionOf(value.start), pointer: pointerOf(path) },
    });
  }
  return [...sites.values()];
}

function findTarget(graph: Graph, key: string, kind: WorkflowKind, report: Report): { node: GraphNode; input: string } | undefined {
  const settings = graph.nodes.get(SETTINGS_NODE);
  if (kind === 'wan2gp') return settings === undefined ? undefined : { node: settings, input: key };
  const address = parseAddress(key);
  if (address === undefined) {
    const hint = 'Write node.input, e.g. "6.text", or "\\"title:Positive prompt\\".text".';
    report({ code: 'TEMPLATE_SET_ADDRESS', severity: 'error', message: `"${key}" is not an address of an input.`, hint });
    return undefined;
  }
  const found = findNode(graph, address);
  if ('node' in found) return { node: found.node, input: address.input };
  report({ severity: 'error', ...found });
  return undefined;
}

function checkTarget(node: GraphNode, input: string, current: GraphInput | undefined, report: Report): boolean {
  if (current?.link !== undefined) {
    const message = `Input "${input}" of node ${node.id} is linked to node ${current.link.node}; "set" would cut the link.`;
    const hint = `Set the input of node ${current.link.node} instead, or remove the link from the workflow.`;
    report({ code: 'TEMPLATE_SET_REPLACES_LINK', severity: 'error', message, hint });
    return false;
  }
  if (current === undefined) {
    const near = closest(input, node.inputs.keys());
    const what = node.classType === '' ? 'The settings have no' : `Node ${node.id} (${node.classType}) has no`;
    const hint =
      near === undefined ? didYouMean(input, node.inputs.keys(), 'inputs') : `Did you mean "${near}"? If it is meant, it is added.`;
    report({
      code: 'TEMPLATE_SET_INPUT_UNKNOWN',
      severity: 'warning',
      message: `${what} "${input}" in the workflow file; it is added.`,
      hint,
    });
  }
  return true;
}

/** A value that is one placeholder takes the value's own type: it must be one that the input can hold. */
export function checkWhole(pieces: readonly Piece[], current: JsonNode | undefined, place: WorkflowPlace, report: Report): void {
  const [only] = pieces;
  const whole: TextTemplate['whole'] = pieces.length === 1 && typeof only === 'object' ? only.whole : undefined;
  if (whole === undefined) {
    const text = pieces.some((piece) => typeof piece === 'object');
    if (text && pieces.length === 1 && (current?.kind === 'number' || current?.kind === 'boolean')) {
      report({ ...mismatch(`This text`, current.kind), hint: 'Write one placeholder and nothing else, so that its value keeps its type.' });
    }
    return;
  }
  for (const reference of whole.alternatives) {
    const kind = kindOf(reference, place.environment);
    if (kind === undefined) continue;
    if (kind.list === 'yes' && kind.type === 'media' && place.kind === 'comfyui') {
      const message = `${whole.text} is a list of files, and an input takes one.`;
      const hint = `Take one, {${reference.text}[0]}, or give the step "each": "{${reference.text}}" and write {each}.`;
      report({ code: 'TEMPLATE_REFERENCE_LIST', severity: 'error', message, hint });
    } else if (current?.kind === 'number' || current?.kind === 'boolean') {
      const textual = kind.type === 'text' || kind.type === 'media' || (kind.type === 'color' && current.kind === 'boolean');
      if (textual || kind.list === 'yes')
        report({
          ...mismatch(`${whole.text} is ${kind.list === 'yes' ? 'a list' : 'a text'} and`, current.kind),
          hint: 'Change the type of the parameter, or set another input.',
        });
    }
  }
}

function mismatch(what: string, kind: 'number' | 'boolean'): { code: string; severity: 'error'; message: string } {
  const holds = kind === 'number' ? 'a number' : 'true or false';
  return { code: 'TEMPLATE_PLACEHOLDER_TYPE', severity: 'error', message: `${what} cannot stand where the workflow holds ${holds}.` };
}
