/** From what a client names to the candidates it means; every misfit is one error that lists what there is. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { CallsheetError } from '#protocol/errors.ts';
import { type ChoiceCandidate, type ChoiceView, RUN_ENDS, type RunStatus } from '#protocol/views.ts';
import type { ChooseRequest } from './run-service.ts';

/** Candidates named in a hint; `details` has all of them. */
const NAMED = 12;

export interface Picked {
  readonly into: string;
  /** Ids of candidates, in the order given. */
  readonly picked: readonly string[];
}

/** Throws CHOICE_NOT_WAITING, CHOICE_INVALID. */
export function pickOf(request: ChooseRequest, choices: readonly ChoiceView[], status: RunStatus): Picked {
  const choice = awaited(request, choices, status);
  const given = [...(request.indices ?? []).map(String), ...(request.values ?? [])];
  if (request.values === undefined && request.indices === undefined) throw invalid(choice, 'Nothing was picked.');
  const byIndex = (request.indices ?? []).map((index) => choice.candidates[index]);
  const byName = (request.values ?? []).map((value) => meant(choice, value));
  const candidates = [...byIndex, ...byName].map((candidate, place) => {
    if (candidate !== undefined) return candidate;
    throw invalid(choice, `'${given[place] ?? ''}' is not among the candidates.`);
  });
  const twice = candidates.findIndex(({ id }, place) => candidates.findIndex((other) => other.id === id) < place);
  if (twice >= 0) throw invalid(choice, `'${given[twice] ?? ''}' is picked twice.`);
  const { min, max = choice.candidates.length } = choice.pick;
  if (candidates.length < min || candidates.length > max) {
    throw invalid(
      choice,
      `The choice takes ${asked(choice)}, and ${String(candidates.length)} ${candidates.length === 1 ? 'was' : 'were'} picked.`,
    );
  }
  const gone = candidates.find(({ path }) => path !== undefined && !existsSync(path));
  if (gone !== undefined) throw invalid(choice, `The file ${gone.path ?? ''} is gone.`);
  return { into: choice.into, picked: candidates.map(({ id }) => id) };
}

/** Throws for a choice that nobody waits for, with the reason. */
export function notWaiting(into: string | undefined, choices: readonly ChoiceView[], status: RunStatus): CallsheetError {
  const named = choices.find((choice) => choice.into === into);
  const open = choices.filter((choice) => choice.status === 'waiting' && choice !== named).map((choice) => `'${choice.into}'`);
  const isOver = RUN_ENDS.includes(status);
  const hint =
    open.length > 0
      ? `It waits for ${open.join(', ')}.`
      : isOver && status !== 'succeeded'
        ? 'A new try asks again: callsheet runs retry ID.'
        : 'See `callsheet runs show ID`.';
  return new CallsheetError('CHOICE_NOT_WAITING', whyNot(into, named, status), { hint });
}

// --- helpers ---

function whyNot(into: string | undefined, named: ChoiceView | undefined, status: RunStatus): string {
  if (named?.status === 'made') {
    return `The choice '${named.into}' was made already: ${(named.picked ?? []).map((id) => nameOf(named, id)).join(', ')}.`;
  }
  if (named === undefined && into !== undefined) return `The template of the run has no choice '${into}'.`;
  if (named === undefined) return `The run is ${status} and waits for no choice.`;
  if (RUN_ENDS.includes(status)) return `The run has ended as ${status}: the choice '${named.into}' is not awaited any more.`;
  // Asked, and not to be answered at this moment: the run is being cancelled, for example.
  if (named.status === 'waiting') return `The run is ${status} and takes no pick for '${named.into}' now.`;
  return `The choice '${named.into}' is not awaited; it is ${named.status}.`;
}

function awaited({ into }: ChooseRequest, choices: readonly ChoiceView[], status: RunStatus): ChoiceView {
  const open = choices.filter((choice) => choice.status === 'waiting');
  const [first] = into === undefined ? open : open.filter((choice) => choice.into === into);
  if (first === undefined) {
    const [only] = choices;
    throw notWaiting(into ?? (choices.length === 1 ? only?.into : undefined), choices, status);
  }
  if (into === undefined && open.length > 1) {
    throw new CallsheetError('CHOICE_INVALID', `The run waits for ${String(open.length)} choices; name one.`, {
      hint: `Give "into": ${open.map((choice) => `'${choice.into}'`).join(' or ')}.`,
      details: { choices: open },
    });
  }
  return first;
}

/** An id, a path, a file name or a text; a number that is none of these is an index. */
function meant(choice: ChoiceView, value: string): ChoiceCandidate | undefined {
  const exact = choice.candidates.find(({ id, path }) => id === value || path === value);
  if (exact !== undefined) return exact;
  const named = choice.candidates.filter(({ path, text }) => (path !== undefined && basename(path) === value) || text === value);
  const indexed = /^\d{1,4}$/.test(value) ? choice.candidates[Number(value)] : undefined;
  const all = new Set([...named, ...(indexed === undefined ? [] : [indexed])]);
  if (all.size > 1) throw invalid(choice, `'${value}' may mean ${String(all.size)} candidates: give the id.`);
  return [...all][0];
}

function asked({ pick: { min, max }, candidates }: ChoiceView): string {
  if (max === min) return String(min);
  return `${String(min)} to ${String(max ?? candidates.length)}`;
}

function nameOf({ candidates }: ChoiceView, id: string): string {
  const found = candidates.find((candidate) => candidate.id === id);
  return found?.path === undefined ? (found?.text ?? id) : basename(found.path);
}

function invalid(choice: ChoiceView, message: string): CallsheetError {
  const { into, pick, candidates } = choice;
  const list = candidates.slice(0, NAMED).map(({ index, id }) => `${String(index)} ${nameOf(choice, id).slice(0, 60)}`);
  const more = candidates.length > NAMED ? `, … (${String(candidates.length)} in all)` : '';
  return new CallsheetError('CHOICE_INVALID', `Choice '${into}': ${message}`, {
    hint: `Pick ${asked(choice)} of: ${list.join(', ')}${more}.`,
    details: { into, pick, candidates },
  });
}
