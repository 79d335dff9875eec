/** Gives an item the files of a result that was made before, on the same way as fetched ones: checked, named and written down as its own. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { CallsheetError, toErrorData } from '#protocol/errors.ts';
import type { RunEventBody } from '#protocol/events.ts';
import type { RemoteFile, RemoteText } from '#backends/contract.ts';
import type { KeptFile } from '#store/result-index.ts';
import type { SavingsRow } from '#store/types.ts';
import type { ActorDeps, RunMemory } from '../deps.ts';
import { promptIdOf } from '../ids.ts';
import type { PrepareInput, ServedFromCache } from '../logic.ts';
import { bringHomeAll, type Fetching, waitNotes } from '../bring-home.ts';
import { publish } from '../parse-results.ts';
import { keepSavings, savingsRows } from '../savings.ts';
import type { CachedResult, KeyedItem, Look } from './contract.ts';
import { adopted } from './kept-origin.ts';

type Hit = Extract<Look, { readonly kind: 'hit' }>;
type Found = RemoteFile | RemoteText;

/** Undefined when the result turned out to be damaged: it is dropped, and `emit` has heard why. Throws what the disk of the run says, and the signal's reason. */
export async function serveResult(
  deps: ActorDeps,
  memory: RunMemory,
  input: PrepareInput,
  { keyed, result, reason }: Hit,
  emit: (event: RunEventBody) => void,
  signal: AbortSignal,
): Promise<ServedFromCache | undefined> {
  const { runId, step, item, attempt } = input;
  const damaged = async (why: string): Promise<undefined> => {
    await deps.cache.drop(result);
    const message = `The result of run ${result.runId} that was kept cannot be used: ${why}. It is dropped, and made again.`;
    emit({ type: 'step.cache', step, item, attempt, result: 'miss', reason: message });
    emit({ type: 'run.note', code: 'CACHED_RESULT_DAMAGED', message, step });
  };
  const state = await deps.cache.whole(result);
  if ('why' in state) return damaged(state.why);
  const served = await servedFiles(result, keyed, state.paths);
  if (served === undefined) return damaged('its files belong to other nodes');
  try {
    const found = served.map((one) => one.found);
    const outputs = {
      files: found.filter((one) => 'filename' in one),
      texts: found.filter((one) => 'text' in one),
      cachedNodes: [],
    };
    const promptId = promptIdOf(input);
    const rows = adopted(memory, promptId, state.origin);
    const fetching: Fetching = {
      memory,
      backend: { id: result.backend, fetch: async (wanted) => opened(served, wanted) },
      input: { ...input, promptId, backendId: result.backend, outputs },
      madeBy: promptId,
      graphs: state.origin.graphs,
      kept(one) {
        const file = served.find((each) => each.found === one)?.file;
        if (file === undefined) return undefined;
        const { sha256, artifactId, source } = file;
        return { sha256, cachedFrom: { runId: result.runId, artifactId }, ...(source === undefined ? {} : { origin: source }) };
      },
      signal,
      onWait: waitNotes(emit, step),
    };
    const brought = await bringHomeAll(deps, fetching);
    emit({ type: 'step.cache', step, item, attempt, result: 'hit', reason, runId: result.runId });
    const seconds = result.seconds === null ? {} : { seconds: result.seconds };
    const saving: SavingsRow = { runId, step, item, pass: 'result-cache', savings: [{ nodes: [], why: reason, ...seconds }] };
    // What the optimiser had saved in an earlier try holds no longer.
    const savings = [...savingsRows(deps, memory, input, result.backend, []), saving];
    keepSavings(memory, savings);
    publish(deps, memory, brought, emit, { savings, ...rows });
    deps.cache.used(result.key);
    return { cached: true, draft: brought.some(({ artifact }) => artifact.draft) };
  } catch (error) {
    signal.throwIfAborted();
    // What is wrong with the disk that the run writes to is no fault of what was kept.
    if (error instanceof CallsheetError && (error.code === 'OUTPUT_INVALID' || error.code === 'OUTPUT_MISSING')) {
      return damaged(toErrorData(error).message);
    }
    throw error;
  }
}

// --- helpers ---

interface ServedFile {
  readonly found: Found;
  readonly file: KeptFile;
  readonly path: string;
}

/** In this graph's words; undefined when it has no such nodes. */
async function servedFiles(
  { files }: CachedResult,
  { names }: KeyedItem,
  paths: readonly string[],
): Promise<readonly ServedFile[] | undefined> {
  const nodes = new Map([...names].map(([node, name]) => [name, node]));
  const served: ServedFile[] = [];
  for (const [at, file] of files.entries()) {
    const node = nodes.get(file.node);
    const path = paths[at];
    if (node === undefined || path === undefined) return undefined;
    const { remote } = file;
    // Where it lay on the server says nothing any more; here its place tells it from others of the same name.
    const found = remote === undefined ? { node, text: await readFile(path, 'utf8') } : { node, ...remote, subfolder: String(at) };
    served.push({ found, file, path });
  }
  return served;
}

function opened(served: readonly ServedFile[], { filename, subfolder }: RemoteFile) {
  const one = served[Number(subfolder)];
  if (one === undefined) throw new CallsheetError('OUTPUT_MISSING', `${filename} was not kept.`);
  return { stream: createReadStream(one.path), bytes: one.file.bytes };
}
