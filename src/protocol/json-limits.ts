/** Measures JSON text before anything recursive touches it: depth, size, keys that reach prototypes, integers that JavaScript would round. */

export interface JsonLimits {
  /** Nested arrays and objects. */
  readonly depth: number;
  /** Values of any kind. */
  readonly nodes: number;
  /** UTF-16 code units of one string's source text. */
  readonly string: number;
}

export const WIRE_LIMITS: JsonLimits = { depth: 64, nodes: 50_000, string: 256 * 1024 };

/** A misfit in words; it never repeats the text it was found in. */
export type JsonMisfit =
  | { readonly kind: 'depth' | 'nodes' | 'string'; readonly limit: number }
  | { readonly kind: 'prototype-key' }
  | { readonly kind: 'unsafe-integer' };

export interface JsonMeasure {
  readonly misfit: JsonMisfit | undefined;
  /** Source text of the last member `id` of the top-level object, or of each object in a top-level array. */
  readonly ids: readonly (string | undefined)[];
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const PROTO = '__proto__';

/** `text` must be valid JSON already (JSON.parse accepted it): the scan relies on it. One pass, no recursion, no copies. */
export function measureJson(text: string, limits: JsonLimits = WIRE_LIMITS): JsonMeasure {
  const ids: (string | undefined)[] = [];
  const topIsArray = /^[ \t\r\n]*\[/.test(text);
  const messageDepth = topIsArray ? 2 : 1;
  let misfit: JsonMisfit | undefined;
  let depth = 0;
  let nodes = 0;
  let idValueNext = false;

  const note = (found: JsonMisfit): void => {
    misfit ??= found;
  };
  const countValue = (): void => {
    nodes += 1;
    if (nodes > limits.nodes) note({ kind: 'nodes', limit: limits.nodes });
    if (topIsArray && depth === 1) ids.push(undefined);
    if (!topIsArray && depth === 0) ids.push(undefined);
  };
  const keepId = (raw: string): void => {
    if (idValueNext) ids[ids.length - 1] = raw;
    idValueNext = false;
  };

  let at = 0;
  while (at < text.length) {
    const start = at;
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      at = endOfString(text, at);
      if (at - start - 2 > limits.string) note({ kind: 'string', limit: limits.string });
      const after = skipBlanks(text, at);
      if (text[after] === ':') {
        const key = keyOf(text.slice(start, at));
        if (key === PROTO) note({ kind: 'prototype-key' });
        idValueNext = depth === messageDepth && key === 'id';
        at = after + 1;
      } else {
        countValue();
        keepId(text.slice(start, at));
      }
    } else if (char === 0x7b || char === 0x5b) {
      countValue();
      // An object or array can not be an id; its marker text says so to whoever asks.
      keepId(char === 0x7b ? '{}' : '[]');
      depth += 1;
      if (depth > limits.depth) note({ kind: 'depth', limit: limits.depth });
      at += 1;
    } else if (char === 0x7d || char === 0x5d) {
      depth -= 1;
      at += 1;
    } else if (isWordStart(char)) {
      at = endOfWord(text, at);
      const word = text.slice(start, at);
      countValue();
      if (!idValueNext && isUnsafeInteger(word)) note({ kind: 'unsafe-integer' });
      keepId(word);
    } else {
      at += 1;
    }
  }
  return { misfit, ids };
}

// --- helpers ---

function endOfString(text: string, open: number): number {
  let at = open + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at += 1;
  return at;
}

function keyOf(raw: string): string {
  return raw.includes('\\') ? String(JSON.parse(raw)) : raw.slice(1, -1);
}

/** Digits, minus, and the letters that true, false and null begin with. */
function isWordStart(char: number): boolean {
  return (char >= 0x30 && char <= 0x39) || char === 0x2d || char === 0x74 || char === 0x66 || char === 0x6e;
}

function endOfWord(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && /[0-9a-zA-Z.+-]/.test(text.charAt(at))) at += 1;
  return at;
}

function isUnsafeInteger(word: string): boolean {
  return word.length > 15 && /^-?\d+$/.test(word) && !Number.isSafeInteger(Number(word));
}
