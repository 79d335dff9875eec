/** Patches against object info: every outcome of the conditions is checked as a graph of its own. */
import type { ObjectInfo } from '#graph/node-classes.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import type { CompiledPatch, CompiledStep, CompiledTemplate } from './compiled.ts';
import {
  type Lora,
  loraNames,
  modelSites,
  outputOf,
  type PatchDecision,
  plainDecisions,
  stackDecision,
  withoutModel,
} from './decide-patches.ts';
import { findNews } from './patch-findings.ts';
import { applyDecisions } from './patch-step.ts';
import { closest } from '#graph/suggest.ts';

/** Up to this many patches all combinations are looked at; of more, each alone, all together, and all but one. */
const ALL_OF = 4;

/** What a run calls by another name. */
const BEFOREHAND = new Map([
  ['STEP_PATCH_BYPASS', 'TEMPLATE_PATCH_BYPASS'],
  ['STEP_PATCH', 'TEMPLATE_PATCH_NODES'],
]);

export function checkPatches(template: CompiledTemplate, step: CompiledStep, info: ObjectInfo): Problem[] {
  const problems = step.patches.flatMap((patch) => afterProblems(step, patch, info));
  if (problems.length > 0) return problems;
  const choices = choicesOf(template, step, info);
  const found = new Map<string, Problem>();
  for (const chosen of combinations(choices.length)) {
    const decisions = chosen.flatMap((index) => choices[index] ?? []);
    if (decisions.length === 0) continue;
    const applied = applyDecisions(step, decisions, info);
    const all = [
      ...applied.problems,
      ...(applied.problems.some(isBlocking) ? [] : findNews(step, applied.step, info, decisions, template)),
    ];
    for (const problem of all) {
      const { code, pointer, node, input } = problem;
      const key = JSON.stringify([code, pointer, node, input]);
      // The fewest patches that it takes come first, so that the first one says it best.
      if (!found.has(key)) found.set(key, chosen.length === 1 || !isBlocking(problem) ? problem : together(problem, decisions));
    }
  }
  return [...found.values()].map((problem) => ({ ...problem, code: BEFOREHAND.get(problem.code) ?? problem.code }));
}

function together(problem: Problem, decisions: readonly PatchDecision[]): Problem {
  return {
    ...problem,
    message: `${problem.message} This happens when ${decisions.length} changes come together: ${decisions.map(({ text }) => text).join('; ')}.`,
  };
}

/** What each patch does when it applies; an empty list is what it does when it does not. */
function choicesOf(template: CompiledTemplate, step: CompiledStep, info: ObjectInfo): readonly (readonly PatchDecision[])[] {
  const declared = step.patches.map((patch) =>
    patch.kind === 'loras' ? [stackDecision(step, patch, exampleOf(info), info)] : plainDecisions(step, patch),
  );
  const nodes = new Map(modelSites(template, step).map(({ site }) => [site.node, site]));
  return [...declared, ...[...nodes.values()].map((site) => [withoutModel(step, site)])];
}

/** A name that the server has, for it is the links that are in question. */
function exampleOf(info: ObjectInfo): readonly Lora[] {
  const [name] = loraNames(info)?.choices ?? [];
  return [{ name: typeof name === 'string' ? name : 'example.safetensors', model: 1, clip: 1, number: 1 }];
}

function afterProblems(step: CompiledStep, patch: CompiledPatch, info: ObjectInfo): Problem[] {
  if (patch.kind !== 'loras') return [];
  const classes = patch.after.map((node) => step.graph.nodes.get(node)?.classType ?? '');
  if (classes.some((name) => !info.classes.has(name)) || outputOf(step, patch.after, 'MODEL', info) !== undefined) return [];
  const loaders = [...step.graph.nodes.values()].filter((node) => outputOf(step, [node.id], 'MODEL', info) !== undefined);
  const named = patch.after.map((node, index) => `${node} (${classes[index] ?? ''})`).join(', ');
  const known = loaders.slice(0, 8).map(({ id, classType }) => `${id} (${classType})`);
  const near = closest(
    patch.after[0] ?? '',
    loaders.map(({ id }) => id),
  );
  const hint =
    known.length === 0
      ? 'No node of the workflow gives a MODEL.'
      : `Nodes that do: ${known.join(', ')}.${near === undefined ? '' : ` Did you mean "${near}"?`}`;
  return [
    {
      code: 'TEMPLATE_PATCH_AFTER',
      severity: 'error',
      message: `No MODEL comes from ${named}, so that no LoRA can go behind it.`,
      hint,
      ...patch.place,
      step: step.id,
    },
  ];
}

function combinations(count: number): readonly (readonly number[])[] {
  const all = Array.from({ length: count }, (_, index) => index);
  if (count > ALL_OF) return [...all.map((index) => [index]), ...all.map((index) => all.filter((other) => other !== index)), all];
  const sets = Array.from({ length: 2 ** count }, (_, bits) => all.filter((index) => (bits >> index) % 2 === 1));
  return sets.toSorted((a, b) => a.length - b.length);
}
