/** Compiles the choices of a template: what each draws from, how many are picked, and what has to wait for it. */
import { type CompileContext, countUse, manifestText, report } from './compile-context.ts';
import type { CompiledChoice, CompiledPick } from './compiled.ts';
import { type ChoiceName, kindOf, type Names, type StaticType } from './environment.ts';
import { parsePlaceholder, type Reference } from './grammar.ts';
import type { Path } from './locate.ts';
import type { Readable } from './prune.ts';
import { compileReference } from './references.ts';
import { didYouMean } from '#graph/suggest.ts';
import type { ChoiceDefinition } from './types.ts';

type Placed = Readable['choices'][number];

/** A choice can draw from those before it only, so one pass in the order of the manifest knows everything. */
export function choiceNames({ parameters, choices, brokenChoices }: Readable, steps: Names['steps']): Names['choices'] {
  const known = new Map<string, ChoiceName | undefined>(brokenChoices.map((into) => [into, undefined]));
  for (const { choice } of choices) {
    const names: Names = { parameters, steps, choices: known };
    const drawn = referencesOf(choice);
    const types = new Set(drawn.map((reference): StaticType => kindOf(reference, names)?.type ?? 'unknown'));
    const [type = 'unknown'] = types;
    const needs = new Set([choice.after, ...drawn.flatMap(({ path }) => stepsBehind(names, path))]);
    known.set(choice.into, {
      kind: { type: types.size === 1 ? type : 'unknown', list: pickOf(choice).many ? 'yes' : 'no' },
      needs: [...needs].filter((id) => steps.has(id)),
    });
  }
  return known;
}

/** The steps that must be done before a reference has a value, those behind a choice included. */
export function stepsBehind({ steps, choices }: Names, [root, name = '']: readonly string[]): readonly string[] {
  if (root === 'choices') return choices.get(name)?.needs ?? [];
  return root === 'steps' && steps.has(name) ? [name] : [];
}

/** What itself must have ended before a reference has a value: a step by its id, a choice as `choices.NAME`. */
export function waitsBehind({ steps, choices }: Names, [root, name = '']: readonly string[]): readonly string[] {
  if (root === 'choices') return choices.has(name) ? [choiceId(name)] : [];
  return root === 'steps' && steps.has(name) ? [name] : [];
}

/** How a choice stands among the steps of a run. No step can be called so: their ids have no dot. */
export function choiceId(into: string): string {
  return `choices.${into}`;
}

export function compileChoice(context: CompileContext, { choices }: Readable, { at, choice }: Placed): CompiledChoice | undefined {
  const path: Path = ['choices', at];
  const { steps } = context.names;
  const { after, into, title, timeout, onTimeout = 'fail' } = choice;
  const refuse = (field: string, message: string, hint: string) =>
    report(context, [...path, field], 'TEMPLATE_CHOICE_INVALID', message, { hint });
  if (!steps.has(after)) {
    const message = `The choice "${into}" comes after a step "${after}" that does not exist.`;
    report(context, [...path, 'after'], 'TEMPLATE_STEP_UNKNOWN', message, { hint: didYouMean(after, steps.keys(), 'steps') });
  }
  if (choices.some((other) => other.at < at && other.choice.into === into)) {
    const hint = 'Give each choice a name of its own.';
    report(context, [...path, 'into'], 'TEMPLATE_NAME_TWICE', `Two choices go into "${into}".`, { hint });
  }
  const pick = pickOf(choice);
  if (pick.max !== undefined && pick.min > pick.max) {
    refuse('pick', `The choice "${into}" takes at least ${pick.min} and at most ${pick.max}.`, 'Exchange the two.');
  }
  if (choice.onTimeout !== undefined && timeout === undefined) {
    refuse('onTimeout', `The choice "${into}" has no "timeout", so it waits for ever.`, 'Add "timeout": seconds, or remove "onTimeout".');
  }
  const later = referencesOf(choice).find(
    ({ path: [root, name] }) => root === 'choices' && choices.some((other) => other.at >= at && other.choice.into === name),
  );
  if (later !== undefined) {
    const message = `The choice "${into}" is made from {${later.text}}, which is not made before it.`;
    refuse('from', message, 'A choice can draw from choices that stand before it in the list.');
    return undefined;
  }
  const waits = new Set(steps.has(after) ? [after] : []);
  const uses = (reference: Reference): void => {
    countUse(context, reference.path);
    for (const id of waitsBehind(context.names, reference.path)) waits.add(id);
  };
  const from = compileReference(choice.from, 'from', manifestText(context, [...path, 'from'], context.names, { uses }));
  if (from === undefined) return undefined;
  if (from.filters.length > 0) refuse('from', `${from.text} has a filter, and a choice is made among values.`, 'Remove the filter.');
  for (const reference of from.alternatives) {
    if (kindOf(reference, context.names)?.list !== 'no') continue;
    refuse('from', `{${reference.text}} is one value, so there is nothing to choose.`, 'Name an output of a step, or a list.');
  }
  const { kind, needs } = context.names.choices.get(into) ?? { kind: { type: 'unknown', list: 'maybe' }, needs: [] };
  const timeoutMs = timeout === undefined ? undefined : timeout * 1000;
  return { after, from, pick, into, title, timeoutMs, onTimeout, waits: [...waits], kind, needs };
}

/** A run would wait for an answer that changes nothing. */
export function reportUnusedChoices(context: CompileContext, choices: readonly Placed[]): void {
  for (const { at, choice } of choices) {
    if (context.used.has(choiceId(choice.into))) continue;
    const hint = `Write {choices.${choice.into}} where the pick belongs, or remove the choice.`;
    const message = `Nothing uses the choice "${choice.into}", and the run would wait for it.`;
    report(context, ['choices', at, 'into'], 'TEMPLATE_CHOICE_UNUSED', message, { severity: 'warning', hint });
  }
}

// --- helpers ---

function pickOf({ pick = 1 }: ChoiceDefinition): CompiledPick {
  if (typeof pick === 'number') return { min: pick, max: pick, many: pick > 1 };
  return { min: pick.min ?? 1, max: pick.max, many: true };
}

function referencesOf({ from }: ChoiceDefinition): readonly Reference[] {
  const placeholder = from.startsWith('{') && from.endsWith('}') ? parsePlaceholder(from.slice(1, -1)) : undefined;
  return placeholder?.alternatives ?? [];
}
