/** What a placeholder may refer to inside a template, and what is known of it before there are values. */
import type { Placeholder, Reference } from './grammar.ts';
import { closest } from '#graph/suggest.ts';
import { MEDIA_TYPES, type ParameterDefinition, type ParameterType } from './types.ts';

export const RESERVED_NAMES: readonly string[] = ['each', 'index', 'steps', 'choices', 'params', 'backend'];

/** `text` covers everything that is a JSON string without being a file. */
export type StaticType = 'text' | 'number' | 'boolean' | 'color' | 'media' | 'unknown';

export interface StaticKind {
  readonly type: StaticType;
  /** `maybe`: one file or several, known only once the step has run. */
  readonly list: 'yes' | 'no' | 'maybe';
}

export interface Names {
  /** A definition that is broken itself is `undefined`: known by name, nothing else is said about it. */
  readonly parameters: ReadonlyMap<string, ParameterDefinition | undefined>;
  /** Step → its outputs and whether it fans out; undefined for a broken step. */
  readonly steps: ReadonlyMap<string, { readonly outputs: readonly string[]; readonly fansOut: boolean } | undefined>;
  /** Undefined for a broken choice. */
  readonly choices: ReadonlyMap<string, ChoiceName | undefined>;
}

export interface ChoiceName {
  /** What is picked, and whether the pick is a list. */
  readonly kind: StaticKind;
  /** Steps that must have ended before it can be made. */
  readonly needs: readonly string[];
}

/** Names plus what only a certain place knows: items of `each`, the index. */
export interface Environment extends Names {
  readonly each?: StaticKind;
  readonly index?: boolean;
}

const UNKNOWN: StaticKind = { type: 'unknown', list: 'maybe' };

/** Undefined when the reference is not declared here. */
export function kindOf(reference: Reference, environment: Environment): StaticKind | undefined {
  const kind = kindOfPath(reference.path, environment);
  return kind === undefined || reference.at === undefined ? kind : { type: kind.type, list: 'no' };
}

export function kindOfPath(path: readonly string[], { parameters, steps, choices, each, index }: Environment): StaticKind | undefined {
  const [root = '', second = '', third = ''] = path;
  if (root === 'steps' && path.length === 3) {
    if (!steps.has(second)) return undefined;
    const step = steps.get(second);
    if (step === undefined) return UNKNOWN;
    return step.outputs.includes(third) ? { type: 'media', list: step.fansOut ? 'yes' : 'maybe' } : undefined;
  }
  if (root === 'choices' && path.length === 2) {
    const choice = choices.get(second);
    if (choice === undefined) return choices.has(second) ? UNKNOWN : undefined;
    return choice.kind;
  }
  if (path.length !== 1) return undefined;
  if (root === 'each') return each;
  if (root === 'index') return index === true ? { type: 'number', list: 'no' } : undefined;
  if (!parameters.has(root)) return undefined;
  const definition = parameters.get(root);
  return definition === undefined ? UNKNOWN : kindOfParameter(definition);
}

export function kindOfParameter(definition: ParameterDefinition): StaticKind {
  if (definition.type === 'vector') return { type: 'number', list: 'yes' };
  if (definition.type === 'list')
    return { type: staticType(definition, definition.of ?? 'string'), list: definition.of === 'vector' ? 'maybe' : 'yes' };
  return { type: staticType(definition, definition.type), list: 'no' };
}

function staticType(definition: ParameterDefinition, type: ParameterType): StaticType {
  if (MEDIA_TYPES.some((media) => media === type)) return 'media';
  if (type === 'integer' || type === 'number' || type === 'seed' || type === 'vector') return 'number';
  if (type === 'boolean' || type === 'color') return type;
  if (type !== 'choice') return 'text';
  const values = (definition.choices ?? []).map((choice) => (typeof choice === 'object' ? choice.value : choice));
  if (values.every((value) => typeof value === 'string')) return 'text';
  return values.every((value) => typeof value === 'number') ? 'number' : 'unknown';
}

/** Every alternative is declared: the placeholder is ours. */
export function declares(environment: Environment): (placeholder: Placeholder) => boolean {
  return ({ alternatives }) => alternatives.every((reference) => kindOf(reference, environment) !== undefined);
}

/** Names a step or a choice on purpose, so that it cannot be a brace of somebody else. */
export function isOurs({ path: [root, ...rest] }: Reference): boolean {
  return (root === 'steps' || root === 'choices') && rest.length > 0;
}

function offer(near: string | undefined, spell: (name: string) => string, otherwise: string): string {
  return near === undefined ? otherwise : `Did you mean {${spell(near)}}?`;
}

/** The sentence and the cure for a reference that `kindOf` does not know. */
export function explainUnknown(reference: Reference, environment: Environment): { readonly message: string; readonly hint: string } {
  const { steps, choices, parameters } = environment;
  const [root = '', second, third] = reference.path;
  if (root === 'steps' && second !== undefined) {
    if (!steps.has(second)) {
      const near = closest(second, steps.keys());
      const hint = offer(
        near,
        (name) => ['steps', name, third ?? '…'].join('.'),
        `Steps of this template: ${[...steps.keys()].join(', ')}.`,
      );
      return { message: `{${reference.text}} refers to a step "${second}" that does not exist.`, hint };
    }
    const outputs = steps.get(second)?.outputs ?? [];
    const known =
      outputs.length === 0 ? `Declare it under "outputs" of step "${second}".` : `Outputs of "${second}": ${outputs.join(', ')}.`;
    const hint =
      third === undefined
        ? `Write {steps.${second}.OUTPUT}. ${known}`
        : offer(closest(third, outputs), (name) => `steps.${second}.${name}`, known);
    return { message: `{${reference.text}} refers to an output that step "${second}" does not declare.`, hint };
  }
  if (root === 'choices' && second !== undefined) {
    const hint = offer(closest(second, choices.keys()), (name) => `choices.${name}`, 'Declare it under "choices" with "into".');
    return { message: `{${reference.text}} refers to a choice that is not declared.`, hint };
  }
  if (root === 'each' && reference.path.length === 1) {
    return { message: '{each} is used in a step without "each".', hint: 'Add "each": "{a_list}" to the step, or name the value itself.' };
  }
  if (root === 'index' && reference.path.length === 1) {
    return { message: '{index} is used in a step without "each".', hint: 'Add "each" to the step, or remove {index}.' };
  }
  const plain = root === 'params' && second !== undefined ? second : root;
  const near = parameters.has(plain) ? plain : closest(plain, parameters.keys());
  const literal = `If the braces are meant as text, write {{${reference.text}}}.`;
  return {
    message: `{${reference.text}} is not a parameter of this template.`,
    hint: offer(near, (name) => name, `Declare "${plain}" under "parameters". ${literal}`),
  };
}
