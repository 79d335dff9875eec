/**
 * The converter's own process: what decodes foreign pictures, films and sounds may crash, hang or swell without hurting the daemon. It takes one
 * job through its channel, answers, and ends; when the daemon dies it ends too, and takes the program that it started with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import process from 'node:process';
import { clauseOfError, clauseOfProgram, DISK_FILLS } from './clauses.ts';
import { framesOf, linearOf, stillOf } from './pictures.ts';
import type { Caps, Job, JobAnswer, JobFacts, ProgramJob } from './jobs.ts';

/** How often memory is looked at, in milliseconds, and how much of a program's last words is told. */
const LOOK_MS = 200;
const LAST_WORDS = 2000;
/** Of the disk that is left for the daemon and everybody else; of a small rest half. */
const RESERVE = 1024 ** 3;

let program: ChildProcess | undefined;

process.once('disconnect', () => end(1));
process.once('message', (message: { readonly job: Job; readonly caps: Caps }) => {
  const directory = 'directory' in message.job ? message.job.directory : dirname(message.job.output);
  watch(message.caps, directory);
  perform(message.job).then(
    (facts) => answer({ ok: true, facts }),
    (error: unknown) => answer({ ok: false, message: clauseOfError(error, directory) }),
  );
});

// --- helpers ---

function perform(job: Job): Promise<JobFacts> {
  switch (job.kind) {
    case 'still':
      return stillOf(job);
    case 'linear':
      return linearOf(job);
    case 'frames':
      return framesOf(job);
    default:
      return run(job);
  }
}

function run({ program: name, args, directory }: ProgramJob): Promise<JobFacts> {
  return new Promise((resolve, reject) => {
    const started = spawn(name, args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'], shell: false, windowsHide: true });
    program = started;
    let words = '';
    started.stderr.on('data', (chunk: Buffer) => {
      words = `${words}${chunk.toString('utf8')}`.slice(-LAST_WORDS);
    });
    started.once('error', (error) => reject(new Error(`${name} could not be started: ${error.message}`)));
    started.once('close', (code, signal) => {
      if (code === 0) resolve({});
      else
        reject(new Error(clauseOfProgram(words, directory) ?? `it ended with ${code === null ? String(signal) : `code ${String(code)}`}`));
    });
  });
}

/** Time is up, or too much memory or disk is used: said once, then everything is killed. */
function watch({ timeoutMs, memoryBytes }: Caps, directory: string): void {
  const room = freeIn(directory);
  const reserve = Math.min(RESERVE, (room ?? 0) / 2);
  setTimeout(() => answer({ ok: false, message: `it took longer than ${String(Math.round(timeoutMs / 1000))} s` }), timeoutMs).unref();
  setInterval(() => {
    const used = program?.pid === undefined ? process.memoryUsage.rss() : (memoryOf(program.pid) ?? 0);
    if (used > memoryBytes)
      answer({ ok: false, message: `it used more than ${String(Math.round(memoryBytes / 1024 ** 2))} MiB of memory` });
    if ((freeIn(directory) ?? Infinity) < reserve) answer({ ok: false, message: DISK_FILLS });
  }, LOOK_MS).unref();
}

/** Undefined where the system does not tell. */
function freeIn(directory: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

/** Only Linux tells of another process without asking a third one. */
function memoryOf(pid: number): number | undefined {
  try {
    const pages = /^\d+ (\d+)/.exec(readFileSync(`/proc/${String(pid)}/statm`, 'utf8'));
    return pages === null ? undefined : Number(pages[1]) * 4096;
  } catch {
    return undefined;
  }
}

let isAnswered = false;
function answer(message: JobAnswer): void {
  if (isAnswered) return;
  isAnswered = true;
  if (process.send === undefined) end(1);
  else process.send(message, () => end(0));
}

function end(code: number): void {
  program?.kill('SIGKILL');
  process.exit(code);
}
