/** The compiler: from a template's texts to something that can be rendered, or to every problem there is, all at once. Pure. */
import type { PlaceBack } from '#graph/rewrite.ts';
import { toValue } from '#graph/values.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { choiceNames, compileChoice, reportUnusedChoices } from './compile-choice.ts';
import { type CompileContext, report } from './compile-context.ts';
import { checkMaterials, compileOutput } from './compile-output.ts';
import { checkDefinition } from './compile-parameters.ts';
import { checkRanges } from './check-requires.ts';
import { compileStep, UNREAD } from './compile-step.ts';
import { checkVisibility } from './compile-visibility.ts';
import type { CompiledOutput, CompiledStep, CompiledTemplate } from './compiled.ts';
import type { Names } from './environment.ts';
import { readManifest } from './manifest.ts';
import { findCycles, topological } from './order.ts';
import { type Readable, readable } from './prune.ts';
import type { CheckedInPart, ParameterDefinition, TemplateSource } from './types.ts';

export type { CompiledTemplate } from './compiled.ts';

export interface CompileOptions {
  /** How `template.json` and workflow files are called in problems; their own names when absent. */
  readonly file?: (name: string) => string;
  /** Workflow files that are not in the source for a reason that was reported already. */
  readonly reported?: ReadonlySet<string>;
}

export const MANIFEST_FILE = 'template.json';

export function compileTemplate(source: TemplateSource, options: CompileOptions = {}): CheckedInPart<CompiledTemplate> {
  const file = options.file ?? ((name: string) => name);
  const { where, placeBack, manifest, problems: found, notes = [] } = readManifest(source.manifest, file(MANIFEST_FILE));
  if (where === undefined) return { value: undefined, problems: found };
  const parts = readable(toValue(where.root), found);
  const fresh: Problem[] = manifest === undefined ? [] : checkRanges(manifest, where);
  const names = namesOf(parts);
  const written = compileParts(
    { source, file, where, names, problems: fresh, used: new Set(), workflows: new Map(), reported: options.reported ?? new Set() },
    parts,
  );
  // A manifest of an older format was compiled as what it is today; its author knows only the file as it is.
  const toAuthor = (problem: Problem): Problem => (placeBack === undefined || problem.file !== where.file ? problem : placeBack(problem));
  const problems = [...notes, ...[...found, ...fresh].map(toAuthor)];
  const compiled =
    placeBack === undefined ? written : { ...written, steps: written.steps.map((step) => sitesBack(step, where.file, placeBack)) };
  problems.sort(byPlace(where.file));
  if (manifest === undefined) return { value: undefined, problems };
  const { id, version, optimize = true, cache } = manifest;
  const steps = compiled.steps.map((step) => ({ ...step, optimize: optimize && step.optimize, cache: step.cache ?? cache }));
  const value = { id, version, hash: source.hash, manifest, source, ...compiled, steps, problems };
  return problems.some(isBlocking) ? { value: undefined, problems, partial: value } : { value, problems };
}

/** Values that `set` writes are reported where the author wrote them. */
function sitesBack(step: CompiledStep, manifest: string, placeBack: PlaceBack): CompiledStep {
  const sites = step.sites.map((site) => {
    if (site.from !== 'set' || site.place.file !== manifest) return site;
    const {
      line = site.place.line,
      column = site.place.column,
      pointer = '',
    } = placeBack({ code: '', severity: 'info', message: '', ...site.place });
    return { ...site, place: { file: manifest, line, column, pointer } };
  });
  return { ...step, sites };
}

/** The manifest's own problems first, each file from top to bottom. */
function byPlace(manifest: string): (a: Problem, b: Problem) => number {
  return (a, b) => {
    if (a.file !== b.file) return a.file === manifest ? -1 : b.file === manifest ? 1 : (a.file ?? '') < (b.file ?? '') ? -1 : 1;
    return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
  };
}

function namesOf(parts: Readable): Names {
  const steps = new Map<string, { outputs: readonly string[]; fansOut: boolean } | undefined>();
  for (const { step } of parts.steps) steps.set(step.id, { outputs: Object.keys(step.outputs ?? {}), fansOut: step.each !== undefined });
  for (const id of parts.brokenSteps) steps.set(id, undefined);
  return { parameters: parts.parameters, steps, choices: choiceNames(parts, steps) };
}

function compileParts(context: CompileContext, parts: Readable): Pick<CompiledTemplate, 'parameters' | 'steps' | 'choices' | 'outputs'> {
  const parameters = new Map<string, ParameterDefinition>();
  for (const [name, definition] of parts.parameters) {
    if (definition === undefined) continue;
    context.problems.push(...checkDefinition(context.where, name, definition));
    parameters.set(name, definition);
  }
  checkVisibility(context, parameters);
  const steps = parts.steps.map(({ step, at }) => compileStep(context, step, at));
  const choices = parts.choices.map((choice) => compileChoice(context, parts, choice)).filter((choice) => choice !== undefined);
  const outputs = new Map<string, CompiledOutput>();
  for (const [name, output] of parts.outputs) {
    const compiled = compileOutput(context, name, output, { steps, choices });
    if (compiled !== undefined) outputs.set(name, compiled);
  }
  checkMaterials(context, outputs);
  checkSteps(context, parts, steps);
  // A workflow that cannot be read may use any of them: the one real problem must not drown.
  const isAllRead = steps.every(({ graph }) => graph !== UNREAD);
  for (const name of parameters.keys()) {
    if (!isAllRead || context.used.has(name)) continue;
    const hint = `Write {${name}} where it belongs, or remove the parameter.`;
    const details = { severity: 'warning', hint, parameter: name, key: true } as const;
    report(context, ['parameters', name], 'TEMPLATE_PARAMETER_UNUSED', `No step uses the parameter "${name}".`, details);
  }
  if (isAllRead) reportUnusedChoices(context, parts.choices);
  return { parameters, steps: topological(steps), choices, outputs };
}

function checkSteps(context: CompileContext, parts: Readable, steps: readonly CompiledStep[]): void {
  const seen = new Map<string, number>();
  for (const { step, at } of parts.steps) {
    if (!seen.has(step.id)) {
      seen.set(step.id, at);
      continue;
    }
    const details = { step: step.id, hint: 'Give each step an id of its own.' };
    report(context, ['steps', at, 'id'], 'TEMPLATE_NAME_TWICE', `Two steps have the id "${step.id}".`, details);
  }
  for (const cycle of findCycles(steps)) {
    const [first = ''] = cycle;
    const chain = cycle.map((id, index) => `${id} needs ${cycle[index + 1] ?? first}`).join(', ');
    const message = cycle.length === 1 ? `Step "${first}" needs itself.` : `Steps wait for each other in a circle: ${chain}.`;
    const details = { step: first, hint: 'Remove one of these needs or references.' };
    report(context, ['steps', seen.get(first) ?? 0, 'id'], 'TEMPLATE_STEP_CYCLE', message, details);
  }
}
