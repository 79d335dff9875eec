/** The report of the last whole run, kept in bench/results/, so that what failed can be run again once it is mended, and nothing else. */
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Made {
  readonly isFull: boolean;
  /** ISO 8601. */
  readonly at: string;
  readonly commit: string;
  /** What had failed was run again there. */
  readonly again?: string;
}

interface Report {
  readonly testResults: readonly { readonly name: string; readonly status: string }[];
}

export interface KeptRun {
  readonly report: string;
  readonly counts: string;
  made(): Made;
  keep(report: string, counts: string, made: Made): void;
  /** Test files in which something failed, from the root of the repository. */
  failed(root: string): readonly string[];
  /** Puts the report and the counts of those files in the place of what they had said. */
  replace(report: string, counts: string, again: string): void;
}

export function keptRun(root: string): KeptRun {
  const folder = join(root, 'bench/results/reliability');
  const [report, counts, about] = ['report.json', 'counts.jsonl', 'made.json'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const made = (): Made => {
    if (!existsSync(about)) throw new Error('No run is kept: npm run reliability');
    return JSON.parse(readFileSync(about, 'utf8')) as Made;
  };
  const save = (value: Made): void => writeFileSync(about, JSON.stringify(value));
  return {
    report,
    counts,
    made,
    keep(newReport, newCounts, value) {
      mkdirSync(folder, { recursive: true });
      cpSync(newReport, report);
      if (existsSync(newCounts)) cpSync(newCounts, counts);
      save(value);
    },
    failed: (from) =>
      read(report)
        .testResults.filter(({ status }) => status === 'failed')
        .map(({ name }) => name.replace(`${from}/`, '')),
    replace(newReport, newCounts, again) {
      const told = read(newReport).testResults;
      const names = new Set(told.map(({ name }) => name));
      const others = read(report).testResults.filter(({ name }) => !names.has(name));
      writeFileSync(report, JSON.stringify({ testResults: [...others, ...told] }));
      const anew = lines(newCounts);
      const whats = new Set(anew.map(whatOf));
      writeFileSync(counts, [...lines(counts).filter((line) => !whats.has(whatOf(line))), ...anew].map((line) => `${line}\n`).join(''));
      save({ ...made(), again });
    },
  };
}

// --- helpers ---

const read = (file: string): Report => JSON.parse(readFileSync(file, 'utf8')) as Report;
const lines = (file: string): readonly string[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
    : [];
const whatOf = (line: string): string => (JSON.parse(line) as { readonly what: string }).what;
