/** Runs that wait for a daemon with their backend: one that was started without it can neither look after them nor judge them. */
import type { ErrorData } from '#protocol/errors.ts';
import type { RunEventBody } from '#protocol/events.ts';
import type { Problem } from '#protocol/problem.ts';
import type { Backend } from '#backends/contract.ts';
import type { AttemptRow, RunRow } from '#store/types.ts';

export interface HeldRun {
  /** Ids of backends that hold work of the run, or that its client named, and that this daemon lacks. */
  readonly missing: ReadonlySet<string>;
  readonly problem: Problem;
}

/** Undefined when the daemon has every backend that the run was given to: it can go on. */
export function heldRun(
  row: RunRow,
  attempts: readonly AttemptRow[],
  backends: readonly Backend[],
  addressOf: (backend: Backend) => string,
): HeldRun | undefined {
  const named = [...(row.backend === null ? [] : [row.backend]), ...attempts.map(({ backend }) => backend)];
  const missing = new Set(named.filter((id) => !backends.some((backend) => backend.id === id)));
  const moved = attempts.filter(
    ({ backend: id, address, endedAt }) =>
      endedAt === null && backends.some((backend) => backend.id === id && isElsewhere(backend, address, addressOf)),
  );
  for (const { backend } of moved) missing.add(backend);
  if (missing.size === 0) return undefined;
  const list = [...missing].map((id) => `'${id}'`).join(', ');
  const problem: Problem = {
    code: 'RUN_HELD',
    severity: 'warning',
    message: `The run was given to backend ${list}${moved.length === 0 ? '' : ` at ${[...new Set(moved.map(({ address }) => address))].join(', ')}`}, which this daemon was started without. It waits; nothing of it is lost.`,
    hint: `Start the daemon with it: callsheet daemon ${[...missing].map(optionFor).join(' ')}`,
  };
  return { missing, problem };
}

/** What stands in the run's log. */
export function heldNote({ problem }: HeldRun): RunEventBody {
  return { type: 'run.note', code: problem.code, message: `${problem.message} ${problem.hint ?? ''}`.trim() };
}

/** A person gave up on a cancel that could not be proven: nobody knows whether the jobs still run, and that is what is written. */
export function givenUp(attempts: readonly AttemptRow[], now: number) {
  const open = attempts.filter(({ endedAt }) => endedAt === null);
  const list = [...new Set(open.map(({ backend }) => `'${backend}'`))].join(', ');
  const error: ErrorData = {
    code: 'CANCELLED',
    message:
      open.length === 0
        ? 'The run was given up while it was being cancelled.'
        : `The cancel was given up before it was proven: what was sent to backend ${list} may still run there.`,
    hint: 'Look into the queue of that backend.',
    retryable: false,
  };
  return {
    error,
    attempts: open.map((row): AttemptRow => ({ ...row, status: 'unknown', endedAt: now })),
    events: open.map(({ step, item, attempt, backend, promptId }): RunEventBody => ({
      type: 'step.status',
      step,
      item,
      attempt,
      status: 'lost',
      backend,
      promptId,
      reason: error.message,
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
