/** A run as the answer of a tool: how it stands, its files with pictures to look at, what is to be chosen, what went wrong. */
import { basename } from 'node:path';
import type { ContentBlock, ResourceLink } from '@modelcontextprotocol/server';
import type { ArtifactView, ChoiceCandidate, ChoiceView, RunView } from '#protocol/views.ts';
import { candidateLine, pickText } from '../choices/choice-text.ts';
import { formatDuration, formatPercent, safeText } from '../format.ts';
import { artifactLine } from '../show-run.ts';
import { type Answer, errorLines, problemLines } from './answer.ts';
import { isPicture, toPicture } from './picture.ts';
import type { ToolContext } from './tool.ts';
import { artifactUri, runUri } from './uris.ts';
import { hasEnded } from './watch.ts';

/** Pictures in one answer; more would fill a model's memory. */
const MAX_PICTURES = 4;
/** Files that are named and linked one by one. */
const MAX_FILES = 100;

export async function runAnswer(run: RunView, context: ToolContext, notes: readonly string[] = []): Promise<Answer> {
  if (hasEnded(run)) context.requestKeys.told(run.runId);
  const waiting = run.choices?.find(({ status }) => status === 'waiting');
  const files = filesToShow(run.artifacts);
  const shown = waiting === undefined ? (hasEnded(run) ? files : []) : candidateFiles(waiting);
  return {
    text: [
      ...notes,
      ...statusLines(run),
      ...(waiting === undefined ? [] : choiceLines(run.runId, waiting)),
      ...fileLines(files),
      ...troubleLines(run),
    ],
    data: { run: briefly(run, files) },
    more: [...(await pictures(shown, context)), ...files.slice(0, MAX_FILES).map(artifactLink)],
    failed: hasEnded(run) && run.status !== 'succeeded' && run.status !== 'cancelled',
  };
}

export function artifactLink(artifact: ArtifactView): ResourceLink {
  const { artifactId, path, mediaType, bytes, step, output, runId, draft } = artifact;
  return {
    type: 'resource_link',
    uri: artifactUri(artifactId),
    name: basename(path),
    description: `Output ${output} of step ${step}, run ${runId}${draft ? ', a draft' : ''}`,
    mimeType: mediaType,
    size: bytes,
  };
}

export async function pictures(
  files: readonly Pick<ArtifactView, 'artifactId' | 'mediaType'>[],
  { link, pictureSide }: Pick<ToolContext, 'link' | 'pictureSide'>,
): Promise<readonly ContentBlock[]> {
  if (pictureSide === 0) return [];
  const made = await Promise.all(
    files
      .filter(isPicture)
      .slice(0, MAX_PICTURES)
      .map((file) => toPicture(link, file, pictureSide)),
  );
  return made.filter((picture) => picture !== undefined);
}

// --- helpers ---

/** The run without what only a person who tunes it wants; `callsheet://run/ID` has all of it. */
function briefly(run: RunView, files: readonly ArtifactView[]) {
  const { optimiser: _optimiser, options: _options, steps, artifacts, ...rest } = run;
  return {
    ...rest,
    steps: steps.map(({ attempts: _attempts, cache: _cache, ...step }) => step),
    artifacts: files.slice(0, MAX_FILES).map((artifact) => ({ ...artifact, uri: artifactUri(artifact.artifactId) })),
    artifactsInAll: artifacts.length,
    uri: runUri(run.runId),
  };
}

/** Files of the template's own outputs when it has such, else all; each content once. */
function filesToShow(artifacts: readonly ArtifactView[]): readonly ArtifactView[] {
  const single = artifacts.filter(({ sameAs }) => sameAs === undefined);
  const own = single.filter(({ outputs = [] }) => outputs.length > 0);
  return own.length > 0 ? own : single;
}

function candidateFiles({ candidates }: ChoiceView): readonly Pick<ArtifactView, 'artifactId' | 'mediaType'>[] {
  return candidates.flatMap(({ artifactId, mediaType }: ChoiceCandidate) =>
    artifactId === undefined || mediaType === undefined ? [] : [{ artifactId, mediaType }],
  );
}

function statusLines(run: RunView): readonly string[] {
  const took = run.endedAt === undefined ? '' : ` in ${formatDuration((run.endedAt - run.createdAt) / 1000)}`;
  const left = run.etaSeconds === undefined ? '' : `, about ${formatDuration(run.etaSeconds)} left`;
  const lines = [
    `run ${run.runId} of ${run.template} ${run.version}: ${run.status}${took}${hasEnded(run) ? '' : ` (${formatPercent(run.progress)}${left})`}`,
  ];
  if (run.draft) lines.push('Draft: the sandbox drew labelled cards in place of generated pictures; a ComfyUI backend makes real ones.');
  for (const { id, status, items, itemsDone, reason } of run.steps) {
    if (status === 'done' || status === 'cached' || status === 'pending') continue;
    lines.push(`  step ${id} ${status}${items > 1 ? ` ${itemsDone}/${items}` : ''}${reason === undefined ? '' : `: ${safeText(reason)}`}`);
  }
  if (!hasEnded(run) && run.status !== 'waiting') lines.push(`It goes on. Wait for it with watch_run {"run_id": "${run.runId}"}.`);
  return lines;
}

function choiceLines(runId: string, choice: ChoiceView): readonly string[] {
  const title = choice.title === undefined ? '' : `${safeText(choice.title)}: `;
  return [
    `${title}the choice "${choice.into}" waits, ${pickText(choice)}. Answer with choose {"run_id": "${runId}", "values": ["INDEX"]}.`,
    ...choice.candidates.map(candidateLine),
  ];
}

function fileLines(files: readonly ArtifactView[]): readonly string[] {
  const lines = files.slice(0, MAX_FILES).map((file) => `  ${artifactLine(file)}  ${file.mediaType}  ${artifactUri(file.artifactId)}`);
  const rest = files.length - lines.length;
  return [...(lines.length === 0 ? [] : ['files:']), ...lines, ...(rest > 0 ? [`  and ${rest} more; see list_artifacts`] : [])];
}

function troubleLines({ runId, status, error, problems }: RunView): readonly string[] {
  const lines = [
    ...problemLines(problems.filter(({ severity }) => severity !== 'info')),
    ...(error === undefined ? [] : errorLines(error)),
  ];
  const again = status === 'failed' || status === 'lost' ? [`Try again, keeping what is finished: retry_run {"run_id": "${runId}"}.`] : [];
  return [...lines, ...again];
}
