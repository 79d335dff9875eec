/** The filters of placeholders: slug, basename, stem, pad. Each gives a text. */
import type { Filter } from './grammar.ts';
import { isMedia, type Value } from './types.ts';

const MAX_SLUG = 64;

export type Filtered = { readonly value: string } | { readonly message: string };

export function applyFilters(value: Value, filters: readonly Filter[]): Filtered {
  let current: Value = value;
  for (const filter of filters) {
    const text = textOf(current);
    if (text === undefined) return { message: `the filter "${filter.name}" takes one value, not a list` };
    const next = applyOne(filter, text);
    if (next === undefined) return { message: `the filter "pad" takes a whole number, not "${text.slice(0, 40)}"` };
    current = next;
  }
  return { value: textOf(current) ?? '' };
}

function textOf(value: Value): string | undefined {
  if (value === null) return '';
  if (typeof value === 'object') return isMedia(value) ? value.name : undefined;
  return String(value);
}

function applyOne({ name, width = 1 }: Filter, text: string): string | undefined {
  if (name === 'slug') return slug(text) || 'untitled';
  if (name === 'basename') return basename(text);
  if (name === 'stem') return basename(text).replace(/(?<=.)\.[^.]*$/s, '');
  const [, sign = '', digits] = /^(-?)(\d+)$/.exec(text) ?? [];
  return digits === undefined ? undefined : sign + digits.padStart(width, '0');
}

/** Both separators: names come from any system. */
function basename(text: string): string {
  return text.slice(Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\')) + 1);
}

/** Lower case letters and digits of any script, joined by hyphens; accents dropped; at most 64 characters. Empty when nothing is left. */
export function slug(text: string): string {
  const words =
    text
      .slice(0, 1000)
      .normalize('NFKD')
      .replaceAll(/\p{M}+/gu, '')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  return Array.from(words.join('-')).slice(0, MAX_SLUG).join('').replace(/-$/, '');
}
