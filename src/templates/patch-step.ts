/** A step with its patches applied: the graph as it is sent, and everything that goes into it. */
import { parseGraph } from '#graph/graph.ts';
import type { ObjectInfo } from '#graph/node-classes.ts';
import { nameNode } from '#graph/names.ts';
import { patchGraph } from '#graph/patch-graph.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import type { CompiledStep, CompiledTemplate } from './compiled.ts';
import { decidePatches, emptyModels, modelSites, type PatchDecision } from './decide-patches.ts';
import { findNews } from './patch-findings.ts';
import { replacePutIn } from './replace-in-patches.ts';
import type { Scope } from './types.ts';

export interface PatchedStep {
  readonly step: CompiledStep;
  /** What each patch did, for people. */
  readonly done: readonly string[];
  readonly problems: readonly Problem[];
}

/** Whether this step may have another graph than its workflow, for some values. */
export function mayBePatched(template: Pick<CompiledTemplate, 'parameters'>, step: CompiledStep): boolean {
  return step.patches.length > 0 || modelSites(template, step).length > 0;
}

/** Nodes that a patch may take out. */
export function replaceable({ patches }: CompiledStep): ReadonlySet<string> {
  return new Set(patches.flatMap((patch) => (patch.kind === 'swap' ? [patch.node] : patch.kind === 'bypass' ? patch.nodes : [])));
}

/** Whether it may for these values. */
export function isPatched(template: CompiledTemplate, step: CompiledStep, scope: Scope): boolean {
  return step.patches.length > 0 || emptyModels(template, step, scope).length > 0;
}

/** `info` is of the backend that the step goes to. */
export function patchStep(template: CompiledTemplate, step: CompiledStep, scope: Scope, info: ObjectInfo | undefined): PatchedStep {
  if (!isPatched(template, step, scope)) return { step, done: [], problems: [] };
  if (info === undefined) {
    const hint = 'Name a backend, or save its /object_info as object_info.json beside the template.';
    const message = `Step "${step.id}" changes its graph, and there is nothing at hand that says which inputs and outputs its nodes have.`;
    return { step, done: [], problems: [{ code: 'STEP_PATCH_OBJECT_INFO', severity: 'error', message, hint, step: step.id }] };
  }
  const { decisions, problems } = decidePatches(template, step, scope, info);
  if (problems.some(isBlocking) || decisions.length === 0)
    return { step, done: [], problems: [...problems, ...unknownClasses(step, step, info)] };
  const applied = applyDecisions(step, decisions, info);
  const found = [...applied.problems, ...(applied.problems.some(isBlocking) ? [] : findNews(step, applied.step, info, decisions))];
  const idle =
    applied.idle.length === 0
      ? []
      : [`Left out, for nothing needs ${applied.idle.length === 1 ? 'it' : 'them'} now: ${applied.idle.join(', ')}`];
  return {
    step: applied.step,
    done: [...decisions.map(({ text }) => text), ...applied.replaced, ...idle],
    problems: [...problems, ...found, ...unknownClasses(step, applied.step, info)],
  };
}

/** Nodes that could have been taken out and were not: nobody asked before whether the backend knows them. */
function unknownClasses(step: CompiledStep, { graph }: CompiledStep, { classes }: ObjectInfo): readonly Problem[] {
  return [...replaceable(step)].flatMap((id): readonly Problem[] => {
    const node = graph.nodes.get(id);
    if (node === undefined || classes.has(node.classType)) return [];
    const message = `${nameNode(node)} is of a class that the server does not have, and no patch takes it out for these values.`;
    const hint = 'Install the node pack that brings this class, or choose other values.';
    return [{ code: 'NODE_CLASS_UNKNOWN', severity: 'error', message, hint, node: id, step: step.id }];
  });
}

export interface AppliedDecisions {
  readonly step: CompiledStep;
  readonly idle: readonly string[];
  /** Nodes that were put in and are of another class than the author wrote, for people. */
  readonly replaced: readonly string[];
  /** What cannot be done as it was asked for, and what was replaced. */
  readonly problems: readonly Problem[];
}

export function applyDecisions(step: CompiledStep, decisions: readonly PatchDecision[], info: ObjectInfo): AppliedDecisions {
  const patches = decisions.map(({ patch }) => patch);
  const { text, idle, findings } = patchGraph(step.graph, patches, info, new Set(Object.values(step.outputs)));
  const problems = findings.map(({ patch, node, message, hint }): Problem => {
    const place = decisions.find((decision) => decision.patch === patch)?.place;
    const code = patch.kind === 'bypass' ? 'STEP_PATCH_BYPASS' : 'STEP_PATCH';
    return { code, severity: 'error', message, hint, ...place, node, step: step.id };
  });
  const graph = parseGraph(text).graph ?? step.graph;
  const sites = [...step.sites, ...decisions.flatMap((decision) => decision.sites)].filter(({ node }) => graph.nodes.has(node));
  const placeOf = (id: string) =>
    decisions.find(({ patch: each }) => each.kind !== 'bypass' && each.nodes.some((node) => node.id === id))?.place ?? {};
  const current = replacePutIn({ ...step, graph, sites }, info, placeOf);
  return { step: current.step, idle, replaced: current.done, problems: [...problems, ...current.problems] };
}
