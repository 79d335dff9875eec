/** Before anything is sent again: did the lost attempt leave all of its files, whole, on the backend's disk? (DESIGN 4, loss) */
import { CallsheetError, toErrorData } from '#protocol/errors.ts';
import type { Attempt, Backend, LeftBehind, RemoteFile, RemoteOutputs } from '#backends/contract.ts';
import { checkArtifact } from '#results/save.ts';
import type { ActorDeps, RunMemory } from './deps.ts';
import { withGrace } from './grace.ts';
import type { PrepareInput } from './logic.ts';
import { renderFused } from './fused/render-fused.ts';

export interface LostAttempt {
  readonly memory: RunMemory;
  readonly input: PrepareInput;
  readonly backend: Backend;
  readonly attempt: Attempt;
  readonly signal: AbortSignal;
}

/** `outputs`: the evidence. `doubt`: files may be there, and why they are not taken. Neither: nothing is there. */
export interface Findings {
  readonly outputs?: RemoteOutputs;
  readonly doubt?: string;
}

/** Throws only the signal's reason: a search that fails finds nothing, and says so. */
export async function findLeft(deps: ActorDeps, lost: LostAttempt): Promise<Findings> {
  const { backend, signal } = lost;
  if (backend.findLeft === undefined) return {};
  try {
    const left = await search(deps, lost);
    if (left.state === 'nothing') return {};
    if (left.state === 'unproven') return { doubt: left.why };
    const files: RemoteFile[] = [];
    for (const file of left.outputs.files) files.push(await checked(deps, lost, file));
    return { outputs: { ...left.outputs, files } };
  } catch (error) {
    signal.throwIfAborted();
    return { doubt: toErrorData(error).message };
  }
}

async function search(deps: ActorDeps, { memory, input, backend, attempt, signal }: LostAttempt): Promise<LeftBehind> {
  const patience = { graceMs: deps.restartGraceMs, retryMs: deps.retryMs, outwaitsSilence: true };
  return withGrace(patience, signal, async () => {
    // The same input gives the same graph, which names the files.
    const payload = await renderFused(deps, memory, input, backend, signal);
    return (await backend.findLeft?.(attempt, payload, signal)) ?? { state: 'nothing' };
  });
}

/** The file, once it has proven to be whole. Throws OUTPUT_INVALID, OUTPUT_MISSING. */
async function checked(deps: ActorDeps, { backend, attempt, signal }: LostAttempt, file: RemoteFile): Promise<RemoteFile> {
  const { stream, bytes } = await backend.fetch(file, signal);
  const { kind, draft } = await checkArtifact({
    source: stream,
    ...(bytes === undefined ? {} : { expectedBytes: bytes }),
    directory: deps.artifactDirectory(attempt.runId),
    baseName: file.filename,
    claimedName: file.filename,
    signal,
  });
  // Everything else that it makes says so itself.
  if (backend.kind === 'sandbox' && kind === 'text') {
    throw new CallsheetError('OUTPUT_INVALID', `Whether ${file.filename} is a draft cannot be seen from the file.`);
  }
  return { ...file, ...(draft ? { draft } : {}) };
}
