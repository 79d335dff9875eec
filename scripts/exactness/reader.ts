/**
 * A reader of JSON that shares no code with ours: where the value of each input stands in a graph's text. It knows just enough for
 * graphs that are JSON already, and throws at anything else.
 */

/** `start` to below `end` in the text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** An object's members in order: of two of one name both are there. A list has its indexes for names. */
interface Tree extends Span {
  readonly members?: readonly (readonly [string, Tree])[];
}

const SPACE = /[\s\uFEFF]*/y;
const SCALAR = /"(?:[^"\\]|\\.)*"|-?(?:Infinity|[0-9][0-9.eE+-]*)|NaN|true|false|null/y;

/** Throws SyntaxError. */
function readTree(text: string): Tree {
  let at = 0;
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const [found] = pattern.exec(text) ?? [];
    if (found === undefined) throw new SyntaxError(`Not JSON at ${at}`);
    at += found.length;
    return found;
  };
  const value = (): Tree => {
    take(SPACE);
    const start = at;
    const open = text[at];
    if (open !== '{' && open !== '[') {
      take(SCALAR);
      return { start, end: at };
    }
    const members: [string, Tree][] = [];
    const close = open === '{' ? '}' : ']';
    at += 1;
    take(SPACE);
    while (text[at] !== close) {
      if (members.length > 0) take(/,/y);
      take(SPACE);
      const name = open === '{' ? (JSON.parse(take(SCALAR)) as string) : String(members.length);
      take(SPACE);
      if (open === '{') take(/:/y);
      members.push([name, value()]);
      take(SPACE);
    }
    at += 1;
    return { start, end: at, members };
  };
  const tree = value();
  take(SPACE);
  if (at !== text.length) throw new SyntaxError(`More than JSON at ${at}`);
  return tree;
}

export interface InputSpan extends Span {
  readonly node: string;
  readonly input: string;
}

const under = (tree: Tree | undefined, name: string): Tree | undefined => tree?.members?.findLast(([key]) => key === name)?.[1];

/** Every input of every node, links too, in the order of the text. */
export function readInputs(text: string): readonly InputSpan[] {
  return (readTree(text).members ?? [])
    .flatMap(([node, tree]) =>
      (under(tree, 'inputs')?.members ?? []).map(([input, { start, end }]): InputSpan => ({ node, input, start, end })),
    )
    .toSorted((a, b) => a.start - b.start);
}

/** A whole number as the digits say, a double apart from it; nothing is rounded. */
export type Exact = string | boolean | null | bigint | { readonly double: number } | readonly Exact[] | { readonly [key: string]: Exact };

/** The value that a JSON text spells. Throws SyntaxError. */
export function exactly(text: string): Exact {
  const digits = (_: string, value: unknown, { source = '' }: { readonly source?: string } = {}): unknown => {
    if (typeof value !== 'number') return value;
    return /^-?\d+$/.test(source) && source !== '-0' ? BigInt(source) : { double: value };
  };
  return JSON.parse(text, digits) as Exact;
}
