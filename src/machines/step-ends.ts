/** How an item ends that could not be done: the errors, in words that say what was tried. */
import type { ErrorData } from '#protocol/errors.ts';
import { retryClass } from '#protocol/retry-class.ts';

export const LOST: ErrorData = {
  code: 'BACKEND_RESTARTED',
  message: 'The backend restarted and forgot the attempt, as often as we are ready to try.',
  hint: 'See why the backend restarts (its own log), then: callsheet runs retry ID.',
  retryable: true,
};

export const ASSUMED: ErrorData = {
  code: 'ATTEMPT_ASSUMED_LOST',
  message: 'The backend did not answer, and its attempts were given up without proof, as often as we are ready to try.',
  hint: 'See whether the backend still runs and can be reached, then: callsheet runs retry ID.',
  retryable: true,
};

export const REMOVED: ErrorData = {
  code: 'PROMPT_REMOVED',
  message: 'Somebody removed the prompt from the backend before it ran to its end.',
  hint: 'It is not sent again by itself. When you want the result: callsheet runs retry ID.',
  retryable: false,
};

export interface Tried {
  readonly transient: number;
  readonly memory: number;
  readonly isLow: boolean;
}

/** The error of the last attempt, and what was tried before it was given up. `again`: so many of the failures were followed by another attempt. */
export function givenUp(error: ErrorData, { transient, memory, isLow }: Tried, again = transient + memory): ErrorData {
  if (again === 0) return error;
  const lower = isLow
    ? ' The lower profile of the template did not fit either.'
    : ' The template has no lower profile for this step that would take less.';
  const ladder = retryClass(error) === 'memory' ? ` The backend was asked to free its memory before each further try.${lower}` : '';
  return { ...error, message: `${error.message} It was tried ${String(again + 1)} times.${ladder}` };
}
