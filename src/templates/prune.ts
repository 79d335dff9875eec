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
  readonly brokenChoices: readonly string[];
  readonly outputs: ReadonlyMap<string, OutputDefinition>;
}

/** `manifest` is any JSON value; `problems` are the schema's, whose pointers name what is broken. */
export function readable(manifest: unknown, problems: readonly Problem[]): Readable {
  const broken = new Set(problems.filter((problem) => problem.severity === 'error').map((problem) => problem.pointer ?? ''));
  const root = asRecord(without(manifest, '', broken));
  const original = asRecord(manifest);
  const parameters = new Map<string, ParameterDefinition | undefined>();
  const definitions = asRecord(root.parameters);
  for (const name of Object.keys(asRecord(original.parameters))) {
    const definition = definitions[name];
    const whole = ![...broken].some((pointer) => pointer.startsWith(`/parameters/${name}/`));
    parameters.set(name, whole && isParameter(definition) ? definition : undefined);
  }
  const kept = asList(root.steps);
  const steps = kept.flatMap((step, at) => (isStep(step) ? [{ at, step }] : []));
  const brokenSteps = asList(original.steps).flatMap((step, at) => {
    const { id } = asRecord(step);
    return isStep(kept[at]) || typeof id !== 'string' ? [] : [id];
  });
  const offered = asList(root.choices);
  const choices = offered.flatMap((choice, at) => (isChoice(choice) ? [{ at, choice }] : []));
  const brokenChoices = asList(original.choices).flatMap((choice, at) => {
    const { into } = asRecord(choice);
    return isChoice(offered[at]) || typeof into !== 'string' ? [] : [into];
  });
  const outputs = new Map(
    Object.entries(asRecord(root.outputs)).flatMap(([name, each]) => (isOutput(each) ? [[name, wholeParts(each, name, broken)]] : [])),
  );
  return { parameters, steps, brokenSteps, choices, brokenChoices, outputs };
}

/** What an output becomes hangs together: half a conversion, or an asset of what nobody knows, would only be complained about again. */
function wholeParts(output: OutputDefinition, name: string, broken: ReadonlySet<string>): OutputDefinition {
  const at = (field: string) => [...broken].some((pointer) => `${pointer}/`.startsWith(`/outputs/${name}/${field}/`));
  const { convert, asset, ...rest } = output;
  const [badConvert, badAsset] = [at('convert'), at('asset')];
  return {
    ...rest,
    ...(convert === undefined || badConvert ? {} : { convert }),
    ...(asset === undefined || badConvert || badAsset ? {} : { asset }),
  };
}

/** `undefined` stands for what is broken, so that places in lists stay. */
function without(value: unknown, pointer: string, broken: ReadonlySet<string>): unknown {
  if (broken.size === 0) return value;
  if (pointer !== '' && broken.has(pointer)) return undefined;
  if (Array.isArray(value)) return value.map((item: unknown, index) => without(item, `${pointer}/${index}`, broken));
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => {
    return [key, without(item, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, broken)];
  });
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
}

// What the schema objected to is gone, so that a part with all it cannot do without is of the right shape.
const isParameter = (value: unknown): value is ParameterDefinition => isRecord(value) && 'type' in value;
const isStep = (value: unknown): value is StepDefinition => isRecord(value) && 'id' in value && 'workflow' in value;
const isChoice = (value: unknown): value is ChoiceDefinition => isRecord(value) && 'after' in value && 'from' in value && 'into' in value;
const isOutput = (value: unknown): value is OutputDefinition => isRecord(value) && 'from' in value;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
