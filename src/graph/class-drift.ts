/** What became of a node class between two of its schemas. Pure; says nothing of what that means for a graph. */
import type { ClassSchema, InputSchema, OutputSchema } from './class-schema.ts';
import { closest } from './suggest.ts';
import type { JsonValue } from './types.ts';
import { printJson } from './values.ts';

export type ClassChange =
  | { readonly kind: 'class-gone' }
  | { readonly kind: 'input-gone'; readonly input: string; readonly was: InputSchema }
  | { readonly kind: 'input-renamed'; readonly input: string; readonly to: string }
  /** New, or required where it was not. */
  | { readonly kind: 'input-added'; readonly input: string; readonly now: InputSchema; readonly isNew: boolean }
  | { readonly kind: 'input-type'; readonly input: string; readonly was: InputSchema; readonly now: InputSchema }
  | { readonly kind: 'range'; readonly input: string; readonly was: InputSchema; readonly now: InputSchema }
  | { readonly kind: 'choices-gone'; readonly input: string; readonly choices: readonly JsonValue[] }
  | { readonly kind: 'default'; readonly input: string; readonly was: InputSchema; readonly now: InputSchema }
  /** The output at `slot` is gone, of another type, or another one stands there now. */
  | {
      readonly kind: 'output';
      readonly slot: number;
      readonly was: OutputSchema;
      readonly now: OutputSchema | undefined;
      readonly movedTo?: number;
    }
  | { readonly kind: 'output-added'; readonly slot: number; readonly now: OutputSchema }
  /** It saved or showed something and does so no more, or the other way round. */
  | { readonly kind: 'output-node'; readonly now: boolean };

/** Ranges that grew, choices that were added and inputs that need not be given any more are no change: nothing depends on them. */
export function classChanges(before: ClassSchema, now: ClassSchema | undefined): readonly ClassChange[] {
  if (now === undefined) return [{ kind: 'class-gone' }];
  const changes: ClassChange[] = [];
  const old = new Map(Object.entries(before.inputs));
  const fresh = new Map(Object.entries(now.inputs));
  const renamed = renames(old, fresh);
  const arrived = new Set(renamed.values());
  for (const [input, was] of old) {
    const is = fresh.get(input);
    const to = renamed.get(input);
    if (is !== undefined) changes.push(...inputChanges(input, was, is));
    else changes.push(to === undefined ? { kind: 'input-gone', input, was } : { kind: 'input-renamed', input, to });
  }
  for (const [input, is] of fresh)
    if (!old.has(input) && !arrived.has(input)) changes.push({ kind: 'input-added', input, now: is, isNew: true });
  changes.push(...outputChanges(before.outputs, now.outputs));
  if (before.outputNode !== now.outputNode) changes.push({ kind: 'output-node', now: now.outputNode });
  return changes;
}

// --- helpers ---

/** A guess that a person would make too: of one type, and the only one, or spelt nearly alike. */
function renames(old: ReadonlyMap<string, InputSchema>, fresh: ReadonlyMap<string, InputSchema>): ReadonlyMap<string, string> {
  const gone = [...old].filter(([name]) => !fresh.has(name));
  const added = [...fresh].filter(([name]) => !old.has(name));
  const found = new Map<string, string>();
  for (const [name, { type }] of gone) {
    const alike = added.filter(([, is]) => is.type === type).map(([other]) => other);
    const rivals = gone.filter(([, was]) => was.type === type).length;
    const to = alike.length === 1 && rivals === 1 ? alike[0] : closest(name, alike);
    if (to !== undefined && ![...found.values()].includes(to)) found.set(name, to);
  }
  return found;
}

function inputChanges(input: string, was: InputSchema, now: InputSchema): ClassChange[] {
  const changes: ClassChange[] = [];
  if (was.type !== now.type || !isEqual(was.dynamic, now.dynamic)) changes.push({ kind: 'input-type', input, was, now });
  else {
    if (isNarrower(was, now)) changes.push({ kind: 'range', input, was, now });
    const left = new Set(now.choices?.map(printJson));
    const choices = now.choices === undefined ? [] : (was.choices ?? []).filter((choice) => !left.has(printJson(choice)));
    if (choices.length > 0) changes.push({ kind: 'choices-gone', input, choices });
    if (!isEqual(was.default, now.default)) changes.push({ kind: 'default', input, was, now });
  }
  if (now.required && !was.required) changes.push({ kind: 'input-added', input, now, isNew: false });
  return changes;
}

function isNarrower(was: InputSchema, now: InputSchema): boolean {
  return (
    (isNumber(now.min) && !(isNumber(was.min) && was.min >= now.min)) || (isNumber(now.max) && !(isNumber(was.max) && was.max <= now.max))
  );
}

function outputChanges(was: readonly OutputSchema[], now: readonly OutputSchema[]): ClassChange[] {
  const changes: ClassChange[] = [];
  for (const [slot, output] of was.entries()) {
    const is = now[slot];
    const at = now.findIndex((other, index) => index !== slot && isSame(other, output) && !isSame(was[index], output));
    if (is !== undefined && isSame(is, output)) continue;
    changes.push({ kind: 'output', slot, was: output, now: is, ...(at < 0 ? {} : { movedTo: at }) });
  }
  for (const [slot, output] of now.entries()) if (slot >= was.length) changes.push({ kind: 'output-added', slot, now: output });
  return changes;
}

function isSame(a: OutputSchema | undefined, b: OutputSchema): boolean {
  return a?.type === b.type && a.name === b.name;
}

function isNumber(value: JsonValue | undefined): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function isEqual(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && printJson(a) === printJson(b));
}
