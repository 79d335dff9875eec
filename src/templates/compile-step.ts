/** Compiles one step: its condition, its list of items, its workflow with everything that goes into it, its outputs. */
import type { Graph } from '#graph/types.ts';
import { findNode, parseNodeName } from './addresses.ts';
import { stepsBehind, waitsBehind } from './compile-choice.ts';
import { type CompileContext, countUse, manifestText, report } from './compile-context.ts';
import { readWorkflow, setSites, siteKey, type Workflow, type WorkflowKind, workflowSites } from './compile-workflow.ts';
import type { CompiledPatch, CompiledStep, Site } from './compiled.ts';
import { compileCondition } from './compile-condition.ts';
import { compilePatches } from './compile-patch.ts';
import { type Environment, kindOfPath, type StaticKind } from './environment.ts';
import type { Placeholder, Reference } from './grammar.ts';
import type { Path } from './locate.ts';
import { lowerProfile } from './lower-profile.ts';
import { compileReference } from './references.ts';
import { didYouMean } from '#graph/suggest.ts';
import type { StepDefinition } from './types.ts';
import { refuseWorkflowPath } from './workflow-paths.ts';

/** Stands where a workflow could not be read; the reason is among the problems. */
export const UNREAD: Graph = { text: '{}', root: { kind: 'object', members: [], start: 0, end: 2 }, nodes: new Map() };

/** A step whose workflow is of no use still has its place in the order; the problems say what is wrong with it. */
export function compileStep(context: CompileContext, step: StepDefinition, at: number): CompiledStep {
  const { names, where, problems } = context;
  const path: Path = ['steps', at];
  const needs = new Set<string>(declaredNeeds(context, step, path));
  const waits = new Set<string>(needs);
  const uses = (reference: Reference): void => {
    countUse(context, reference.path);
    for (const id of stepsBehind(names, reference.path)) needs.add(id);
    for (const id of waitsBehind(names, reference.path)) waits.add(id);
  };
  const each = compileEach(context, step, path, uses);
  const environment: Environment = step.each === undefined ? names : { ...names, each: itemKind(context, each), index: true };
  const when = step.when === undefined ? undefined : compileCondition(context, step.when, [...path, 'when'], step.id, uses);
  const kind: WorkflowKind = step.backend === 'wan2gp' ? 'wan2gp' : 'comfyui';
  const workflow = workflowOf(context, step, kind, path);
  const graph = workflow?.graph;
  const sites: Site[] = [];
  let lowMemory: readonly Site[] | undefined;
  const patches: CompiledPatch[] = [];
  const outputs: [string, string][] = [];
  if (workflow !== undefined && graph !== undefined) {
    const place = { step: step.id, kind, environment, uses, problems };
    patches.push(...compilePatches(context, step, path, graph, place));
    const written = setSites(graph, where, path, place);
    const overwritten = new Set(written.map((site) => siteKey(site.node, site.input)));
    sites.push(...workflowSites(graph, workflow, place, overwritten), ...written);
    if (step.lowMemory !== undefined)
      lowMemory = lowerProfile(context, step.id, path, sites, setSites(graph, where, [...path, 'lowMemory'], place));
    for (const [name, node] of Object.entries(step.outputs ?? {})) {
      const found = outputNode(context, step, name, node, kind, graph, path);
      if (found !== undefined) outputs.push([name, found]);
    }
  }
  return {
    id: step.id,
    title: step.title,
    backend: step.backend ?? 'comfyui',
    workflow: step.workflow,
    needs: [...names.steps.keys()].filter((id) => needs.has(id)),
    waits: [...waits].filter((id) => names.steps.has(id) || id.startsWith('choices.')),
    each,
    when,
    graph: graph ?? UNREAD,
    sites,
    lowMemory,
    patches,
    optimize: step.optimize ?? true,
    outputs: Object.fromEntries(outputs),
  };
}

function declaredNeeds(context: CompileContext, step: StepDefinition, path: Path): readonly string[] {
  const { steps } = context.names;
  const needs = step.needs ?? [];
  for (const [index, id] of needs.entries()) {
    if (steps.has(id)) continue;
    const message = `Step "${step.id}" needs a step "${id}" that does not exist.`;
    const details = { step: step.id, hint: didYouMean(id, steps.keys(), 'steps') };
    report(context, [...path, 'needs', index], 'TEMPLATE_STEP_UNKNOWN', message, details);
  }
  return needs;
}

function compileEach(
  context: CompileContext,
  step: StepDefinition,
  path: Path,
  uses: (reference: Reference) => void,
): Placeholder | undefined {
  if (step.each === undefined) return undefined;
  const at: Path = [...path, 'each'];
  const place = manifestText(context, at, context.names, { step: step.id, uses });
  const placeholder = compileReference(step.each, 'each', place);
  for (const reference of placeholder?.alternatives ?? []) {
    const kind = kindOfPath(reference.path, context.names);
    if (reference.at === undefined && kind?.list !== 'no') continue;
    const message = `"each" needs a list, and {${reference.text}} is one value.`;
    const hint = 'Name a parameter of type list, or an output of a step.';
    report(context, at, 'TEMPLATE_EACH_INVALID', message, { step: step.id, hint });
  }
  return placeholder;
}

/** What is known of {each}. Only a list of vectors has items that are lists themselves. */
function itemKind({ names }: CompileContext, each: Placeholder | undefined): StaticKind {
  const [first] = each?.alternatives ?? [];
  const kind = first === undefined ? undefined : kindOfPath(first.path, names);
  if (first === undefined || kind === undefined) return { type: 'unknown', list: 'maybe' };
  const ofVectors = first.path.length === 1 && names.parameters.get(first.path[0] ?? '')?.of === 'vector';
  return { type: kind.type, list: ofVectors ? 'yes' : 'no' };
}

/** A workflow that several steps use is read, and reported, once. */
function workflowOf(context: CompileContext, step: StepDefinition, kind: WorkflowKind, path: Path): Workflow | undefined {
  const { source, workflows, problems } = context;
  const name = step.workflow;
  const known = workflows.get(`${kind}\n${name}`);
  if (known !== undefined) return known;
  const refused = refuseWorkflowPath(name);
  if (refused !== undefined) {
    const hint = 'Put the file beside template.json and write its name, with / between folders.';
    const message = `"${name}" cannot be a workflow file: it ${refused}.`;
    report(context, [...path, 'workflow'], 'TEMPLATE_PATH_ESCAPES', message, { step: step.id, hint });
    return undefined;
  }
  const text = Object.hasOwn(source.workflows, name) ? source.workflows[name] : undefined;
  if (text === undefined) {
    if (context.reported.has(name)) return undefined;
    const hint = `Put the file beside template.json. ${didYouMean(name, Object.keys(source.workflows), 'workflow files')}`;
    const message = `The workflow file "${name}" of step "${step.id}" does not exist.`;
    report(context, [...path, 'workflow'], 'TEMPLATE_FILE_MISSING', message, { step: step.id, hint });
    return undefined;
  }
  const workflow = readWorkflow(text, context.file(name), kind);
  problems.push(...workflow.problems.map((problem) => ({ ...problem, step: step.id })));
  workflows.set(`${kind}\n${name}`, workflow);
  return workflow;
}

function outputNode(
  context: CompileContext,
  step: StepDefinition,
  name: string,
  node: string,
  kind: WorkflowKind,
  graph: Graph,
  path: Path,
): string | undefined {
  if (node === '*') return node;
  const at: Path = [...path, 'outputs', name];
  if (kind === 'wan2gp') {
    const message = `Output "${name}" names a node, and Wan2GP has none.`;
    report(context, at, 'TEMPLATE_NODE_UNKNOWN', message, { step: step.id, hint: 'Write "*" for the files that the step makes.' });
    return undefined;
  }
  const wanted = parseNodeName(node);
  const found = findNode(graph, wanted);
  if ('node' in found) return found.node.id;
  const message = `Output "${name}" of step "${step.id}": ${found.message}`;
  report(context, at, found.code, message, { step: step.id, hint: found.hint, node: wanted.name });
  return undefined;
}
