/** Decides whether a step runs, and over which items. */
import type { Problem } from '#protocol/problem.ts';
import type { CompiledStep, CompiledTemplate, Site } from './compiled.ts';
import { siteKey } from './compile-workflow.ts';
import { resolve } from './resolve.ts';
import type { Checked, Scope, Value } from './types.ts';
import { forCondition } from './visibility.ts';

export type StepPlan = { readonly skip: string } | { readonly items: readonly { readonly each?: Value }[] };

/** Throws RangeError for a step that the template does not have. */
export function stepOf(template: CompiledTemplate, id: string): CompiledStep {
  const step = template.steps.find((each) => each.id === id);
  if (step === undefined) throw new RangeError(`Template "${template.id}" has no step "${id}".`);
  return step;
}

/** `scope` holds what is known once everything that the step needs has ended. */
export function planStep(template: CompiledTemplate, stepId: string, scope: Scope): Checked<StepPlan> {
  const step = stepOf(template, stepId);
  const problems: Problem[] = [];
  const fail = (code: string, message: string, hint: string): Checked<StepPlan> => ({
    value: undefined,
    problems: [...problems, { code, severity: 'error', message, hint, step: stepId }],
  });
  if (step.when !== undefined) {
    try {
      if (!step.when.evaluate(conditionContext(template, step, scope))) return skip(`its condition is false: ${step.when.text}`);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return fail('STEP_CONDITION', `The condition of step "${stepId}" cannot be decided: ${reason}.`, `It reads: ${step.when.text}`);
    }
  }
  let items: readonly { readonly each?: Value }[] = [{}];
  if (step.each !== undefined) {
    const list = resolve(step.each, scope, template);
    if (list.kind === 'problem') return fail(list.code, list.message, list.hint);
    if (list.kind === 'null') return skip(list.reason);
    items = (Array.isArray(list.value) ? (list.value as readonly Value[]) : [list.value]).map((each) => ({ each }));
  }
  for (const placeholder of visibleSites(step).flatMap(placeholdersOf)) {
    if (placeholder.alternatives.some(({ path: [root] }) => root === 'each' || root === 'index')) continue;
    const resolved = resolve(placeholder, scope, template);
    if (resolved.kind === 'null' && resolved.skipped) return skip(resolved.reason);
    if (resolved.kind === 'problem') return fail(resolved.code, resolved.message, resolved.hint);
  }
  return { value: { items }, problems };
}

const skip = (reason: string): Checked<StepPlan> => ({ value: { skip: reason }, problems: [] });

/** Sites that count: a placeholder of the workflow over which `set` writes is used only where `set` gives null. */
function visibleSites({ sites }: CompiledStep): readonly Site[] {
  const written = new Set(sites.filter((site) => site.from === 'set').map((site) => siteKey(site.node, site.input)));
  return written.size === 0 ? sites : sites.filter((site) => site.from === 'set' || !written.has(siteKey(site.node, site.input)));
}

export function placeholdersOf(site: Site) {
  return site.pieces.flatMap((piece) => (typeof piece === 'string' ? [] : piece.parts.filter((part) => typeof part === 'object')));
}

/** What a condition sees. Whole numbers are CEL integers, also where JSON has only numbers; a skipped step has null outputs. */
export function conditionContext(template: CompiledTemplate, step: CompiledStep, scope: Scope) {
  const params: [string, unknown][] = [];
  for (const [name, definition] of template.parameters) {
    const value = Object.hasOwn(scope.params, name) ? scope.params[name] : null;
    params.push([name, forCondition(value ?? null, definition.type === 'list' ? definition.of : definition.type)]);
  }
  const steps: [string, unknown][] = [];
  for (const definition of template.manifest.steps) {
    const given = Object.hasOwn(scope.steps, definition.id) ? scope.steps[definition.id] : null;
    const outputs = Object.keys(definition.outputs ?? {}).map((name): [string, unknown] => {
      const values = given === null || given === undefined || !Object.hasOwn(given, name) ? undefined : given[name];
      if (values === undefined) return [name, null];
      const single = values.length === 1 && definition.each === undefined;
      return [name, forCondition((single ? values[0] : values) ?? null, undefined)];
    });
    steps.push([definition.id, Object.fromEntries(outputs)]);
  }
  const choices = template.choices.map(({ into }): [string, unknown] => [
    into,
    forCondition((Object.hasOwn(scope.choices, into) ? scope.choices[into] : undefined) ?? null, undefined),
  ]);
  return {
    params: Object.fromEntries(params),
    steps: Object.fromEntries(steps),
    choices: Object.fromEntries(choices),
    backend: scope.backend ?? { id: '', kind: step.backend },
  };
}
