/** The compiler: from a template's texts to something that can be rendered, or to every problem there is, all at once. Pure. */
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { toValue } from '#graph/values.ts';
import { findNode } from './addresses.ts';
import { checkDefinition } from './compile-parameters.ts';
import { readWorkflow, setSites, siteKey, type Workflow, workflowSites } from './compile-workflow.ts';
import type { CompiledChoice, CompiledOutput, CompiledStep, CompiledTemplate } from './compiled.ts';
import { parseCondition } from './conditions.ts';
import { type Environment, explainUnknown, kindOfPath, type Names, type StaticKind } from './environment.ts';
import type { Placeholder, Reference } from './grammar.ts';
import { type Located, type Path, type ProblemDetails, problemAt } from './locate.ts';
import { readManifest } from './manifest.ts';
import { findCycles, topological } from './order.ts';
import { type Readable, readable } from './prune.ts';
import { compileReference, compileText, type TextPlace } from './references.ts';
import { didYouMean } from './suggest.ts';
import type { Checked, ParameterDefinition, StepDefinition, TemplateSource } from './types.ts';
import { refuseWorkflowPath } from './workflow-paths.ts';

export type { CompiledStep, CompiledTemplate } from './compiled.ts';

export interface CompileOptions {
  /** How `template.json` and workflow files are called in problems; their own names when absent. */
  readonly file?: (name: string) => string;
}

export const MANIFEST_FILE = 'template.json';

export function compileTemplate(source: TemplateSource, options: CompileOptions = {}): Checked<CompiledTemplate> {
  const file = options.file ?? ((name: string) => name);
  const read = readManifest(source.manifest, file(MANIFEST_FILE));
  if (read.where === undefined) return { value: undefined, problems: read.problems };
  const parts = readable(toValue(read.where.root), read.problems);
  const compiler = createCompiler(source, file, read.where, parts);
  const compiled = compiler.compile();
  const problems = [...read.problems, ...compiler.problems];
  if (read.manifest === undefined || problems.some(isBlocking)) return { value: undefined, problems };
  const { id, version } = read.manifest;
  const value = { id, version, hash: source.hash, manifest: read.manifest, source, ...compiled, problems };
  return { value, problems };
}

type Compiled = Pick<CompiledTemplate, 'parameters' | 'steps' | 'choices' | 'outputs'>;

function createCompiler(source: TemplateSource, file: (name: string) => string, where: Located, parts: Readable) {
  const problems: Problem[] = [];
  const workflows = new Map<string, Workflow>();
  const used = new Set<string>();
  const names = namesOf(parts);

  const report = (path: Path, code: string, message: string, details: ProblemDetails): void => {
    problems.push(problemAt(where, path, code, message, details));
  };

  const place = (path: Path, environment: Environment, uses: (reference: Reference) => void, step?: string): TextPlace => ({
    environment,
    uses,
    ours: true,
    report: ({ code, message, severity, hint }) => report(path, code, message, { severity, hint, ...(step === undefined ? {} : { step }) }),
  });

  const countUse = (reference: Reference): void => {
    if (reference.path.length === 1) used.add(reference.path[0] ?? '');
  };

  /** A workflow is reported once, by the first step that names it. */
  function workflowOf({ workflow: name, backend, id }: StepDefinition, path: Path): Workflow | undefined {
    const kind = backend === 'wan2gp' ? 'wan2gp' : 'comfyui';
    const known = workflows.get(`${kind}\n${name}`);
    if (known !== undefined) return known;
    const refused = refuseWorkflowPath(name);
    if (refused !== undefined) {
      const hint = 'Put the file beside template.json and write its name, with / between folders.';
      report([...path, 'workflow'], 'TEMPLATE_PATH_ESCAPES', `"${name}" cannot be a workflow file: it ${refused}.`, { step: id, hint });
      return undefined;
    }
    const text = Object.hasOwn(source.workflows, name) ? source.workflows[name] : undefined;
    if (text === undefined) {
      const hint = `Put the file beside template.json. ${didYouMean(name, Object.keys(source.workflows), 'workflow files')}`;
      report([...path, 'workflow'], 'TEMPLATE_FILE_MISSING', `The workflow file "${name}" of step "${id}" does not exist.`, {
        step: id,
        hint,
      });
      return undefined;
    }
    const workflow = readWorkflow(text, file(name), kind);
    problems.push(...workflow.problems.map((problem) => ({ ...problem, step: id })));
    workflows.set(`${kind}\n${name}`, workflow);
    return workflow;
  }

  function compileStep(step: StepDefinition, at: number): CompiledStep | undefined {
    const path: Path = ['steps', at];
    const needs = new Set<string>();
    const uses = (reference: Reference): void => {
      countUse(reference);
      for (const id of stepsBehind(reference.path)) needs.add(id);
    };
    for (const [index, id] of (step.needs ?? []).entries()) {
      if (names.steps.has(id)) needs.add(id);
      else {
        const message = `Step "${step.id}" needs a step "${id}" that does not exist.`;
        report([...path, 'needs', index], 'TEMPLATE_STEP_UNKNOWN', message, {
          step: step.id,
          hint: didYouMean(id, names.steps.keys(), 'steps'),
        });
      }
    }
    const each = step.each === undefined ? undefined : compileEach(step.each, step.id, path, uses);
    const item: StaticKind | undefined = step.each === undefined ? undefined : itemKind(each);
    const environment: Environment = item === undefined ? names : { ...names, each: item, index: true };
    const when = compileWhen(step, path, needs);
    const workflow = workflowOf(step, path);
    const graph = workflow?.graph;
    const kind = step.backend === 'wan2gp' ? 'wan2gp' : 'comfyui';
    const outputs: [string, string][] = [];
    const sites = [];
    if (workflow !== undefined && graph !== undefined) {
      const context = { step: step.id, kind, environment, uses, problems } as const;
      const written = setSites(graph, where, path, context);
      sites.push(...workflowSites(graph, workflow, context, new Set(written.map((site) => siteKey(site.node, site.input)))), ...written);
      for (const [name, node] of Object.entries(step.outputs ?? {})) {
        const found = outputNode(step, name, node, kind, graph, path);
        if (found !== undefined) outputs.push([name, found]);
      }
    }
    if (workflow === undefined || graph === undefined) return shell(step, needs, workflow);
    const ordered = [...names.steps.keys()].filter((id) => needs.has(id));
    return {
      id: step.id,
      title: step.title,
      backend: step.backend ?? 'comfyui',
      workflow: step.workflow,
      needs: ordered,
      each,
      when,
      graph,
      sites,
      outputs: Object.fromEntries(outputs),
    };
  }

  /** Enough of a step without a workflow for its place in the order to be checked. */
  function shell(step: StepDefinition, needs: ReadonlySet<string>, _workflow: Workflow | undefined): CompiledStep {
    const graph = { text: '{}', root: { kind: 'object', members: [], start: 0, end: 2 }, nodes: new Map() } as const;
    const base = { id: step.id, title: step.title, backend: step.backend ?? 'comfyui', workflow: step.workflow } as const;
    return { ...base, needs: [...needs], each: undefined, when: undefined, graph, sites: [], outputs: {} };
  }

  function outputNode(
    step: StepDefinition,
    name: string,
    node: string,
    kind: 'comfyui' | 'wan2gp',
    graph: CompiledStep['graph'],
    path: Path,
  ): string | undefined {
    if (node === '*') return node;
    const at: Path = [...path, 'outputs', name];
    if (kind === 'wan2gp') {
      const message = `Output "${name}" names a node, and Wan2GP has none.`;
      report(at, 'TEMPLATE_NODE_UNKNOWN', message, { step: step.id, hint: 'Write "*" for the files that the step makes.' });
      return undefined;
    }
    const plain = /^"(.*)"$/s.exec(node)?.[1] ?? node;
    const found = plain.startsWith('title:') ? findNode(graph, 'title', plain.slice(6)) : findNode(graph, 'id', plain);
    if ('node' in found) return found.node.id;
    report(at, found.code, `Output "${name}" of step "${step.id}": ${found.message}`, { step: step.id, hint: found.hint, node: plain });
    return undefined;
  }

  function compileEach(text: string, step: string, path: Path, uses: (reference: Reference) => void): Placeholder | undefined {
    const placeholder = compileReference(text, 'each', place([...path, 'each'], names, uses, step));
    for (const reference of placeholder?.alternatives ?? []) {
      const kind = kindOfPath(reference.path, names);
      if (reference.at === undefined && kind?.list !== 'no') continue;
      const message = `"each" needs a list, and {${reference.text}} is one value.`;
      report([...path, 'each'], 'TEMPLATE_EACH_INVALID', message, { step, hint: 'Name a parameter of type list, or an output of a step.' });
    }
    return placeholder;
  }

  function itemKind(each: Placeholder | undefined): StaticKind {
    const [first] = each?.alternatives ?? [];
    const kind = first === undefined ? undefined : kindOfPath(first.path, names);
    const nested = first?.path.length === 1 && names.parameters.get(first.path[0] ?? '')?.of === 'vector';
    return { type: kind?.type ?? 'unknown', list: kind === undefined ? 'maybe' : nested ? 'yes' : 'no' };
  }

  function compileWhen(step: StepDefinition, path: Path, needs: Set<string>): CompiledStep['when'] {
    if (step.when === undefined) return undefined;
    const at: Path = [...path, 'when'];
    const parsed = parseCondition(step.when);
    if ('message' in parsed) {
      report(at, 'TEMPLATE_CONDITION_INVALID', parsed.message, { step: step.id, hint: parsed.hint });
      return undefined;
    }
    for (const [root = '', name = '', field = ''] of parsed.condition.reads) {
      const reference = root === 'params' ? [name] : root === 'choices' ? [root, name] : [root, name, field];
      if (root === 'backend') {
        if (name === 'id' || name === 'kind') continue;
        report(at, 'TEMPLATE_REFERENCE_UNKNOWN', `The backend has no "${name}" in conditions.`, {
          step: step.id,
          hint: 'There are backend.id and backend.kind.',
        });
        continue;
      }
      countUse({ path: reference, text: '' });
      for (const id of stepsBehind(reference)) needs.add(id);
      if (root === 'params' ? names.parameters.has(name) : kindOfPath(reference, names) !== undefined) continue;
      const unknown = explainUnknown({ path: reference, text: reference.join('.') }, names);
      const spell = (text: string): string => text.replaceAll(/\{([^{}]*)\}/g, root === 'params' ? 'params.$1' : '$1');
      report(at, 'TEMPLATE_REFERENCE_UNKNOWN', spell(unknown.message), { step: step.id, hint: spell(unknown.hint) });
    }
    return parsed.condition;
  }

  /** The steps that must be done before a reference has a value. */
  function stepsBehind(path: readonly string[], seen: ReadonlySet<string> = new Set()): readonly string[] {
    const [root, name = ''] = path;
    if (root === 'steps' && names.steps.has(name)) return [name];
    const choice = root === 'choices' && !seen.has(name) ? names.choices.get(name) : undefined;
    return choice === undefined || !names.steps.has(choice.after) ? [] : [choice.after];
  }

  function compileChoice({ at, choice }: Readable['choices'][number]): CompiledChoice | undefined {
    const path: Path = ['choices', at];
    if (!names.steps.has(choice.after)) {
      const message = `The choice "${choice.into}" comes after a step "${choice.after}" that does not exist.`;
      report([...path, 'after'], 'TEMPLATE_STEP_UNKNOWN', message, { hint: didYouMean(choice.after, names.steps.keys(), 'steps') });
    }
    if (parts.choices.some((other) => other.at < at && other.choice.into === choice.into)) {
      const message = `Two choices go into "${choice.into}".`;
      report([...path, 'into'], 'TEMPLATE_NAME_TWICE', message, { hint: 'Give each choice a name of its own.' });
    }
    const from = compileReference(choice.from, 'from', place([...path, 'from'], names, countUse));
    const { after, pick = 1, into, title } = choice;
    return from === undefined ? undefined : { after, from, pick, into, title };
  }

  function compileOutput(
    name: string,
    output: Readable['outputs'] extends ReadonlyMap<string, infer T> ? T : never,
  ): CompiledOutput | undefined {
    const path: Path = ['outputs', name];
    const from = compileReference(output.from, 'from', place([...path, 'from'], names, countUse));
    const pattern = output.asset?.name;
    const environment: Environment = { ...names, index: true };
    const template = pattern === undefined ? undefined : compileText(pattern, place([...path, 'asset', 'name'], environment, countUse));
    return from === undefined ? undefined : { from, title: output.title, kind: output.asset?.kind, name: template ?? pattern };
  }

  function checkSteps(steps: readonly CompiledStep[]): void {
    const seen = new Map<string, number>();
    for (const { step, at } of parts.steps) {
      const first = seen.get(step.id);
      if (first === undefined) seen.set(step.id, at);
      else
        report(['steps', at, 'id'], 'TEMPLATE_NAME_TWICE', `Two steps have the id "${step.id}".`, {
          step: step.id,
          hint: 'Give each step an id of its own.',
        });
    }
    for (const cycle of findCycles(steps)) {
      const [first = ''] = cycle;
      const chain = cycle.map((id, index) => `${id} needs ${cycle[index + 1] ?? first}`).join(', ');
      const message = cycle.length === 1 ? `Step "${first}" needs itself.` : `Steps wait for each other in a circle: ${chain}.`;
      const hint = 'Remove one of these needs or references.';
      report(['steps', seen.get(first) ?? 0, 'id'], 'TEMPLATE_STEP_CYCLE', message, { step: first, hint });
    }
  }

  function compile(): Compiled {
    const parameters = new Map<string, ParameterDefinition>();
    for (const [name, definition] of parts.parameters) {
      if (definition === undefined) continue;
      problems.push(...checkDefinition(where, name, definition));
      parameters.set(name, definition);
    }
    const steps = parts.steps.map(({ step, at }) => compileStep(step, at)).filter((step) => step !== undefined);
    const choices = parts.choices.map(compileChoice).filter((choice) => choice !== undefined);
    const outputs = new Map<string, CompiledOutput>();
    for (const [name, output] of parts.outputs) {
      const compiled = compileOutput(name, output);
      if (compiled !== undefined) outputs.set(name, compiled);
    }
    checkSteps(steps);
    for (const name of parameters.keys()) {
      if (used.has(name)) continue;
      const hint = `Write {${name}} where it belongs, or remove the parameter.`;
      report(['parameters', name], 'TEMPLATE_PARAMETER_UNUSED', `No step uses the parameter "${name}".`, {
        severity: 'warning',
        hint,
        parameter: name,
        key: true,
      });
    }
    return { parameters, steps: topological(steps), choices, outputs };
  }

  return { compile, problems };
}

function namesOf(parts: Readable): Names {
  const steps = new Map<string, { outputs: readonly string[]; fansOut: boolean } | undefined>();
  for (const { step } of parts.steps) steps.set(step.id, { outputs: Object.keys(step.outputs ?? {}), fansOut: step.each !== undefined });
  for (const id of parts.brokenSteps) steps.set(id, undefined);
  const choices = new Map(parts.choices.map(({ choice }) => [choice.into, { after: choice.after, pick: choice.pick ?? 1 }]));
  return { parameters: parts.parameters, steps, choices };
}
