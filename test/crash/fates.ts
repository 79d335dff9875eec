/** What can befall a daemon at a point of its work. */

export type Fate =
  /** SIGKILL: nothing more is done. */
  | 'killed'
  /** SIGTERM: an orderly stop. */
  | 'told-to-stop'
  /** An error that nobody catches. */
  | 'throwing'
  /** The process stands still for two seconds, as under a debugger or on a machine that sleeps. */
  | 'standing-still'
  /** The wall clock jumps a year back. */
  | 'clock-back'
  /** The wall clock jumps a year ahead. */
  | 'clock-ahead';

/** Fates that end the process. */
export const DEADLY: ReadonlySet<Fate> = new Set(['killed', 'told-to-stop', 'throwing']);

const YEAR_MS = 365 * 86_400_000;
const STILL_MS = 2000;

export function meetFate(fate: Fate): void {
  switch (fate) {
    case 'killed':
      process.kill(process.pid, 'SIGKILL');
      break;
    case 'told-to-stop':
      process.kill(process.pid, 'SIGTERM');
      break;
    case 'throwing':
      setImmediate(() => {
        throw new Error('thrown by a test');
      });
      break;
    case 'standing-still':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STILL_MS);
      break;
    case 'clock-back':
      shiftClock(-YEAR_MS);
      break;
    case 'clock-ahead':
      shiftClock(YEAR_MS);
      break;
  }
}

function shiftClock(by: number): void {
  const now = Date.now.bind(Date);
  Date.now = () => now() + by;
}
