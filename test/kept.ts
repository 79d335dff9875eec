/**
 * What a long sweep has tried, one line each, kept in bench/results/ under the name of the code that was tried: a sweep that was cut off goes on,
 * and `npm run reliability` need not try it again. Other code begins an empty file; what failed stays failed until the code is another.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildOf } from './crash/bundle.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface Kept<Row> {
  /** Names the code. */
  readonly build: string;
  /** Where what is left of failures goes. */
  readonly folder: string;
  readonly rows: readonly Row[];
  readonly add: (row: Row) => void;
}

export interface KeptOptions {
  /** Beginning of the file's name. */
  readonly name: string;
  /** Processes that are tried, below test/. */
  readonly processes: readonly string[];
  /** What else decides: who tries, and who judges. */
  readonly judges: readonly string[];
  /** False: only in memory, as of a sample. */
  readonly isKept: boolean;
}

export async function openKept<Row>({ name, processes, judges, isKept }: KeptOptions): Promise<Kept<Row>> {
  const hash = createHash('sha256');
  for (const process of processes) hash.update(await buildOf(join(root, 'test', process)));
  for (const judge of judges) hash.update(readFileSync(join(root, 'test', judge)));
  const build = hash.digest('hex').slice(0, 12);
  const file = join(root, 'bench/results', `${name}-${build}.jsonl`);
  const rows = isKept && existsSync(file) ? readRows<Row>(file) : [];
  if (isKept) mkdirSync(dirname(file), { recursive: true });
  return {
    build,
    folder: file.replace(/\.jsonl$/, ''),
    rows,
    add(row) {
      rows.push(row);
      if (isKept) appendFileSync(file, `${JSON.stringify(row)}\n`);
    },
  };
}

/** The last line may have been cut off with the sweep. */
function readRows<Row>(file: string): Row[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Row];
      } catch {
        return [];
      }
    });
}

/** So many at once, each taken when one before it is done. */
export async function inLanes<T>(jobs: number, all: Iterable<T>, work: (one: T) => Promise<void>): Promise<void> {
  const left = all[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    for (let next = left.next(); next.done !== true; next = left.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: jobs }, lane));
}
