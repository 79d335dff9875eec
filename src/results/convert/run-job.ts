/** Starts the converter's own process for one job, a few at a time, and takes it down with the one who asked. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { availableParallelism } from 'node:os';
import { CallsheetError } from '#protocol/errors.ts';
import { cureOf } from './clauses.ts';
import type { Caps, Job, JobAnswer, JobFacts } from './jobs.ts';

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url));
const GIB = 1024 ** 3;

/** A still is done in seconds; a film of some minutes takes some minutes. */
export const STILL_CAPS: Caps = { timeoutMs: 120_000, memoryBytes: 3 * GIB };
export const FILM_CAPS: Caps = { timeoutMs: 3_600_000, memoryBytes: 4 * GIB };

/** Beyond the time that the child itself keeps, in case it cannot even say that its time is up. */
const GRACE_MS = 5000;
const LAST_WORDS_MS = 2000;
const AT_ONCE = Math.max(1, Math.floor(availableParallelism() / 2));

let working = 0;
const waiting = new Set<() => void>();

/** Throws CONVERSION_FAILED with a clause that says why, and the signal's reason. */
export async function runJob(job: Job, caps: Caps, signal: AbortSignal): Promise<JobFacts> {
  await turn(signal);
  try {
    const answer = await ask(job, caps, signal);
    if (answer.ok) return answer.facts;
    throw new CallsheetError('CONVERSION_FAILED', answer.message, cureOf(answer.message));
  } finally {
    handOn();
  }
}

// --- helpers ---

/** Who waits gets the place of one that is done; who gives up leaves the queue. */
async function turn(signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (working < AT_ONCE) {
    working += 1;
    return;
  }
  await new Promise<void>((resolve, reject) => {
    const giveUp = (): void => {
      waiting.delete(go);
      reject(signal.reason);
    };
    const go = (): void => {
      signal.removeEventListener('abort', giveUp);
      resolve();
    };
    waiting.add(go);
    signal.addEventListener('abort', giveUp, { once: true });
  });
}

function handOn(): void {
  const [next] = waiting;
  if (next === undefined) {
    working -= 1;
    return;
  }
  waiting.delete(next);
  next();
}

function ask(job: Job, caps: Caps, signal: AbortSignal): Promise<JobAnswer> {
  return new Promise((resolve, reject) => {
    const child = fork(CHILD, [], {
      // Nothing of the daemon's own options; what it may use of V8's memory is little, since pictures lie outside of it.
      execArgv: ['--max-old-space-size=256'],
      env: environment(),
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'json',
    });
    const settle = (work: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      work();
    };
    // Told to end by the end of its channel, it takes the program that it started with it; one that hangs is killed a little later.
    const stop = (): void => {
      if (child.connected) child.disconnect();
      setTimeout(() => child.kill('SIGKILL'), LAST_WORDS_MS).unref();
    };
    const abort = (): void =>
      settle(() => {
        stop();
        reject(signal.reason as Error);
      });
    const timer = setTimeout(
      () =>
        settle(() => {
          stop();
          resolve({ ok: false, message: 'it hung' });
        }),
      caps.timeoutMs + GRACE_MS,
    );
    signal.addEventListener('abort', abort, { once: true });
    child.once('message', (answer: JobAnswer) => settle(() => resolve(answer)));
    child.once('error', (error) => settle(() => resolve({ ok: false, message: error.message })));
    child.once('exit', (code, by) => {
      const message = `the converter ended with ${code === null ? String(by) : `code ${String(code)}`}`;
      const give = (): void => settle(() => resolve({ ok: false, message }));
      // Its last word may still be on the way when its end is known already.
      if (child.connected) child.once('disconnect', give);
      else give();
    });
    child.send({ job, caps });
  });
}

/** What a program needs to start; keys and tokens of the daemon are not among it. */
function environment(): NodeJS.ProcessEnv {
  const names = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
}
