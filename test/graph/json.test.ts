/** Exact JSON: what is accepted, and that everything else gives one clear problem with its place. */
import { describe, expect, it } from 'vitest';
import { createLineIndex, member, parseJson, pointerOf, pointerTo, positionOf } from '#graph/json.ts';
import { formatProblem } from '#protocol/problem.ts';

const only = (text: string) => {
  const { root, problems } = parseJson(text, { file: 'x.json' });
  expect(root).toBeUndefined();
  expect(problems).toHaveLength(1);
  return problems[0];
};

describe('a text that is JSON', () => {
  it('gives each value with its span in the text', () => {
    const text = ' {"a": [1, "x"]}\n';
    const { root, problems } = parseJson(text);
    expect(problems).toEqual([]);
    expect(root).toMatchObject({ kind: 'object', start: 1, end: 16 });
    const list = member(root, 'a');
    expect(list).toMatchObject({
      kind: 'array',
      start: 7,
      end: 15,
      items: [
        { kind: 'number', raw: '1' },
        { kind: 'string', value: 'x' },
      ],
    });
  });

  it('keeps the spelling of numbers', () => {
    const spellings = ['18446744073709551615', '8.0', '-0', '1e-5', '1E+2', '0.10', '-12.5e3'];
    const { root } = parseJson(`[${spellings.join(',')}]`);
    expect(root?.kind === 'array' && root.items.map((item) => item.kind === 'number' && item.raw)).toEqual(spellings);
  });

  it("takes Python's bare NaN and infinities", () => {
    const { root, problems } = parseJson('{"is_changed": [NaN, Infinity, -Infinity]}');
    expect(problems).toEqual([]);
    expect(member(root, 'is_changed')).toMatchObject({ items: [{ raw: 'NaN' }, { raw: 'Infinity' }, { raw: '-Infinity' }] });
  });

  it('decodes every escape', () => {
    const text = String.raw`"\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00\ud800"`;
    expect(parseJson(text).root).toMatchObject({ value: JSON.parse(text) });
  });

  it('tolerates a byte order mark and does not count it as a column', () => {
    expect(parseJson('\uFEFF{}').problems).toEqual([]);
    expect(only('\uFEFF{,}')).toMatchObject({ line: 1, column: 2 });
  });

  it('reads a file of 200 nested levels, as nested subgraphs may have', () => {
    expect(parseJson('['.repeat(200) + ']'.repeat(200)).problems).toEqual([]);
  });
});

describe('a text that is not JSON', () => {
  const cases: [title: string, text: string, line: number, column: number, message: RegExp, hint: RegExp][] = [
    ['a missing comma between members', '{\n  "a": 1\n  "b": 2\n}', 3, 3, /comma is missing/, /line 2, column 9/],
    ['a missing comma between items', '[1 2]', 1, 4, /comma is missing/, /line 1, column 3/],
    ['a trailing comma in an object', '{"a": 1,\n}', 1, 8, /comma before "}"/, /Remove/],
    ['a trailing comma in a list', '[1, 2, ]', 1, 6, /comma before "]"/, /Remove/],
    ['two commas', '{"a": 1,, "b": 2}', 1, 9, /comma too many/, /Remove/],
    ['a missing colon', '{"a" 1}', 1, 6, /":" was expected after the key "a"/, /"a": value/],
    ['a missing value', '{"a": }', 1, 7, /value is missing/, /Add the value/],
    ['a key without quotes', '{a: 1}', 1, 2, /key "a" is not in quotes/, /double quotes/],
    ['a key in single quotes', "{'a': 1}", 1, 2, /single quotes/, /double quotes/],
    ['a text in single quotes', "['a']", 1, 2, /single quotes/, /double quotes/],
    ['a line comment', '{\n// note\n"a": 1}', 2, 1, /no comments/, /Remove/],
    ['a block comment after a value', '[1 /* x */]', 1, 4, /no comments/, /Remove/],
    ['a Python True', '{"a": True}', 1, 7, /True is Python/, /true/],
    ['a Python None', '[None]', 1, 2, /None is Python/, /null/],
    ['a leading zero', '[012]', 1, 2, /zero too many/, /leading zeros/],
    ['a number that ends in a point', '[1.]', 1, 2, /no digit after its point/, /1\.0/],
    ['a number that begins with a point', '[.5]', 1, 2, /may not begin with "\."/, /0\.5/],
    ['a number with a plus', '[+5]', 1, 2, /may not begin with "\+"/, /1 instead/],
    ['a hexadecimal number', '[0x1F]', 1, 2, /0x1F is not a number/, /decimal/],
    ['an exponent without digits', '[1e]', 1, 2, /1e is not a number/, /1e-5/],
    ['a lone minus', '[-]', 1, 2, /not a number/, /decimal/],
    ['a bare word', '[hello]', 1, 2, /"hello" was found/, /double quotes/],
    ['a word glued to a constant', '[nullable]', 1, 2, /"nullable" was found/, /double quotes/],
    ['a line break in a text', '{"a": "x\ny"}', 1, 9, /line ends inside a text/, /\\n/],
    ['a tab in a text', '["a\tb"]', 1, 4, /U\+0009/, /\\t/],
    ['a Windows path with single backslashes', String.raw`["C:\pics"]`, 1, 5, /\\p is not an escape/, /Windows paths/],
    ['a broken \\u escape', String.raw`["\u12g4"]`, 1, 3, /four hexadecimal digits/, /u00e9/],
    ['an unterminated text', '{"a": "xyz', 1, 7, /never closed/, /closing double quote/],
    ['a file cut short in an object', '{\n"a": {"b": 1', 2, 13, /ends inside an object/, /line 2, column 6 is never closed.*cut short/],
    ['a file cut short in a list', '[1, 2', 1, 6, /ends inside a list/, /line 1, column 1 is never closed/],
    ['a file cut short after a key', '{"a"', 1, 5, /ends after the key "a"/, /cut short/],
    ['a file cut short after a colon', '{"a":', 1, 6, /ends where a value was expected/, /cut short/],
    ['a wrong bracket', '{"a": [1, 2}', 1, 12, /"," or "\]" was expected/, /line 1, column 7/],
    ['a bracket too many', '{"a": 1}}', 1, 9, /"}" follows/, /closing bracket too many/],
    ['a second value', '{}\n{}', 2, 1, /follows it/, /one value only/],
    ['an empty file', '', 1, 1, /empty/, /export/],
    ['a file of white space', ' \n', 1, 1, /empty/, /export/],
    ['an HTML page', '<!DOCTYPE html><html></html>', 1, 1, /HTML/, /error page/],
    ['UTF-16 read as UTF-8, little endian', '\uFFFD\uFFFD{\0"\0', 1, 1, /UTF-16/, /UTF-8/],
    ['UTF-16 without a mark', '{\0"\0a\0"\0:\0', 1, 1, /UTF-16/, /UTF-8/],
    ['a PNG', '\uFFFDPNG\r\n\u001a\n\0\0', 1, 1, /binary/, /export the workflow/],
    ['a ZIP', 'PK\u0003\u0004', 1, 1, /binary/, /export/],
  ];
  for (const [title, text, line, column, message, hint] of cases) {
    it(`reports ${title} once, with line, column and cure`, () => {
      const problem = only(text);
      expect(problem).toMatchObject({ code: 'JSON_SYNTAX', severity: 'error', file: 'x.json', line, column });
      expect(problem?.message).toMatch(message);
      expect(problem?.hint).toMatch(hint);
    });
  }

  it('prints as the command line shows it', () => {
    const problem = only('{"a": 1 "b": 2}');
    expect(problem && formatProblem(problem)).toBe(
      'x.json:1:9 error JSON_SYNTAX A comma is missing before a string.\n    Add a comma after the value that ends at line 1, column 8.',
    );
  });

  it('refuses nesting beyond the cap without overflowing the stack', () => {
    expect(only('['.repeat(1_000_000))).toMatchObject({ code: 'JSON_TOO_DEEP', column: 257 });
    expect(parseJson('{"a":{"a":1}}', { maxDepth: 1 }).problems).toMatchObject([{ code: 'JSON_TOO_DEEP', column: 6 }]);
  });

  it('refuses a text beyond the cap without reading it', () => {
    expect(parseJson('[1,2,3]', { maxLength: 6 }).problems).toMatchObject([{ code: 'JSON_TOO_LARGE' }]);
  });

  it('refuses integers that Python refuses', () => {
    expect(parseJson('9'.repeat(4300)).problems).toEqual([]);
    expect(only('9'.repeat(4301))?.message).toMatch(/more than 4300 digits/);
  });
});

describe('keys', () => {
  it('reports a duplicate key at its second place and names the first', () => {
    const { root, problems } = parseJson('{\n "6": {},\n "7": {},\n "6": {"x": 1}\n}', { file: 'x.json' });
    expect(problems).toMatchObject([{ code: 'JSON_DUPLICATE_KEY', line: 4, column: 2, pointer: '/6' }]);
    expect(problems[0]?.message).toContain('first is at line 2, column 2');
    expect(member(root, '6')).toMatchObject({ members: [{ key: { value: 'x' } }] });
  });

  it('finds duplicates spelled with escapes and in large objects', () => {
    expect(parseJson(String.raw`{"a": 1, "\u0061": 2}`).problems).toMatchObject([{ code: 'JSON_DUPLICATE_KEY' }]);
    const members = Array.from({ length: 100 }, (_, i) => `"k${i}": ${i}`);
    expect(parseJson(`{${[...members, '"k50": 0'].join(',')}}`).problems).toMatchObject([{ code: 'JSON_DUPLICATE_KEY' }]);
  });

  it('refuses __proto__ anywhere, and constructor where it leads to prototype', () => {
    expect(parseJson('{"a": [{"__proto__": {}}]}').problems).toMatchObject([{ code: 'JSON_FORBIDDEN_KEY', pointer: '/a/0/__proto__' }]);
    expect(parseJson(String.raw`{"\u005f_proto__": 1}`).problems).toMatchObject([{ code: 'JSON_FORBIDDEN_KEY' }]);
    expect(parseJson('{"constructor": {"prototype": {}}}').problems).toMatchObject([{ code: 'JSON_FORBIDDEN_KEY' }]);
  });

  it('lets a widget be called constructor', () => {
    expect(parseJson('{"constructor": "brick", "prototype": 1}').problems).toEqual([]);
  });

  it('stops after a hundred reports', () => {
    expect(parseJson(`{${Array.from({ length: 5000 }, () => '"a":1').join(',')}}`).problems).toHaveLength(100);
  });
});

describe('places', () => {
  it('counts \\n, \\r\\n and a lone \\r as one line end each', () => {
    const text = 'a\nb\r\nc\rd';
    const index = createLineIndex(text);
    for (let offset = 0; offset <= text.length; offset++) expect(index.positionOf(offset)).toEqual(positionOf(text, offset));
    expect(positionOf(text, 7)).toEqual({ line: 4, column: 1 });
  });

  it('escapes ~ and / in pointers', () => {
    expect(pointerOf(['a/b', 'm~n', 0])).toBe('/a~1b/m~0n/0');
    expect(pointerOf([])).toBe('');
  });

  it('finds the pointer of the value at an offset', () => {
    const text = '{"3": {"inputs": {"model": ["4", 0]}}}';
    const { root } = parseJson(text);
    expect(root && pointerTo(root, text.indexOf('"4"'))).toBe('/3/inputs/model/0');
    expect(root && pointerTo(root, text.indexOf('"model"'))).toBe('/3/inputs/model');
    expect(root && pointerTo(root, 0)).toBe('');
  });
});
