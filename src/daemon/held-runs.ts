/** Runs that wait for a daemon with their backend: one that was started without it can neither look after them nor judge them. */
import type { ErrorData } from '#protocol/errors.ts';
import type { RunEventBody } from '#protocol/events.ts';
import type { Problem } from '#protocol/problem.ts';
import type { Backend } from '#backends/contract.ts';
import type { AttemptRow, OpenRun } from '#store/types.ts';

export interface HeldRun {
  /** Ids of backends that hold work of the run, or that its client named, and that this daemon lacks. */
  readonly missing: ReadonlySet<string>;
  readonly problem: Problem;
}

export interface Bench {
  readonly backends: readonly Backend[];
  readonly addressOf: (backend: Backend) => string;
  /** Kinds of backend that the run's steps need. */
  readonly kinds: ReadonlySet<Backend['kind']>;
  /** True when the machine of this attempt is still at work, if only on its results. */
  readonly speaksOf: (promptId: string) => boolean;
}

/** Undefined when the daemon has every backend that the run was given to: it can go on. */
export function heldRun(
  run: Pick<OpenRun, 'backend'>,
  attempts: readonly AttemptRow[],
  { backends, addressOf, kinds, speaksOf }: Bench,
): HeldRun | undefined {
  const has = (id: string) => backends.some((backend) => backend.id === id);
  const lacking = attempts.filter(({ backend, endedAt, promptId }) => !has(backend) && (endedAt === null || speaksOf(promptId)));
  const missing = new Set([...(run.backend === null || has(run.backend) ? [] : [run.backend]), ...lacking.map(({ backend }) => backend)]);
  const moved = attempts.filter(
    ({ backend: id, address, endedAt }) =>
      endedAt === null && backends.some((backend) => backend.id === id && isElsewhere(backend, address, addressOf)),
  );
  for (const { backend } of moved) missing.add(backend);
  const list = [...missing].map((id) => `'${id}'`).join(', ');
  if (missing.size > 0) {
    const where = moved.length === 0 ? '' : ` at ${[...new Set(moved.map(({ address }) => address))].join(', ')}`;
    return { missing, problem: heldProblem(`The run was given to backend ${list}${where}`, [...missing].map(optionFor)) };
  }
  // It was left to the pool, and what is left of that is none of its kind: the sandbox never stands in for a real one.
  const kind = run.backend === null ? [...kinds].find((one) => !backends.some((backend) => backend.kind === one)) : undefined;
  if (kind === undefined) return undefined;
  return { missing, problem: heldProblem(`The run needs a backend of kind '${kind}'`, [optionFor(kind)]) };
}

function heldProblem(what: string, options: readonly string[]): Problem {
  return {
    code: 'RUN_HELD',
    severity: 'warning',
    message: `${what}, which this daemon was started without. It waits; nothing of it is lost.`,
    hint: `Start the daemon with it: callsheet daemon ${options.join(' ')}`,
  };
}

/** What stands in the run's log. */
export function heldNote({ problem }: HeldRun): RunEventBody {
  return { type: 'run.note', code: problem.code, message: `${problem.message} ${problem.hint ?? ''}`.trim() };
}

/** A person gave up on a cancel that could not be proven: the jobs are looked for when their backend answers again, and taken off there. */
export function givenUp(attempts: readonly AttemptRow[], now: number) {
  const open = attempts.filter(({ endedAt }) => endedAt === null);
  const list = [...new Set(open.map(({ backend }) => `'${backend}'`))].join(', ');
  const error: ErrorData = {
    code: 'CANCELLED',
    message:
      open.length === 0
        ? 'The run was given up while it was being cancelled.'
        : `The cancel was given up before it was proven: what was sent to backend ${list} may still run there.`,
    hint: 'What is still there is taken off when the backend answers.',
    retryable: false,
  };
  return { error, ...withoutProof(open, { status: 'assumed-lost', error }, error.message, now) };
}

/** What is written of attempts that are still out when their run ends: nobody knows what becomes of them. */
export function unknownOf(attempts: readonly AttemptRow[], reason: string, now: number) {
  return withoutProof(attempts, { status: 'unknown' }, reason, now);
}

function withoutProof(attempts: readonly AttemptRow[], end: Pick<AttemptRow, 'status'> & Partial<AttemptRow>, reason: string, now: number) {
  const open = attempts.filter(({ endedAt }) => endedAt === null);
  return {
    attempts: open.map((row): AttemptRow => ({ ...row, ...end, endedAt: now })),
    events: open.map(({ step, item, attempt, backend, promptId }): RunEventBody => ({
      type: 'step.status',
      step,
      item,
      attempt,
      status: 'lost',
      backend,
      promptId,
      reason,
    })),
  };
}

/** The sandbox is a new one with every start, and its jobs are begun anew; a ComfyUI at another address may be another server. */
function isElsewhere(backend: Backend, address: string, addressOf: (backend: Backend) => string): boolean {
  return backend.kind !== 'sandbox' && addressOf(backend) !== address;
}

function optionFor(id: string): string {
  if (id === 'sandbox') return '--backend sandbox';
  return id === 'comfyui' ? '--backend comfyui=URL' : `--backend ${id}:comfyui=URL`;
}
