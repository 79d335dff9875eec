/** Leaves out the parts of a manifest that a check found broken, so that the rest can still be checked: all problems at once. */
import type { Problem } from '#protocol/problem.ts';
import type { ChoiceDefinition, OutputDefinition, ParameterDefinition, StepDefinition } from './types.ts';

/** What could be made sense of. Names of broken parts are kept, so that references to them are not called unknown. */
export interface Readable {
  readonly parameters: ReadonlyMap<string, ParameterDefinition | undefined>;
  /** With their place in `steps`. */
  readonly steps: readonly { readonly at: number; readonly step: StepDefinition }[];
  readonly brokenSteps: readonly string[];
  readonly choices: readonly { readonly at: number; readonly choice: ChoiceDefinition }[];
  readonly outputs: ReadonlyMap<string, OutputDefinition>;
}

/** `manifest` is any JSON value; `problems` are the schema's, whose pointers name what is broken. */
export function readable(manifest: unknown, problems: readonly Problem[]): Readable {
  const broken = new Set(problems.filter((problem) => problem.severity === 'error').map((problem) => problem.pointer ?? ''));
  const root = asRecord(without(manifest, '', broken)) ?? {};
  const parameters = new Map<string, ParameterDefinition | undefined>();
  for (const name of Object.keys(asRecord(asRecord(manifest)?.parameters) ?? {})) {
    const definition = asRecord(asRecord(root.parameters)?.[name]);
    const whole = definition?.type !== undefined && ![...broken].some((pointer) => pointer.startsWith(`/parameters/${name}/`));
    // The schema found nothing wrong with it.
    parameters.set(name, whole ? (definition as unknown as ParameterDefinition) : undefined);
  }
  const given = asList(asRecord(manifest)?.steps);
  const steps: { at: number; step: StepDefinition }[] = [];
  const brokenSteps: string[] = [];
  const kept = asList(root.steps);
  given.forEach((original, at) => {
    const step = asRecord(kept[at]);
    const id = asRecord(original)?.id;
    if (step !== undefined && typeof step.id === 'string' && typeof step.workflow === 'string')
      steps.push({ at, step: step as unknown as StepDefinition });
    else if (typeof id === 'string') brokenSteps.push(id);
  });
  const choices = asList(root.choices).flatMap((each, at) => {
    const choice = asRecord(each);
    const complete = typeof choice?.after === 'string' && typeof choice.from === 'string' && typeof choice.into === 'string';
    return complete ? [{ at, choice: choice as unknown as ChoiceDefinition }] : [];
  });
  const outputs = new Map<string, OutputDefinition>();
  for (const [name, each] of Object.entries(asRecord(root.outputs) ?? {})) {
    if (typeof asRecord(each)?.from === 'string') outputs.set(name, each as OutputDefinition);
  }
  return { parameters, steps, brokenSteps, choices, outputs };
}

function without(value: unknown, pointer: string, broken: ReadonlySet<string>): unknown {
  if (broken.size === 0) return value;
  if (pointer !== '' && broken.has(pointer)) return undefined;
  if (Array.isArray(value)) return value.map((item: unknown, index) => without(item, `${pointer}/${index}`, broken));
  const record = asRecord(value);
  if (record === undefined) return value;
  const entries = Object.entries(record).map(([key, item]): [string, unknown] => {
    return [key, without(item, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, broken)];
  });
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
