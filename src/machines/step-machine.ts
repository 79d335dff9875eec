/** The step machine: the life of one item of one step, from preparing its graph to its artifacts. A pure statechart; effects come in as actors. */
import { assign, emit, setup } from 'xstate';
import { type ErrorData, toErrorData } from '#protocol/errors.ts';
import type { RunEventBody } from '#protocol/events.ts';
import type { StepStatus } from '#protocol/views.ts';
import type { ExecuteEvent, ItemInput, ParseInput, StepActors } from '#actors/logic.ts';

/** A new attempt follows a proven loss or a transient error this many times in all. */
export const MAX_ATTEMPTS = 3;

export interface StepContext extends ItemInput {
  /** 1-based; the attempt at work. */
  readonly attempt: number;
  readonly promptId: string | null;
  readonly backendId: string | null;
  readonly outputs: ParseInput['outputs'] | null;
  readonly contact: 'ok' | 'lost' | 'unresponsive';
  readonly error: ErrorData | null;
  readonly draft: boolean;
  readonly end: StepResult['status'] | null;
}

export type StepEvent = ExecuteEvent | { readonly type: 'step.cancel' };

export interface StepResult {
  readonly step: string;
  readonly item: number;
  readonly status: 'done' | 'failed' | 'cancelled' | 'lost';
  readonly draft: boolean;
  readonly error: ErrorData | null;
}

const LOST: ErrorData = {
  code: 'BACKEND_RESTARTED',
  message: 'The backend restarted and forgot the attempt, as often as we are ready to try.',
  hint: 'See why the backend restarts (its own log), then run the template again.',
  retryable: true,
};
const REMOVED: ErrorData = {
  code: 'PROMPT_REMOVED',
  message: 'Somebody removed the prompt from the backend before it ran to its end.',
  hint: 'It is not sent again by itself. Run the template again when you want the result.',
  retryable: false,
};

function prepareInput({ runId, step, item, skipped, picks, attempt }: StepContext) {
  return { runId, step, item, skipped, ...(picks === undefined ? {} : { picks }), attempt };
}

/** The whole of what `executing` and everything before it needs as one attempt's key. */
function executeInput(context: StepContext) {
  return { ...prepareInput(context), promptId: context.promptId ?? '', backendId: context.backendId ?? '' };
}

function statusEvent(context: StepContext, status: StepStatus, error: ErrorData | null): RunEventBody {
  const { step, item, attempt, backendId, promptId } = context;
  return {
    type: 'step.status',
    step,
    item,
    attempt,
    status,
    ...(backendId === null ? {} : { backend: backendId }),
    ...(promptId === null ? {} : { promptId }),
    ...(error === null ? {} : { error }),
  };
}

export function createStepMachine(actors: StepActors) {
  return setup({
    types: {
      context: {} as StepContext,
      events: {} as StepEvent,
      input: {} as ItemInput,
      output: {} as StepResult,
      emitted: {} as RunEventBody,
    },
    actors: {
      'prepare-step': actors['prepare-step'],
      'execute-step': actors['execute-step'],
      'parse-results': actors['parse-results'],
      'cancel-step': actors['cancel-step'],
    },
    actions: {
      report: emit(({ context }, status: StepStatus) => statusEvent(context, status, context.error)),
      noteTouch: assign({ contact: 'ok' }),
    },
    guards: {
      isBackInTouch: ({ context, event }) => event.type === 'backend.contact' && event.status === 'restored' && context.contact !== 'ok',
      attemptsLeft: ({ context }) => context.attempt < MAX_ATTEMPTS,
    },
    delays: {
      /** Milliseconds before the next attempt: 1 s, 2 s, 4 s … */
      backOff: ({ context }) => 1000 * 2 ** (context.attempt - 1),
    },
  }).createMachine({
    id: 'step',
    context: ({ input }) => ({
      ...input,
      attempt: 1,
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
          onDone: {
            target: 'executing',
            actions: assign({ promptId: ({ event }) => event.output.promptId, backendId: ({ event }) => event.output.backendId }),
          },
          onError: { target: 'failed', actions: assign({ error: ({ event }) => toErrorData(event.error) }) },
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
          'backend.failed': { target: 'failed', actions: assign({ error: ({ event }) => event.error }) },
          'backend.lost': [
            {
              guard: ({ event }) => event.cause === 'removed',
              target: 'failed',
              actions: [assign({ error: REMOVED }), { type: 'report', params: 'removed' }],
            },
            {
              guard: 'attemptsLeft',
              target: 'backing-off',
              actions: { type: 'report', params: 'lost' },
            },
            { target: 'lost', actions: assign({ error: LOST }) },
          ],
          'step.cancel': 'cancelling',
        },
      },
      'backing-off': {
        entry: { type: 'report', params: 'backing-off' },
        after: {
          backOff: {
            target: 'preparing',
            actions: assign({ attempt: ({ context }) => context.attempt + 1, promptId: null, contact: 'ok' }),
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
