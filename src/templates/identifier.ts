/** Names for parameters and outputs out of any text. */
import { RESERVED_NAMES } from './environment.ts';
import { slug } from './filters.ts';

/** Lower case Latin letters, digits and underscores, at most 48; empty when nothing is left. Never begins with a digit. */
export function identifier(text: string): string {
  const words = slug(text)
    .replaceAll(/[^a-z0-9-]/g, '')
    .replaceAll(/-+/g, '_')
    .replaceAll(/^_|_$/g, '')
    .slice(0, 48);
  return /^\d/.test(words) ? `n${words}` : words;
}

/** The id of a node as the end of a name: `12:3` → `12_3`. */
export const suffixOf = (id: string): string => slug(id).replaceAll(/[^a-z0-9]+/g, '_');

/** A name that a parameter may have: words with a meaning of their own get another. */
export function parameterName(text: string): string {
  const name = identifier(text);
  if (name === 'steps') return 'sampling_steps';
  return RESERVED_NAMES.includes(name) ? `${name}_value` : name;
}

/** `sampling_steps` → `Sampling steps`. */
export function titleOf(name: string): string {
  const words = name.replaceAll('_', ' ').trim();
  return words === '' ? name : words.charAt(0).toUpperCase() + words.slice(1);
}
