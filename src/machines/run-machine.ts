/** The run machine: one execution of a template, from loading to its one end. A pure statechart; effects come in as actors. */
import { assign, emit, enqueueActions, sendTo, setup } from 'xstate';
import { type ErrorData, toErrorData } from '#protocol/errors.ts';
import type { RunEventBody } from '#protocol/events.ts';
import type { RunStatus } from '#protocol/views.ts';
import type { Picks, PlanOutput, RunActors, RunKey } from '#actors/logic.ts';
import type { BackOffOptions } from './back-off.ts';
import { type ChoiceResult, type ChoiceWaitingEvent, createChoiceMachine } from './choice-machine.ts';
import type { RunCancelEvent, RunChooseEvent } from './run-events.ts';
import { askId, type ChildDone, type ChildFailed, failureOf, isChoice, isItem, isPlan, itemId, planId } from './run-children.ts';
import {
  advance,
  beginOf,
  blockedEvent,
  choiceOf,
  firstError,
  isSettled,
  isWaiting,
  newSteps,
  planned,
  settleChoice,
  settled,
  settleItem,
  startItems,
  type StepProgress,
  update,
  withoutFurther,
} from './run-steps.ts';
import type { StepResult } from './step-context.ts';
import { createStepMachine } from './step-machine.ts';

/** Raised with every change, here or in the step machine, that an old snapshot cannot follow (test/daemon/stored-runs.test.ts). */
export const RUN_MACHINE_VERSION = 1;

export interface RunContext extends RunKey {
  readonly steps: readonly StepProgress[];
  readonly error: ErrorData | null;
  readonly draft: boolean;
  /** Choices that were made; absent before the first. */
  readonly picks?: Picks;
}

export interface RunResult {
  readonly error: ErrorData | null;
  readonly draft: boolean;
}

export function createRunMachine(actors: RunActors, backOff?: BackOffOptions) {
  return setup({
    types: {
      context: {} as RunContext,
      events: {} as RunCancelEvent | RunChooseEvent | ChoiceWaitingEvent | ChildDone | ChildFailed,
      input: {} as RunKey,
      output: {} as RunResult,
      emitted: {} as RunEventBody,
    },
    actors: {
      'load-template': actors['load-template'],
      'inject-parameters': actors['inject-parameters'],
      'plan-step': actors['plan-step'],
      'collect-results': actors['collect-results'],
      'release-attempts': actors['release-attempts'],
      step: createStepMachine(actors, backOff),
      choice: createChoiceMachine(actors),
    },
    actions: {
      report: emit(({ context }, status: RunStatus) => ({
        type: 'run.status' as const,
        status,
        ...(context.error === null || status === 'running' ? {} : { error: context.error }),
      })),
      /** Plans every step that has become ready and marks those that never will be. */
      advance: enqueueActions(({ context, enqueue }) => {
        const next = advance(context.steps);
        enqueue.assign({ steps: next.steps });
        for (const step of next.blocked) enqueue.emit(blockedEvent(step));
        const before = settled(context, next.steps);
        for (const step of next.ready) {
          const into = choiceOf(step);
          if (into === undefined) enqueue.spawnChild('plan-step', { id: planId(step), input: { ...before, step } });
          else enqueue.spawnChild('choice', { id: askId(into), input: { ...before, into } });
        }
      }),
      noteWaiting: enqueueActions(({ context, enqueue }, { into }: ChoiceWaitingEvent) => {
        if (!isWaiting(context.steps)) enqueue.emit({ type: 'run.status', status: 'waiting' });
        enqueue.assign({ steps: update(context.steps, `choices.${into}`, (step) => ({ ...step, status: 'waiting' })) });
      }),
      settleChoice: enqueueActions(({ context, enqueue }, event: ChildDone | ChildFailed) => {
        const into = event.actorId.slice('choice:'.length);
        const result: Omit<ChoiceResult, 'into'> =
          'error' in event
            ? { status: 'failed', picked: [], reason: null, error: toErrorData(event.error) }
            : (event.output as ChoiceResult);
        enqueue.stopChild(event.actorId);
        const steps = update(context.steps, `choices.${into}`, (step) => settleChoice(step, result));
        enqueue.assign({ steps, ...(result.status === 'made' ? { picks: { ...context.picks, [into]: result.picked } } : {}) });
        if (isWaiting(context.steps) && !isWaiting(steps)) enqueue.emit({ type: 'run.status', status: 'running' });
      }),
      /** Takes up a planned step, or skips it. */
      startStep: enqueueActions(({ context, enqueue }, event: ChildDone) => {
        const id = event.actorId.slice('plan:'.length);
        const plan = event.output as PlanOutput;
        enqueue.stopChild(event.actorId);
        if ('skip' in plan) {
          enqueue.assign({ steps: update(context.steps, id, (step) => ({ ...step, status: 'skipped', reason: plan.skip })) });
          enqueue.emit({ type: 'step.status', step: id, item: 0, attempt: 0, status: 'skipped', reason: plan.skip });
          return;
        }
        const { items, kept } = plan;
        enqueue.assign({ steps: update(context.steps, id, (step) => planned(step, plan)) });
        enqueue.emit({ type: 'step.planned', step: id, items, ...(kept === undefined ? {} : { kept }) });
      }),
      /** Starts as many items as may be at work at once; the others follow as these end. */
      startItems: enqueueActions(({ context, enqueue }) => {
        const before = settled(context, context.steps);
        for (const active of context.steps) {
          const { step, started } = startItems(active);
          if (active.status !== 'active' || started.length === 0) continue;
          enqueue.assign({ steps: ({ context: now }) => update(now.steps, step.id, () => step) });
          for (const item of started) {
            enqueue.spawnChild('step', { id: itemId(step.id, item), input: { ...before, ...beginOf(step, item), step: step.id, item } });
          }
        }
      }),
      planFailed: enqueueActions(({ context, enqueue }, event: ChildFailed) => {
        const id = event.actorId.slice('plan:'.length);
        const error = toErrorData(event.error);
        enqueue.stopChild(event.actorId);
        enqueue.assign({ steps: update(context.steps, id, (step) => ({ ...step, status: 'failed', error })) });
        enqueue.emit({ type: 'step.status', step: id, item: 0, attempt: 0, status: 'failed', error });
      }),
      /** A done child stays in the snapshot until it is stopped. */
      settleItem: enqueueActions(({ context, enqueue }, event: ChildDone) => {
        const result = event.output as StepResult;
        enqueue.stopChild(event.actorId);
        enqueue.assign({
          steps: update(context.steps, result.step, (step) => settleItem(step, result)),
          draft: context.draft || result.draft,
        });
      }),
      /** A step machine that threw: a defect of ours, but the run still ends with a reason. */
      itemCrashed: enqueueActions(({ context, enqueue }, event: ChildFailed) => {
        const [, step = '', item = '0'] = event.actorId.split(':');
        const error = toErrorData(event.error);
        enqueue.stopChild(event.actorId);
        enqueue.assign({
          steps: update(context.steps, step, (one) => settleItem(one, { step, item: Number(item), status: 'failed', draft: false, error })),
        });
        enqueue.emit({ type: 'step.status', step, item: Number(item), attempt: 0, status: 'failed', error });
      }),
      /** What could not be cancelled may still run: the run must not end as if nothing did. */
      noteUnproven: assign({
        error: ({ context }, event: ChildDone | ChildFailed) => context.error ?? failureOf(event),
      }),
      cancelItems: enqueueActions(({ context, enqueue }) => {
        for (const step of context.steps) {
          const into = choiceOf(step.id);
          if (into !== undefined && (step.status === 'planning' || step.status === 'waiting')) {
            enqueue.stopChild(askId(into));
            enqueue.emit({ type: 'choice.status', into, status: 'cancelled' });
          } else if (step.status === 'planning') enqueue.stopChild(planId(step.id));
          for (const item of step.open) enqueue.sendTo(itemId(step.id, item), { type: 'step.cancel' });
        }
        enqueue.assign({ steps: withoutFurther(context.steps) });
      }),
    },
    guards: {
      allSettled: ({ context }) => context.steps.every((step) => isSettled(step)),
      awaits: ({ context, event }) =>
        event.type === 'run.choose' && context.steps.some(({ id, status }) => choiceOf(id) === event.into && status === 'waiting'),
      anyLost: ({ context }) => context.steps.some((step) => step.status === 'lost'),
      /** An item that fails while the run is being cancelled is one that could not be taken off its backend. */
      unproven: ({ context }) => context.error !== null && context.steps.every((step) => isSettled(step)),
      allGood: ({ context }) => context.steps.every((step) => step.status === 'done' || step.status === 'skipped'),
    },
  }).createMachine({
    id: 'run',
    context: ({ input }) => ({ runId: input.runId, steps: [], error: null, draft: false }),
    initial: 'loading',
    output: ({ context }) => ({ error: context.error, draft: context.draft }),
    states: {
      loading: {
        invoke: {
          src: 'load-template',
          id: 'load',
          input: ({ context }) => ({ runId: context.runId }),
          onDone: {
            target: 'injecting',
            actions: assign(({ event: { output } }) => ({
              steps: newSteps(output),
              ...(output.picks === undefined ? {} : { picks: output.picks }),
            })),
          },
          onError: { target: 'failed', actions: assign({ error: ({ event }) => toErrorData(event.error) }) },
        },
        on: { 'run.cancel': { target: 'releasing', actions: { type: 'report', params: 'cancelling' } } },
      },
      injecting: {
        invoke: {
          src: 'inject-parameters',
          id: 'inject',
          input: ({ context }) => ({ runId: context.runId }),
          onDone: 'executing',
          onError: { target: 'failed', actions: assign({ error: ({ event }) => toErrorData(event.error) }) },
        },
        on: { 'run.cancel': { target: 'releasing', actions: { type: 'report', params: 'cancelling' } } },
      },
      executing: {
        entry: [{ type: 'report', params: 'running' }, 'advance'],
        always: { guard: 'allSettled', target: 'collecting' },
        on: {
          'xstate.done.actor.*': [
            {
              guard: ({ event }) => isPlan(event),
              actions: [{ type: 'startStep', params: ({ event }) => event }, 'startItems', 'advance'],
            },
            {
              guard: ({ event }) => isItem(event),
              actions: [{ type: 'settleItem', params: ({ event }) => event }, 'startItems', 'advance'],
            },
            { guard: ({ event }) => isChoice(event), actions: [{ type: 'settleChoice', params: ({ event }) => event }, 'advance'] },
          ],
          'xstate.error.actor.*': [
            { guard: ({ event }) => isPlan(event), actions: [{ type: 'planFailed', params: ({ event }) => event }, 'advance'] },
            {
              guard: ({ event }) => isItem(event),
              actions: [{ type: 'itemCrashed', params: ({ event }) => event }, 'startItems', 'advance'],
            },
            { guard: ({ event }) => isChoice(event), actions: [{ type: 'settleChoice', params: ({ event }) => event }, 'advance'] },
          ],
          'choice.waiting': { actions: { type: 'noteWaiting', params: ({ event }) => event } },
          'run.choose': {
            guard: 'awaits',
            actions: sendTo(
              ({ event }) => askId(event.into),
              ({ event }) => ({ type: 'choice.make', picked: event.picked }),
            ),
          },
          'run.cancel': 'cancelling',
        },
      },
      cancelling: {
        entry: [{ type: 'report', params: 'cancelling' }, 'cancelItems'],
        always: [
          { guard: 'unproven', target: 'failed' },
          { guard: 'allSettled', target: 'releasing' },
        ],
        on: {
          'xstate.done.actor.*': {
            guard: ({ event }) => isItem(event),
            actions: [
              { type: 'settleItem', params: ({ event }) => event },
              { type: 'noteUnproven', params: ({ event }) => event },
            ],
          },
          'xstate.error.actor.*': {
            guard: ({ event }) => isItem(event),
            actions: [
              { type: 'itemCrashed', params: ({ event }) => event },
              { type: 'noteUnproven', params: ({ event }) => event },
            ],
          },
        },
      },
      releasing: {
        invoke: {
          src: 'release-attempts',
          id: 'release',
          input: ({ context }) => ({ runId: context.runId }),
          onDone: 'cancelled',
          onError: { target: 'failed', actions: assign({ error: ({ event }) => toErrorData(event.error) }) },
        },
      },
      collecting: {
        invoke: {
          src: 'collect-results',
          id: 'collect',
          input: ({ context }) => settled(context, context.steps),
          onDone: [
            {
              guard: 'allGood',
              target: 'succeeded',
              actions: assign({ draft: ({ context, event }) => context.draft || event.output.draft }),
            },
            { guard: 'anyLost', target: 'lost', actions: assign({ error: ({ context }) => firstError(context.steps) }) },
            { target: 'failed', actions: assign({ error: ({ context }) => firstError(context.steps) }) },
          ],
          onError: { target: 'failed', actions: assign({ error: ({ event }) => toErrorData(event.error) }) },
        },
        on: { 'run.cancel': 'cancelled' },
      },
      succeeded: { type: 'final', entry: { type: 'report', params: 'succeeded' } },
      failed: { type: 'final', entry: { type: 'report', params: 'failed' } },
      cancelled: { type: 'final', entry: { type: 'report', params: 'cancelled' } },
      lost: { type: 'final', entry: { type: 'report', params: 'lost' } },
    },
  });
}

export type RunMachine = ReturnType<typeof createRunMachine>;
