/** Inputs of replaced node classes that are written when a step is rendered: under their new names. */
import { nameNode } from '#graph/names.ts';
import type { ObjectInfo } from '#graph/object-info.ts';
import type { Replaced, Written } from '#graph/replace-nodes.ts';
import { replacementOf } from '#graph/replacements.ts';
import type { Problem } from '#protocol/problem.ts';
import type { CompiledStep, Site } from './compiled.ts';

/** Inputs, by their new names, that get a value when the step is rendered. */
export function writtenBy({ graph, sites }: Pick<CompiledStep, 'graph' | 'sites'>, info: ObjectInfo): Written {
  return (node, input) =>
    sites.some((site) => {
      const classType = graph.nodes.get(site.node)?.classType;
      const mappings = classType === undefined ? undefined : replacementOf(classType, info)?.inputs;
      const becomes =
        mappings?.some((mapping) => mapping.to === input && 'from' in mapping && mapping.from === site.input) ?? site.input === input;
      return site.node === node && becomes;
    });
}

/** An input may be several in the new class, or none, which is a problem. */
export function moveSite(
  site: Site,
  step: Pick<CompiledStep, 'id'>,
  { graph, nodes }: Pick<Replaced, 'graph' | 'nodes'>,
  problems: Problem[],
): Site[] {
  const replaced = nodes.find(({ id }) => id === site.node);
  if (replaced === undefined) return [site];
  const names = replaced.namesOf(site.input);
  if (names.length === 0) {
    const given = replaced.set.get(site.input);
    problems.push({
      code: 'TEMPLATE_NODE_REPLACED_INPUT',
      severity: 'warning',
      message: `${nameNode(replaced.node)}: input "${site.input}" has no place in ${replaced.replacement.to}, which the server has in place of the class; what is written there is left out${given === undefined ? '' : `, and it is ${given}`}.`,
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
