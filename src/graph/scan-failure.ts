/** What went wrong where a text stops being JSON, in words: one function per place in the grammar. */

/** Thrown by the scanner only, caught by parseJson. */
export class ScanFailure extends Error {
  readonly offset: number;
  readonly hint: string;
  readonly tooDeep: boolean;

  constructor(message: string, offset: number, hint: string, tooDeep = false) {
    super(message);
    this.offset = offset;
    this.hint = hint;
    this.tooDeep = tooDeep;
  }
}

const TRUNCATED = 'The file was probably cut short or is still being written. Save or export it again.';

/** The thing at an offset, as a person would call it. */
export function found(text: string, at: number): string {
  if (at >= text.length) return 'the end of the file';
  const word = /^[\w.$+-]+/.exec(text.slice(at, at + 24))?.[0];
  if (word !== undefined) return `"${word}"`;
  const c = text.codePointAt(at) ?? 0;
  if (c === 34) return 'a string';
  if (c < 32 || c === 127 || (c >= 0xd8_00 && c <= 0xdf_ff)) return `the character U+${c.toString(16).toUpperCase().padStart(4, '0')}`;
  return `"${String.fromCodePoint(c)}"`;
}

function placeOf(text: string, offset: number): string {
  let line = 1;
  let start = 0;
  for (let i = text.indexOf('\n'); i >= 0 && i < offset; i = text.indexOf('\n', i + 1)) {
    line++;
    start = i + 1;
  }
  return `line ${line}, column ${offset - start + 1}`;
}

/** A comment, or undefined. JSON has none, but people write them. */
function comment(text: string, at: number): ScanFailure | undefined {
  if (!text.startsWith('//', at) && !text.startsWith('/*', at) && text.charAt(at) !== '#') return undefined;
  return new ScanFailure('JSON has no comments.', at, 'Remove the comment.');
}

export function keyFailure(text: string, at: number, commaAt: number | undefined, open: number): ScanFailure {
  const c = text.charAt(at);
  if (c === '')
    return new ScanFailure('The file ends inside an object.', at, `The "{" at ${placeOf(text, open)} is never closed. ${TRUNCATED}`);
  if (c === '}' && commaAt !== undefined) return trailingComma(commaAt, '}');
  const noted = comment(text, at);
  if (noted !== undefined) return noted;
  if (c === ',') return new ScanFailure('There is a comma too many.', at, 'Remove the comma.');
  if (c === "'") return new ScanFailure('A key is in single quotes.', at, 'JSON wants double quotes: "key".');
  if (/[\w$]/.test(c)) return new ScanFailure(`The key ${found(text, at)} is not in quotes.`, at, 'Put the key in double quotes.');
  return new ScanFailure(`A key in double quotes was expected, but ${found(text, at)} was found.`, at, 'Write "key": value.');
}

export function trailingComma(commaAt: number, close: string): ScanFailure {
  return new ScanFailure(`There is a comma before "${close}".`, commaAt, 'Remove the comma, or add what should follow it.');
}

export function colonFailure(text: string, at: number, key: string): ScanFailure {
  if (at >= text.length) return new ScanFailure(`The file ends after the key "${key}".`, at, TRUNCATED);
  return new ScanFailure(`A ":" was expected after the key "${key}", but ${found(text, at)} was found.`, at, `Write "${key}": value.`);
}

export function separatorFailure(text: string, at: number, close: string, valueEnd: number, open: number): ScanFailure {
  const opener = close === '}' ? '{' : '[';
  const c = text.charAt(at);
  if (c === '') {
    const where = `The "${opener}" at ${placeOf(text, open)} is never closed.`;
    return new ScanFailure(`The file ends inside ${close === '}' ? 'an object' : 'a list'}.`, at, `${where} ${TRUNCATED}`);
  }
  const noted = comment(text, at);
  if (noted !== undefined) return noted;
  if (c === '"' || c === '{' || c === '[' || /[\w-]/.test(c)) {
    return new ScanFailure(
      `A comma is missing before ${found(text, at)}.`,
      at,
      `Add a comma after the value that ends at ${placeOf(text, valueEnd)}.`,
    );
  }
  return new ScanFailure(
    `A "," or "${close}" was expected, but ${found(text, at)} was found.`,
    at,
    `The "${opener}" at ${placeOf(text, open)} has to be closed by "${close}".`,
  );
}

export function valueFailure(text: string, at: number): ScanFailure {
  const c = text.charAt(at);
  if (c === '') return new ScanFailure('The file ends where a value was expected.', at, TRUNCATED);
  const noted = comment(text, at);
  if (noted !== undefined) return noted;
  const python = /^(True|False|None)\b/.exec(text.slice(at, at + 6))?.[1];
  if (python !== undefined) {
    const json = { True: 'true', False: 'false', None: 'null' }[python] ?? '';
    return new ScanFailure(`${python} is Python, not JSON.`, at, `Write ${json}.`);
  }
  if (c === "'") return new ScanFailure('A text is in single quotes.', at, 'JSON wants double quotes: "text".');
  if (c === '+' || c === '.')
    return new ScanFailure(`A number may not begin with "${c}".`, at, 'Write 0.5 instead of .5, and 1 instead of +1.');
  if (c === ',' || c === '}' || c === ']')
    return new ScanFailure(`A value is missing before "${c}".`, at, 'Add the value, or remove its key and comma.');
  if (c === '<')
    return new ScanFailure(
      'This looks like HTML or XML, not JSON.',
      at,
      'Perhaps an error page was saved in place of the file. Export the workflow again.',
    );
  return new ScanFailure(
    `A value was expected, but ${found(text, at)} was found.`,
    at,
    'Put text in double quotes; other values are numbers, true, false and null.',
  );
}

export function stringFailure(text: string, start: number, at: number): ScanFailure {
  if (at >= text.length)
    return new ScanFailure('A text that begins here is never closed.', start, `Add the closing double quote. ${TRUNCATED}`);
  const c = text.charCodeAt(at);
  if (c === 10 || c === 13) {
    return new ScanFailure('A line ends inside a text.', at, 'Add the closing double quote, or write the line break as \\n.');
  }
  const hex = c.toString(16).padStart(4, '0');
  const spelled = c === 9 ? '\\t' : `\\u${hex}`;
  return new ScanFailure(`A text holds the control character U+${hex.toUpperCase()}.`, at, `Write it as ${spelled}.`);
}

export function escapeFailure(text: string, at: number): ScanFailure {
  const letter = text.charAt(at + 1);
  if (letter === 'u') return new ScanFailure('A \\u escape needs four hexadecimal digits.', at, 'Write it like \\u00e9.');
  return new ScanFailure(
    `\\${letter} is not an escape that JSON knows.`,
    at,
    'Write a backslash as \\\\, also in Windows paths, and a quote as \\".',
  );
}

export function numberFailure(text: string, start: number, at: number): ScanFailure {
  const word = /^[\w.+-]+/.exec(text.slice(start, start + 24))?.[0] ?? '';
  if (/^-?0\d/.test(word))
    return new ScanFailure(
      `The number ${word} begins with a zero too many.`,
      start,
      'Remove the leading zeros, or put the value in quotes.',
    );
  if (/^-?\d+\.(?!\d)/.test(word))
    return new ScanFailure(`The number ${word} has no digit after its point.`, start, 'Write 1.0, not "1.".');
  if (at >= text.length) return new ScanFailure('The file ends inside a number.', at, TRUNCATED);
  return new ScanFailure(
    `${word === '' ? found(text, at) : word} is not a number.`,
    start,
    'Write numbers in decimal digits, such as -1, 0.5 or 1e-5; put text in double quotes.',
  );
}

/** CPython's json refuses longer integers (sys.int_info.default_max_str_digits), so no ComfyUI server can read them. */
export const MAX_DIGITS = 4300;

export function digitsFailure(start: number): ScanFailure {
  return new ScanFailure(
    `A number has more than ${MAX_DIGITS} digits.`,
    start,
    'Python refuses such integers, and so does every ComfyUI server. Shorten it.',
  );
}

export function depthFailure(maxDepth: number, at: number): ScanFailure {
  return new ScanFailure(
    `The JSON is nested more than ${maxDepth} levels deep.`,
    at,
    'No workflow needs this depth: the file is damaged, or was made to exhaust memory.',
    true,
  );
}
