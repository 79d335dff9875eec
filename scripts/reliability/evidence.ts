/** What the tables of docs/reliability.md are made from: vitest's report, counts that tests told, and results of benchmarks. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TestResult {
  /** Of the test file, from the root of the repository. */
  readonly file: string;
  /** Titles from the outermost group to the test. */
  readonly title: string;
  readonly status: 'passed' | 'failed' | 'skipped';
}

export interface Count {
  readonly what: string;
  readonly [fact: string]: number | string;
}

export interface Evidence {
  readonly tests: readonly TestResult[];
  readonly counts: readonly Count[];
  /** Results in bench/results by the beginning of their name, the newest of each; undefined when it was never measured. */
  readonly bench: (name: string) => Readonly<Record<string, unknown>> | undefined;
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly ancestorTitles: readonly string[]; readonly title: string; readonly status: string }[];
  }[];
}

export function readEvidence(root: string, reportFile: string, countsFile: string): Evidence {
  const report = JSON.parse(readFileSync(reportFile, 'utf8')) as Report;
  const tests = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ ancestorTitles, title, status }): TestResult => ({
      file: name.replace(`${root}/`, ''),
      title: [...ancestorTitles, title].join(' '),
      status: status === 'passed' || status === 'failed' ? status : 'skipped',
    })),
  );
  const lines = existsSync(countsFile) ? readFileSync(countsFile, 'utf8').trim().split('\n') : [];
  const results = join(root, 'bench/results');
  const names = existsSync(results) ? readdirSync(results).toSorted() : [];
  return {
    tests,
    counts: lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Count),
    bench(name) {
      const found = names.findLast((file) => file.startsWith(name) && file.endsWith('.json'));
      return found === undefined ? undefined : (JSON.parse(readFileSync(join(results, found), 'utf8')) as Record<string, unknown>);
    },
  };
}

/** How many of the tests passed, of those that ran, and how many did not run. */
export function tally(tests: readonly TestResult[]): { readonly passed: number; readonly ran: number; readonly skipped: number } {
  const passed = tests.filter(({ status }) => status === 'passed').length;
  const skipped = tests.filter(({ status }) => status === 'skipped').length;
  return { passed, ran: tests.length - skipped, skipped };
}

export function sum(counts: readonly Count[], fact: string): number {
  return counts.reduce((total, count) => total + Number(count[fact] ?? 0), 0);
}
