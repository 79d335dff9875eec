/** The step machine: the life of one item of one step, from preparing its graph to its artifacts. A pure statechart; effects come in as actors. */
import { assign, emit, setup } from 'xstate';
import { type ErrorData, toErrorData } from '#protocol/errors.ts';
import type { RunEventBody } from '#protocol/events.ts';
import type { StepStatus } from '#protocol/views.ts';
import type { ExecuteEvent, StepActors } from '#actors/logic.ts';
import { backOffMs, type BackOffOptions, USUAL_BACK_OFF } from './back-off.ts';
import {
  executeInput,
  mayRetry,
  prepareInput,
  retriesOf,
  statusEvent,
  type StepContext,
  type StepInput,
  type StepResult,
  triedOf,
} from './step-context.ts';
import { ASSUMED, givenUp, LOST, REMOVED } from './step-ends.ts';

export type StepEvent = ExecuteEvent | { readonly type: 'step.cancel' };

export function createStepMachine(actors: StepActors, backOff: BackOffOptions = USUAL_BACK_OFF) {
  return setup({
    types: {
      context: {} as StepContext,
      events: {} as StepEvent,
      input: {} as StepInput,
      output: {} as StepResult,
      emitted: {} as RunEventBody,
    },
    actors: {
      'prepare-step': actors['prepare-step'],
      'execute-step': actors['execute-step'],
      'parse-results': actors['parse-results'],
      'cancel-step': actors['cancel-step'],
      'free-backend': actors['free-backend'],
    },
    actions: {
      report: emit(({ context }, status: StepStatus) => statusEvent(context, status, context.error)),
      noteTouch: assign({ contact: 'ok' }),
      noteError: assign({ error: (_, error: ErrorData) => error }),
      giveUp: assign({ error: ({ context }, error: ErrorData) => givenUp(error, triedOf(context)) }),
      /** The failure that was counted last is followed by nothing. */
      giveUpFreed: assign({
        error: ({ context }) => {
          const tried = triedOf(context);
          return context.error && givenUp(context.error, tried, tried.transient + tried.memory - 1);
        },
      }),
      countRetry: assign({
        retries: ({ context }, of: 'transient' | 'memory') => ({ ...retriesOf(context), [of]: retriesOf(context)[of] + 1 }),
      }),
    },
    guards: {
      isBackInTouch: ({ context, event }) => event.type === 'backend.contact' && event.status === 'restored' && context.contact !== 'ok',
      mayPass: ({ context }, error: ErrorData) => mayRetry(context, error, 'transient'),
      mayFit: ({ context }, error: ErrorData) => mayRetry(context, error, 'memory'),
    },
    delays: {
      /** Milliseconds before the next attempt. It is set once, when the state is entered, and survives a restart as it was set. */
      backOff: ({ context }) => backOffMs(Math.max(1, retriesOf(context).transient + retriesOf(context).memory), context.error, backOff),
    },
  }).createMachine({
    id: 'step',
    context: ({ input }) => ({
      ...input,
      attempt: input.attempt ?? 1,
      // Attempts of earlier tries by hand do not count against this one.
      ...(input.attempt === undefined ? {} : { retries: { transient: 0, memory: 0 } }),
      promptId: null,
      backendId: null,
      outputs: null,
      contact: 'ok',
      error: null,
      draft: false,
      end: null,
    }),
    initial: 'preparing',
    states: {
      preparing: {
        invoke: {
          src: 'prepare-step',
          id: 'prepare',
          input: ({ context }) => prepareInput(context),
          onDone: [
            {
              guard: ({ event }) => 'cached' in event.output,
              target: 'cached',
              actions: assign({ draft: ({ event }) => 'cached' in event.output && event.output.draft }),
            },
            {
              target: 'executing',
              actions: assign(({ event }) =>
                'cached' in event.output ? {} : { promptId: event.output.promptId, backendId: event.output.backendId },
              ),
            },
          ],
          onError: [
            {
              guard: { type: 'mayPass', params: ({ event }) => toErrorData(event.error) },
              target: 'backing-off',
              actions: [
                { type: 'noteError', params: ({ event }) => toErrorData(event.error) },
                { type: 'countRetry', params: 'transient' },
              ],
            },
            { target: 'failed', actions: { type: 'giveUp', params: ({ event }) => toErrorData(event.error) } },
          ],
        },
        on: { 'step.cancel': 'cancelled' },
      },
      executing: {
        initial: 'submitting',
        invoke: { src: 'execute-step', id: 'execute', input: ({ context }) => executeInput(context) },
        states: {
          submitting: {
            entry: { type: 'report', params: 'submitting' },
            on: {
              'backend.queued': 'queued',
              'backend.started': 'running',
              'backend.contact': { guard: 'isBackInTouch', actions: ['noteTouch', { type: 'report', params: 'submitting' }] },
            },
          },
          queued: {
            entry: { type: 'report', params: 'queued' },
            on: {
              'backend.started': 'running',
              'backend.contact': { guard: 'isBackInTouch', actions: ['noteTouch', { type: 'report', params: 'queued' }] },
            },
          },
          running: {
            entry: { type: 'report', params: 'running' },
            on: { 'backend.contact': { guard: 'isBackInTouch', actions: ['noteTouch', { type: 'report', params: 'running' }] } },
          },
        },
        on: {
          'backend.contact': [
            { guard: ({ event }) => event.status === 'restored' },
            {
              guard: ({ context, event }) => event.status === 'unresponsive' && context.contact !== 'unresponsive',
              actions: [assign({ contact: 'unresponsive' }), { type: 'report', params: 'unresponsive' }],
            },
            {
              guard: ({ context }) => context.contact === 'ok',
              actions: [assign({ contact: 'lost' }), { type: 'report', params: 'unknown' }],
            },
          ],
          'backend.finished': {
            target: 'parsing',
            actions: assign({ outputs: ({ event }) => event.outputs, contact: 'ok' }),
          },
          'backend.failed': [
            {
              guard: { type: 'mayFit', params: ({ event }) => event.error },
              target: 'freeing',
              actions: [
                { type: 'noteError', params: ({ event }) => event.error },
                { type: 'countRetry', params: 'memory' },
              ],
            },
            {
              guard: { type: 'mayPass', params: ({ event }) => event.error },
              target: 'backing-off',
              actions: [
                { type: 'noteError', params: ({ event }) => event.error },
                { type: 'countRetry', params: 'transient' },
              ],
            },
            { target: 'failed', actions: { type: 'giveUp', params: ({ event }) => event.error } },
          ],
          'backend.lost': [
            {
              guard: ({ context, event }) => event.cause === 'removed' && context.takenUp === context.attempt,
              target: 'backing-off',
              actions: { type: 'report', params: 'removed' },
            },
            {
              guard: ({ event }) => event.cause === 'removed',
              target: 'failed',
              actions: [assign({ error: REMOVED }), { type: 'report', params: 'removed' }],
            },
            {
              guard: { type: 'mayPass', params: LOST },
              target: 'backing-off',
              actions: [
                { type: 'report', params: 'lost' },
                { type: 'countRetry', params: 'transient' },
              ],
            },
            { target: 'lost', actions: assign({ error: ({ event }) => (event.cause === 'assumed' ? ASSUMED : LOST) }) },
          ],
          'step.cancel': 'cancelling',
        },
      },
      /** First rung of the ladder: what the backend keeps in memory is let go. The second rung is the lower profile, where the step has one. */
      freeing: {
        entry: { type: 'report', params: 'freeing' },
        invoke: {
          src: 'free-backend',
          id: 'free',
          input: ({ context }) => executeInput(context),
          onDone: [
            { guard: ({ context }) => retriesOf(context).memory === 1, target: 'backing-off' },
            { guard: ({ event }) => event.output.lower, target: 'backing-off', actions: assign({ profile: 'low' }) },
            { target: 'failed', actions: 'giveUpFreed' },
          ],
          onError: { target: 'failed', actions: assign({ error: ({ event }) => toErrorData(event.error) }) },
        },
        on: { 'step.cancel': 'cancelled' },
      },
      'backing-off': {
        entry: { type: 'report', params: 'backing-off' },
        after: {
          backOff: {
            target: 'preparing',
            actions: assign({ attempt: ({ context }) => context.attempt + 1, promptId: null, contact: 'ok', error: null }),
          },
        },
        on: { 'step.cancel': 'cancelled' },
      },
      parsing: {
        invoke: {
          src: 'parse-results',
          id: 'parse',
          input: ({ context }) => ({
            ...executeInput(context),
            outputs: context.outputs ?? { files: [], texts: [], cachedNodes: [] },
          }),
          onDone: { target: 'done', actions: assign({ draft: ({ event }) => event.output.draft }) },
          onError: { target: 'failed', actions: assign({ error: ({ event }) => toErrorData(event.error) }) },
        },
        on: { 'step.cancel': 'cancelled' },
      },
      cancelling: {
        entry: { type: 'report', params: 'cancelling' },
        invoke: {
          src: 'cancel-step',
          id: 'cancel',
          input: ({ context }) => executeInput(context),
          onDone: 'cancelled',
          onError: { target: 'failed', actions: assign({ error: ({ event }) => toErrorData(event.error) }) },
        },
      },
      done: { type: 'final', entry: [assign({ end: 'done' }), { type: 'report', params: 'done' }] },
      /** Its result was made before: nothing was sent. */
      cached: { type: 'final', entry: [assign({ end: 'done' }), { type: 'report', params: 'cached' }] },
      failed: { type: 'final', entry: [assign({ end: 'failed' }), { type: 'report', params: 'failed' }] },
      cancelled: { type: 'final', entry: [assign({ end: 'cancelled' }), { type: 'report', params: 'cancelled' }] },
      lost: { type: 'final', entry: [assign({ end: 'lost' }), { type: 'report', params: 'lost' }] },
    },
    output: ({ context }) => ({
      step: context.step,
      item: context.item,
      status: context.end ?? 'failed',
      draft: context.draft,
      error: context.error,
    }),
  });
}

export type StepMachine = ReturnType<typeof createStepMachine>;
