/** The rows of the score table in docs/security.md: what is counted, the bar, what was found in the sources of others. */
import { type Evidence, sum, tally } from '../reliability/evidence.ts';

export interface Row {
  readonly row: string;
  readonly bar: string;
  /** Read from their sources, not measured. C ComfyUI, O Ollama, J Jupyter, S Syncthing. */
  readonly peers: string;
  /** Test files whose results are the figure, where nothing better is counted. */
  readonly files?: readonly string[];
  /** Undefined: not measured. */
  readonly figure?: (evidence: Evidence) => string | undefined;
}

const of = ({ counts }: Evidence, what: string) => counts.filter((count) => count.what === what);

/** "864 of 864" of what a test counted. */
const ratio =
  (what: string, done: string, all = 'tried') =>
  (evidence: Evidence): string | undefined => {
    const mine = of(evidence, what);
    return mine.length === 0 ? undefined : `${grouped(sum(mine, done))} of ${grouped(sum(mine, all))}`;
  };

export const ROWS: readonly Row[] = [
  {
    row: 'Host, Origin and key: vectors refused of tried, before eight ways in',
    bar: '400 of 400',
    peers: 'C partial, O Host only, J yes, S yes',
    figure: ratio('gates', 'refused'),
  },
  {
    row: 'Routes that refuse whoever has no key (all but the way in for browsers)',
    bar: '100 %',
    peers: 'C no, O no, J yes, S partial',
    figure: ratio('routes', 'refused'),
  },
  {
    row: 'Pages of others in Chromium (rebinding, foreign sites, ports and frames) that read anything',
    bar: '0 of 6',
    peers: 'J 0, S 0',
    figure: ratio('pages', 'read', 'pages'),
  },
  {
    row: 'Secrets found where they must not be',
    bar: '0',
    peers: 'J above 0 until 2026-07',
    figure: (evidence) => {
      const [count] = of(evidence, 'secrets');
      return count === undefined ? undefined : `${count['hits']} of ${count['secrets']} secrets in ${count['places']} places`;
    },
  },
  {
    row: 'Attacks on the runtime file and the socket that are refused',
    bar: '10 of 10',
    peers: 'J yes; C, O no token',
    files: ['test/daemon/runtime-file.test.ts', 'test/security/local.test.ts'],
  },
  { row: 'Guessed keys refused', bar: '10,000 of 10,000', peers: '', figure: ratio('guesses', 'refused') },
  {
    row: 'Paths refused, and good names taken',
    bar: '120 of 120, 60 of 60',
    peers: 'C fixed 3 in 2026, J 1',
    figure: (evidence) => joined(ratio('paths', 'refused', 'bad')(evidence), ratio('paths', 'accepted', 'good')(evidence)),
  },
  {
    row: 'Attacks by archives that are refused',
    bar: '25 of 25',
    peers: 'not applicable',
    files: ['test/templates/bundle/unpack.test.ts'],
  },
  {
    row: 'Evil patterns that end on 64 KiB or are refused',
    bar: '30 of 30, below 50 ms',
    peers: 'plain Ajv on V8: 0',
    figure: (evidence) => {
      const [count] = of(evidence, 'patterns');
      return count === undefined ? undefined : `${count['bounded']} of ${count['tried']}, the slowest ${count['slowest']} ms`;
    },
  },
  {
    row: 'Schema and JSON bombs survived',
    bar: '20 of 20',
    peers: 'Ajv alone: an error to catch',
    figure: (evidence) => joined(ratio('bombs', 'survived')(evidence), filesFigure(evidence, ['test/daemon/bad-files.test.ts'])),
  },
  { row: 'Expressions that want out and get nothing', bar: '100', peers: '', figure: ratio('escapes', 'held') },
  { row: 'Prototype keys that reach nothing, at each way in', bar: '12 × 6', peers: '', figure: ratio('prototype keys', 'clean') },
  {
    row: 'Hostile and mutated media survived',
    bar: '10,000',
    peers: 'advisories in 2026 for exifreader (4) and music-metadata (1)',
    files: ['test/results/hostile.test.ts'],
  },
  {
    row: 'Abuse of the WebSocket closed with the right code',
    bar: '30 of 30',
    peers: 'the ws library itself: yes',
    figure: ratio('frames', 'closed'),
  },
  {
    row: 'p99 of a call under 1,000 hostile connections',
    bar: 'below 100 ms',
    peers: 'O, C: no limits found',
    figure: (evidence) => {
      const [count] = of(evidence, 'hostile connections');
      return count === undefined ? undefined : `${Number(count['p99']).toFixed(1)} ms under ${grouped(Number(count['connections']))}`;
    },
  },
  {
    row: 'Growth of memory with a reader that stands still',
    bar: 'below 30 MiB at 100,000 events',
    peers: 'C none',
    figure: (evidence) => {
      const [count] = of(evidence, 'slow reader');
      return count === undefined
        ? undefined
        : `${(Number(count['bytes']) / 1024 ** 2).toFixed(1)} MiB at ${grouped(Number(count['events']))} events`;
    },
  },
  {
    row: 'Calls of a flood, each answered or refused by its id',
    bar: '100,000',
    peers: '',
    figure: (evidence) => {
      const [count] = of(evidence, 'calls');
      return count === undefined ? undefined : `${grouped(Number(count['calls']))}, of which ${grouped(Number(count['refused']))} refused`;
    },
  },
  {
    row: 'Answers of a backend that was taken over, survived',
    bar: '10^5 a night',
    peers: '',
    figure: (evidence) => {
      const [count] = of(evidence, 'replies');
      return count === undefined ? undefined : grouped(Number(count['cases']));
    },
  },
  { row: 'Bytes leaked by media parameters', bar: '0 of 40 tries', peers: 'Gradio: 3 CVEs', figure: ratio('file reads', 'leaked') },
  {
    row: 'Packages at run time: direct, and all that are installed',
    bar: '12, 40',
    peers: '',
    figure: (evidence) => {
      const [count] = of(evidence, 'packages');
      return count === undefined ? undefined : `${count['direct']}, ${count['shipped']}`;
    },
  },
  {
    row: 'Known advisories in them',
    bar: '0',
    peers: '',
    figure: (evidence) => {
      const [count] = of(evidence, 'advisories');
      return count === undefined ? 'not looked up: the registry was not asked' : String(count['total']);
    },
  },
];

export function figureOf({ files, figure }: Row, evidence: Evidence): string {
  return figure?.(evidence) ?? (files === undefined ? undefined : filesFigure(evidence, files)) ?? 'not measured';
}

// --- helpers ---

function filesFigure({ tests }: Evidence, files: readonly string[]): string | undefined {
  const { passed, ran } = tally(tests.filter(({ file }) => files.includes(file)));
  return ran === 0
    ? undefined
    : `${grouped(passed)} of ${grouped(ran)} tests (${files.map((file) => `\`${file.replace(/^test\//, '')}\``).join(', ')})`;
}

function joined(...parts: readonly (string | undefined)[]): string | undefined {
  return parts.some((part) => part === undefined) ? undefined : parts.join(', ');
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}
