/** The run machine's children: under which ids they stand, and how XState reports their ends. */
import { type ErrorData, toErrorData } from '#protocol/errors.ts';
import type { StepResult } from './step-context.ts';

export const planId = (step: string) => `plan:${step}`;
export const askId = (into: string) => `choice:${into}`;
export const itemId = (step: string, item: number) => `step:${step}:${String(item)}`;

/** A child's end as XState reports it to its parent. */
export interface ChildDone {
  readonly type: `xstate.done.actor.${string}`;
  readonly actorId: string;
  readonly output: unknown;
}
export interface ChildFailed {
  readonly type: `xstate.error.actor.${string}`;
  readonly actorId: string;
  readonly error: unknown;
}

export const isPlan = (event: { readonly actorId: string }) => event.actorId.startsWith('plan:');
export const isChoice = (event: { readonly actorId: string }) => event.actorId.startsWith('choice:');
export const isItem = (event: { readonly actorId: string }) => event.actorId.startsWith('step:');

/** Why an item ended as failed; null when it did not. */
export function failureOf(event: ChildDone | ChildFailed): ErrorData | null {
  if ('error' in event) return { ...toErrorData(event.error), step: event.actorId.split(':')[1] ?? '' };
  const { status, error, step } = event.output as StepResult;
  return status === 'failed' && error !== null ? { ...error, step } : null;
}
