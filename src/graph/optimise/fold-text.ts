/** What ComfyUI's text nodes (`nodes_string.py`) make of texts that are known, exactly as Python does; undefined where that is not certain. */
import { bool, int, type PythonValue, str } from './python-value.ts';

export type Arguments = (name: string) => PythonValue | undefined;
export type Fold = (argument: Arguments) => readonly (PythonValue | undefined)[];

/** Python's str.isspace(), which str.strip() goes by. */
const SPACE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+';
const LEFT = new RegExp(`^${SPACE}`);
const RIGHT = new RegExp(`${SPACE}$`);

export const TEXT_FOLDS: ReadonlyMap<string, Fold> = new Map<string, Fold>([
  [
    'StringConcatenate',
    (argument) => {
      const [a, b, delimiter] = ['string_a', 'string_b', 'delimiter'].map((name) => text(argument(name)));
      return [a === undefined || b === undefined || delimiter === undefined ? undefined : str(a + delimiter + b)];
    },
  ],
  [
    'StringSubstring',
    (argument) => {
      const [whole, start, end] = [text(argument('string')), whole64(argument('start')), whole64(argument('end'))];
      // Python counts code points, and a negative place from the end, as Array.slice does.
      return [
        whole === undefined || start === undefined || end === undefined ? undefined : str(Array.from(whole).slice(start, end).join('')),
      ];
    },
  ],
  [
    'StringLength',
    (argument) => {
      const whole = text(argument('string'));
      return [whole === undefined ? undefined : int(BigInt(Array.from(whole).length))];
    },
  ],
  [
    'StringTrim',
    (argument) => {
      const [whole, mode] = [text(argument('string')), text(argument('mode'))];
      if (whole === undefined) return [undefined];
      const left = mode === 'Both' || mode === 'Left' ? whole.replace(LEFT, '') : whole;
      return [str(mode === 'Both' || mode === 'Right' ? left.replace(RIGHT, '') : left)];
    },
  ],
  [
    'StringReplace',
    (argument) => {
      const [whole, find, replace] = ['string', 'find', 'replace'].map((name) => text(argument(name)));
      // An empty text is found between all others.
      return [
        whole === undefined || find === undefined || find === '' || replace === undefined
          ? undefined
          : str(whole.split(find).join(replace)),
      ];
    },
  ],
  ['CaseConverter', (argument) => [cased(text(argument('string')), text(argument('mode')))]],
  [
    'StringContains',
    (argument) => {
      const [whole, part] = folded([text(argument('string')), text(argument('substring'))], argument('case_sensitive'));
      return [whole === undefined || part === undefined ? undefined : bool(whole.includes(part))];
    },
  ],
  [
    'StringCompare',
    (argument) => {
      const [a, b] = folded([text(argument('string_a')), text(argument('string_b'))], argument('case_sensitive'));
      const mode = text(argument('mode'));
      if (a === undefined || b === undefined) return [undefined];
      if (mode === 'Equal') return [bool(a === b)];
      if (mode === 'Starts With') return [bool(a.startsWith(b))];
      return [mode === 'Ends With' ? bool(a.endsWith(b)) : undefined];
    },
  ],
]);

// --- helpers ---

/** Lone surrogates count as code points in both languages, but only here does one join its half when texts are put together. */
function text(value: PythonValue | undefined): string | undefined {
  return value?.type === 'str' && value.value.isWellFormed() ? value.value : undefined;
}

function whole64(value: PythonValue | undefined): number | undefined {
  return value?.type === 'int' ? Number(value.value) : undefined;
}

/** Both languages follow Unicode, but not always the same edition of it: only ASCII is certain. */
function isAscii(value: string): boolean {
  return !/[\u0080-\uffff]/.test(value);
}

function folded(texts: readonly (string | undefined)[], sensitive: PythonValue | undefined): readonly (string | undefined)[] {
  if (sensitive?.type !== 'bool') return [];
  if (sensitive.value) return texts;
  return texts.map((value) => (value === undefined || !isAscii(value) ? undefined : value.toLowerCase()));
}

function cased(value: string | undefined, mode: string | undefined): PythonValue | undefined {
  if (value === undefined || !isAscii(value)) return undefined;
  switch (mode) {
    case 'UPPERCASE':
      return str(value.toUpperCase());
    case 'lowercase':
      return str(value.toLowerCase());
    case 'Capitalize':
      return str(value.slice(0, 1).toUpperCase() + value.slice(1).toLowerCase());
    case 'Title Case':
      return str(value.toLowerCase().replace(/[a-z]+/g, (word) => word.slice(0, 1).toUpperCase() + word.slice(1)));
    default:
      return undefined;
  }
}
