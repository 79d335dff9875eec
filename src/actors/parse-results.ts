/** Parse-results: brings an attempt's outputs home as artifacts. Repeating it after a crash gives the same files and rows. */
import { fromPromise } from 'xstate';
import type { RunEventBody } from '#protocol/events.ts';
import type { Attempt } from '#backends/contract.ts';
import { bringHomeAll, type Brought, waitNotes } from './bring-home.ts';
import { createdEvent } from './created-event.ts';
import type { ActorDeps, RunMemory, StagedRows } from './deps.ts';
import { bareProblems } from './embed-notes.ts';
import { outputsOf, partsHome } from './fused/parts-home.ts';
import type { ParseInput, ParseResults } from './logic.ts';
import type { MadeFile } from './result-cache/contract.ts';
import { keepSavings } from './savings.ts';

export function createParseResults(deps: ActorDeps): ParseResults {
  return fromPromise(async ({ input, signal, emit }) => {
    const memory = deps.memory(input.runId);
    try {
      const fused = memory.attempts.get(input.promptId)?.fused ?? [];
      const onWait = waitNotes(emit, input.step);
      const fetching = { memory, backend: deps.backend(input.backendId), input, signal, onWait, madeBy: input.promptId };
      const own = { ...input, outputs: outputsOf(input.outputs, fused) };
      const onPart = (some: readonly Brought[]) => publish(deps, memory, some.map(partial), emit);
      const brought = await bringHomeAll(deps, { ...fetching, input: own, onPart });
      const parts = await partsHome(deps, fetching, fused, brought, emit);
      // Our own history entry is removed only once the rows stand: from the outbox, after the commit (DESIGN 4).
      const outbox = [{ kind: 'backend.forget', body: JSON.stringify(attemptOf(input)) }];
      const savings = parts.map(({ saving }) => saving);
      keepSavings(memory, savings);
      publish(deps, memory, [...brought, ...parts.flatMap((part) => part.brought)], emit, { outbox, savings });
      // What was left out would be missing for whoever takes the result.
      if (memory.leftOut.has(input.promptId)) deps.cache.ended(input.promptId);
      deps.cache.keep(
        memory,
        input,
        input.promptId,
        brought.map(madeFile),
        parts.map((part) => ({ input: part.input, files: part.brought.map(madeFile) })),
      );
      return { artifacts: brought.length, draft: brought.some(({ artifact }) => artifact.draft) };
    } catch (error) {
      deps.cache.ended(input.promptId);
      throw error;
    }
  });
}

/** All at once: an item has all of its files, or they are marked as those of one that failed. */
export function publish(
  deps: ActorDeps,
  memory: RunMemory,
  brought: readonly Brought[],
  emit: (event: RunEventBody) => void,
  rows: StagedRows = {},
): void {
  const artifacts = brought.map(({ artifact }) => artifact);
  for (const artifact of artifacts) {
    const place = memory.artifacts.findIndex((one) => one.artifactId === artifact.artifactId);
    if (place < 0) memory.artifacts.push(artifact);
    else memory.artifacts[place] = artifact;
    emit(createdEvent(artifact));
  }
  for (const [step, own] of Map.groupBy(brought, ({ artifact }) => artifact.step)) {
    const bare = own.flatMap(({ artifact, notEmbedded }) => (notEmbedded === undefined ? [] : [{ artifact, why: notEmbedded }]));
    for (const problem of bareProblems(bare)) emit({ type: 'run.note', ...problem, step });
  }
  deps.stage(memory.runId, { artifacts, ...rows });
}

/** A failed run shows what did come, and a new try looks for the rest where it was made: it is not forgotten there. */
function partial(brought: Brought): Brought {
  return { ...brought, artifact: { ...brought.artifact, partial: true } };
}

function madeFile({ artifact: { artifactId, path, sha256, bytes, node, source }, found }: Brought): MadeFile {
  return { artifactId, path, sha256, bytes, source, nodes: [node, found.node], remote: 'filename' in found ? found : undefined };
}

function attemptOf({ runId, step, item, attempt, promptId, backendId }: ParseInput): Attempt {
  return { runId, step, item, attempt, promptId, backendId };
}
