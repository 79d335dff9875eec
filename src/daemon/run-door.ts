/** The door of run/start: everything that can be known to be wrong is said here, all at once, before a run exists. */
import { randomBytes } from 'node:crypto';
import { checkAgainstObjectInfo } from '#graph/object-info.ts';
import type { ObjectInfo } from '#graph/object-info.ts';
import { CallsheetError } from '#protocol/errors.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { objectInfoOf } from '#actors/render-item.ts';
import type { Backend } from '#backends/contract.ts';
import type { CompiledStep, CompiledTemplate } from '#templates/compiled.ts';
import type { TemplateLibrary } from '#templates/library.ts';
import { checkParameters, type ParameterTools } from '#templates/parameters.ts';
import { planStep, renderStep } from '#templates/render.ts';
import { nearest } from '#templates/suggest.ts';
import type { Scope, Values } from '#templates/types.ts';
import { demandApproved } from './exchange/gate.ts';
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
}

/** Throws TEMPLATE_NOT_FOUND, TEMPLATE_NOT_APPROVED, TEMPLATE_NOT_RUNNABLE, PARAMETERS_INVALID, BACKEND_NOT_FOUND. */
export async function admit(options: DoorOptions, request: StartRequest): Promise<Admitted> {
  const template = findTemplate(options.library, request.template, request.version);
  demandApproved(options.library.get(request.template, request.version));
  const { value: params, problems } = await checkParameters(template, request.parameters, {
    drawSeed: () => randomBytes(8).readBigUInt64BE(),
    resolveMedia: options.resolveMedia(template),
    resolveDirectory: options.resolveDirectory,
  });
  if (params === undefined || problems.some((problem) => isBlocking(problem))) throw refusal(template, 'PARAMETERS_INVALID', problems);
  const graphProblems = [
    ...needsChoices(template),
    ...(await unknownClasses(options, request.backend, template)),
    ...firstRendering(options, request.backend, template, params),
  ];
  if (graphProblems.some((problem) => isBlocking(problem))) throw refusal(template, 'TEMPLATE_NOT_RUNNABLE', graphProblems);
  return { template, params };
}

export function findTemplate(library: TemplateLibrary, id: string, version?: string): CompiledTemplate {
  const loaded = library.get(id, version);
  if (loaded === undefined) {
    const near = nearest(
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

/** By object info and step, since the answer changes with neither: a run of a known template costs no second check. */
const missing = new WeakMap<ObjectInfo, WeakMap<CompiledStep, readonly Problem[]>>();

function classesMissingIn(info: ObjectInfo, step: CompiledStep): readonly Problem[] {
  const ofInfo = missing.get(info) ?? new WeakMap<CompiledStep, readonly Problem[]>();
  missing.set(info, ofInfo);
  const known = ofInfo.get(step);
  if (known !== undefined) return known;
  const found = checkAgainstObjectInfo(step.graph, info, { file: step.workflow }).filter(({ code }) => code === 'NODE_CLASS_UNKNOWN');
  ofInfo.set(step, found);
  return found;
}

/** Node classes that the backend does not have. Says nothing when the backend cannot be asked: the step will find out. */
async function unknownClasses(options: DoorOptions, asked: string | undefined, template: CompiledTemplate): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  const patience = AbortSignal.timeout(OBJECT_INFO_PATIENCE_MS);
  for (const step of template.steps) {
    const backend = options.chooseBackend(asked, step.backend);
    if (step.backend === 'wan2gp') continue;
    try {
      const info = await objectInfoOf(backend, patience);
      if (info === undefined) continue;
      problems.push(
        ...classesMissingIn(info, step).map((problem) => ({
          ...problem,
          step: step.id,
          message: `${problem.message} Backend '${backend.id}' does not have it.`,
        })),
      );
    } catch {
      continue;
    }
  }
  return problems;
}

/** A run of this version cannot wait for a person's pick: said before anything is generated, not after. */
function needsChoices(template: CompiledTemplate): readonly Problem[] {
  return template.choices.map(({ after, into }) => ({
    code: 'TEMPLATE_CHOICE_UNSUPPORTED',
    severity: 'error',
    message: `The template waits for a choice ('${into}') after step '${after}', which this version of Callsheet cannot do.`,
    hint: 'Remove `choices` from the template, or split it into two templates with the pick as a parameter of the second.',
    step: after,
  }));
}

/** Steps that need nothing of other steps are rendered once here: what cannot be injected is known now. */
function firstRendering(options: DoorOptions, asked: string | undefined, template: CompiledTemplate, params: Values): readonly Problem[] {
  const problems: Problem[] = [];
  for (const step of template.steps) {
    if (step.needs.length > 0) continue;
    const { id, kind } = options.chooseBackend(asked, step.backend);
    const scope: Scope = { params, steps: {}, choices: {}, backend: { id, kind } };
    const plan = planStep(template, step.id, scope);
    problems.push(...plan.problems);
    const first = plan.value !== undefined && 'items' in plan.value ? plan.value.items[0] : undefined;
    if (first === undefined) continue;
    const item: Scope = { ...scope, index: 0, ...(first.each === undefined ? {} : { each: first.each }) };
    problems.push(...renderStep(template, step.id, item, { mediaName: (media) => media.name }).problems);
  }
  return problems;
}
