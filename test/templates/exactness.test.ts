/** Injection over real graphs: `npm run bench:exactness` on a sample of the fixtures, with values drawn from a printed seed. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { measureGraph } from '../../scripts/exactness/measure.ts';
import { exactly, readInputs } from '../../scripts/exactness/reader.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures');
const EVERY = process.env['CALLSHEET_TEST_FULL'] === '1';
const SAMPLE = 60;

function graphs(): string[] {
  return ['graphs', 'conversion/oracle', 'conversion/oracle_custom', 'conversion/pairs'].flatMap((folder) =>
    readdirSync(join(FIXTURES, folder))
      .filter((name) => name.endsWith('.json') && !name.endsWith('.ui.json'))
      .map((name) => `${folder}/${name}`),
  );
}

describe('values in real graphs', () => {
  it('[TI2] [TI7] come out exactly, with every byte around them, by set, by title and by placeholder', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const all = graphs().toSorted();
    expect(all.length).toBeGreaterThan(200);
    const step = EVERY ? 1 : Math.floor(all.length / SAMPLE);
    const sample = all.filter((_, index) => index % step === seed % step);
    let [values, exact, untouched, stretches] = [0, 0, 0, 0];
    const wrong: string[] = [];
    for (const name of sample) {
      const outcome = await measureGraph(name, readFileSync(join(FIXTURES, name), 'utf8'), seed, EVERY ? 3 : 1);
      values += outcome.values;
      exact += outcome.exact;
      stretches += outcome.stretches;
      untouched += outcome.untouched;
      wrong.push(...outcome.wrong, ...(outcome.refused === undefined ? [] : [`${name}: ${outcome.refused}`]));
    }
    console.log(`exactness: seed ${seed}, ${sample.length} of ${all.length} graphs, ${exact} of ${values} values`);
    expect(wrong).toEqual([]);
    expect(values).toBeGreaterThan(SAMPLE);
    expect([exact, untouched]).toEqual([values, stretches]);
  }, 300_000);
});

describe('the reader that judges them', () => {
  it('finds every input where it stands, whatever spells it', () => {
    const text = '\uFEFF {"a.b" : {"class_type":"X", "inputs":{ "\\u0074" : "q\\"}", "n":-1.50e3 ,"l":["4",\t0],"e":{"x":[{}]}}}, "c":{}}';
    const found = readInputs(text).map(({ node, input, start, end }) => [node, input, text.slice(start, end)]);
    expect(found).toEqual([
      ['a.b', 't', '"q\\"}"'],
      ['a.b', 'n', '-1.50e3'],
      ['a.b', 'l', '["4",\t0]'],
      ['a.b', 'e', '{"x":[{}]}'],
    ]);
    expect(() => readInputs('{"a":{"inputs":{"b":1,}}}')).toThrow(SyntaxError);
  });

  it('tells a whole number from a double and the last digit of both', () => {
    expect(exactly('[18446744073709551615, 18446744073709551616.0, 1e-7, -0]')).toEqual([
      18446744073709551615n,
      { double: 2 ** 64 },
      { double: 1e-7 },
      { double: -0 },
    ]);
  });
});
