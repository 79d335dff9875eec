/** Why nobody knows the graph that made a file, as far as what is stored of the file tells. */
import type { ResultOf } from '#protocol/methods/index.ts';

type Answer = ResultOf<'artifact/get'>;

export interface WithoutGraph {
  readonly artifact: Pick<Answer['artifact'], 'cachedFrom'>;
  readonly provenance: Pick<Answer['provenance'], 'graph'>;
}

export function whyNoGraph({ artifact, provenance }: WithoutGraph): string {
  if (provenance.graph !== undefined) return 'its text is lost.';
  if (artifact.cachedFrom !== undefined) return 'the file was taken from the result cache, which did not keep what made it.';
  return 'it was made by a Callsheet that kept none yet, or what was stored of it is lost.';
}
