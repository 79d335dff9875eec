/** Placeholders against the inputs that they fill: can the server take what the parameter gives. */
import type { InputSpec, NodeClass, ObjectInfo } from '#graph/node-classes.ts';
import { isCustom, isLinkType } from '#graph/links.ts';
import { inputsOf } from '#graph/node-inputs.ts';
import { NO_SOURCES, type Sources } from '#graph/sources.ts';
import type { Problem } from '#protocol/problem.ts';
import { boundsProblem } from './check-bounds.ts';
import { choicesProblem, modelProblem } from './check-choices.ts';
import type { CompiledStep, CompiledTemplate, Site } from './compiled.ts';
import { siteKey } from './compile-workflow.ts';
import { type Environment, kindOf, kindOfParameter, type StaticKind } from './environment.ts';
import type { Reference } from './grammar.ts';
import type { ParameterDefinition } from './types.ts';

/** One alternative of a placeholder that is a whole value. */
export interface Given {
  readonly text: string;
  readonly kind: StaticKind;
  /** The parameter behind it, also as item of `each`. */
  readonly parameter?: { readonly name: string; readonly definition: ParameterDefinition };
}

export type SiteFinding = Pick<Problem, 'code' | 'severity' | 'message' | 'parameter'> & { readonly hint: string };

/** `sources` say where models come from. */
export function checkSites(template: CompiledTemplate, step: CompiledStep, info: ObjectInfo, sources: Sources = NO_SOURCES): Problem[] {
  const problems: Problem[] = [];
  const sites = step.lowMemory ?? step.sites;
  const set = new Set(sites.filter(({ from }) => from === 'set').map(({ node, input }) => siteKey(node, input)));
  for (const site of sites) {
    if (site.from === 'workflow' && set.has(siteKey(site.node, site.input))) continue;
    const node = step.graph.nodes.get(site.node);
    const nodeClass = info.classes.get(site.classType);
    if (node === undefined || nodeClass === undefined) continue;
    const spec = inputsOf(nodeClass, node).get(site.input);
    const found = spec === undefined ? [ignored(site, nodeClass)] : filled({ template, step, sources }, site, spec, nodeClass);
    for (const finding of found) problems.push({ ...finding, ...site.place, node: site.node, input: site.input, step: step.id });
  }
  return problems;
}

function ignored({ node, input, classType }: Site, { inputs }: NodeClass): SiteFinding {
  const names = [...inputs.keys()];
  return {
    code: 'TEMPLATE_INPUT_IGNORED',
    severity: 'warning',
    message: `Input "${input}" of node ${node} is filled, but ${classType} has no such input: the server ignores it.`,
    hint: names.length === 0 ? 'The class has no inputs at all.' : `Its inputs: ${names.slice(0, 12).join(', ')}.`,
  };
}

interface Filling {
  readonly template: CompiledTemplate;
  readonly step: CompiledStep;
  readonly sources: Sources;
}

function filled({ template, step, sources }: Filling, site: Site, spec: InputSpec, nodeClass: NodeClass): SiteFinding[] {
  const [only] = site.pieces;
  const whole = site.pieces.length === 1 && typeof only === 'object' ? only.whole : undefined;
  if (whole === undefined || whole.filters.length > 0) {
    return isLinkType(spec) ? [mismatch(`A text cannot stand`, site, spec, nodeClass)] : [];
  }
  return whole.alternatives.flatMap((reference) => {
    const given = givenBy(template, step, reference);
    if (given === undefined) return [];
    const wrong = typeProblem(given, site, spec, nodeClass, template);
    if (wrong !== undefined) return [wrong];
    const found = [
      boundsProblem(given, site, spec),
      choicesProblem(given, site, spec, nodeClass),
      modelProblem(given, site, spec, sources),
    ];
    return found.filter((problem) => problem !== undefined);
  });
}

function givenBy(template: CompiledTemplate, step: CompiledStep, reference: Reference): Given | undefined {
  const steps = template.manifest.steps.map(
    (one) => [one.id, { outputs: Object.keys(one.outputs ?? {}), fansOut: one.each !== undefined }] as const,
  );
  const choices = template.choices.map((choice) => [choice.into, choice] as const);
  const names = { parameters: template.parameters, steps: new Map(steps), choices: new Map(choices) };
  const [root = ''] = reference.path;
  const text = `{${reference.text}}`;
  if (root === 'each' && reference.path.length === 1) {
    const source = step.each?.alternatives[0];
    const list = source?.path.length === 1 ? template.parameters.get(source.path[0] ?? '') : undefined;
    if (source === undefined || list?.type !== 'list') return undefined;
    const { default: _list, ...rest } = list;
    const definition: ParameterDefinition = { ...rest, type: list.of ?? 'string' };
    return { text, kind: kindOfParameter(definition), parameter: { name: source.path[0] ?? '', definition } };
  }
  const environment: Environment = { ...names, index: step.each !== undefined };
  const kind = kindOf(reference, environment);
  if (kind === undefined) return undefined;
  const definition = reference.path.length === 1 ? template.parameters.get(root) : undefined;
  return definition === undefined ? { text, kind } : { text, kind, parameter: { name: root, definition } };
}

const WORDS: Readonly<Record<string, string>> = {
  INT: 'a whole number',
  FLOAT: 'a number',
  BOOLEAN: 'true or false',
  STRING: 'a text',
  COMBO: 'one of its choices',
};

function typeProblem(
  { text, kind, parameter }: Given,
  site: Site,
  spec: InputSpec,
  nodeClass: NodeClass,
  { manifest }: CompiledTemplate,
): SiteFinding | undefined {
  const named = parameter === undefined ? {} : { parameter: parameter.name };
  const wrong = (what: string): SiteFinding => ({ ...mismatch(`${text} is ${what} and cannot stand`, site, spec, nodeClass), ...named });
  if (isLinkType(spec)) return wrong('a value');
  if (WORDS[spec.type] === undefined) return undefined;
  if (kind.list === 'yes') return wrong('a list');
  if (spec.type === 'STRING') return undefined;
  const holdsFiles = Object.keys(spec.options).some((key) => key.endsWith('_upload')) || 'remote' in spec.options;
  if (spec.type === 'COMBO') {
    if (holdsFiles || spec.choices === undefined || isCustom(nodeClass)) return undefined;
    if (kind.type === 'media') return wrong('a file');
    const numbers = spec.choices.length === 0 || spec.choices.some((choice) => typeof choice !== 'string');
    return (kind.type === 'number' || kind.type === 'boolean') && !numbers
      ? wrong(kind.type === 'number' ? 'a number' : 'true or false')
      : undefined;
  }
  if (kind.type === 'media') return wrong('a file');
  if (kind.type !== 'text' || parameter?.definition.type === 'choice') return undefined;
  // Of an adopted workflow nobody chose the type, and the server reads "5" as a number.
  if (manifest.category === 'adopted' && parameter?.definition.type === 'string') return undefined;
  return wrong('a text');
}

function mismatch(what: string, { node, input, classType }: Site, spec: InputSpec, nodeClass: NodeClass): SiteFinding {
  const link = isLinkType(spec);
  const wanted = link ? `${spec.type} from another node` : (WORDS[spec.type] ?? spec.type);
  return {
    code: 'TEMPLATE_PLACEHOLDER_TYPE',
    severity: isCustom(nodeClass) && link ? 'warning' : 'error',
    message: `${what} in input "${input}" of node ${node} (${classType}), which takes ${wanted}.`,
    hint: link
      ? `Fill an input of a node that gives ${spec.type}, such as a loader, and link it here.`
      : 'Change the type of the parameter, or fill another input.',
  };
}
