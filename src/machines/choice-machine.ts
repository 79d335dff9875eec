/** The choice machine: one question to a person, from finding out what there is to choose from to the pick. A pure statechart; effects come in as actors. */
import { assign, emit, sendParent, setup } from 'xstate';
import { type ErrorData, toErrorData } from '#protocol/errors.ts';
import type { RunEventBody } from '#protocol/events.ts';
import type { ChoiceActors, ChoiceInput, OfferOutput } from '#actors/logic.ts';

export interface ChoiceContext extends ChoiceInput {
  /** Ids, in the order in which they are offered. */
  readonly candidates: readonly string[];
  readonly pick: { readonly min: number; readonly max: number };
  /** Milliseconds; null waits for ever. */
  readonly timeoutMs: number | null;
  readonly onTimeout: 'first' | 'fail' | 'wait';
  readonly picked: readonly string[];
  readonly by: 'person' | 'timeout';
  readonly reason: string | null;
  readonly error: ErrorData | null;
  readonly end: ChoiceResult['status'];
}

export interface ChoiceMakeEvent {
  readonly type: 'choice.make';
  /** Ids of candidates. A pick that does not fit is not taken. */
  readonly picked: readonly string[];
}

export interface ChoiceResult {
  readonly into: string;
  readonly status: 'made' | 'skipped' | 'failed';
  readonly picked: readonly string[];
  readonly reason: string | null;
  readonly error: ErrorData | null;
}

/** Told to the run machine: from here on a person is waited for. */
export interface ChoiceWaitingEvent {
  readonly type: 'choice.waiting';
  readonly into: string;
}

function timedOut({ into, timeoutMs }: ChoiceContext): ErrorData {
  const seconds = String(Math.round((timeoutMs ?? 0) / 1000));
  return {
    code: 'CHOICE_TIMED_OUT',
    message: `Nobody made the choice '${into}' within ${seconds} s.`,
    hint: 'Run the template again; "onTimeout" of the choice says what happens after "timeout".',
    retryable: false,
  };
}

function notMade(context: ChoiceContext, status: 'skipped' | 'failed'): RunEventBody {
  const { into, reason, error } = context;
  return { type: 'choice.status', into, status, ...(reason === null ? {} : { reason }), ...(error === null ? {} : { error }) };
}

/** By `onTimeout: first`: as few as are enough, but one at least. */
function firstOf({ candidates, pick }: ChoiceContext): readonly string[] {
  return candidates.slice(0, Math.max(1, pick.min));
}

const askedOf = (output: OfferOutput) => ('skip' in output ? undefined : output);

export function createChoiceMachine(actors: ChoiceActors) {
  return setup({
    types: {
      context: {} as ChoiceContext,
      events: {} as ChoiceMakeEvent,
      input: {} as ChoiceInput,
      output: {} as ChoiceResult,
      emitted: {} as RunEventBody,
    },
    actors: { 'offer-choice': actors['offer-choice'] },
    actions: { tellRun: sendParent(({ context }) => ({ type: 'choice.waiting', into: context.into })) },
    guards: {
      fits: ({ context, event }) =>
        event.picked.length >= context.pick.min &&
        event.picked.length <= context.pick.max &&
        new Set(event.picked).size === event.picked.length &&
        event.picked.every((id) => context.candidates.includes(id)),
      takesFirst: ({ context }) => context.onTimeout === 'first',
      waitsOn: ({ context }) => context.onTimeout === 'wait',
      isTimed: ({ context }) => context.timeoutMs !== null,
    },
    delays: { timeout: ({ context }) => context.timeoutMs ?? 0 },
  }).createMachine({
    id: 'choice',
    context: ({ input }) => ({
      ...input,
      candidates: [],
      pick: { min: 1, max: 1 },
      timeoutMs: null,
      onTimeout: 'fail',
      picked: [],
      by: 'person',
      reason: null,
      error: null,
      end: 'failed',
    }),
    initial: 'offering',
    states: {
      offering: {
        invoke: {
          src: 'offer-choice',
          id: 'offer',
          input: ({ context: { runId, into, skipped, picks } }) => ({ runId, into, skipped, ...(picks === undefined ? {} : { picks }) }),
          onDone: [
            {
              guard: ({ event }) => askedOf(event.output) === undefined,
              target: 'skipped',
              actions: assign({ reason: ({ event }) => ('skip' in event.output ? event.output.skip : null) }),
            },
            {
              target: 'waiting',
              actions: [
                assign(({ event, context }) => {
                  const { asked, timeoutMs, onTimeout } = askedOf(event.output) ?? { asked: undefined, ...context };
                  return {
                    timeoutMs,
                    onTimeout,
                    pick: asked?.pick ?? context.pick,
                    candidates: asked?.candidates.map(({ id }) => id) ?? [],
                  };
                }),
                emit(({ event, context }) => ({
                  type: 'choice.offered' as const,
                  ...(askedOf(event.output)?.asked ?? { into: context.into, after: '', pick: context.pick, candidates: [] }),
                })),
              ],
            },
          ],
          onError: { target: 'failed', actions: assign({ error: ({ event }) => toErrorData(event.error) }) },
        },
      },
      waiting: {
        entry: 'tellRun',
        initial: 'asked',
        states: {
          asked: { always: [{ guard: 'isTimed', target: 'timed' }, { target: 'open' }] },
          open: {},
          timed: {
            after: {
              timeout: [
                {
                  guard: 'takesFirst',
                  target: '#choice.made',
                  actions: assign({ picked: ({ context }) => firstOf(context), by: 'timeout' }),
                },
                {
                  guard: 'waitsOn',
                  target: 'open',
                  actions: emit(({ context }) => ({
                    type: 'run.note' as const,
                    code: 'CHOICE_OVERDUE',
                    message: `Nobody made the choice '${context.into}' in time; the run waits on.`,
                  })),
                },
                { target: '#choice.failed', actions: assign({ error: ({ context }) => timedOut(context) }) },
              ],
            },
          },
        },
        on: { 'choice.make': { guard: 'fits', target: 'made', actions: assign({ picked: ({ event }) => event.picked }) } },
      },
      made: {
        type: 'final',
        entry: [assign({ end: 'made' }), emit(({ context: { into, picked, by } }) => ({ type: 'choice.made' as const, into, picked, by }))],
      },
      skipped: { type: 'final', entry: [assign({ end: 'skipped' }), emit(({ context }) => notMade(context, 'skipped'))] },
      failed: { type: 'final', entry: [assign({ end: 'failed' }), emit(({ context }) => notMade(context, 'failed'))] },
    },
    output: ({ context: { into, end, picked, reason, error } }) => ({ into, status: end, picked, reason, error }),
  });
}

export type ChoiceMachine = ReturnType<typeof createChoiceMachine>;
