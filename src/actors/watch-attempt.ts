/** Watches one attempt as it goes on: teaches what it took when it is done, and says so when nothing moves for longer than usual. */
import { CallsheetError, type ErrorData } from '#protocol/errors.ts';
import type { Attempt, Backend, BackendEvent, FollowOptions } from '#backends/contract.ts';
import { createAttemptClock, type Phase } from './attempt-clock.ts';
import type { ActorDeps, RunMemory, StallPolicy, StepTimings } from './deps.ts';
import type { ExecuteInput } from './logic.ts';

export interface AttemptWatch {
  readonly weightOf: FollowOptions['weightOf'];
  take(event: BackendEvent): void;
  stop(): void;
}

export interface Watching {
  readonly memory: RunMemory;
  readonly input: ExecuteInput;
  readonly backend: Backend;
  /** Says something of this attempt: shown with its step until `STEP_MOVES` or its next state. */
  readonly note: (code: string, message: string) => void;
  /** The policy wants it interrupted. */
  readonly interrupt: (error: ErrorData) => void;
}

/** Nodes that were too short to be learned weigh this much, in seconds. */
const SHORT_NODE = 0.05;

export function createAttemptWatch(deps: ActorDeps, { memory, input, backend, note, interrupt }: Watching): AttemptWatch {
  const { runId, step, item, promptId, backendId } = input;
  const attempt: Attempt = { runId, step, item, attempt: input.attempt, promptId, backendId };
  const clock = createAttemptClock();
  const learned = deps.timings.of(memory.template.id, step, backend.id);
  const closing = new AbortController();
  let isTold = false;
  let askedAt = 0;

  /** The worker of a backend can be dead while it answers: then it is said at once, and nothing is to be won by interrupting. */
  const ask = (): void => {
    if (clock.quiet() * 1000 < Math.max(deps.stall.askMs, askedAt + deps.stall.askMs)) return;
    askedAt = clock.quiet() * 1000;
    backend.diagnose?.(attempt, closing.signal).then(
      (proof) => {
        if (proof === undefined || isTold || closing.signal.aborted) return;
        isTold = true;
        note('BACKEND_WORKER_DEAD', workerDead(backend, proof));
      },
      // A backend that cannot be asked is told of elsewhere.
      () => undefined,
    );
  };
  const look = (): void => {
    const { phase } = clock;
    if (phase === undefined || isTold) return;
    ask();
    const isDeaf = phase !== 'queued' && !clock.hears;
    const limit = isDeaf ? deafLimit(deps.stall, learned) : stallLimit(deps.stall, learned, phase);
    if (clock.quiet() < limit) return;
    isTold = true;
    const error = stalled(backend, phase, clock.quiet());
    note('STEP_STALLED', `${error.message} ${error.hint ?? ''}`.trim());
    // Nobody here would hear it move: that is no ground to stop it.
    if (deps.stall.action === 'interrupt' && !isDeaf) interrupt(error);
  };
  const timer = deps.stall.limitMs === 0 ? undefined : setInterval(look, deps.stall.lookMs);
  timer?.unref();

  return {
    weightOf: weigher(learned, deps.timings.of('', '', backend.id)),
    take(event) {
      clock.take(event);
      if (clock.quiet() * 1000 < askedAt) askedAt = 0;
      if (isTold && clock.quiet() < deps.stall.lookMs / 1000) {
        isTold = false;
        note('STEP_MOVES', `It moves again on ${backend.url}.`);
      }
      if (event.type !== 'finished') return;
      deps.learn({ runId, step, item, backend: backend.id }, clock.lesson(event.nodes));
      const kept = memory.provenance.get(promptId);
      if (kept === undefined) return;
      const timed = { ...kept, times: clock.times(event.nodes) };
      memory.provenance.set(promptId, timed);
      deps.stage(runId, { provenance: [timed] });
    },
    stop() {
      clearInterval(timer);
      closing.abort();
    },
  };
}

/** By this step's own history, else by what the classes of its nodes took elsewhere, else all the same. */
function weigher(own: StepTimings, classes: StepTimings): FollowOptions['weightOf'] {
  const isKnown = own.get('item') !== undefined;
  return (node, className) => {
    const ofNode = own.get(`node.${node}`)?.mean;
    if (ofNode !== undefined) return ofNode;
    return isKnown ? SHORT_NODE : classes.get(`class.${className}`)?.mean;
  };
}

/** How long it may be quiet, in seconds: five times the longest that this step was on this backend, once three attempts have taught it. */
function stallLimit(policy: StallPolicy, learned: StepTimings, phase: Phase): number {
  const usual = learned.here(`quiet.${phase}`);
  // A queue belongs to others too: how long they take was not learned here.
  if (phase === 'queued') return (policy.limitMs * 3) / 1000;
  if (usual === undefined || usual.count < 3) return policy.limitMs / 1000;
  return Math.min(policy.limitMs, Math.max(policy.leastMs, usual.longest * 5000)) / 1000;
}

/** Of an attempt of which nothing is heard until its end: five times the longest that this step ever took, and never less than the general time. */
function deafLimit(policy: StallPolicy, learned: StepTimings): number {
  return Math.max(policy.limitMs / 1000, (learned.here('item')?.longest ?? 0) * 5);
}

const WHAT: Readonly<Record<Phase, string>> = {
  queued: 'The queue has not moved',
  loading: 'It has started, and nothing has been heard of it',
  working: 'Its progress has stood still',
};

function stalled(backend: Backend, phase: Phase, quiet: number): ErrorData {
  return new CallsheetError('STEP_STALLED', `${WHAT[phase]} for ${forPeople(quiet)} on ${backend.url}, which still answers.`, {
    hint:
      phase === 'queued'
        ? 'Somebody else may have long work there, or its worker died: look at its window or log, and restart it when nothing runs.'
        : 'It may load a large model, hang in a node, or have lost its worker: look at its window or log. It is waited for all the same.',
  }).data;
}

function workerDead(backend: Backend, proof: string): string {
  return `${backend.url} answers, but the worker that executes prompts has died: ${proof}. It takes prompts and executes none. Restart it: what is lost with it is made again.`;
}

function forPeople(seconds: number): string {
  return seconds < 120 ? `${String(Math.round(seconds))} s` : `${String(Math.round(seconds / 60))} min`;
}
