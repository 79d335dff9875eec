/**
 * Execute-step: attach or begin. Looks the attempt up on its backend, sends it only when it is not there,
 * and reports until its end. Restarted with the same input after a crash, it finds its own prompt again.
 */
import { fromCallback } from 'xstate';
import { CallsheetError, type ErrorData, toErrorData } from '#protocol/errors.ts';
import type { Attempt, Backend, BackendEvent, RemoteOutputs } from '#backends/contract.ts';
import { wasNeverSent } from '#backends/never-sent.ts';
import type { AttemptRow } from '#store/types.ts';
import { createDeathWatch, deathOf } from './death-watch.ts';
import type { ActorDeps, RunMemory } from './deps.ts';
import { outputsAtHome } from './find-home.ts';
import { findLeft } from './find-left.ts';
import { createFusedAttempt } from './fused/fused-attempt.ts';
import { isRefused } from './grace.ts';
import type { InFlight } from './in-flight.ts';
import { isKnown } from './is-known.ts';
import { createLeaveDead } from './leave-dead.ts';
import { createNodeNames } from './node-names.ts';
import type { ExecuteEvent, ExecuteInput, ExecuteStep } from './logic.ts';
import { sendAttempt } from './send-attempt.ts';
import { createAttemptWatch } from './watch-attempt.ts';

type Report = (event: ExecuteEvent) => void;
type Note = (code: string, message: string) => void;

interface Tellers {
  readonly report: Report;
  /** A line of the run's log. */
  readonly note: Note;
  /** A word on this item, which stays where it is. */
  readonly remark: Note;
  /** Stands among the problems of the run from then on. */
  readonly warn: (warning: ErrorData) => void;
}

/** Why whatever is still being waited for is given up; made once, since every attempt ends this way. */
const OVER = new CallsheetError('CANCELLED', 'The attempt is over.');

export function createExecuteStep(deps: ActorDeps, inFlight: InFlight): ExecuteStep {
  return fromCallback(({ input, sendBack, emit }) => {
    const controller = new AbortController();
    const report: Report = (event) => {
      if (!controller.signal.aborted) sendBack(event);
    };
    const note: Note = (code, message) => {
      if (!controller.signal.aborted) emit({ type: 'run.note', code, message, step: input.step });
    };
    const { step, item, attempt } = input;
    const remark: Note = (code, message) => {
      if (!controller.signal.aborted) emit({ type: 'step.note', step, item, attempt, code, message });
    };
    const warn = ({ message, hint }: ErrorData) => {
      if (controller.signal.aborted) return;
      const told = { code: 'PROMPT_PART_REFUSED', message, step, ...(hint === undefined ? {} : { hint }) };
      emit({ type: 'run.note', severity: 'warning', ...told });
    };
    execute(deps, inFlight, input, { report, note, remark, warn }, controller.signal).catch((error: unknown) =>
      report({ type: 'backend.failed', error: toErrorData(error) }),
    );
    return () => controller.abort(OVER);
  });
}

async function execute(
  deps: ActorDeps,
  inFlight: InFlight,
  input: ExecuteInput,
  { report, note, remark, warn }: Tellers,
  signal: AbortSignal,
): Promise<void> {
  await deps.committed(input.runId);
  if (signal.aborted) return;
  const memory = deps.memory(input.runId);
  const backend = deps.backend(input.backendId);
  const { runId, step, item, attempt: number, promptId, backendId } = input;
  const attempt: Attempt = { runId, step, item, attempt: number, promptId, backendId };
  const record = (change: Partial<AttemptRow>) => recordAttempt(deps, memory, input, change);

  const forget = deps.places.onAssumedLost(promptId, (error) => {
    if (signal.aborted) return;
    note(error.code, error.message);
    record({ status: 'assumed-lost', error, endedAt: deps.now() });
    report({ type: 'backend.lost', cause: 'assumed' });
  });
  signal.addEventListener('abort', forget);
  // With another backend that takes the step, a refused connection is reason to go there: it proves that nothing runs here any more.
  const hasOther = () => deps.places.hasOther(memory, step, backendId);
  const deathGraceMs = hasOther() ? Math.min(deps.graceMs, deps.restartGraceMs) : deps.restartGraceMs;

  // A prompt that this process has just prepared cannot be anywhere yet; every other one is looked up before it is sent.
  const fresh = memory.fresh.has(promptId);
  const died = !fresh && diedWithUs(deps, backend, memory.attempts.get(promptId));
  let begin = fresh;
  try {
    begin ||= !died && !(await isKnown({ ...deps, restartGraceMs: deathGraceMs }, backend, attempt, memory, report, signal));
  } catch (error) {
    if (!signal.aborted && isRefused(error) && hasOther()) {
      record({ status: 'lost', error: toErrorData(error), endedAt: deps.now() });
      report({ type: 'backend.lost', cause: 'restarted' });
      return;
    }
    // Nobody knows what became of it, and that is what stands in its row.
    if (!signal.aborted) record({ status: 'unknown', error: toErrorData(error), endedAt: deps.now() });
    throw error;
  }
  const ended = (event: ExecuteEvent, change: Partial<AttemptRow>) => {
    watch.stop();
    moves.stop();
    record({ ...change, endedAt: deps.now() });
    report(event);
  };
  const names = createNodeNames(memory, step);
  const fused = createFusedAttempt(deps, memory, input);
  const failed = (cause: unknown, outputs?: RemoteOutputs) => {
    // Given up by its machine: what becomes of it is told elsewhere.
    if (signal.aborted) return;
    const error = names.ofError(toErrorData(cause));
    const failure = fused.failureOf(error, outputs);
    if (failure.kind === 'shared') {
      fused.undone();
      note('STEP_NOT_FUSED', notFused(failure.step, step, error));
      // By itself it fails as itself, if it must. Without its files, so is the one that the prompt was sent for.
      if (failure.outputs !== undefined) ended({ type: 'backend.finished', outputs: failure.outputs }, { status: 'finished' });
      else ended({ type: 'backend.lost', cause: 'restarted' }, { status: 'failed', error });
      return;
    }
    if (wasNeverSent(cause) && hasOther()) ended({ type: 'backend.lost', cause: 'restarted' }, { status: 'lost', error });
    else ended({ type: 'backend.failed', error }, { status: 'failed', error });
  };
  const watch = createDeathWatch(deathGraceMs, async () => {
    const death = await deathOf(backend, deathGraceMs, signal);
    if (death === undefined || signal.aborted) return false;
    const next: ExecuteEvent = hasOther() ? { type: 'backend.lost', cause: 'restarted' } : { type: 'backend.failed', error: death };
    ended(next, { status: 'lost', error: death });
    return true;
  });
  /** Set once the policy has had a stalled attempt interrupted. */
  let stalled: ErrorData | undefined;
  const moves = createAttemptWatch(deps, {
    memory,
    input,
    backend,
    fused,
    note: remark,
    interrupt(stall) {
      stalled = stall;
      // Its end is told by the follower; a cancel that cannot be proven leaves the attempt where it is.
      backend.cancel(attempt, signal).catch((reason: unknown) => remark('STALL_NOT_INTERRUPTED', toErrorData(reason).message));
    },
    abandoned: (error) => void dead.leave(error),
  });
  signal.addEventListener('abort', () => {
    watch.stop();
    moves.stop();
  });

  const dead = createLeaveDead({
    memory,
    input,
    backend,
    attempt,
    signal,
    hasOther,
    takenOff: (error) => ended({ type: 'backend.lost', cause: 'restarted' }, { status: 'lost', error }),
    diedAtWork: (error) => settleLoss('restarted', error),
  });

  /** A no that may have come from in front of the backend: the looks say whether the prompt got through. */
  let refusal: CallsheetError | undefined;
  const onEvent = (event: BackendEvent): void => {
    if (signal.aborted) return;
    if (event.type !== 'contact' || event.status === 'restored') watch.stop();
    moves.take(event);
    // It is there, so it was accepted, also where the answer to its POST was lost: never to be sent again unless its loss is proven.
    if ((event.type === 'queued' || event.type === 'started') && !inFlight.isSending(promptId)) acknowledge();
    switch (event.type) {
      case 'queued':
        report({ type: 'backend.queued' });
        break;
      case 'started':
        report({ type: 'backend.started' });
        break;
      case 'progress':
        fused.progress(event.value, names.of(event.node));
        break;
      case 'preview':
        deps.onPreview({ runId, step, item }, event.mediaType, event.bytes);
        break;
      case 'contact':
        if (event.status !== 'restored') {
          watch.start();
          deps.cache.doubted(promptId);
        }
        report({ type: 'backend.contact', status: event.status });
        break;
      case 'finished':
        ended({ type: 'backend.finished', outputs: event.outputs }, { status: 'finished' });
        break;
      case 'failed':
        failed(event.error, event.outputs);
        break;
      case 'interrupted':
        // Taken off by ourselves, and told by whoever did.
        if (dead.isLeaving) break;
        ended({ type: 'backend.failed', error: stalled ?? INTERRUPTED }, { status: 'interrupted', error: stalled ?? INTERRUPTED });
        break;
      case 'lost':
        void settleLoss(event.cause).catch(failed);
        break;
    }
  };
  /** What it left whole ends it as finished, whatever became of queue and history (DESIGN 4, loss). */
  const settleLoss = async (cause: 'restarted' | 'removed' | 'never-accepted', error?: ErrorData) => {
    const { outputs, doubt } = await findLeft(deps, { memory, input, backend, attempt, signal });
    if (signal.aborted) return;
    if (outputs !== undefined) {
      note('OUTPUTS_FOUND', `${backend.url} no longer knows the prompt, but all of its ${outputs.files.length} files lie there whole.`);
      ended({ type: 'backend.finished', outputs }, { status: 'finished' });
      return;
    }
    const home = memory.restored === true ? await outputsAtHome(deps, memory, input, promptId) : undefined;
    if (signal.aborted) return;
    if (home !== undefined) {
      note(
        'OUTPUTS_AT_HOME',
        `${backend.url} does not know the prompt, but ${home.files.length} files of it lie here: it was made after the backup.`,
      );
      ended({ type: 'backend.finished', outputs: home }, { status: 'finished', acknowledged: true });
      return;
    }
    if (doubt !== undefined) {
      note('OUTPUTS_UNPROVEN', `Files that the lost prompt may have left on ${backend.url} are not taken for its result: ${doubt}.`);
    }
    if (cause === 'never-accepted' && refusal !== undefined) failed(refusal);
    else if (cause === 'never-accepted') {
      // Absent twice and never acknowledged: the same attempt is sent again under the same id.
      follow();
      await send();
    } else if (error?.retryable === false) ended({ type: 'backend.failed', error }, { status: 'failed', error });
    else
      ended(
        { type: 'backend.lost', cause },
        { status: cause === 'removed' ? 'removed' : 'lost', ...(error === undefined ? {} : { error }) },
      );
  };
  const acknowledge = () => {
    if (memory.attempts.get(promptId)?.acknowledged === false) record({ status: 'submitted', acknowledged: true });
  };
  const follow = () => {
    const known = memory.attempts.get(promptId);
    backend.follow(attempt, {
      acknowledged: known?.acknowledged ?? false,
      ...(known === undefined ? {} : { sentAt: known.createdAt }),
      ...(known?.number === null || known?.number === undefined ? {} : { number: known.number }),
      onEvent,
      signal,
      previews: true,
      ...(moves.weightOf === undefined ? {} : { weightOf: moves.weightOf }),
    });
  };
  const send = async () => {
    refusal = await sendAttempt(deps, inFlight, { input, attempt, backend, memory, signal, record, remark, warn });
  };

  if (fresh) {
    follow();
    await send().catch(failed);
  } else if (died || begin) await settleLoss(died ? 'restarted' : 'never-accepted').catch(failed);
  else follow();
}

/** The embedded sandbox lives and dies with the daemon: another address is the proof that it restarted. */
function diedWithUs(deps: ActorDeps, backend: Backend, row: AttemptRow | undefined): boolean {
  return backend.kind === 'sandbox' && row !== undefined && row.address !== deps.addressOf(backend);
}

function notFused(shared: string, step: string, { message }: ErrorData): string {
  return `Step '${shared}' failed in the prompt that it shared with step '${step}': ${message} It is done by itself.`;
}

const INTERRUPTED: ErrorData = new CallsheetError('PROMPT_INTERRUPTED', 'Somebody interrupted the prompt on the backend.', {
  hint: 'It was not Callsheet. Run the template again when you want the result.',
}).data;

function recordAttempt(deps: ActorDeps, memory: RunMemory, input: ExecuteInput, change: Partial<AttemptRow>): void {
  const row = memory.attempts.get(input.promptId);
  if (row === undefined) return;
  // A late answer to the POST of an attempt that was given up meanwhile does not make it one that is out again.
  const next = row.endedAt === null ? { ...row, ...change } : { ...row, ...change, status: row.status };
  memory.attempts.set(input.promptId, next);
  deps.stage(input.runId, { attempts: [next] });
}
