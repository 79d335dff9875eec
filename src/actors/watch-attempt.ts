/** Watches one attempt as it goes on: teaches what it took when it is done, and says so when nothing moves for longer than usual. */
import { CallsheetError, type ErrorData } from '#protocol/errors.ts';
import type { Attempt, Backend, BackendEvent, FollowOptions, NodeTime } from '#backends/contract.ts';
import { workerDead } from '#backends/worker-dead.ts';
import { createAttemptClock, type Phase } from './attempt-clock.ts';
import type { ActorDeps, PlaceLoad, RunMemory, StallPolicy, StepTimings } from './deps.ts';
import type { FusedAttempt } from './fused/fused-attempt.ts';
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
  /** The steps that it does. */
  readonly fused: Pick<FusedAttempt, 'steps' | 'whose' | 'lessons'>;
  /** Says something of this attempt: shown with its step until `STEP_MOVES` or its next state. */
  readonly note: (code: string, message: string) => void;
  /** The policy wants it interrupted. */
  readonly interrupt: (error: ErrorData) => void;
  /** The backend will never execute it: said again and again while that is so. */
  readonly abandoned: (error: ErrorData) => void;
}

/** Nodes that were too short to be learned weigh this much, in seconds. */
const SHORT_NODE = 0.05;

export function createAttemptWatch(deps: ActorDeps, { memory, input, backend, fused, note, interrupt, abandoned }: Watching): AttemptWatch {
  const { runId, step, item, promptId, backendId } = input;
  const attempt: Attempt = { runId, step, item, attempt: input.attempt, promptId, backendId };
  const clock = createAttemptClock();
  const books = fused.steps.map((id) => deps.timings.of(memory.template.id, id, backend.id));
  const closing = new AbortController();
  let isTold = false;
  let dead: ErrorData | undefined;
  let askedAt = 0;

  /** The worker of a backend can be dead while it answers: then it is said at once, and nothing is to be won by interrupting. */
  const ask = (): void => {
    if (clock.quiet() * 1000 < Math.max(deps.stall.askMs, askedAt + deps.stall.askMs)) return;
    askedAt = clock.quiet() * 1000;
    backend.diagnose?.(attempt, closing.signal).then(
      (proof) => {
        if (proof === undefined || isTold || closing.signal.aborted) return;
        isTold = true;
        dead = workerDead(backend, proof);
        note(dead.code, `${dead.message} ${dead.hint ?? ''}`);
        deps.places.workerDied(backend.id, proof);
        abandoned(dead);
      },
      // A backend that cannot be asked is told of elsewhere.
      () => undefined,
    );
  };
  const look = (): void => {
    const { phase } = clock;
    if (dead !== undefined) abandoned(dead);
    if (phase === undefined || isTold) return;
    ask();
    const isDeaf = phase !== 'queued' && !clock.hears;
    const limit = isDeaf ? deafLimit(deps.stall, books) : stallLimit(deps.stall, books, phase);
    if (clock.quiet() < limit) return;
    isTold = true;
    const error = stalled(backend, phase, clock.quiet());
    note('STEP_STALLED', `${error.message} ${error.hint ?? ''}`.trim());
    // Nobody here would hear it move: that is no ground to stop it.
    if (deps.stall.action === 'interrupt' && !isDeaf) interrupt(error);
  };
  const timer = deps.stall.limitMs === 0 ? undefined : setInterval(look, deps.stall.lookMs);
  timer?.unref();

  /** Another run's models were not loaded in between: what that saved is what a load of this step took, less what it took now. */
  const tellSpared = ({ models }: PlaceLoad, seconds: number | undefined): void => {
    const cold = deps.timings.of(memory.template.id, step, backend.id).here('loading.cold')?.mean;
    const saved = cold === undefined || seconds === undefined ? {} : { seconds: Math.max(0, cold - seconds) };
    const why = `It went before runs that came earlier, while ${models.join(', ')} ${models.length === 1 ? 'was' : 'were'} loaded on '${backend.id}': in the order of arrival ${models.length === 1 ? 'it' : 'they'} would have been loaded anew.`;
    deps.stage(runId, { savings: [{ step, item, pass: 'model-order', savings: [{ nodes: [], why, ...saved }] }] });
  };

  const keepTimes = (nodes: readonly NodeTime[] | undefined): void => {
    const kept = memory.provenance.get(promptId);
    if (kept === undefined) return;
    const timed = { ...kept, times: clock.times(nodes) };
    memory.provenance.set(promptId, timed);
    deps.stage(runId, { provenance: [timed] });
  };

  return {
    weightOf: weigher(fused, books, deps.timings.of('', '', backend.id)),
    take(event) {
      clock.take(event);
      if (clock.quiet() * 1000 < askedAt) askedAt = 0;
      if (isTold && clock.quiet() < deps.stall.lookMs / 1000) {
        isTold = false;
        dead = undefined;
        note('STEP_MOVES', `It moves again on ${backend.url}.`);
      }
      if (event.type !== 'finished') return;
      const lesson = [...clock.lesson(event.nodes)];
      const loading = lesson.find(({ part }) => part === 'loading');
      const load = deps.places.loadOf(promptId);
      if (loading !== undefined && load !== undefined) {
        if (load.wasSpared) tellSpared(load, loading.seconds);
        lesson.push({ part: load.wasLoaded ? 'loading.warm' : 'loading.cold', seconds: loading.seconds });
      } else if (load?.wasSpared === true) tellSpared(load, undefined);
      for (const { step: id, lesson: own } of fused.lessons(lesson, event.nodes)) {
        const whole = own.find(({ part }) => part === 'item');
        if (whole !== undefined) deps.cache.took(promptId, whole.seconds, id === step ? undefined : id);
        deps.learn({ runId, step: id, item: id === step ? item : 0, backend: backend.id }, own);
      }
      keepTimes(event.nodes);
    },
    stop() {
      clearInterval(timer);
      closing.abort();
    },
  };
}

/** By this step's own history, else by what the classes of its nodes took elsewhere, else all the same. */
function weigher({ steps, whose }: Watching['fused'], books: readonly StepTimings[], classes: StepTimings): FollowOptions['weightOf'] {
  return (id, className) => {
    const { step, node } = whose(id);
    const own = books[steps.indexOf(step)];
    const ofNode = own?.get(`node.${node}`)?.mean;
    if (ofNode !== undefined) return ofNode;
    return own?.get('item') !== undefined ? SHORT_NODE : classes.get(`class.${className}`)?.mean;
  };
}

/** How long it may be quiet, in seconds: five times the longest that this step was on this backend, once three attempts have taught it. */
function stallLimit(policy: StallPolicy, books: readonly StepTimings[], phase: Phase): number {
  // A queue belongs to others too: how long they take was not learned here.
  if (phase === 'queued') return (policy.limitMs * 3) / 1000;
  // How long several steps in one prompt are quiet was not learned of each.
  const usual = books.length === 1 ? books[0]?.here(`quiet.${phase}`) : undefined;
  if (usual === undefined || usual.count < 3) return policy.limitMs / 1000;
  return Math.min(policy.limitMs, Math.max(policy.leastMs, usual.longest * 5000)) / 1000;
}

/** Of an attempt of which nothing is heard until its end: five times the longest that this step ever took, and never less than the general time. */
function deafLimit(policy: StallPolicy, books: readonly StepTimings[]): number {
  const longest = books.reduce((sum, learned) => sum + (learned.here('item')?.longest ?? 0), 0);
  return Math.max(policy.limitMs / 1000, longest * 5);
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

function forPeople(seconds: number): string {
  return seconds < 120 ? `${String(Math.round(seconds))} s` : `${String(Math.round(seconds / 60))} min`;
}
