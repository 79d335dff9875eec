/** What is said of files that do not carry what made them, although somebody asked for it. Pure. */
import { basename } from 'node:path';
import type { ArtifactView } from '#protocol/views.ts';

export interface Bare {
  readonly artifact: Pick<ArtifactView, 'path' | 'kind'>;
  /** A clause. */
  readonly why: string;
}

/** One for each reason. Texts are passed over: nobody looks for a graph in them. */
export function bareProblems(bare: readonly Bare[]) {
  const reasons = Map.groupBy(
    bare.filter(({ artifact }) => artifact.kind !== 'text'),
    ({ why }) => why,
  );
  return [...reasons].map(([why, files]) => {
    const [first] = files;
    const more = files.length === 1 ? '' : ` and ${String(files.length - 1)} more`;
    return {
      code: 'EMBED_NOT_POSSIBLE',
      severity: 'warning',
      message: `Callsheet has put no graph and provenance into ${basename(first?.artifact.path ?? '')}${more}: ${why}.`,
      hint: 'They stand in the notes beside the files; `callsheet artifacts show ID --graph` gives the graph.',
    } as const;
  });
}
