/** The ledger of executions: in memory, and appended to ledger.jsonl before the first node runs. */
import { appendFileSync, closeSync, existsSync, fsyncSync, openSync, readFileSync } from 'node:fs';
import type { PromptCosts } from './costs/account.ts';
import type { LedgerEntry } from './options.ts';

type Outcome = NonNullable<LedgerEntry['outcome']>;

export interface LedgerRecord {
  node(id: string): void;
  finish(outcome: Outcome, costs?: PromptCosts): void;
}

export interface Ledger {
  /** Written to disk before it returns. */
  begin(promptId: string): LedgerRecord;
  entries(): LedgerEntry[];
  /** It has let go of everything that it had computed. */
  freed(): void;
}

interface Row {
  prompt_id: string;
  started: number;
  finished: number | null;
  outcome: LedgerEntry['outcome'];
  nodes: string[];
  costs?: PromptCosts;
}

interface Line {
  event: 'start' | 'finish';
  row: number;
  prompt_id: string;
  at: number;
  outcome?: Outcome;
  nodes?: string[];
  costs?: PromptCosts;
}

/** Rows of an earlier process in the same directory stay: a judge must survive the accused. */
export function createLedger(file: string): Ledger {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const rows = replay(before);
  if (before !== '' && !before.endsWith('\n')) appendFileSync(file, '\n');

  return {
    begin(promptId) {
      const row: Row = { prompt_id: promptId, started: Date.now(), finished: null, outcome: null, nodes: [] };
      const index = rows.push(row) - 1;
      appendLine(file, { event: 'start', row: index, prompt_id: promptId, at: row.started });
      return {
        node: (id) => void row.nodes.push(id),
        finish(outcome, costs) {
          row.finished = Date.now();
          row.outcome = outcome;
          if (costs !== undefined) row.costs = costs;
          const more = costs === undefined ? {} : { costs };
          appendLine(file, { event: 'finish', row: index, prompt_id: promptId, at: row.finished, outcome, nodes: row.nodes, ...more });
        },
      };
    },
    freed: () => appendLine(file, { event: 'freed', at: Date.now() }),
    entries: () => rows.map((row) => ({ ...row, nodes: [...row.nodes] })),
  };
}

function appendLine(file: string, line: Line | { readonly event: 'freed'; readonly at: number }): void {
  const handle = openSync(file, 'a');
  try {
    appendFileSync(handle, `${JSON.stringify(line)}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function replay(text: string): Row[] {
  const rows: Row[] = [];
  for (const part of text.split('\n')) {
    const line = readLine(part);
    if (line?.event === 'start') rows[line.row] = { prompt_id: line.prompt_id, started: line.at, finished: null, outcome: null, nodes: [] };
    const row = line?.event === 'finish' ? rows[line.row] : undefined;
    if (line === undefined || row === undefined) continue;
    row.finished = line.at;
    row.outcome = line.outcome ?? null;
    row.nodes = line.nodes ?? [];
    if (line.costs !== undefined) row.costs = line.costs;
  }
  return rows;
}

/** A killed process may leave half a last line. */
function readLine(text: string): Line | undefined {
  try {
    const line: unknown = JSON.parse(text);
    return isLine(line) ? line : undefined;
  } catch {
    return undefined;
  }
}

function isLine(value: unknown): value is Line {
  return typeof value === 'object' && value !== null && 'event' in value && 'row' in value && Number.isSafeInteger(value.row);
}
