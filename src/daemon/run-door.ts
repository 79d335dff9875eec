/** The door of run/start: everything that can be known to be wrong is said here, all at once, before a run exists. */
import { CallsheetError } from '#protocol/errors.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import type { Backend } from '#backends/contract.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';
import type { TemplateLibrary } from '#templates/library.ts';
import { needsOf } from '#templates/needs.ts';
import { checkParameters, type ParameterTools } from '#templates/parameters.ts';
import { isPatched } from '#templates/patch-step.ts';
import { planStep, renderStep } from '#templates/render.ts';
import { currentTemplate } from '#templates/replace-in-template.ts';
import { closest } from '#graph/suggest.ts';
import type { Scope, Values } from '#templates/types.ts';
import { drawSeed } from './draw-seed.ts';
import { demandApproved } from './exchange/gate.ts';
import { judgeStep } from './judge.ts';
import type { Offers } from './offers.ts';
import type { StartRequest } from './run-service.ts';

/** How long the door waits for a backend's object info; a slow backend is not a reason to refuse a run. In milliseconds. */
const OBJECT_INFO_PATIENCE_MS = 5000;

export interface Admitted {
  readonly template: CompiledTemplate;
  readonly params: Values;
}

export interface DoorOptions {
  readonly library: TemplateLibrary;
  readonly resolveMedia: (template: CompiledTemplate) => ParameterTools['resolveMedia'];
  readonly resolveDirectory: ParameterTools['resolveDirectory'];
  /** The backend that the run's steps would go to. Throws BACKEND_NOT_FOUND. */
  readonly chooseBackend: (asked: string | undefined, kind: Backend['kind']) => Backend;
  /** All that a step of this kind may go to. */
  readonly takers: (asked: string | undefined, kind: Backend['kind']) => readonly Backend[];
  readonly offers: Pick<Offers, 'ask' | 'known'>;
}

/** Throws TEMPLATE_NOT_FOUND, TEMPLATE_NOT_APPROVED, TEMPLATE_NOT_RUNNABLE, PARAMETERS_INVALID, BACKEND_NOT_FOUND. */
export async function admit(options: DoorOptions, request: StartRequest): Promise<Admitted> {
  const template = findTemplate(options.library, request.template, request.version);
  demandApproved(options.library.get(request.template, request.version));
  const { value: params, problems } = await checkParameters(template, request.parameters, {
    drawSeed,
    resolveMedia: options.resolveMedia(template),
    resolveDirectory: options.resolveDirectory,
  });
  if (params === undefined || problems.some((problem) => isBlocking(problem))) throw refusal(template, 'PARAMETERS_INVALID', problems);
  const graphProblems = [
    ...(await requirements(options, request.backend, template, params)),
    ...(await firstRendering(options, request.backend, template, params)),
  ];
  if (graphProblems.some((problem) => isBlocking(problem))) throw refusal(template, 'TEMPLATE_NOT_RUNNABLE', graphProblems);
  return { template, params };
}

export function findTemplate(library: TemplateLibrary, id: string, version?: string): CompiledTemplate {
  const loaded = library.get(id, version);
  if (loaded === undefined) {
    const near = closest(
      id,
      library.list().map((one) => one.id),
    );
    const name = version === undefined ? `'${id}'` : `'${id}' in version ${version}`;
    throw new CallsheetError('TEMPLATE_NOT_FOUND', `No template is called ${name}.`, {
      hint: near === undefined ? 'See `callsheet templates list`.' : `Did you mean '${near}'?`,
    });
  }
  if (loaded.template === undefined) {
    const first = loaded.problems.find((problem) => isBlocking(problem));
    throw new CallsheetError('TEMPLATE_NOT_RUNNABLE', `Template '${id}' has errors: ${first?.message ?? 'it cannot be read.'}`, {
      problems: loaded.problems,
      hint: first?.hint ?? `Run \`callsheet check\` on ${loaded.origin.path}.`,
    });
  }
  return loaded.template;
}

function refusal(
  template: CompiledTemplate,
  code: 'PARAMETERS_INVALID' | 'TEMPLATE_NOT_RUNNABLE',
  problems: readonly Problem[],
): CallsheetError {
  const blocking = problems.filter((problem) => isBlocking(problem));
  const [first] = blocking;
  const more = blocking.length > 1 ? ` (and ${String(blocking.length - 1)} more)` : '';
  return new CallsheetError(code, `Template '${template.id}' cannot run: ${first?.message ?? 'unknown reason'}${more}`, {
    problems,
    ...(first?.hint === undefined ? {} : { hint: first.hint }),
    ...(first?.node === undefined ? {} : { node: first.node }),
    ...(first?.step === undefined ? {} : { step: first.step }),
  });
}

/**
 * What no backend that takes a step has: classes, models that the graph or these values name, versions. A backend that says no is
 * asked once more, because packs and models may have come since; one that cannot be asked says nothing, and the step finds out.
 */
async function requirements(
  options: DoorOptions,
  asked: string | undefined,
  template: CompiledTemplate,
  params: Values,
): Promise<readonly Problem[]> {
  const needs = needsOf(template);
  const found: Problem[] = [];
  const patience = AbortSignal.timeout(OBJECT_INFO_PATIENCE_MS);
  for (const step of needs.steps) {
    const takers = options.takers(asked, step.backend);
    // Says that there is none.
    if (takers.length === 0) options.chooseBackend(asked, step.backend);
    if (isSkipped(options, asked, template, step.id, params)) continue;
    // One that is known to have everything is enough: nobody waits for others that are silent.
    const known = takers.map(({ id }) => options.offers.known(id)).filter(({ info }) => info !== undefined);
    const judged = judgeStep(needs, step, known, params);
    if (judged.isPossible) {
      found.push(...judged.problems);
      continue;
    }
    const judge = async (refresh: boolean) =>
      judgeStep(needs, step, await Promise.all(takers.map(({ id }) => options.offers.ask(id, { refresh, signal: patience }))), params);
    const first = await judge(false);
    const { problems } = first.isPossible ? first : await judge(true);
    found.push(...problems);
  }
  return found;
}

/** Its condition, or that of its list, can be decided already and says no. */
function isSkipped(options: DoorOptions, asked: string | undefined, template: CompiledTemplate, id: string, params: Values): boolean {
  const step = template.steps.find((one) => one.id === id);
  if (step === undefined || step.needs.length > 0) return false;
  const backend = options.chooseBackend(asked, step.backend);
  const plan = planStep(template, id, { params, steps: {}, choices: {}, backend: { id: backend.id, kind: backend.kind } });
  return plan.value !== undefined && 'skip' in plan.value;
}

/** Steps that need nothing of other steps are rendered once here: what cannot be injected is known now. */
async function firstRendering(
  options: DoorOptions,
  asked: string | undefined,
  template: CompiledTemplate,
  params: Values,
): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  const patience = AbortSignal.timeout(OBJECT_INFO_PATIENCE_MS);
  for (const step of template.steps) {
    if (step.needs.length > 0) continue;
    const { id, kind } = options.chooseBackend(asked, step.backend);
    const scope: Scope = { params, steps: {}, choices: {}, backend: { id, kind } };
    const plan = planStep(template, step.id, scope);
    problems.push(...plan.problems);
    const first = plan.value !== undefined && 'items' in plan.value ? plan.value.items[0] : undefined;
    if (first === undefined) continue;
    const item: Scope = { ...scope, index: 0, ...(first.each === undefined ? {} : { each: first.each }) };
    const patched = isPatched(template, step, item);
    const info = patched ? (await options.offers.ask(id, { signal: patience })).info : undefined;
    // A backend that cannot be asked now is no reason to refuse: the step will find out.
    if (patched && info === undefined) continue;
    const current = info === undefined ? template : currentTemplate(template, info).template;
    const rendered = renderStep(current, step.id, item, {
      mediaName: (media) => media.name,
      ...(info === undefined ? {} : { objectInfo: info }),
    });
    problems.push(...rendered.problems);
  }
  return problems;
}
