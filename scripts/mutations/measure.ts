/** The mutation test of docs/checking.md: breaks good graphs, asks what counts, and counts what the check caught. */
import { parseGraph } from '#graph/graph.ts';
import { checkAgainstObjectInfo } from '#graph/object-info.ts';
import type { ObjectInfo } from '#graph/node-classes.ts';
import { isCustom } from '#graph/links.ts';
import { usedNodes } from '#graph/used-nodes.ts';
import { checkStructure } from '#graph/structure.ts';
import { isBlocking, type Problem } from '#protocol/problem.ts';
import { LINK_BREAKS } from './break-links.ts';
import { type Break, NODE_BREAKS } from './break-nodes.ts';
import { VALUE_BREAKS } from './break-values.ts';
import type { Judge, Verdict } from './judge.ts';
import { createRandom } from './random.ts';
import { type Mutant, type Target, targetOf } from './target.ts';

export const BREAKS: ReadonlyMap<number, Break> = new Map(
  Object.entries({ ...NODE_BREAKS, ...LINK_BREAKS, ...VALUE_BREAKS })
    .map(([kind, make]): [number, Break] => [Number(kind), make])
    .toSorted(([a], [b]) => a - b),
);

/** Kinds that a rule of docs/checking.md forbids, whatever a server says. */
export const FORBIDDEN: ReadonlyMap<number, string> = new Map([
  [2, 'C1'],
  [3, 'C5'],
  [4, 'C5'],
  [5, 'C5'],
  [6, 'C5'],
  [9, 'C3'],
  [10, 'C3'],
  [11, 'C3'],
  [12, 'C2'],
  [13, 'C2'],
  [14, 'C2'],
  [15, 'C2'],
  [18, 'C2'],
  [19, 'C2'],
  [24, 'C6'],
  [25, 'C6'],
  [26, 'C4'],
  [27, 'C4'],
  [31, 'C7'],
  [32, 'C7'],
  [33, 'C7'],
  [34, 'C7'],
  [35, 'C7'],
]);

export interface Source {
  readonly name: string;
  readonly text: string;
}

export interface Row {
  readonly kind: number;
  readonly graph: string;
  readonly where: string;
  readonly text: string;
  readonly verdict: Verdict;
  readonly counts: boolean;
  readonly problems: readonly Problem[];
  readonly outcome: 'caught' | 'missed' | 'equivalent' | 'false alarm';
}

export interface Measured {
  readonly good: readonly { readonly name: string; readonly errors: readonly Problem[] }[];
  /** Graphs that the judge does not take, so that they are not broken further. */
  readonly refused: readonly { readonly name: string; readonly errors: readonly Problem[] }[];
  readonly rows: readonly Row[];
}

/** Everything that the check says of a graph file. */
export function checkText(text: string, info: ObjectInfo): Problem[] {
  const { graph, problems } = parseGraph(text);
  if (graph === undefined) return problems;
  return [...problems, ...checkStructure(graph), ...checkAgainstObjectInfo(graph, info, { live: true })];
}

/** Graphs with classes that the object info lacks are passed over, as is what the judge knows nothing of. */
export async function measure(sources: readonly Source[], info: ObjectInfo, judge: Judge, seed: number): Promise<Measured> {
  const good: Measured['good'][number][] = [];
  const refused: Measured['refused'][number][] = [];
  const rows: Row[] = [];
  for (const { name, text } of sources) {
    const target = targetOf(text, info);
    if (target === undefined) continue;
    const verdict = await judge(name, text);
    if (verdict === undefined) continue;
    (verdict === 'taken' ? good : refused).push({ name, errors: checkText(text, info).filter(isBlocking) });
    if (verdict !== 'taken') continue;
    for (const [kind, make] of BREAKS) {
      const mutant = make(target, createRandom(seed, name, kind));
      const said = mutant === undefined ? undefined : await judge(`${name}#${kind}`, mutant.text);
      if (mutant === undefined || said === undefined) continue;
      const problems = checkText(mutant.text, info);
      const counts = said !== 'taken' || isForbidden(kind, mutant, target);
      const seen = problems.some(isBlocking);
      const outcome = counts ? (seen ? 'caught' : 'missed') : seen ? 'false alarm' : 'equivalent';
      rows.push({ kind, graph: name, ...mutant, verdict: said, counts, problems, outcome });
    }
  }
  return { good, refused, rows };
}

/** C6 and C7 speak of core nodes that run. */
function isForbidden(kind: number, { node = '' }: Mutant, { graph, info }: Target): boolean {
  const rule = FORBIDDEN.get(kind);
  if (rule !== 'C6' && rule !== 'C7') return rule !== undefined;
  const nodeClass = info.classes.get(graph.nodes.get(node)?.classType ?? '');
  return nodeClass !== undefined && !isCustom(nodeClass) && usedNodes(graph, info).has(node);
}

/** One line per kind: made, equivalent, counted, caught, missed, false alarms. */
export function table(rows: readonly Row[]): string {
  const head = ['| kind | made | equivalent | count | caught | missed | false alarms |', '|---|---|---|---|---|---|---|'];
  const line = (label: string, some: readonly Row[]): string => {
    const of = (outcome: Row['outcome']): number => some.filter((row) => row.outcome === outcome).length;
    const counted = some.filter(({ counts }) => counts).length;
    return `| ${label} | ${some.length} | ${of('equivalent')} | ${counted} | ${of('caught')} | ${of('missed')} | ${of('false alarm')} |`;
  };
  const lines = [...BREAKS.keys()].map((kind) =>
    line(
      String(kind),
      rows.filter((row) => row.kind === kind),
    ),
  );
  return [...head, ...lines, line('**all**', rows)].join('\n');
}
