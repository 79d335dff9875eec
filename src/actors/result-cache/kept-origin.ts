/** What made a result, as it is kept with it: runs are cleaned away, and what they made is still known by it. */
import type { KeptOrigin } from '#store/result-index.ts';
import type { ProvenanceRow } from '#store/types.ts';
import type { RunMemory, StagedRows } from '../deps.ts';

/** Undefined where not all of it is known: then nothing is kept. `textOf` gives a stored graph by its hash. */
export function keptOrigin(row: ProvenanceRow | undefined, textOf: (hash: string) => string | undefined): KeptOrigin | undefined {
  if (row === undefined) return undefined;
  const { facts, times, graph, workflow } = row;
  const hashes = workflow === null ? [graph] : [graph, workflow];
  const graphs = hashes.flatMap((hash) => {
    const content = textOf(hash);
    return content === undefined ? [] : [{ hash, content }];
  });
  return graphs.length < hashes.length ? undefined : { facts, times, graph, workflow, graphs };
}

/** It is known of this run as it is of the one that made the files. */
export function adopted(
  memory: RunMemory,
  promptId: string,
  { facts, graphs, ...rest }: KeptOrigin,
): Pick<StagedRows, 'provenance' | 'graphs'> {
  // Ids of files of the other run say nothing here.
  const inputs = facts.inputs.map(({ name, sha256, bytes, mediaType }) => ({ name, sha256, bytes, mediaType }));
  const own = { ...rest, runId: memory.runId, promptId, facts: { ...facts, inputs } };
  memory.provenance.set(promptId, own);
  return { provenance: [own], graphs };
}
