/** A live run whose effects are settled at random, with a log as the run host would write it: what a fold is held against. */
import { type Actor, type AnyActorRef, createActor, fromCallback, fromPromise, type InspectionEvent, SimulatedClock } from 'xstate';
import type { ExecuteEvent, OfferOutput, PlanOutput, Prepared, RunActors, ServedFromCache } from '#actors/logic.ts';
import { armTimers, snapshotText, timersOf } from '#daemon/snapshots.ts';
import { createRunMachine, type RunMachine } from '#machines/run-machine.ts';
import type { ErrorData } from '#protocol/errors.ts';
import type { RunEventBody } from '#protocol/events.ts';
import { turn } from '../fake-actors.ts';

export interface Logged {
  readonly seq: number;
  readonly event: RunEventBody;
}

/** Picks a whole number from 0 up to below `below`. */
export type Dice = (below: number) => number;

interface Effect {
  readonly key: string;
  /** Machine that waits for it. */
  readonly owner: string;
  act(dice: Dice): void;
}

export interface RandomRun {
  /** Another one after each crash. */
  readonly actor: Actor<RunMachine>;
  readonly log: readonly Logged[];
  /** So many times the process died, and the run went on from what it had left. */
  readonly crashes: number;
  /** One thing happens: an effect ends, a backend speaks, time passes, a person acts, the process dies. False when nothing can happen any more. */
  step(dice: Dice): Promise<boolean>;
}

const FAILED: ErrorData = { code: 'NODE_FAILED', message: 'x', retryable: false };
const PASSES: ErrorData = { code: 'BACKEND_HTTP', message: 'x', retryable: true };
const TOO_BIG: ErrorData = { code: 'OUT_OF_MEMORY', message: 'x', retryable: true };
const FORGOTTEN: ExecuteEvent = { type: 'backend.lost', cause: 'restarted' };
const OUTPUTS = { files: [], texts: [], cachedNodes: [] };

export interface RandomPlan {
  readonly steps: readonly { readonly id: string; readonly needs: readonly string[] }[];
}

/** `isForgetful`: the backend restarts again and again. `onTold`: after each turn of a machine in which events were logged that are its own. */
export function startRandomRun(
  plan: RandomPlan,
  isForgetful: boolean,
  onTold: (machine: string, value: string, log: readonly Logged[]) => void,
): RandomRun {
  const log: Logged[] = [];
  const effects = new Set<Effect>();
  const clock = new SimulatedClock();
  const ownerOf = (self: AnyActorRef) => (self as { readonly _parent?: AnyActorRef })._parent?.id ?? '';

  const held = <T>(
    key: string,
    self: AnyActorRef,
    signal: AbortSignal,
    settle: (dice: Dice) => { readonly value: T } | { readonly error: unknown },
  ) =>
    new Promise<T>((resolve, reject) => {
      const effect: Effect = {
        key,
        owner: ownerOf(self),
        act(dice) {
          effects.delete(effect);
          const end = settle(dice);
          if ('value' in end) resolve(end.value);
          else reject(end.error);
        },
      };
      effects.add(effect);
      signal.addEventListener('abort', () => effects.delete(effect));
    });
  const mostly = <T>(dice: Dice, value: T, error: unknown = FAILED): { readonly value: T } | { readonly error: unknown } =>
    dice(12) === 0 ? { error } : { value };

  const actors: RunActors = {
    'load-template': fromPromise(({ self, signal }) => held('load', self, signal, (dice) => mostly(dice, plan))),
    'inject-parameters': fromPromise(({ self, signal }) => held('inject', self, signal, (dice) => mostly(dice, undefined))),
    'plan-step': fromPromise(({ self, signal }) =>
      held<PlanOutput>('plan', self, signal, (dice) => {
        if (dice(8) === 0) return { value: { skip: 'when is false' } };
        if (dice(6) === 0) return mostly(dice, { items: 20, kept: [0, 3, 17], begin: [{ item: 1, attempt: 2, isTakenUp: true }] });
        return mostly(dice, { items: dice(4) });
      }),
    ),
    'offer-choice': fromPromise(({ input, self, signal }) =>
      held<OfferOutput>('offer', self, signal, (dice) => {
        if (dice(5) === 0) return { value: { skip: 'nothing' } };
        const timeoutMs = dice(2) === 0 ? null : 1000;
        const onTimeout = (['first', 'fail', 'wait'] as const)[dice(3)] ?? 'fail';
        const candidates = ['x', 'y'].map((id, index) => ({ index, id }));
        const asked = {
          into: input.into,
          after: 'a',
          pick: { min: 1, max: 1 },
          candidates,
          ...(timeoutMs === null ? {} : { deadline: 1, onTimeout }),
        };
        return mostly(dice, { asked, timeoutMs, onTimeout });
      }),
    ),
    'collect-results': fromPromise(({ self, signal }) => held('collect', self, signal, (dice) => mostly(dice, { draft: false }))),
    'release-attempts': fromPromise(({ self, signal }) => held('release', self, signal, (dice) => mostly(dice, undefined))),
    'prepare-step': fromPromise(({ input, self, signal, emit }) =>
      held<Prepared | ServedFromCache>('prepare', self, signal, (dice) => {
        const { step, item, attempt } = input;
        if (dice(2) === 0) emit({ type: 'step.status', step, item, attempt, status: 'waiting', reason: 'full' });
        if (dice(2) === 0) emit({ type: 'step.cache', step, item, attempt, result: 'miss', reason: 'new' });
        if (dice(6) === 0) return { value: { cached: true as const, draft: false } };
        return mostly(dice, { promptId: 'p', backendId: 'b' }, dice(2) === 0 ? PASSES : FAILED);
      }),
    ),
    'parse-results': fromPromise(({ input: { step, item }, self, signal, emit }) =>
      held('parse', self, signal, (dice) => {
        if (dice(2) === 0) emit({ type: 'artifact.created', artifactId: 'i', step, item, output: '*', path: '/x', mediaType: 'image/png' });
        return mostly(dice, { artifacts: 1, draft: false });
      }),
    ),
    'cancel-step': fromPromise(({ input, self, signal, emit }) =>
      held('cancel', self, signal, (dice) => {
        const { step, item, attempt } = input;
        if (dice(2) === 0) emit({ type: 'step.status', step, item, attempt, status: 'cancelling', reason: 'not yet' });
        return mostly(dice, undefined);
      }),
    ),
    'free-backend': fromPromise(({ self, signal }) => held('free', self, signal, (dice) => mostly(dice, { lower: dice(2) === 0 }))),
    'execute-step': fromCallback(({ self, sendBack }) => {
      const words: readonly ExecuteEvent[] = isForgetful
        ? [{ type: 'backend.started' }, FORGOTTEN]
        : [
            { type: 'backend.queued' },
            { type: 'backend.started' },
            { type: 'backend.contact', status: 'lost' },
            { type: 'backend.contact', status: 'unresponsive' },
            { type: 'backend.contact', status: 'restored' },
            { type: 'backend.finished', outputs: OUTPUTS },
            { type: 'backend.finished', outputs: OUTPUTS },
            { type: 'backend.failed', error: FAILED },
            { type: 'backend.failed', error: PASSES },
            { type: 'backend.failed', error: TOO_BIG },
            FORGOTTEN,
            { type: 'backend.lost', cause: 'removed' },
            { type: 'backend.lost', cause: 'assumed' },
          ];
      const effect: Effect = { key: 'execute', owner: ownerOf(self), act: (dice) => sendBack(words[dice(words.length)] ?? FORGOTTEN) };
      effects.add(effect);
      return () => void effects.delete(effect);
    }),
  };

  /** Of the machine that is at it: events that were logged and not yet held against its state. */
  const untold = new Set<string>();
  const write = (owner: string, event: RunEventBody) => {
    log.push({ seq: log.length + 1, event });
    untold.add(owner);
  };
  const tell = (actor: AnyActorRef, snapshot: unknown) => {
    if (!untold.delete(actor.sessionId)) return;
    const value = dotted(snapshot);
    if (value !== undefined) onTold(idOf(actor), value, log);
  };
  const inspect = (event: InspectionEvent) => {
    const ref = event.actorRef as AnyActorRef & { readonly _parent?: AnyActorRef };
    if (event.type === '@xstate.actor')
      ref.on?.('*', (body: unknown) => {
        const isMachine = isOfMachine(ref.getSnapshot());
        const owner = isMachine ? ref : ref._parent;
        if (owner === undefined) return;
        write(owner.sessionId, body as RunEventBody);
        // What an effect reports happens in no turn of the machine.
        if (!isMachine) tell(owner, owner.getSnapshot());
      });
    if (event.type === '@xstate.snapshot') tell(ref, event.snapshot);
  };

  write('', { type: 'run.created', template: 't', version: '1.0.0' });
  const machine = createRunMachine(actors, { initialMs: 100, maxMs: 100, random: () => 0 });
  const boot = (snapshot?: ReturnType<Actor<RunMachine>['getSnapshot']>) =>
    createActor(machine, { id: 'run', input: { runId: 'r' }, inspect, clock, ...(snapshot === undefined ? {} : { snapshot }) }).start();
  let actor = boot();
  let crashes = 0;

  /** What a killed process leaves is its snapshot, its timers and its log. */
  function crash(): void {
    const text = snapshotText(actor.getPersistedSnapshot());
    const timers = timersOf(actor);
    actor.stop();
    untold.clear();
    actor = boot(JSON.parse(text) as ReturnType<typeof actor.getSnapshot>);
    armTimers(actor, timers, Date.now());
    crashes += 1;
  }

  return {
    get actor() {
      return actor;
    },
    get crashes() {
      return crashes;
    },
    log,
    async step(dice) {
      if (actor.getSnapshot().status !== 'active') return false;
      const open = [...effects];
      const waiting = actor.getSnapshot().context.steps.filter(({ status }) => status === 'waiting');
      const throwOf = dice(40);
      if (throwOf === 0) actor.send({ type: 'run.cancel' });
      else if (throwOf < 6 || (open.length === 0 && waiting.length === 0)) clock.increment(2000);
      else if (waiting.length > 0 && (throwOf < 12 || open.length === 0))
        actor.send({ type: 'run.choose', into: waiting[dice(waiting.length)]?.id.slice('choices.'.length) ?? '', picked: ['x'] });
      else if (throwOf === 13) crash();
      else open[dice(open.length)]?.act(dice);
      await turn();
      return true;
    },
  };
}

/** Every machine that lives, by its id, with its state. */
export function liveMachines(actor: AnyActorRef): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (ref: AnyActorRef): void => {
    const snapshot: unknown = ref.getSnapshot();
    const value = dotted(snapshot);
    if (value !== undefined) found.set(idOf(ref), value);
    for (const child of Object.values((snapshot as { readonly children?: Record<string, AnyActorRef> }).children ?? {})) visit(child);
  };
  visit(actor);
  return found;
}

// --- helpers ---

function idOf(ref: AnyActorRef): string {
  return ref.id;
}

function isOfMachine(snapshot: unknown): boolean {
  return typeof snapshot === 'object' && snapshot !== null && 'value' in snapshot;
}

function dotted(snapshot: unknown): string | undefined {
  if (!isOfMachine(snapshot)) return undefined;
  const names: string[] = [];
  let value = (snapshot as { readonly value: unknown }).value;
  while (typeof value === 'object' && value !== null) {
    const [entry] = Object.entries(value);
    names.push(entry?.[0] ?? '');
    value = entry?.[1] as unknown;
  }
  return [...names, String(value)].join('.');
}
