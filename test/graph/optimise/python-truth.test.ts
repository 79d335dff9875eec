/** What is folded is compared with Python itself, when there is one on the machine. */
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldExpression } from '#graph/optimise/fold-math.ts';
import { TEXT_FOLDS } from '#graph/optimise/fold-text.ts';
import { bool, int, printPython, type PythonValue, str } from '#graph/optimise/python-value.ts';

const TIMES = Number(process.env['CALLSHEET_TEST_RUNS'] ?? 1);
const python = ['python3', 'python'].find((name) => spawnSync(name, ['--version']).status === 0);
if (python === undefined) process.stderr.write('There is no Python here: what is folded is not compared with it.\n');

/** Runs one program over lines of JSON; each answer is a line of JSON. */
function run(program: string, lines: readonly string[]): readonly string[] {
  const options = { input: lines.join('\n'), encoding: 'utf8', maxBuffer: 1e9 } as const;
  const { stdout, stderr, status } = spawnSync(python ?? '', ['-W', 'ignore', '-c', program], options);
  if (status !== 0) throw new Error(stderr);
  return stdout.trimEnd().split('\n');
}

/** As ComfyUI's math node does it, but for the evaluator, which is Python's own. */
const MATH = `
import json, math, sys
NAMES = {"min": min, "max": max, "abs": abs, "round": round, "int": int, "float": float, "floor": math.floor, "ceil": math.ceil, "sqrt": math.sqrt}
for line in sys.stdin:
    given = json.loads(line)
    try:
        result = eval(given["expression"], {"__builtins__": {}}, {**NAMES, **given["names"]})
        print(json.dumps([float(result), int(result), bool(result)]))
    except Exception as error:
        print("null")
`;

const TEXT = `
import json, sys
def run(name, a):
    if name == "StringConcatenate": return a["delimiter"].join((a["string_a"], a["string_b"]))
    if name == "StringSubstring": return a["string"][a["start"]:a["end"]]
    if name == "StringLength": return len(a["string"])
    if name == "StringReplace": return a["string"].replace(a["find"], a["replace"])
    if name == "StringTrim": return {"Both": a["string"].strip, "Left": a["string"].lstrip, "Right": a["string"].rstrip}[a["mode"]]()
    if name == "CaseConverter": return {"UPPERCASE": a["string"].upper, "lowercase": a["string"].lower, "Capitalize": a["string"].capitalize, "Title Case": a["string"].title}[a["mode"]]()
    x, y = (a["string"], a["substring"]) if name == "StringContains" else (a["string_a"], a["string_b"])
    if not a["case_sensitive"]: x, y = x.lower(), y.lower()
    if name == "StringContains": return y in x
    return {"Equal": x == y, "Starts With": x.startswith(y), "Ends With": x.endswith(y)}[a["mode"]]
for line in sys.stdin:
    name, arguments = json.loads(line)
    print(json.dumps(run(name, arguments)))
`;

const number = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }).map(String),
  fc.bigInt({ min: 0n, max: 2n ** 64n }).map(String),
  fc
    .double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 })
    .map((value) => (Number.isInteger(value) ? `${value}.0` : String(value))),
  fc.constantFrom('0', '0.5', '1.5', '2.5', '-0.0', '1e3', 'a', 'b', 'c'),
);
const expression = fc.letrec<{ term: string }>((tie) => ({
  term: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    number,
    fc.tuple(tie('term'), fc.constantFrom('+', '-', '*', '/', '//', '%', '**'), tie('term')).map((parts) => `(${parts.join(' ')})`),
    fc.tuple(fc.constantFrom('-', '+'), tie('term')).map(([sign, term]) => `${sign}${term}`),
    fc
      .tuple(fc.constantFrom('abs', 'round', 'int', 'float', 'floor', 'ceil', 'sqrt'), tie('term'))
      .map(([name, term]) => `${name}(${term})`),
    fc.tuple(fc.constantFrom('min', 'max'), tie('term'), tie('term')).map(([name, a, b]) => `${name}(${a}, ${b})`),
    fc.tuple(tie('term'), fc.constantFrom('+', '-', '*', '/', '//', '%', '**'), tie('term')).map((parts) => parts.join(' ')),
  ),
})).term;

describe.skipIf(python === undefined)('arithmetic', () => {
  const names: Readonly<Record<string, PythonValue>> = { a: int(7n), b: { type: 'float', value: -2.5 }, c: int(9_007_199_254_740_993n) };

  it('is Python’s to the last bit, wherever it is folded (property)', () => {
    const samples = fc.sample(expression, {
      numRuns: 2000 * TIMES,
      seed: Number(process.env['CALLSHEET_SEED'] ?? Date.now() % 1_000_000),
    });
    // Python is asked about these alone: of the others some are powers that it would compute until tomorrow.
    const folded = samples.flatMap((text) => {
      const ours = foldExpression(text, (name) => names[name]);
      return ours === undefined ? [] : [{ text, ours }];
    });
    const lines = folded.map(({ text }) => `{"expression":${JSON.stringify(text)},"names":{"a":7,"b":-2.5,"c":9007199254740993}}`);
    const truths = run(MATH, lines);
    for (const [index, { text, ours }] of folded.entries()) {
      const told = `[${ours.map((value) => printPython(value)).join(',')}]`;
      expect(`${text} = ${canonical(told)}`).toBe(`${text} = ${canonical(truths[index] ?? '')}`);
    }
    expect(folded.length).toBeGreaterThan(samples.length / 5);
  });
});

/** Doubles in JavaScript's spelling, integers as they are. */
function canonical(text: string): string {
  return text
    .replaceAll(/-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/g, (raw) =>
      /^-?\d+$/.test(raw) ? raw : `${String(Number(raw))}${Object.is(Number(raw), -0) ? ' below' : ''}f`,
    )
    .replaceAll(' ', '');
}

describe('arithmetic that is not folded', () => {
  it.each([
    '2 ** 0.5',
    'sin(1)',
    'a if a else b',
    '1 / 0',
    '0o7',
    '012',
    '1_000',
    'd',
    'a.b',
    'min(a)',
    '(a',
    'a b',
    '',
    '9007199254740993 / 3',
    '1e400',
    '__import__("os")',
  ])('%s', (text) => expect(foldExpression(text, (name) => ({ a: int(7n), b: int(2n) })[name])).toBeUndefined());
});

const word = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', ' ', '\u00a0x\u3000', "they're HERE", 'ß', '\u0085', '\u180e', '\ufeff'),
);
const place = fc.integer({ min: -8, max: 8 });
const flag = fc.boolean();
type Call = Readonly<Record<string, string | number | boolean>>;
const CALLS: Readonly<Record<string, fc.Arbitrary<Call>>> = {
  StringConcatenate: fc.record({ string_a: word, string_b: word, delimiter: word }),
  StringSubstring: fc.record({ string: word, start: place, end: place }),
  StringLength: fc.record({ string: word }),
  StringReplace: fc.record({ string: word, find: fc.constantFrom('a', 'e', ' ', 'ab', ''), replace: word }),
  StringTrim: fc.record({ string: word, mode: fc.constantFrom('Both', 'Left', 'Right') }),
  CaseConverter: fc.record({ string: word, mode: fc.constantFrom('UPPERCASE', 'lowercase', 'Capitalize', 'Title Case') }),
  StringContains: fc.record({ string: word, substring: fc.constantFrom('', 'a', 'E', ' '), case_sensitive: flag }),
  StringCompare: fc.record({
    string_a: word,
    string_b: fc.constantFrom('', 'a', 'THEY'),
    mode: fc.constantFrom('Equal', 'Starts With', 'Ends With'),
    case_sensitive: flag,
  }),
};

const asPython = (value: string | number | boolean): PythonValue =>
  typeof value === 'string' ? str(value) : typeof value === 'number' ? int(BigInt(value)) : bool(value);

describe.skipIf(python === undefined)('texts', () => {
  it('have a truth for every node that is folded', () => expect([...TEXT_FOLDS.keys()].toSorted()).toEqual(Object.keys(CALLS).toSorted()));

  it.each(Object.keys(CALLS))('%s is Python’s, wherever it is folded (property)', (name) => {
    const samples = fc.sample(CALLS[name] ?? fc.constant<Call>({}), { numRuns: 400 * TIMES });
    const truths = run(
      TEXT,
      samples.map((sample) => JSON.stringify([name, sample])),
    );
    let folded = 0;
    for (const [index, sample] of samples.entries()) {
      const [ours] = TEXT_FOLDS.get(name)?.((input) => (input in sample ? asPython(sample[input] ?? '') : undefined)) ?? [];
      if (ours === undefined) continue;
      folded += 1;
      const told = ours.type === 'int' ? Number(ours.value) : ours.value;
      expect([sample, told]).toEqual([sample, JSON.parse(truths[index] ?? '')]);
    }
    expect(folded).toBeGreaterThan(samples.length / 5);
  });
});
