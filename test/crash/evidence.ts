/**
 * What was played, one line each, kept in bench/results/ under the name of the code that was played: a sweep that was cut off goes on, and
 * `npm run reliability` need not play it again. Other code begins an empty file; what failed stays failed until the code is another.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildOf } from './bundle.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** What decides about a play beside the daemon: who plays, and who judges. */
const PLAYERS = ['test/crash/crash-child.ts', 'test/crash/play.ts', 'test/crash/scenarios.ts', 'test/faults/promises.ts'];

export interface Play {
  readonly scenario: string;
  /** Points after which one daemon after another was killed. */
  readonly deaths: readonly number[];
  /** Their names. */
  readonly at: readonly string[];
  /** Points that each daemon passed. */
  readonly lives: readonly number[];
  readonly kills: number;
  readonly executions: number;
  readonly broken: readonly string[];
}

export interface Evidence {
  readonly build: string;
  /** Where what is left of broken plays goes. */
  readonly kept: string;
  of(scenario: string): readonly Play[];
  add(play: Play): void;
}

/** In memory alone where it is not kept. */
export async function openEvidence(isKept: boolean): Promise<Evidence> {
  const hash = createHash('sha256').update(await buildOf(join(root, 'test/crash/crash-child.ts')));
  for (const name of PLAYERS) hash.update(readFileSync(join(root, name)));
  const build = hash.digest('hex').slice(0, 12);
  const file = join(root, 'bench/results', `crash-${build}.jsonl`);
  const plays = isKept && existsSync(file) ? readPlays(file) : [];
  if (isKept) mkdirSync(dirname(file), { recursive: true });
  return {
    build,
    kept: file.replace(/\.jsonl$/, ''),
    of: (scenario) => plays.filter((play) => play.scenario === scenario),
    add(play) {
      plays.push(play);
      if (isKept) appendFileSync(file, `${JSON.stringify(play)}\n`);
    },
  };
}

/** The last line may have been cut off with the sweep. */
function readPlays(file: string): Play[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Play];
      } catch {
        return [];
      }
    });
}
