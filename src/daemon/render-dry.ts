/** The dry run: every step rendered as far as the parameters alone decide. Files that only a run can make stay as references. */
import type { ObjectInfo } from '#graph/node-classes.ts';
import type { Problem } from '#protocol/problem.ts';
import type { TemplateRenderResult } from '#protocol/methods/template.ts';
import type { CompiledPick, CompiledStep, CompiledTemplate } from '#templates/compiled.ts';
import { planStep, type RenderedStep, renderStep, usesObjectInfo } from '#templates/render.ts';
import { mayBeOptimised, optimiseStep, savingFor } from '#templates/optimise-step.ts';
import { currentTemplate } from '#templates/replace-in-template.ts';
import type { MediaValue, Scope, StepOutputs, Value, Values } from '#templates/types.ts';

/** `info` is of the backend that a step would go to, where that is known: it decides about replaced classes, patches and model names, as in a run. */
export function renderDry(
  template: CompiledTemplate,
  params: Values,
  found: readonly Problem[],
  info: (step: CompiledStep) => ObjectInfo | undefined,
): TemplateRenderResult {
  const problems: Problem[] = [...found];
  const steps: TemplateRenderResult['steps'][number][] = [];
  const outputs: Record<string, StepOutputs> = {};
  const choices = Object.fromEntries(template.choices.map(({ into, pick }) => [into, standIns(`choices.${into}`, pick)]));
  for (const step of template.steps) {
    const scope: Scope = { params, steps: outputs, choices };
    const plan = planStep(template, step.id, scope);
    problems.push(...plan.problems);
    if (plan.value === undefined || 'skip' in plan.value) {
      outputs[step.id] = null;
      const reason = plan.value === undefined ? 'It can not be planned; see the problems.' : `Skipped: ${plan.value.skip}`;
      steps.push({ id: step.id, item: 0, backend: step.backend, reason });
      continue;
    }
    const { items } = plan.value;
    const known = info(step);
    const current = known === undefined ? undefined : currentTemplate(template, known);
    const used = current?.template ?? template;
    const replaced = current?.done(step.id) ?? [];
    problems.push(...(current?.problems ?? []).filter((problem) => problem.step === step.id));
    outputs[step.id] = outputsOf(step, items.length);
    for (const [item, { each }] of items.entries()) {
      const own: Scope = { ...scope, index: item, ...(each === undefined ? {} : { each }) };
      const rendered = renderStep(used, step.id, own, {
        mediaName: ({ name }) => name,
        ...(known === undefined || !usesObjectInfo(used, step.id) ? {} : { objectInfo: known }),
      });
      problems.push(...rendered.problems);
      const { text, patches = [] } = rendered.value ?? {};
      const done = { ...(replaced.length === 0 ? {} : { replaced }), ...(patches.length === 0 ? {} : { patches }) };
      const sent = rendered.value === undefined || known === undefined ? {} : optimisedOf(step, item, rendered.value, known);
      steps.push({ id: step.id, item, backend: step.backend, ...(text === undefined ? {} : { workflow: text }), ...done, ...sent });
    }
  }
  return { template: template.id, version: template.version, steps, problems };
}

// --- helpers ---

/** What a run would send instead; nothing where the optimiser leaves the graph as it is. */
function optimisedOf(
  step: CompiledStep,
  item: number,
  rendered: RenderedStep,
  info: ObjectInfo,
): Pick<TemplateRenderResult['steps'][number], 'optimised' | 'savings'> {
  if (!mayBeOptimised(step)) return {};
  const { text, savings } = optimiseStep(rendered, info);
  if (savings.length === 0) return {};
  return { optimised: text, savings: savings.map((saving) => ({ step: step.id, item, ...savingFor(step, saving) })) };
}

/** One file for each item: how many a node gives is known only once it ran. */
function outputsOf(step: CompiledStep, items: number): StepOutputs {
  return Object.fromEntries(
    Object.keys(step.outputs).map((name) => {
      const path = `steps.${step.id}.${name}`;
      return [
        name,
        step.each === undefined ? [standIn(`{${path}}`)] : Array.from({ length: items }, (_, at) => standIn(`{${path}[${at}]}`)),
      ];
    }),
  );
}

/** Of a range the fewest, but one at least, so that what is done with a pick is seen. */
function standIns(path: string, { min, many }: CompiledPick): Value {
  return many ? Array.from({ length: Math.max(1, min) }, (_, at) => standIn(`{${path}[${at}]}`)) : standIn(`{${path}}`);
}

/** Written into the graph by its name: the reference itself. */
function standIn(name: string): MediaValue {
  return { $media: 'media', path: name, name, sha256: name, bytes: 0, mediaType: 'application/octet-stream' };
}
