/** The grammar of placeholders: finds `{name}`, `{steps.a.b[0] ?? c|filter:3}` in text and leaves every other brace alone. */

export const FILTERS = ['slug', 'basename', 'stem', 'pad'] as const;
export type FilterName = (typeof FILTERS)[number];

export interface Filter {
  readonly name: FilterName;
  /** Of `pad:N`: the least number of digits, 1 to 32. */
  readonly width?: number;
}

/** `name`, `each`, `index`, `steps.<step>.<output>` or `choices.<name>`, with an optional `[n]`. */
export interface Reference {
  readonly path: readonly string[];
  readonly at?: number;
  readonly text: string;
}

export interface Placeholder {
  /** `a ?? b`: the first that is not null. */
  readonly alternatives: readonly Reference[];
  readonly filters: readonly Filter[];
  /** As written, with its braces. */
  readonly text: string;
}

export interface TextTemplate {
  readonly parts: readonly (string | Placeholder)[];
  /** The text is one placeholder and nothing else: it takes the value's own type. */
  readonly whole: Placeholder | undefined;
}

/** Says whether a placeholder is ours. What is not stays text. */
export type Accept = (placeholder: Placeholder) => boolean;

const MAX_PLACEHOLDER = 512;
const NAME = '[A-Za-z_][A-Za-z0-9_-]*';
const SEGMENT = '[A-Za-z0-9_][A-Za-z0-9_-]*';
const REFERENCE = new RegExp(`^(${NAME}(?:\\.${SEGMENT}){0,2})(?:\\[(\\d{1,6})\\])?$`);

/** Reads what stands between braces; undefined when it does not follow the grammar. */
export function parsePlaceholder(body: string): Placeholder | undefined {
  if (body.length === 0 || body.length > MAX_PLACEHOLDER || body.trim() !== body) return undefined;
  const [choices = '', ...filterTexts] = body.split('|');
  const filters: Filter[] = [];
  for (const text of filterTexts) {
    const filter = parseFilter(text);
    if (filter === undefined) return undefined;
    filters.push(filter);
  }
  const alternatives: Reference[] = [];
  for (const text of choices.split('??')) {
    const reference = parseReference(text.trim());
    if (reference === undefined) return undefined;
    alternatives.push(reference);
  }
  return { alternatives, filters, text: `{${body}}` };
}

function parseReference(text: string): Reference | undefined {
  const match = REFERENCE.exec(text);
  if (match === null) return undefined;
  const [, dotted = '', index] = match;
  return { path: dotted.split('.'), text, ...(index === undefined ? {} : { at: Number(index) }) };
}

function parseFilter(text: string): Filter | undefined {
  const [name, argument, ...rest] = text.trim().split(':');
  if (rest.length > 0) return undefined;
  if (name === 'pad') {
    const width = argument !== undefined && /^\d{1,2}$/.test(argument) ? Number(argument) : 0;
    return width >= 1 && width <= 32 ? { name, width } : undefined;
  }
  if (argument !== undefined) return undefined;
  return name === 'slug' || name === 'basename' || name === 'stem' ? { name } : undefined;
}

/**
 * Splits a text into literal parts and placeholders that `accept` calls ours. `{{…}}` around text without other braces
 * (our own placeholders excepted) is a pair of literal braces. Undefined when the text stays exactly as it is.
 */
export function parseText(text: string, accept: Accept): TextTemplate | undefined {
  if (!text.includes('{')) return undefined;
  const parts: (string | Placeholder)[] = [];
  let literal = '';
  let changed = false;
  const push = (placeholder: Placeholder): void => {
    if (literal !== '') parts.push(literal);
    literal = '';
    parts.push(placeholder);
    changed = true;
  };
  let closing = -1;
  let i = 0;
  while (i < text.length) {
    if (i === closing) {
      literal += '}';
      i += 2;
      closing = -1;
      continue;
    }
    const next = text.indexOf('{', i);
    const end = next === -1 ? text.length : next;
    if (closing !== -1 && closing < end) {
      literal += text.slice(i, closing);
      i = closing;
      continue;
    }
    literal += text.slice(i, end);
    i = end;
    if (i === text.length) break;
    if (closing === -1 && text[i + 1] === '{') {
      closing = escapedEnd(text, i + 2, accept);
      if (closing !== -1) {
        literal += '{';
        changed = true;
        i += 2;
        continue;
      }
    }
    const placeholder = placeholderAt(text, i, accept);
    if (placeholder === undefined) {
      literal += '{';
      i += 1;
    } else {
      push(placeholder);
      i += placeholder.text.length;
    }
  }
  if (!changed) return undefined;
  if (literal !== '') parts.push(literal);
  const [first] = parts;
  return { parts, whole: parts.length === 1 && typeof first === 'object' ? first : undefined };
}

/** Every `{…}` that follows the grammar, whether declared or not, escaped ones left out. For "did you mean". */
export function placeholdersIn(text: string): readonly Placeholder[] {
  const found = parseText(text, () => true);
  return found === undefined ? [] : found.parts.filter((part) => typeof part === 'object');
}

function placeholderAt(text: string, open: number, accept: Accept): Placeholder | undefined {
  const ahead = text.slice(open + 1, open + MAX_PLACEHOLDER + 2);
  const close = ahead.indexOf('}');
  if (close === -1) return undefined;
  const placeholder = parsePlaceholder(ahead.slice(0, close));
  return placeholder !== undefined && accept(placeholder) ? placeholder : undefined;
}

/** Offset of the `}}` that closes a `{{`, or -1 when other braces stand between. */
function escapedEnd(text: string, from: number, accept: Accept): number {
  let i = from;
  for (;;) {
    const offset = text.slice(i, i + 4096).search(/[{}]/);
    if (offset === -1) return -1;
    i += offset;
    if (text[i] === '}') {
      return text[i + 1] === '}' ? i : -1;
    }
    const placeholder = placeholderAt(text, i, accept);
    if (placeholder === undefined) return -1;
    i += placeholder.text.length;
  }
}
