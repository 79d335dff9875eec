/** What a form shows beyond the definitions: which parameters are hidden with some values, and which models a backend has. */
import type { InputSpec } from '#graph/node-classes.ts';
import { inputsOf, type ObjectInfo } from '#graph/object-info.ts';
import type { CompiledStep, CompiledTemplate } from './compiled.ts';
import { LORA_LOADERS } from './decide-patches.ts';
import type { Placeholder } from './grammar.ts';
import { checkValue } from './parameters.ts';
import type { FormFacts } from './parameter-schema.ts';
import type { ParameterDefinition, Value } from './types.ts';
import { isShown, visibilityOrder, visibleWhen } from './visibility.ts';

/** More names than this are no list that a person picks from. */
const MAX_AVAILABLE = 5000;

export interface FormQuestion {
  /** Of the backend that is asked for models. */
  readonly info?: ObjectInfo | undefined;
  /** Values so far, as a client has them; those that do not fit count as not given. */
  readonly values?: Readonly<Record<string, unknown>> | undefined;
}

export function formFacts(
  template: Pick<CompiledTemplate, 'parameters' | 'steps'>,
  question: FormQuestion,
): ReadonlyMap<string, FormFacts> {
  const { info, values } = question;
  const hidden = values === undefined ? undefined : hiddenWith(template.parameters, values);
  const facts = new Map<string, FormFacts>();
  for (const [name, definition] of template.parameters) {
    const available = info !== undefined && isModel(definition) ? modelsFor(template, name, info) : undefined;
    const away = hidden === undefined || definition.visible === undefined ? undefined : hidden.has(name);
    facts.set(name, { ...(away === undefined ? {} : { hidden: away }), ...(available === undefined ? {} : { available }) });
  }
  return facts;
}

function hiddenWith(parameters: CompiledTemplate['parameters'], given: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const values = new Map<string, Value>();
  const hidden = new Set<string>();
  for (const name of visibilityOrder(parameters).order) {
    const definition = parameters.get(name);
    if (definition === undefined) continue;
    const condition = visibleWhen(definition);
    const decided = condition === undefined ? { shown: true } : isShown(condition, parameters, values);
    // What cannot be decided is shown: the door will say why.
    const shown = !('shown' in decided) || decided.shown;
    if (!shown) hidden.add(name);
    values.set(name, valueOf(name, definition, shown && Object.hasOwn(given, name) ? given[name] : undefined));
  }
  return hidden;
}

function valueOf(name: string, definition: ParameterDefinition, given: unknown): Value {
  const raw = given ?? definition.default;
  return raw === undefined || raw === null ? null : (checkValue(name, definition, raw).value ?? null);
}

const isModel = ({ type, of }: ParameterDefinition): boolean => type === 'model' || (type === 'list' && of === 'model');

/** Names that every input takes into which the parameter goes as a whole; undefined when the backend lists none for any of them. */
function modelsFor({ steps }: Pick<CompiledTemplate, 'steps'>, name: string, info: ObjectInfo): readonly string[] | undefined {
  let common: readonly string[] | undefined;
  for (const step of steps) {
    if (step.backend === 'wan2gp') continue;
    for (const { choices } of takersOf(step, name, info)) {
      if (choices === undefined) continue;
      const names = choices.filter((choice) => typeof choice === 'string');
      common = common === undefined ? names : common.filter((each) => names.includes(each));
    }
  }
  return common?.slice(0, MAX_AVAILABLE);
}

/** Inputs that the parameter fills as a whole: of the workflow, of nodes that patches put in, of the LoRAs of a stack. */
function takersOf(step: CompiledStep, name: string, info: ObjectInfo): readonly Pick<InputSpec, 'choices'>[] {
  const isThis = (placeholder: Placeholder | undefined): boolean =>
    placeholder?.alternatives.some(({ path }) => path.length === 1 && isNamed(path[0], name, step.each?.text)) === true;
  const swapped = step.patches.flatMap((patch) => (patch.kind === 'swap' ? patch.sites : []));
  const filled = [...step.sites, ...swapped].flatMap((site) => {
    const [only] = site.pieces;
    const whole = site.pieces.length === 1 && typeof only === 'object' ? only.whole : undefined;
    const nodeClass = isThis(whole) ? info.classes.get(site.classType) : undefined;
    const node = step.graph.nodes.get(site.node);
    return (
      (nodeClass === undefined ? undefined : (node === undefined ? nodeClass.inputs : inputsOf(nodeClass, node)).get(site.input)) ?? []
    );
  });
  const stacks = step.patches.some((patch) => patch.kind === 'loras' && isThis(patch.from)) ? LORA_LOADERS : [];
  return [...filled, ...stacks.flatMap((loader) => info.classes.get(loader)?.inputs.get('lora_name') ?? [])];
}

const isNamed = (path: string | undefined, name: string, each: string | undefined): boolean =>
  path === name || (path === 'each' && each === `{${name}}`);
