/** A template as a server of today runs it: node classes that were renamed are replaced in memory. The one place where check, door and run do so. */
import { createLineIndex, memberOf, pointerOf } from '#graph/json.ts';
import { nameNode } from '#graph/names.ts';
import type { ObjectInfo } from '#graph/object-info.ts';
import { type Replaced, type ReplacedNode, replaceNodes } from '#graph/replace-nodes.ts';
import { replacementOf } from '#graph/replacements.ts';
import { type PlaceBack, placesBack } from '#graph/rewrite.ts';
import type { Graph, NodeReplacement } from '#graph/types.ts';
import type { Problem } from '#protocol/problem.ts';
import type { CompiledStep, CompiledTemplate, Site } from './compiled.ts';

export interface CurrentTemplate {
  /** The template itself when the server has all its classes, or none in their place. */
  readonly template: CompiledTemplate;
  /** One `info` for each node that was replaced; `file` is the name of the workflow. */
  readonly problems: readonly Problem[];
  /** Findings in the graph of a step point into the author's file again. */
  readonly placeBack: (step: string) => PlaceBack;
}

const known = new WeakMap<ObjectInfo, WeakMap<CompiledTemplate, CurrentTemplate>>();

/** Ids and titles stay, so that outputs and addresses hold; what `set` writes goes to the input's new name. */
export function currentTemplate(template: CompiledTemplate, info: ObjectInfo): CurrentTemplate {
  const ofInfo = known.get(info) ?? new WeakMap<CompiledTemplate, CurrentTemplate>();
  known.set(info, ofInfo);
  const before = ofInfo.get(template);
  if (before !== undefined) return before;
  const made = makeCurrent(template, info);
  ofInfo.set(template, made);
  return made;
}

function makeCurrent(template: CompiledTemplate, info: ObjectInfo): CurrentTemplate {
  const problems: Problem[] = [];
  const backs = new Map<string, PlaceBack>();
  const steps = template.steps.map((step) => {
    const replaced = step.backend === 'wan2gp' ? undefined : replaceNodes(step.graph, info, writtenBy(step, info));
    if (replaced === undefined) return step;
    backs.set(step.id, placesBack(step.graph.text, replaced.text, replaced.originOf));
    const sites = step.sites.flatMap((site) => moveSite(site, step, replaced, problems));
    problems.push(...replaced.nodes.map((node) => ({ ...tellReplaced(node, step.graph, step.workflow), step: step.id })));
    return { ...step, graph: replaced.graph, sites };
  });
  return {
    template: backs.size === 0 ? template : { ...template, steps },
    problems,
    placeBack: (step) => backs.get(step) ?? ((problem) => problem),
  };
}

/** Inputs, by their new names, that get a value when the step is rendered. */
export function writtenBy({ graph, sites }: CompiledStep, info: ObjectInfo): (node: string, input: string) => boolean {
  return (node, input) =>
    sites.some((site) => {
      const classType = graph.nodes.get(site.node)?.classType;
      const mappings = classType === undefined ? undefined : replacementOf(classType, info)?.inputs;
      const becomes =
        mappings?.some((mapping) => mapping.to === input && 'from' in mapping && mapping.from === site.input) ?? site.input === input;
      return site.node === node && becomes;
    });
}

function moveSite(site: Site, step: CompiledStep, { graph, nodes }: Replaced, problems: Problem[]): Site[] {
  const replaced = nodes.find(({ id }) => id === site.node);
  if (replaced === undefined) return [site];
  const names = replaced.namesOf(site.input);
  if (names.length === 0) {
    problems.push({
      code: 'TEMPLATE_NODE_REPLACED_INPUT',
      severity: 'warning',
      message: `${nameNode(replaced.node)}: input "${site.input}" has no place in ${replaced.replacement.to}, which the server has in place of the class; what is written there is left out.`,
      hint: `Look at what ${replaced.replacement.to} takes, and change the template.`,
      ...site.place,
      node: site.node,
      input: site.input,
      step: step.id,
    });
  }
  const inputs = graph.nodes.get(site.node)?.inputs;
  return names.map((input) => ({ ...site, input, classType: replaced.replacement.to, current: inputs?.get(input)?.value }));
}

/** The same of a class as a whole, where single nodes are not looked at. */
export function tellReplacedClass(
  { from, to, source }: NodeReplacement,
  server: string,
): Pick<Problem, 'code' | 'severity' | 'message' | 'hint'> {
  const message = `The workflow uses the node class "${from}", which ${server} no longer has; ${to} stands in for it, as ${source} says.`;
  return { code: 'TEMPLATE_NODE_REPLACED', severity: 'info', message, hint: HINT };
}

const HINT = 'This is done in memory; `callsheet templates migrate --write` with the same server or object info writes it into the file.';

export function tellReplaced({ id, node, replacement, dropped, filled }: ReplacedNode, { text }: Graph, file: string): Problem {
  const left = dropped.length === 0 ? '' : ` Left out: ${dropped.join(', ')}.`;
  const given = filled.length === 0 ? '' : ` Set to its default: ${filled.join(', ')}.`;
  return {
    code: 'TEMPLATE_NODE_REPLACED',
    severity: 'info',
    message: `${nameNode(node)} is of a class that the server no longer has; ${replacement.to} stands in for it, as ${replacement.source} says.${left}${given}`,
    hint: HINT,
    file,
    ...createLineIndex(text).positionOf((memberOf(node.at, 'class_type')?.value ?? node.at).start),
    pointer: pointerOf([id, 'class_type']),
    node: id,
  };
}
