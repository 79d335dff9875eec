import { describe, expect, it } from 'vitest';
import { parseExposition } from './exposition.ts';

const HEAD = '# HELP a_total Help.\n# TYPE a_total counter\n';
const bins = (...lines: readonly string[]) => `# HELP h Help.\n# TYPE h histogram\n${lines.join('\n')}\n`;

describe('the strict reader of the text format', () => {
  it.each([
    ['a last line without end', `${HEAD}a_total 1`],
    ['a series that is there twice', `${HEAD}a_total{x="1"} 1\na_total{x="1"} 2\n`],
    ['a metric that is told of twice', `${HEAD}a_total 1\n${HEAD}a_total 2\n`],
    ['an unescaped quote', `${HEAD}a_total{x="1"2"} 1\n`],
    ['a counter below nothing', `${HEAD}a_total -1\n`],
    ['what is no number', `${HEAD}a_total many\n`],
    ['a line below another metric', `${HEAD}b_total 1\n`],
    ['buckets that fall', bins('h_bucket{le="1"} 2', 'h_bucket{le="+Inf"} 1', 'h_sum 1', 'h_count 1')],
    ['buckets without an end', bins('h_bucket{le="1"} 1', 'h_sum 1', 'h_count 1')],
    ['a count that is not that of the last bucket', bins('h_bucket{le="+Inf"} 1', 'h_sum 1', 'h_count 2')],
  ])('refuses %s', (_what, text) => {
    expect(() => parseExposition(text)).toThrow(/./);
  });

  it('takes a sound page, with labels as they were before they were escaped', () => {
    const page = parseExposition(`${HEAD}a_total{x="say \\"hi\\"\\n"} 1\n\n${bins('h_bucket{le="+Inf"} 1', 'h_sum 2', 'h_count 1')}`);
    expect(page.get('a_total')?.samples).toEqual([{ name: 'a_total', labels: { x: 'say "hi"\n' }, value: 1 }]);
  });
});
