/** The mutation test of docs/checking.md over the fixtures of a clean clone, judged by recorded answers of a real ComfyUI. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseObjectInfo } from '#graph/object-info.ts';
import { type Answers, recorded } from '../../scripts/mutations/judge.ts';
import { BREAKS, FORBIDDEN, measure, type Source } from '../../scripts/mutations/measure.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures');
/** The seed of the recorded mutants. */
const SEED = 1;
const read = (name: string): string => readFileSync(join(FIXTURES, name), 'utf8');

function graphs(): Source[] {
  return ['graphs', 'conversion'].flatMap((folder) =>
    readdirSync(join(FIXTURES, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => name.replaceAll('\\', '/'))
      .filter((name) => name.endsWith('.json') && !name.endsWith('.ui.json'))
      .toSorted()
      .map((name) => ({ name, text: read(`${folder}/${name}`) })),
  );
}

describe('broken graphs', () => {
  it('are all caught that a real ComfyUI refuses or a rule forbids, and no good graph has an error', async () => {
    const { info } = parseObjectInfo(read('mutations/object-info.json'));
    if (info === undefined) throw new Error('no object info');
    const { good, rows } = await measure(graphs(), info, recorded(JSON.parse(read('mutations/answers.json')) as Answers), SEED);
    const counted = rows.filter(({ counts }) => counts);
    console.log(
      `mutations: seed ${SEED}, ${good.length} good graphs, ${rows.length} mutants, ${counted.length} count, ${counted.filter(({ outcome }) => outcome === 'caught').length} caught`,
    );
    expect(good.length).toBeGreaterThan(150);
    expect(new Set(counted.map(({ kind }) => kind))).toEqual(new Set(BREAKS.keys()));
    const wrong = rows.filter(({ outcome }) => outcome === 'missed' || outcome === 'false alarm');
    expect(wrong.map(({ kind, graph, where, outcome }) => `${outcome}: ${kind} ${graph} ${where}`)).toEqual([]);
    expect(good.filter(({ errors }) => errors.length > 0)).toEqual([]);
  }, 120_000);

  it('are the kinds that docs/checking.md numbers, with the rules that it names', () => {
    const doc = readFileSync(join(FIXTURES, '../../docs/checking.md'), 'utf8');
    const rows = [...doc.matchAll(/^\| (\d+) +\| [^|]+\| (server|C\d) +\|$/gm)].map(([, kind, rule]) => [Number(kind), rule]);
    expect(rows).toEqual([...BREAKS.keys()].map((kind) => [kind, FORBIDDEN.get(kind) ?? 'server']));
  });
});
