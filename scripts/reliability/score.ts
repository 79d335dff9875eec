/** The rows of the score table: what is measured, the bar, what was found in the sources of others, and our own figure from the evidence. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Evidence, sum, tally } from './evidence.ts';
import { FAULTS } from './faults.ts';

export interface Row {
  readonly row: string;
  readonly bar: string;
  /** Read from their sources, not measured. C ComfyUI, O Ollama, J Jupyter, S Syncthing, D DBOS and Temporal. */
  readonly peers: string;
  /** Test files whose results are the figure. */
  readonly files?: readonly string[];
  /** Test files that count what the figure is made of, and that are run for it whatever their tests are called. */
  readonly counted?: readonly string[];
  /** Measured by `npm run test:security`, on a page of its own. */
  readonly elsewhere?: string;
  /** Undefined: not measured. */
  readonly figure?: (evidence: Evidence, root: string) => string | undefined;
}

const SECURITY = '[security.md](security.md#score)';

export const ROWS: readonly Row[] = [
  {
    row: 'Host, Origin and token: vectors refused of tried',
    bar: '400 of 400',
    peers: 'C partial, O Host only, J yes, S yes',
    files: ['test/daemon/gates.test.ts'],
  },
  { row: 'Routes without a token that are refused', bar: '100 %', peers: 'C no, O no, J yes, S partial', elsewhere: SECURITY },
  {
    row: 'Pages in a real browser (rebinding, foreign WebSocket) that read anything',
    bar: '0 of 6',
    peers: 'J 0, S 0',
    elsewhere: SECURITY,
  },
  { row: 'A marker secret in logs, arguments, database, bundle', bar: '0', peers: 'J above 0 until 2026-07', elsewhere: SECURITY },
  {
    row: 'Attacks on the token file that are refused',
    bar: '10 of 10',
    peers: 'J yes; C, O no token',
    files: ['test/daemon/runtime-file.test.ts'],
  },
  {
    row: 'Paths refused, and good names accepted',
    bar: '120 of 120, 60 of 60',
    peers: 'C fixed 3 in 2026, J 1',
    files: ['test/daemon/roots.test.ts', 'test/results/names.test.ts'],
  },
  {
    row: 'Attacks by archives that are refused',
    bar: '25 of 25',
    peers: 'not applicable',
    files: ['test/templates/bundle/unpack.test.ts'],
  },
  { row: 'Evil patterns that stay below 50 ms', bar: '30 of 30', peers: 'plain Ajv on V8: 0', elsewhere: SECURITY },
  {
    row: 'Schema and JSON bombs survived',
    bar: '20 of 20',
    peers: 'Ajv alone: an error to catch',
    files: ['test/daemon/bad-files.test.ts'],
  },
  { row: 'Prototype keys refused at each way in', bar: '12 × 6', peers: '', elsewhere: SECURITY },
  {
    row: 'Hostile media files survived',
    bar: '10,000 of 10,000',
    peers: 'advisories in 2026 for exifreader (4) and music-metadata (1)',
    elsewhere: SECURITY,
  },
  {
    row: 'Abuse of the WebSocket closed with the right code',
    bar: '30 of 30',
    peers: 'the ws library itself: yes',
    files: ['test/daemon/limits.test.ts'],
  },
  {
    row: 'p99 for a proven client under 1,000 hostile connections',
    bar: 'below 100 ms',
    peers: 'O, C: no limits found',
    elsewhere: SECURITY,
  },
  { row: 'Growth of memory with a slow reader at 100,000 events', bar: 'below 30 MiB', peers: '', elsewhere: SECURITY },
  {
    row: 'Bytes leaked by addresses, redirects and file reads of a foreign server',
    bar: '0 of 40',
    peers: 'Gradio: 3 CVEs',
    elsewhere: SECURITY,
  },
  {
    row: 'Commits of the store with a crash point before and after',
    bar: '100 %',
    peers: 'SQLite yes, D partial',
    counted: ['test/crash/points.test.ts'],
    figure: commits,
  },
  {
    row: 'Single crash points tried, and survived',
    bar: '320 or more, all',
    peers: 'D 9 scripted tests and random chaos, C 0',
    figure: crashes('single'),
  },
  { row: 'Pairs of crash points', bar: '3,000 or more, all', peers: '', figure: crashes('pair') },
  {
    row: 'Kills and errors inside calls to the system; acknowledged data lost',
    bar: '2,000 or more, 0',
    peers: 'SQLite yes',
    counted: ['test/store/syscalls.test.ts', 'test/crash/syscalls.test.ts'],
    figure: (evidence) => cases(evidence, 'system calls', ['test/store/syscalls.test.ts', 'test/crash/syscalls.test.ts'], 'lost'),
  },
  {
    row: 'Cuts and flips of the write-ahead log that keep a prefix',
    bar: '1,000 or more, all',
    peers: 'SQLite yes',
    counted: ['test/store/crash.test.ts'],
    figure: (evidence) => cases(evidence, 'log', ['test/store/crash.test.ts'], 'wrong'),
  },
  { row: 'Faults F1 to F30: automated, passing', bar: '30, 30', peers: 'D about 8, C about 0', figure: faults },
  {
    row: 'Prompts executed twice in all fault runs',
    bar: '0',
    peers: "C's clients: not told apart",
    figure: (evidence) => inRuns(evidence, 'duplicates'),
  },
  {
    row: 'Promises broken in all fault runs, "done" without its file among them',
    bar: '0',
    peers: 'comfyui-mcp had one (#2507)',
    figure: (evidence) => inRuns(evidence, 'broken'),
  },
  {
    row: 'Plays of the model test',
    bar: '100,000 a night',
    peers: 'Jepsen and its like: yes',
    counted: ['test/faults/model.test.ts'],
    figure: (evidence) => cases(evidence, 'model', ['test/faults/model.test.ts'], 'wrong'),
  },
  { row: 'Fuzz cases (RPC, templates, imports, replies) and crashes', bar: '1,000,000 a night, 0', peers: 'SQLite: OSS-Fuzz' },
  { row: 'JSON-RPC vectors passed', bar: '150 of 150', peers: 'go-ethereum: 18 files', files: ['test/contracts/jsonrpc/runner.test.ts'] },
  {
    row: 'OpenRPC: methods documented, implemented, fuzzed',
    bar: '100 %',
    peers: 'rare',
    files: ['test/protocol/protocol-doc.test.ts', 'test/daemon/scopes.test.ts'],
  },
  {
    row: 'Runs held in the queue; p99 of a submission; start over them; memory',
    bar: '10,000; 50 ms; 5 s; 300 MB',
    peers: 'C: in memory, lost at a restart',
    figure: queue,
  },
  { row: 'Clients with the whole stream of events at once, lag', bar: '50, p99 below 250 ms', peers: '' },
  {
    row: 'Soak: time, faults, slopes of memory, descriptors and log',
    bar: '8 h a night, about 0, above 3,000',
    peers: 'D: an hour with 60 minutes of chaos',
    figure: soak,
  },
  {
    row: 'Runs in every state that an older release stored, restored',
    bar: 'all',
    peers: 'Temporal yes, XState 5 no',
    files: ['test/store/fixture.test.ts', 'test/daemon/stored-runs.test.ts'],
  },
  {
    row: 'Two daemons that race: exactly one winner',
    bar: '1,000 of 1,000',
    peers: '',
    counted: ['test/store/lock.test.ts'],
    figure: (evidence) => cases(evidence, 'races', ['test/store/lock.test.ts'], 'without one'),
  },
  { row: 'Recovery after SIGKILL with 1,000 active runs', bar: 'below 3 s', peers: '', figure: recovery },
  { row: 'Production dependencies, direct and in all', bar: '12 and 40 at most', peers: '', figure: dependencies },
  { row: 'Runs that succeed in the mix of faults of `npm run bench:success`', bar: '99.9 %', peers: 'no figure found', figure: success },
];

/** What stands in our column. */
export function figureOf({ files, figure, elsewhere }: Row, evidence: Evidence, root: string): string {
  if (elsewhere !== undefined) return elsewhere;
  if (files === undefined) return figure?.(evidence, root) ?? 'not measured';
  const { passed, ran, skipped } = tally(evidence.tests.filter(({ file }) => files.includes(file)));
  const names = files.map((file) => `\`${file.replace(/^test\//, '')}\``).join(', ');
  return ran === 0
    ? 'not run'
    : `${String(passed)} of ${String(ran)} tests (${names})${skipped === 0 ? '' : `, ${String(skipped)} not run`}`;
}

function crashes(kind: string): NonNullable<Row['figure']> {
  return ({ counts }) => {
    const mine = counts.filter((count) => count.what === 'crash' && count['kind'] === kind);
    if (mine.length === 0) return undefined;
    const plays = sum(mine, 'plays');
    return `${grouped(plays)} in ${String(mine.length)} scenarios, ${grouped(plays - sum(mine, 'broken'))} survived`;
  };
}

function cases({ tests, counts }: Evidence, what: string, files: readonly string[], word: string): string | undefined {
  const tried = sum(
    counts.filter((count) => count.what === what),
    'cases',
  );
  const { passed, ran } = tally(tests.filter(({ file }) => files.includes(file)));
  if (tried === 0) return undefined;
  return passed === ran
    ? `${grouped(tried)}, 0 ${word}`
    : `${grouped(tried)} begun; ${String(ran - passed)} of ${String(ran)} tests failed`;
}

function commits({ counts }: Evidence): string | undefined {
  const found = counts.find(({ what }) => what === 'commits');
  if (found === undefined) return undefined;
  const { watched = 0, writing = 1 } = found;
  return `${String(Math.floor((100 * Number(watched)) / Number(writing)))} % (${String(watched)} of ${String(writing)} ways to write)`;
}

function recovery({ bench }: Evidence): string | undefined {
  const found = bench('recovery') as
    | { readonly runs: number; readonly readyMs: number; readonly recoveredMs: number; readonly machine: { readonly load: number } }
    | undefined;
  if (found === undefined) return undefined;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  return `${seconds(found.recoveredMs)} until all of ${grouped(found.runs)} were found again, ${seconds(found.readyMs)} until clients were let in (at load ${found.machine.load.toFixed(1)})`;
}

function faults({ tests }: Evidence): string {
  const tallies = FAULTS.map(({ number }) => tally(tests.filter(({ title }) => title.includes(`[${number}]`))));
  const automated = tallies.filter(({ ran }) => ran > 0).length;
  const passing = tallies.filter(({ passed, ran }) => ran > 0 && passed === ran).length;
  return `${String(automated)}, ${String(passing)}`;
}

function inRuns({ counts, bench }: Evidence, fact: 'duplicates' | 'broken'): string | undefined {
  const played = sum(
    counts.filter(({ what }) => what === 'crash'),
    'plays',
  );
  const failed = sum(
    counts.filter(({ what }) => what === 'crash'),
    'broken',
  );
  const measured = bench('success');
  if (measured === undefined && played === 0) return undefined;
  const mix = measured === undefined ? '' : `; ${String(measured[fact])} in ${grouped(measured['runs'])} runs of the mix`;
  return `${failed === 0 ? '0' : `${String(failed)} plays to look at`} in ${String(played)} plays with kills${mix}`;
}

function queue({ bench }: Evidence): string | undefined {
  const found = bench('queue') as
    | { readonly runs: number; readonly submit: { readonly p99: number }; readonly startMs: number; readonly rssHeldMb: number }
    | undefined;
  if (found === undefined) return undefined;
  return `${grouped(found.runs)}; ${found.submit.p99.toFixed(1)} ms; ${(found.startMs / 1000).toFixed(1)} s; ${found.rssHeldMb.toFixed(0)} MB`;
}

function soak({ bench }: Evidence): string | undefined {
  const found = bench('soak') as
    | {
        readonly minutes: number;
        readonly faults: Readonly<Record<string, number>>;
        readonly slopes: { readonly rssMbPerHour: number; readonly descriptorsPerHour: number; readonly walMbPerHour: number };
        readonly broken: readonly string[];
      }
    | undefined;
  if (found === undefined) return undefined;
  const { rssMbPerHour, descriptorsPerHour, walMbPerHour } = found.slopes;
  const struck = Object.values(found.faults).reduce((total, count) => total + count, 0);
  return `${grouped(found.minutes)} minutes, ${grouped(struck)} faults: ${rssMbPerHour.toFixed(1)} MB, ${descriptorsPerHour.toFixed(1)} descriptors, ${walMbPerHour.toFixed(1)} MB of log an hour; ${String(found.broken.length)} broken promises`;
}

function success({ bench }: Evidence): string | undefined {
  const found = bench('success');
  if (found === undefined) return undefined;
  return `${(100 * Number(found['rate'])).toFixed(3)} % (${grouped(found['succeeded'])} of ${grouped(found['runs'])}, seed ${String(found['seed'])})`;
}

function dependencies(_: Evidence, root: string): string | undefined {
  const lock = join(root, 'package-lock.json');
  if (!existsSync(lock)) return undefined;
  const { packages } = JSON.parse(readFileSync(lock, 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly optional?: boolean; readonly dependencies?: object }>>;
  };
  const all = Object.entries(packages).filter(([name, { dev, optional }]) => name !== '' && dev !== true && optional !== true);
  return `${String(Object.keys(packages['']?.dependencies ?? {}).length)} and ${String(all.length)} (without optional ones)`;
}

function grouped(value: unknown): string {
  return Number(value).toLocaleString('en-GB');
}
