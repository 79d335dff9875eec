/**
 * A run's event log as the states of its machines: what the inspector shows of finished runs, and of the moment of a crash. Pure.
 * A few moves are told by no event (`SILENT_MOVES`); the next event of the machine shows them.
 */
import type { RunEventBody } from '#protocol/events.ts';
import { RUN_ENDS } from '#protocol/views.ts';
import { choiceId, type FoldedMachine, type FoldedRun, isOver, type Plan, RUN_ID, stepId } from './folded-run.ts';
import { beginItems, isAllSettled, settle, settleItem } from './fold-steps.ts';

/** State as folded → states that the machine may have gone on to without any event. */
export const SILENT_MOVES: Readonly<Record<FoldedMachine['machine'], Readonly<Record<string, readonly string[]>>>> = {
  run: { loading: ['injecting'] },
  step: {
    'backing-off': ['preparing'],
    'executing.submitting': ['parsing'],
    'executing.queued': ['parsing'],
    'executing.running': ['parsing'],
  },
  choice: {},
};

type StepEvent = Extract<RunEventBody, { readonly type: 'step.status' }>;

/** `plan`: without it the run is shown as `executing` until its end, because nobody knows which step is the last. */
export function emptyFold(plan?: Plan): FoldedRun {
  return { plan, seq: 0, tries: 0, isCancelling: false, steps: new Map(), machines: new Map() };
}

/** The states after all of these events. */
export function foldRun(events: readonly { readonly seq: number; readonly event: RunEventBody }[], plan?: Plan): FoldedRun {
  const fold = emptyFold(plan);
  for (const { seq, event } of events) applyEvent(fold, seq, event);
  return fold;
}

/** Takes one more event into `fold`, in order of `seq`. */
export function applyEvent(fold: FoldedRun, seq: number, event: RunEventBody): void {
  fold.seq = seq;
  switch (event.type) {
    case 'run.created':
      restart(fold);
      break;
    case 'run.retried':
      restart(fold);
      for (const into of Object.keys(event.picks ?? {})) settle(fold, `choices.${into}`);
      break;
    case 'run.status':
      applyRunStatus(fold, event.status);
      break;
    case 'step.planned':
      beginItems(fold, event);
      break;
    case 'step.status':
      applyStepStatus(fold, event);
      break;
    case 'step.cache':
    case 'step.note':
      noteAttempt(fold, event);
      break;
    case 'artifact.created':
      noteArtifact(fold, event);
      break;
    case 'choice.offered':
      move(fold, { id: choiceId(event.into), machine: 'choice', value: event.deadline === undefined ? 'waiting.open' : 'waiting.timed' });
      break;
    case 'choice.made':
      move(fold, { id: choiceId(event.into), machine: 'choice', value: 'made' });
      settle(fold, `choices.${event.into}`);
      break;
    case 'choice.status':
      applyChoiceStatus(fold, event.into, event.status);
      break;
    case 'run.note':
    default:
      if (event.type === 'run.note' && event.code === 'CHOICE_OVERDUE') noteOverdue(fold, event.message);
  }
  const run = fold.machines.get(RUN_ID);
  // XState goes on by itself as soon as nothing is open.
  if (run?.value === 'executing' && isAllSettled(fold)) move(fold, { ...run, value: 'collecting' });
  else if (run?.value === 'cancelling' && [...fold.steps.values()].every(({ open }) => open.size === 0))
    move(fold, { ...run, value: 'releasing' });
}

// --- helpers ---

function restart(fold: FoldedRun): void {
  fold.tries += 1;
  fold.isCancelling = false;
  fold.steps.clear();
  fold.machines.clear();
  move(fold, { id: RUN_ID, machine: 'run', value: 'loading' });
}

/** Sets the state of a machine, and when it entered it. */
function move(fold: FoldedRun, { id, machine, value, attempt }: Pick<FoldedMachine, 'id' | 'machine' | 'value' | 'attempt'>): void {
  const before = fold.machines.get(id);
  const since = before?.value === value && before.attempt === attempt ? before.since : fold.seq;
  fold.machines.set(id, { id, machine, value, since, ...(attempt === undefined ? {} : { attempt }), ended: isOver(machine, value) });
}

function stop(fold: FoldedRun, id: string): void {
  const machine = fold.machines.get(id);
  if (machine !== undefined && !machine.ended) fold.machines.set(id, { ...machine, ended: true, stopped: true });
}

function applyRunStatus(fold: FoldedRun, status: Extract<RunEventBody, { readonly type: 'run.status' }>['status']): void {
  const value = fold.machines.get(RUN_ID)?.value;
  const run = { id: RUN_ID, machine: 'run' } as const;
  if (RUN_ENDS.includes(status)) {
    move(fold, { ...run, value: status });
    for (const { id } of fold.machines.values()) if (id !== RUN_ID) stop(fold, id);
  } else if (status === 'cancelling') {
    fold.isCancelling = true;
    move(fold, { ...run, value: value === 'loading' ? 'releasing' : 'cancelling' });
  } else if (status === 'running' || status === 'waiting') move(fold, { ...run, value: 'executing' });
}

function applyStepStatus(fold: FoldedRun, event: StepEvent): void {
  const { step, item, attempt, status } = event;
  const known = fold.steps.get(step);
  const id = stepId(step, item);
  // Not an item's end: the step itself was skipped, blocked or could not be planned.
  if (attempt === 0 && (known === undefined || known.items === 0)) {
    settle(fold, step);
    return;
  }
  const before = fold.machines.get(id);
  const value = stepValue(event, before?.value);
  move(fold, { id, machine: 'step', value, attempt: attempt === 0 ? (before?.attempt ?? 1) : attempt });
  // The run ends without proof of what became of it: nobody asks its machine any more.
  if (status === 'lost' && event.error === undefined && event.reason !== undefined) stop(fold, id);
  if (fold.machines.get(id)?.ended === true) settleItem(fold, step, item);
}

/** The state in which the turn ends that reports this status. */
function stepValue({ status, error, reason }: StepEvent, before: string | undefined): string {
  switch (status) {
    case 'submitting':
    case 'queued':
    case 'running':
      return `executing.${status}`;
    case 'unknown':
    case 'unresponsive':
      return before?.startsWith('executing.') === true ? before : 'executing.submitting';
    // Both are reported on the way to the next attempt, or to the end, which then has an error.
    case 'removed':
      return error === undefined ? 'backing-off' : 'failed';
    case 'lost':
      return error !== undefined ? 'lost' : reason === undefined ? 'backing-off' : (before ?? 'executing.submitting');
    case 'pending':
    case 'preparing':
    case 'waiting':
      return 'preparing';
    case 'skipped':
    case 'blocked':
      return before ?? 'preparing';
    default:
      return status;
  }
}

/** Only what prepares an attempt speaks of one that was not yet sent. */
function noteAttempt(fold: FoldedRun, { step, item, attempt }: { readonly step: string; readonly item: number; readonly attempt: number }) {
  const machine = fold.machines.get(stepId(step, item));
  if (machine === undefined || machine.ended) return;
  if (machine.value === 'backing-off' && attempt > (machine.attempt ?? 1)) move(fold, { ...machine, value: 'preparing', attempt });
}

/** Files come home in `parsing`, but for those of the cache, which are there before anything is sent. */
function noteArtifact(fold: FoldedRun, { step, item }: { readonly step: string; readonly item: number }): void {
  const machine = fold.machines.get(stepId(step, item));
  if (machine?.value.startsWith('executing.') === true && !machine.ended) move(fold, { ...machine, value: 'parsing' });
}

function applyChoiceStatus(
  fold: FoldedRun,
  into: string,
  status: Extract<RunEventBody, { readonly type: 'choice.status' }>['status'],
): void {
  const id = choiceId(into);
  if (status === 'skipped' || status === 'failed') {
    // One that crashed is reported by the run machine after its end; what it said of itself stands.
    if (fold.machines.get(id)?.ended !== true) move(fold, { id, machine: 'choice', value: status });
  } else if (status === 'cancelled') stop(fold, id);
  settle(fold, `choices.${into}`);
}

/** The note names the choice in its sentence alone; mostly there is just one that it can be. */
function noteOverdue(fold: FoldedRun, message: string): void {
  const timed = [...fold.machines.values()].filter(
    ({ machine, value, ended }) => machine === 'choice' && value === 'waiting.timed' && !ended,
  );
  const named = timed.length === 1 ? timed[0] : timed.find(({ id }) => message.includes(`'${id.slice('choice:'.length)}'`));
  if (named !== undefined) move(fold, { ...named, value: 'waiting.open' });
}
