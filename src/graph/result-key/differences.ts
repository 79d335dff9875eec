/** What a new key has otherwise than the nearest result that is kept: why nothing was found, in words. Pure. */
import { nameInput } from '../names.ts';
import type { KeyParts, ResultKey } from './key.ts';

/** One sentence for people, without its stop. */
export type Difference = string;

/** The one of `kept` that differs least; undefined when there is none. Of several as near as each other the first. */
export function nearest<T extends { readonly parts: KeyParts }>(now: Pick<ResultKey, 'parts'>, kept: readonly T[]): T | undefined {
  const [first] = kept
    .map((entry) => ({ entry, distance: distanceOf(now.parts, entry.parts) }))
    .toSorted(
      (a, b) =>
        Number(a.entry.parts.shape !== now.parts.shape) - Number(b.entry.parts.shape !== now.parts.shape) || a.distance - b.distance,
    );
  return first?.entry;
}

/** In the order of what people would look at first: values, files, models, server. Empty when nothing is known to differ. */
export function differences({ parts, places }: Pick<ResultKey, 'parts' | 'places'>, before: KeyParts): readonly Difference[] {
  if (parts.shape !== before.shape) return [`the graph has other nodes or links`, ...outsideOf(parts, before)];
  const values = Object.entries(parts.values).flatMap(([place, now]): Difference[] => {
    const was = before.values[place];
    const at = places.get(place);
    if (was === now || at === undefined) return [];
    return [`${nameInput(at.node, { name: at.input })} differs${shown(now, was)}`];
  });
  return [...values, ...outsideOf(parts, before)];
}

/** The first few, as one clause. */
export function inWords(found: readonly Difference[]): string {
  const [last, ...others] = found.slice(0, MOST_TOLD).toReversed();
  const more = found.length - MOST_TOLD;
  const list = last === undefined ? '' : others.length === 0 ? last : `${others.toReversed().join('; ')}; ${last}`;
  return more > 0 ? `${list}; and ${String(more)} more` : list;
}

// --- helpers ---

const MOST_TOLD = 3;

function distanceOf(now: KeyParts, before: KeyParts): number {
  return SECTIONS.reduce((sum, section) => sum + keysThatDiffer(now[section], before[section]).length, 0);
}

const SECTIONS = ['values', 'classes', 'models', 'files', 'engine', 'also'] as const;

function keysThatDiffer(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): readonly string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => a[key] !== b[key]);
}

function outsideOf(now: KeyParts, before: KeyParts): readonly Difference[] {
  const both = (section: 'classes' | 'models' | 'files') =>
    keysThatDiffer(now[section], before[section]).filter((name) => name in now[section] && name in before[section]);
  const changed = (section: 'engine' | 'also', words: (name: string) => string) =>
    keysThatDiffer(now[section], before[section]).map((name) => `${words(name)}${told(now[section][name], before[section][name])}`);
  return [
    ...both('files').map((name) => `the file ${name} on the server changed`),
    ...both('models').map((name) => `the model ${name} changed`),
    ...both('classes').map((name) => `the server describes the class ${name} otherwise`),
    ...changed('engine', (name) => `${name} of the server differs`),
    ...keysThatDiffer(now.also, before.also).map((name) => `${name} ${switched(now.also[name], before.also[name])}`),
  ];
}

/** Hashes say nothing to people. */
function shown(now: string, was: string | undefined): string {
  return now.startsWith('#') || was === undefined || was.startsWith('#') ? '' : `: it is ${now}, and was ${was}`;
}

/** What makes another result besides stands in a key only where it is not as usual. */
function switched(now: string | undefined, was: string | undefined): string {
  const usual = (now ?? was) === 'off' ? 'on' : 'off';
  return `was ${was ?? usual} for that one, and is ${now ?? usual} for this one`;
}

function told(now: string | undefined, was: string | undefined): string {
  return now === undefined || was === undefined ? '' : `: it is ${now}, and was ${was}`;
}
