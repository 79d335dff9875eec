/** Choices as text: the question with its numbered candidates, and how it can be answered from anywhere else. */
import type { ChoiceCandidate, ChoiceView } from '#protocol/views.ts';
import { safeText } from '../format.ts';

/** `pick 1 of 4`, `pick 1 to 3 of 4`. */
export function pickText({ pick: { min, max }, candidates }: Pick<ChoiceView, 'pick' | 'candidates'>): string {
  const most = Math.min(max ?? candidates.length, candidates.length);
  return `pick ${min === most ? String(min) : `${String(min)} to ${String(most)}`} of ${String(candidates.length)}`;
}

/** One line for the question, one for each candidate with the index under which it can be picked. */
export function questionLines(choice: ChoiceView): readonly string[] {
  const title = choice.title === undefined ? '' : `${safeText(choice.title)}  `;
  return [`${title}choice '${choice.into}' after step ${choice.after}: ${pickText(choice)}`, ...choice.candidates.map(candidateLine)];
}

export function candidateLine({ index, path, width, height, text }: ChoiceCandidate): string {
  const size = width === undefined || height === undefined ? '' : `  ${String(width)}×${String(height)}`;
  const words = text === undefined ? '' : `  "${safeText(text.length > 60 ? `${text.slice(0, 60)}…` : text)}"`;
  return `  [${String(index)}] ${path === undefined ? words.trim() : `${safeText(path)}${size}${words}`}`;
}

export function howToChoose(runId: string, { into, pick }: ChoiceView): string {
  const values = pick.max === 1 ? 'INDEX' : 'INDEX…';
  return `Waiting for a pick; the run goes on with: callsheet runs choose ${runId} ${values} --into ${into}`;
}
