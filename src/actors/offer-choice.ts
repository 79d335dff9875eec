/** Offer-choice: what a person is asked at a choice, with everything that a client needs to show it. */
import { fromPromise } from 'xstate';
import { CallsheetError } from '#protocol/errors.ts';
import type { ChoiceCandidate } from '#protocol/views.ts';
import type { CompiledChoice } from '#templates/compiled.ts';
import { isMedia } from '#templates/types.ts';
import { type Candidate, candidatesOf } from './candidates.ts';
import type { ActorDeps } from './deps.ts';
import type { OfferChoice } from './logic.ts';
import { scopeOf } from './scope.ts';

/** More than this is not offered: nobody looks through it, and every client would be sent all of it. */
const MAX_CANDIDATES = 1000;
/** Characters of a text that are shown. */
const EXCERPT = 500;

/** The same input gives the same candidates under the same ids. Throws CHOICE_IMPOSSIBLE, STEP_INPUT_MISSING. */
export function createOfferChoice(deps: ActorDeps): OfferChoice {
  return fromPromise(async ({ input, emit }) => {
    const memory = deps.memory(input.runId);
    const choice = memory.template.choices.find(({ into }) => into === input.into);
    if (choice === undefined) throw new RangeError(`Template "${memory.template.id}" has no choice "${input.into}".`);
    const drawn = candidatesOf(memory, choice, scopeOf(memory, input), input.picks ?? {});
    if (drawn.kind === 'problem') throw new CallsheetError('STEP_INPUT_MISSING', drawn.message, { hint: drawn.hint, step: choice.after });
    if (drawn.kind === 'null') return { skip: drawn.reason };
    const offered = drawn.candidates.slice(0, MAX_CANDIDATES);
    const left = drawn.candidates.length - offered.length;
    if (left > 0) {
      const message = `The choice '${choice.into}' offers the first ${String(MAX_CANDIDATES)}; ${String(left)} more are left out.`;
      emit({ type: 'run.note', code: 'CHOICE_CUT', message, step: choice.after });
    }
    if (offered.length === 0) return { skip: 'there is nothing to choose from' };
    const { min, max = offered.length } = choice.pick;
    if (min > offered.length) throw impossible(choice, offered.length);
    const { after, into, title, timeoutMs, onTimeout } = choice;
    return {
      asked: {
        into,
        after,
        ...(title === undefined ? {} : { title }),
        pick: { min, max: Math.min(max, offered.length) },
        candidates: offered.map(shown),
        ...(timeoutMs === undefined ? {} : { deadline: deps.now() + timeoutMs, onTimeout }),
      },
      timeoutMs: timeoutMs ?? null,
      onTimeout,
    };
  });
}

// --- helpers ---

function impossible({ into, pick, after }: CompiledChoice, given: number): CallsheetError {
  const message = `The choice '${into}' takes ${String(pick.min)}, and there ${given === 1 ? 'is one' : `are ${String(given)}`} to choose from.`;
  return new CallsheetError('CHOICE_IMPOSSIBLE', message, {
    step: after,
    hint: 'Run the step again for more, or let the template take fewer: "pick": {"min": 1}.',
  });
}

function shown({ id, value, artifact }: Candidate, index: number): ChoiceCandidate {
  const text = isMedia(value) ? undefined : typeof value === 'string' ? value : JSON.stringify(value, bigintText);
  const words = text === undefined ? {} : { text: text.slice(0, EXCERPT) };
  if (artifact !== undefined) {
    const { artifactId, path, mediaType, width, height } = artifact;
    const size = { ...(width === undefined ? {} : { width }), ...(height === undefined ? {} : { height }) };
    return { index, id, artifactId, path, mediaType, ...size, ...words };
  }
  return isMedia(value) ? { index, id, path: value.path, mediaType: value.mediaType } : { index, id, ...words };
}

function bigintText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
