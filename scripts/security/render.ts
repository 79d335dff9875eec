/** Draws docs/security.md from the evidence. */
import { cpus } from 'node:os';
import { type Evidence, tally } from '../reliability/evidence.ts';
import { figureOf, ROWS } from './score.ts';
import { THREATS } from './threats.ts';

export interface Made {
  /** ISO 8601. */
  readonly at: string;
  readonly commit: string;
  readonly isFull: boolean;
}

const MODEL = `## What is protected from whom

Callsheet runs beside the artist's work and can run workflows, which is to say code. What is worth something: the artist's files, the time of graphics cards, keys of
backends, the queue. What can come at it:

| | who | what they can do |
| --- | --- | --- |
| W | a page in the artist's browser, also one of another program on this machine | send requests to any port of the loopback, with the browser's cookies, under any name that leads there |
| U | another user of the machine | connect to ports, list processes and their arguments, plant files where they may write |
| T | whoever made a template or bundle | choose every byte of it |
| B | a backend that is broken or taken over | answer whatever it likes |
| C | a client that is hostile, broken or hangs | send anything, or nothing |

Not protected from: programs of the same user, who can read what the daemon can; root; who sits at the machine. A ComfyUI that is taken over runs code of its own on
its machine; here it can give wrong files and nothing more.

## How it is built

- **One door.** A port on 127.0.0.1, and a Unix socket that no other user can open. Every request and every upgrade passes the same gates before anything is routed:
  \`Host\`, \`Origin\` and target are compared as strings and never parsed; then a key. There is no exempt path but the page that lets a browser in
  ([protocol.md](protocol.md#gates)).
- **Keys.** The root key never leaves the process. What clients use is derived for one scope and lies in one file that only its owner can read. Over a WebSocket both
  sides prove it and neither sends it, bound to the address, so that a stranger at the port learns nothing and can relay nothing.
- **Browsers** come in by a code in the fragment of an address: it is in no request line, no log and no \`Referer\`, good once and for a minute. The cookie that it
  becomes changes nothing without a second secret, which the page keeps where only pages of the same port can read it ([protocol.md](protocol.md#browsers)).
- **Limits** before reading: sizes, depth, numbers of values, calls, connections, time. What is beyond them is refused with a reason, and \`daemon/status\` counts it.
- **Text of others is data**: names are never paths, templates hold no code, patterns and conditions run in engines without backtracking or generated code, a file that
  could run scripts is never shown in place.
- **Nothing leaves the machine unasked.** Files come from uploads and approved roots alone; a backend on another machine gets none before a person has allowed it, once
  for its address. What was imported runs after somebody approved exactly that content.

## What is left

- Cookies know no port. A program of *another user* on this machine, to whose port the artist's browser is led at 127.0.0.1 itself, is sent the cookie of a session by
  the browser. It changes nothing with that: whatever changes something also needs a secret that the page keeps for its own port. It can read the dashboard's own files,
  \`/metrics\`, and artifacts whose ids it knows. \`DELETE /session\`, twelve hours or a restart end it.
- On Windows there is no Unix socket, and the rights of the runtime file are those of the profile directory.
- Whoever is let in with the scope \`run\` can fill the disk with uploads, up to 4 GiB each; the daemon goes on when it is full.
- A browser from a sandbox of its own (snap, flatpak) may not read the private file that \`callsheet open\` hands it; \`callsheet open --print\` is for that.
- Advisories are looked up where the registry can be asked; signatures of packages are not verified by these tests.
`;

export function renderSecurity(evidence: Evidence, { at, commit, isFull }: Made): string {
  const { passed, ran, skipped } = tally(evidence.tests);
  const machine = `${String(cpus().length)} cores, Node ${process.version}`;
  return [
    '# Security',
    '',
    '<!-- Made by `npm run test:security`; do not edit. Its words are in scripts/security/. -->',
    '',
    'Found a hole? Do not open a public issue: write to the maintainers by the private report of the repository.',
    '',
    MODEL,
    '## Threats',
    '',
    `Each has tests that carry its number. Made ${at.slice(0, 10)} at ${commit}${isFull ? ', with every flood at its full size' : ', with floods of a fifth to a tenth (`CALLSHEET_TEST_FULL=1` takes all)'}: ${String(passed)} of ${String(ran)} tests passed${skipped === 0 ? '' : `, ${String(skipped)} not run`} (${machine}).`,
    '',
    ...threats(evidence),
    '',
    '## Score',
    '',
    'Peers: C ComfyUI, O Ollama, J Jupyter, S Syncthing, read from their sources and not measured. An empty cell says that nothing was looked up.',
    '',
    ...table(
      ['what', 'bar', 'Callsheet', 'peers'],
      ROWS.map((row) => [row.row, row.bar, figureOf(row, evidence), row.peers]),
    ),
    '',
  ].join('\n');
}

// --- helpers ---

function threats({ tests }: Evidence): readonly string[] {
  const rows = THREATS.map(({ number, who, threat, answer }) => {
    const mine = tests.filter(({ title }) => title.includes(`[${number}]`));
    const { passed, ran, skipped } = tally(mine);
    const files = [...new Set(mine.map(({ file }) => file))].toSorted().map((file) => `\`${file.replace(/^test\//, '')}\``);
    const result =
      ran === 0 ? 'not run' : `${String(passed)} of ${String(ran)} passed${skipped === 0 ? '' : `, ${String(skipped)} not run`}`;
    return [number, who, threat, answer, files.join(' '), result];
  });
  return table(['', 'who', 'threat', 'answer', 'tests (below `test/`)', 'result'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
