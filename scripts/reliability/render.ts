/** Draws docs/reliability.md from the evidence. */
import { cpus } from 'node:os';
import { type Evidence, sum, tally } from './evidence.ts';
import { FAULTS } from './faults.ts';
import type { Made } from './keep.ts';
import { figureOf, ROWS } from './score.ts';

export function renderReliability(evidence: Evidence, root: string, { isFull, at, commit, again }: Made): string {
  const { passed, ran, skipped } = tally(evidence.tests);
  const machine = `${String(cpus().length)} cores, Node ${process.version}`;
  return [
    '# Reliability',
    '',
    '<!-- Made by `npm run reliability`; do not edit. -->',
    '',
    `What breaks, what happens then, and which tests show it. This page is written by \`npm run reliability\` (\`-- --quick\` samples the sweeps) from the report of the`,
    'tests, from what they counted, and from the newest results of the benchmarks. Promises that are checked after every fault: `test/faults/promises.ts`.',
    '',
    `Made ${at.slice(0, 10)} at ${commit}, ${isFull ? 'with every point of every sweep' : 'with sampled sweeps'}: ${String(passed)} of ${String(ran)} tests passed${skipped === 0 ? '' : `, ${String(skipped)} not run`} (${machine}).${again === undefined ? '' : ` What had failed was mended and run again at ${again}.`}`,
    '',
    '## Faults',
    '',
    ...faults(evidence),
    '',
    '## Crash points',
    '',
    'Each scenario of `test/crash/scenarios.ts` is played once undisturbed, which records every commit, side effect and file that gets its name, before and after. Then the',
    'daemon is killed (SIGKILL) at these points, and in pairs a second time during the recovery that followed the first death. Only plays count in which every death came.',
    'Executions are counted by the backends.',
    '',
    ...crashes(evidence),
    '',
    '## Score',
    '',
    'Peers: C ComfyUI, O Ollama, J Jupyter, S Syncthing, D DBOS and Temporal, read from their sources and not measured. An empty cell says that nothing was looked up.',
    'A figure of tests counts those of the files that it names, which are fewer than the vectors of the bar. What attackers do has a page of its own: [security.md](security.md).',
    '',
    ...score(evidence, root),
    '',
  ].join('\n');
}

function faults({ tests }: Evidence): readonly string[] {
  const rows = FAULTS.map(({ number, fault, expected }) => {
    const mine = tests.filter(({ title }) => title.includes(`[${number}]`));
    const { passed, ran, skipped } = tally(mine);
    const files = [...new Set(mine.map(({ file }) => file))].toSorted().map((file) => `\`${file.replace(/^test\//, '')}\``);
    const result =
      ran === 0 ? 'not run' : `${String(passed)} of ${String(ran)} passed${skipped === 0 ? '' : `, ${String(skipped)} not run`}`;
    return [number, fault, expected, files.join(' '), result];
  });
  return table(['', 'fault', 'what happens', 'tests (below `test/`)', 'result'], rows);
}

function crashes({ counts }: Evidence): readonly string[] {
  const plays = counts.filter(({ what }) => what === 'crash');
  const rows = [...Map.groupBy(plays, (count) => String(count['scenario']))].map(([scenario, mine]) => {
    const of = (kind: string, fact: string) =>
      String(
        sum(
          mine.filter((count) => count['kind'] === kind),
          fact,
        ),
      );
    return [
      scenario,
      String(mine[0]?.['points'] ?? ''),
      of('single', 'plays'),
      of('pair', 'plays'),
      String(sum(mine, 'kills')),
      String(sum(mine, 'executions')),
      String(sum(mine, 'broken')),
    ];
  });
  return table(['scenario', 'points', 'singly', 'pairs', 'kills', 'executions', 'plays with a broken promise'], rows);
}

function score(evidence: Evidence, root: string): readonly string[] {
  const rows = ROWS.map((row) => [row.row, row.bar, figureOf(row, evidence, root), row.peers]);
  return table(['what', 'bar', 'Callsheet', 'peers'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
