/** Whether calls to the system can be traced and made to fail here: in some containers that is forbidden even where strace is installed. */
import { spawnSync } from 'node:child_process';

export const canTrace = spawnSync('strace', ['-qq', '-e', 'trace=none', 'true']).status === 0;
if (!canTrace)
  console.warn('NOT RUN: kills and errors inside system calls, since strace cannot trace here. Debian: apt-get install strace.');

/** Arguments of strace that let the nth call of a name end in a signal or an error; follows every thread. */
export function injecting(name: string, what: string, when: number): readonly string[] {
  return ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${name}`, '-e', `inject=${name}:${what}:when=${String(when)}`];
}

/** Arguments that write each call of the names to a file. */
export function listing(names: readonly string[], log: string): readonly string[] {
  return ['-f', '-qq', '-o', log, '-e', `trace=${names.join(',')}`];
}
