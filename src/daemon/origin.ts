/** What is stored of how an artifact was made: for a run that takes its bytes instead of making them again. */
import type { Origin } from '#actors/deps.ts';
import type { Store } from '#store/types.ts';

/** Undefined when its run was cleaned away, or comes from a release that kept no provenance. */
export function originOf(store: Pick<Store, 'artifact' | 'provenance' | 'graph'>, artifactId: string): Origin | undefined {
  const artifact = store.artifact(artifactId);
  const row = store.provenance(artifact?.runId ?? '').find(({ promptId }) => promptId === artifact?.promptId);
  if (artifact === undefined || row === undefined) return undefined;
  const graphs = [row.graph, row.workflow].flatMap((hash) => {
    const content = hash === null ? undefined : store.graph(hash);
    return hash === null || content === undefined ? [] : [{ hash, content }];
  });
  return { row, graphs, ...(artifact.source === undefined ? {} : { source: artifact.source }) };
}
