/** A run as text: how it ended, what it made, and where the files are. */
import type { ArtifactView, ChoiceView, OptimiserView, RunView, StepView } from '#protocol/views.ts';
import { candidateLine, howToChoose, questionLines } from './choices/choice-text.ts';
import { formatBytes, formatDuration, formatTime, safeText } from './format.ts';
import { type Io, line } from './io.ts';
import { mediaWords } from './media-text.ts';
import { createPaint } from './paint.ts';
import { printSavings, savedTime } from './savings-text.ts';

/** Two parts: one sentence on the end, then one line for each file, its absolute path first. */
export function printResult(run: RunView, artifacts: readonly ArtifactView[], io: Io): void {
  const paint = createPaint(io.out, io.env);
  const took = run.endedAt === undefined ? '' : ` in ${formatDuration((run.endedAt - run.createdAt) / 1000)}`;
  const mark = run.status === 'succeeded' ? paint.good('✔') : paint.bad('✖');
  line(io.out, `${mark} ${run.template} ${run.version} ${run.status}${took}  ${paint.faint(run.runId)}`);
  if (run.draft) line(io.out, '  Draft: the sandbox drew cards in place of generated pictures. Name a ComfyUI with --backend comfyui=URL.');
  for (const artifact of artifacts) line(io.out, `  ${artifactLine(artifact)}`);
}

export function printRun(run: RunView, io: Io): void {
  line(io.out, `run       ${run.runId}`);
  line(io.out, `template  ${run.template} ${run.version}`);
  line(io.out, `status    ${run.status}${run.draft ? ' (draft)' : ''}`);
  if (run.pinned === true) line(io.out, 'pinned    it is never cleaned away');
  line(io.out, `created   ${formatTime(run.createdAt)}`);
  if (run.endedAt !== undefined) line(io.out, `took      ${formatDuration((run.endedAt - run.createdAt) / 1000)}`);
  line(io.out, 'parameters');
  for (const [name, value] of Object.entries(run.parameters)) line(io.out, `  ${name} = ${safeText(JSON.stringify(value))}`);
  line(io.out, 'steps');
  for (const step of run.steps) printStep(step, io);
  if (run.choices !== undefined) line(io.out, 'choices');
  for (const choice of run.choices ?? []) printChoice(run.runId, choice, io);
  line(io.out, 'artifacts');
  for (const artifact of run.artifacts) line(io.out, `  ${artifactLine(artifact)}`);
  if (run.optimiser !== undefined) printOptimiser(run.optimiser, io);
}

export function artifactLine(artifact: ArtifactView): string {
  const media = mediaWords(artifact)
    .map((word) => `  ${word}`)
    .join('');
  const { sequence } = artifact;
  const count = sequence === undefined ? '' : `  ${String(sequence.count)} files`;
  return `${safeText(artifact.path)}${media}${count}  ${formatBytes(sequence?.bytes ?? artifact.bytes)}${artifact.draft ? '  draft' : ''}${artifact.partial === true ? '  partial' : ''}`;
}

// --- helpers ---

function printOptimiser({ enabled, savings, seconds }: OptimiserView, io: Io): void {
  if (!enabled) line(io.out, 'optimiser off: graphs are sent as they were written');
  if (savings.length === 0) return;
  line(io.out, `saved${seconds === undefined ? '' : `     ${savedTime(seconds)}, by what earlier runs took`}`);
  printSavings(savings, io);
}

function printChoice(runId: string, choice: ChoiceView, io: Io): void {
  const picked = choice.candidates.filter(({ id }) => choice.picked?.includes(id));
  const reason = choice.reason === undefined ? '' : `: ${safeText(choice.reason)}`;
  const by = choice.pickedBy === 'timeout' ? ', when the time was up' : '';
  line(io.out, `  ${choice.into} ${choice.status}${by}${reason}`);
  if (choice.status === 'waiting') {
    for (const text of questionLines(choice)) line(io.out, `  ${text}`);
    if (choice.deadline !== undefined) line(io.out, `    until ${formatTime(choice.deadline)}, then: ${choice.onTimeout ?? ''}`);
    line(io.out, `    ${howToChoose(runId, choice)}`);
  } else for (const candidate of picked) line(io.out, `  ${candidateLine(candidate)}`);
}

function printStep(step: StepView, io: Io): void {
  const items = step.items > 1 ? ` ${step.itemsDone}/${step.items}` : '';
  const why = step.error?.message ?? step.reason;
  line(io.out, `  ${step.id} ${step.status}${items}${why === undefined ? '' : `: ${safeText(why)}`}`);
  for (const { item, result, reason } of step.cache ?? []) line(io.out, `    item ${item} cache ${result}: ${safeText(reason)}`);
  for (const attempt of step.attempts) {
    line(io.out, `    item ${attempt.item} attempt ${attempt.attempt} ${attempt.status} on ${attempt.backend}  ${attempt.attemptId}`);
  }
}
