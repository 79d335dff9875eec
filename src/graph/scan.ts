/** The scanner behind parseJson: strict JSON plus Python's bare NaN and infinities, as a tree with places. */
import {
  colonFailure,
  depthFailure,
  digitsFailure,
  escapeFailure,
  found,
  keyFailure,
  MAX_DIGITS,
  numberFailure,
  ScanFailure,
  separatorFailure,
  stringFailure,
  trailingComma,
  valueFailure,
} from './scan-failure.ts';
import type { JsonArray, JsonMember, JsonNode, JsonNumber, JsonObject, JsonString } from './types.ts';

const QUOTE = 34;
const PLUS = 43;
const COMMA = 44;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const UPPER_E = 69;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const LOWER_E = 101;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

const ESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const HEX = /^[0-9a-fA-F]{4}$/;

/** One use per text. `document` throws ScanFailure; `onObject` sees every object once it is complete, inner before outer. */
export class Scanner {
  private readonly text: string;
  private readonly maxDepth: number;
  private readonly onObject: (object: JsonObject) => void;
  private at: number;
  private depth = 0;

  constructor(text: string, maxDepth: number, onObject: (object: JsonObject) => void) {
    this.text = text;
    this.maxDepth = maxDepth;
    this.onObject = onObject;
    this.at = text.charCodeAt(0) === 0xfe_ff ? 1 : 0;
  }

  document(): JsonNode {
    this.space();
    if (this.at >= this.text.length) throw new ScanFailure('The file is empty.', 0, 'Write or export the file again.');
    const root = this.value();
    this.space();
    if (this.at < this.text.length) {
      const closer = /[\]}]/.test(this.text.charAt(this.at));
      throw new ScanFailure(
        `The JSON is complete, but ${found(this.text, this.at)} follows it.`,
        this.at,
        closer ? 'There is a closing bracket too many, here or earlier.' : 'Remove what follows the JSON. A file holds one value only.',
      );
    }
    return root;
  }

  private space(): void {
    const text = this.text;
    let i = this.at;
    for (;;) {
      const c = text.charCodeAt(i);
      if (c !== 32 && c !== 10 && c !== 13 && c !== 9) break;
      i++;
    }
    this.at = i;
  }

  private value(): JsonNode {
    const c = this.text.charCodeAt(this.at);
    if (c === QUOTE) return this.string();
    if (c === OPEN_BRACE) return this.object();
    if (c === OPEN_BRACKET) return this.array();
    if (c === MINUS || (c >= ZERO && c <= NINE)) return this.number();
    return this.word();
  }

  private object(): JsonObject {
    const text = this.text;
    const start = this.at++;
    if (++this.depth > this.maxDepth) throw depthFailure(this.maxDepth, start);
    const members: JsonMember[] = [];
    let comma: number | undefined;
    this.space();
    if (text.charCodeAt(this.at) !== CLOSE_BRACE) {
      for (;;) {
        if (text.charCodeAt(this.at) !== QUOTE) throw keyFailure(text, this.at, comma, start);
        const key = this.string();
        this.space();
        if (text.charCodeAt(this.at) !== COLON) throw colonFailure(text, this.at, key.value);
        this.at++;
        this.space();
        const value = this.value();
        members.push({ key, value });
        this.space();
        const c = text.charCodeAt(this.at);
        if (c === CLOSE_BRACE) break;
        if (c !== COMMA) throw separatorFailure(text, this.at, '}', value.end, start);
        comma = this.at++;
        this.space();
      }
    }
    this.at++;
    this.depth--;
    const object: JsonObject = { kind: 'object', start, end: this.at, members };
    this.onObject(object);
    return object;
  }

  private array(): JsonArray {
    const text = this.text;
    const start = this.at++;
    if (++this.depth > this.maxDepth) throw depthFailure(this.maxDepth, start);
    const items: JsonNode[] = [];
    let comma = start;
    this.space();
    if (text.charCodeAt(this.at) !== CLOSE_BRACKET) {
      for (;;) {
        if (comma !== start && text.charCodeAt(this.at) === CLOSE_BRACKET) throw trailingComma(comma, ']');
        const item = this.value();
        items.push(item);
        this.space();
        const c = text.charCodeAt(this.at);
        if (c === CLOSE_BRACKET) break;
        if (c !== COMMA) throw separatorFailure(text, this.at, ']', item.end, start);
        comma = this.at++;
        this.space();
      }
    }
    this.at++;
    this.depth--;
    return { kind: 'array', start, end: this.at, items };
  }

  private string(): JsonString {
    const text = this.text;
    const start = this.at;
    let i = start + 1;
    for (;;) {
      const c = text.charCodeAt(i);
      if (c === QUOTE) break;
      if (c === BACKSLASH) return this.escapedString(start, i);
      // Written so that NaN, which is what charCodeAt gives past the end, fails as well.
      if (!(c >= 32)) throw stringFailure(text, start, i);
      i++;
    }
    this.at = i + 1;
    return { kind: 'string', start, end: i + 1, value: text.slice(start + 1, i) };
  }

  private escapedString(start: number, firstEscape: number): JsonString {
    const text = this.text;
    let value = '';
    let from = start + 1;
    let i = firstEscape;
    for (;;) {
      const c = text.charCodeAt(i);
      if (c === QUOTE) break;
      if (c === BACKSLASH) {
        const letter = text.charAt(i + 1);
        const plain = ESCAPES[letter];
        value += text.slice(from, i);
        if (plain !== undefined) {
          value += plain;
          i += 2;
        } else if (letter === 'u' && HEX.test(text.slice(i + 2, i + 6))) {
          value += String.fromCharCode(Number.parseInt(text.slice(i + 2, i + 6), 16));
          i += 6;
        } else if (letter === '') throw stringFailure(text, start, i + 1);
        else throw escapeFailure(text, i);
        from = i;
      } else if (c >= 32) i++;
      else throw stringFailure(text, start, i);
    }
    this.at = i + 1;
    return { kind: 'string', start, end: i + 1, value: value + text.slice(from, i) };
  }

  private number(): JsonNumber {
    const text = this.text;
    const start = this.at;
    let i = start;
    let c = text.charCodeAt(i);
    if (c === MINUS) {
      c = text.charCodeAt(++i);
      if (text.startsWith('Infinity', i)) return this.finishNumber(start, i + 8);
    }
    const digits = i;
    while (c >= ZERO && c <= NINE) c = text.charCodeAt(++i);
    if (i === digits || (i - digits > 1 && text.charCodeAt(digits) === ZERO)) throw numberFailure(text, start, i);
    if (i - digits > MAX_DIGITS) throw digitsFailure(start);
    if (c === DOT) {
      const point = i;
      c = text.charCodeAt(++i);
      while (c >= ZERO && c <= NINE) c = text.charCodeAt(++i);
      if (i === point + 1) throw numberFailure(text, start, i);
    }
    if (c === LOWER_E || c === UPPER_E) {
      c = text.charCodeAt(++i);
      if (c === PLUS || c === MINUS) c = text.charCodeAt(++i);
      const exponent = i;
      while (c >= ZERO && c <= NINE) c = text.charCodeAt(++i);
      if (i === exponent) throw numberFailure(text, start, i);
    }
    return this.finishNumber(start, i);
  }

  private finishNumber(start: number, end: number): JsonNumber {
    if (isWordPart(this.text.charCodeAt(end))) throw numberFailure(this.text, start, end);
    this.at = end;
    return { kind: 'number', start, end, raw: this.text.slice(start, end) };
  }

  private word(): JsonNode {
    const text = this.text;
    const start = this.at;
    const node = wordAt(text, start);
    if (node === undefined || isWordPart(text.charCodeAt(node.end))) throw valueFailure(text, start);
    this.at = node.end;
    return node;
  }
}

function wordAt(text: string, start: number): JsonNode | undefined {
  if (text.startsWith('true', start)) return { kind: 'boolean', start, end: start + 4, value: true };
  if (text.startsWith('false', start)) return { kind: 'boolean', start, end: start + 5, value: false };
  if (text.startsWith('null', start)) return { kind: 'null', start, end: start + 4 };
  if (text.startsWith('NaN', start)) return { kind: 'number', start, end: start + 3, raw: 'NaN' };
  if (text.startsWith('Infinity', start)) return { kind: 'number', start, end: start + 8, raw: 'Infinity' };
  return undefined;
}

/** Letters, digits, `_`, `.`, `$`: glued to a value they make it another word, as in `12abc`, `0x1F`, `1.2.3`, `nullable`. */
function isWordPart(c: number): boolean {
  return (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || (c >= ZERO && c <= NINE) || c === 95 || c === DOT || c === 36;
}
