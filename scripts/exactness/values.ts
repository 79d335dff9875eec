/** Values of every parameter type, the awkward ones first: how a client gives them, what the graph must hold, how they read within a text. */
import type { ParameterDefinition } from '#templates/types.ts';
import type { Random } from '../mutations/random.ts';
import type { Exact } from './reader.ts';

export interface Sample {
  readonly definition: ParameterDefinition;
  /** JSON text, as it stands in a client's message. */
  readonly given: string;
  readonly expected: Exact;
  /** Undefined for what cannot stand within a longer text. */
  readonly within: string | undefined;
}

const TEXTS: readonly string[] = [
  '',
  ' ',
  'null',
  '1e5',
  '{seed}',
  '{{prompt}}',
  '{a|b}, {day|night}, {p0}, {p1 ?? p2|slug}',
  '}}{{',
  '{',
  '"quoted" and \\back\\slashed\\',
  '["4", 0]',
  '{"__value__": [1]}',
  '__proto__',
  'line\nline\r\n\ttab',
  'Ünïcödé 漢字 𝄞 👩‍🎨 \u202Eright to left',
  '\u0000\u0007\u001F\u007F\u2028\u2029\uFEFF',
  'one half \uD834',
  '\uDD1E other half',
  '$& $1 $$ %date:yyyy% %s \\u0041',
  '#ff00aa',
  'a/b\\c',
  'long '.repeat(20_000),
];

const INTEGERS: readonly bigint[] = [
  0n,
  1n,
  -1n,
  2n ** 31n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
  -(2n ** 53n) + 1n,
  -(2n ** 53n) - 1n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
  -(2n ** 63n),
];

const NUMBERS: readonly number[] = [
  0,
  0.1,
  0.1 + 0.2,
  -0.5,
  1e-7,
  1.5e300,
  5e-324,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  2 ** 53,
  2 ** 53 + 2,
  1e20,
  1e21,
  1e22,
  123456789.125,
  7,
];

/** A double within ±2^53 without a fraction is printed as a whole number, which is the same value to Python's JSON and to ComfyUI. */
const double = (value: number): Exact => (Number.isSafeInteger(value) ? BigInt(value) : { double: value });
/** Beyond ±(2^53−1) as a decimal string, as DESIGN and TP5 have it; within, both spellings are right. */
const wire = (value: bigint, random: Random): string =>
  Number.isSafeInteger(Number(value)) && random.below(2) === 0 ? String(value) : `"${value}"`;

function integer(random: Random): bigint {
  const drawn = (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32));
  return random.pick([random.pick(INTEGERS) ?? 0n, drawn, BigInt.asIntN(64, drawn)]) ?? 0n;
}

function number(random: Random): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, random.below(2 ** 32));
  view.setUint32(4, random.below(2 ** 32));
  const drawn = view.getFloat64(0);
  return random.below(2) === 0 && Number.isFinite(drawn) ? drawn : (random.pick(NUMBERS) ?? 0);
}

function text(random: Random): string {
  const parts = Array.from({ length: 1 + random.below(4) }, () => random.pick(TEXTS.slice(0, -1)) ?? '');
  return random.below(3) === 0 ? parts.join('') : (random.pick(TEXTS) ?? '');
}

const scalar = (definition: ParameterDefinition, given: string, expected: Exact, within: string): Sample => {
  return { definition, given, expected, within };
};

const short = (random: Random): string => text(random).slice(0, 9000);
const named = (random: Random): string => `x${text(random).slice(0, 1000)}`;

const MAKERS = {
  text: (random) => {
    const value = text(random);
    return scalar({ type: 'text' }, JSON.stringify(value), value, value);
  },
  string: (random) => {
    const value = short(random);
    return scalar({ type: 'string' }, JSON.stringify(value), value, value);
  },
  model: (random) => {
    const value = named(random);
    return scalar({ type: 'model', folder: 'loras' }, JSON.stringify(value), value, value);
  },
  image: (random) => {
    const value = named(random);
    return scalar({ type: 'image' }, JSON.stringify(value), `up/${value}`, `up/${value}`);
  },
  choice: (random) => {
    const choices = ['', 'a b', '{p0}', '1', 2, 2.5, 'é'];
    const value = random.pick(choices) ?? '';
    const expected = typeof value === 'string' ? value : double(value);
    return scalar({ type: 'choice', choices }, JSON.stringify(value), expected, String(value));
  },
  color: (random) => {
    const value = random
      .below(2 ** 24)
      .toString(16)
      .padStart(6, '0');
    return scalar({ type: 'color' }, JSON.stringify(`#${value.toUpperCase()}`), `#${value}`, `#${value}`);
  },
  integer: (random) => {
    const value = integer(random);
    return scalar({ type: 'integer' }, wire(value, random), value, String(value));
  },
  seed: (random) => {
    const value = BigInt.asUintN(64, integer(random));
    return scalar({ type: 'seed' }, wire(value, random), value, String(value));
  },
  number: (random) => {
    const value = number(random) + 0;
    return scalar({ type: 'number' }, JSON.stringify(value), double(value), String(value));
  },
  boolean: (random) => {
    const value = random.below(2) === 0;
    return scalar({ type: 'boolean' }, String(value), value, String(value));
  },
  vector: (random) => {
    const value = Array.from({ length: 2 + random.below(3) }, () => number(random) + 0);
    const definition: ParameterDefinition = { type: 'vector', size: value.length };
    return { definition, given: JSON.stringify(value), expected: { __value__: value.map(double) }, within: undefined };
  },
  texts: (random) => {
    const value = Array.from({ length: 1 + random.below(4) }, () => short(random));
    return { definition: { type: 'list', of: 'text' }, given: JSON.stringify(value), expected: { __value__: value }, within: undefined };
  },
  integers: (random) => {
    const value = Array.from({ length: 1 + random.below(4) }, () => integer(random));
    const given = `[${value.map((item) => wire(item, random)).join(',')}]`;
    return { definition: { type: 'list', of: 'integer' }, given, expected: { __value__: value }, within: undefined };
  },
  /** Some of them would be links (TI12). */
  choices: (random) => {
    const choices = ['4', 0];
    const value = Array.from({ length: 2 }, () => random.pick(choices) ?? 0);
    const exact = value.map((item): Exact => (typeof item === 'number' ? BigInt(item) : item));
    const definition: ParameterDefinition = { type: 'list', of: 'choice', choices };
    return { definition, given: JSON.stringify(value), expected: { __value__: exact }, within: undefined };
  },
} satisfies Readonly<Record<string, (random: Random) => Sample>>;

const NUMERIC = ['integer', 'seed', 'number', 'boolean'] as const;
const EVERY = Object.keys(MAKERS) as readonly (keyof typeof MAKERS)[];

/** Texts and lists do not go where the workflow holds a number, true or false (TI18). */
export function sampleFor(current: 'number' | 'boolean' | 'other', random: Random): Sample {
  const kind = current === 'other' ? random.pick(EVERY) : random.pick(NUMERIC);
  return MAKERS[kind ?? 'integer'](random);
}

/** A colour where the workflow holds a number goes in as one (TI14). */
export function colorSample(random: Random): Sample {
  const value = random.below(2 ** 24);
  const given = JSON.stringify(`#${value.toString(16).padStart(6, '0')}`);
  return { definition: { type: 'color' }, given, expected: BigInt(value), within: undefined };
}
