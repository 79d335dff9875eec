/** What clients ask about files of runs: lists by what is known of them, and where one came from. */
import { CallsheetError } from '#protocol/errors.ts';
import type { ParamsOf, ResultOf } from '#protocol/methods/index.ts';
import { provenanceOf } from '#actors/provenance.ts';
import type { Inspector } from '#results/inspect/inspector.ts';
import type { Store } from '#store/types.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';
import { reviveParameters } from '#templates/parameters.ts';
import { embeddedIn } from './embedded-view.ts';

export interface ArtifactService {
  /** Throws RUN_NOT_FOUND, INVALID_PARAMS. */
  list(query: ParamsOf<'artifact/list'>): ResultOf<'artifact/list'>;
  /** Throws ARTIFACT_NOT_FOUND, SNAPSHOT_REFUSED. */
  get(query: ParamsOf<'artifact/get'>): Promise<ResultOf<'artifact/get'>>;
}

export interface ArtifactParts {
  readonly store: Pick<Store, 'listArtifacts' | 'artifact' | 'run' | 'attempts' | 'provenance' | 'graph'>;
  readonly inspector: Pick<Inspector, 'inspect'>;
  /** Throws SNAPSHOT_REFUSED. */
  readonly pinned: (hash: string) => CompiledTemplate;
}

export function createArtifactService({ store, pinned, inspector }: ArtifactParts): ArtifactService {
  const textOf = (hash: string | null | undefined) => {
    const text = hash === null || hash === undefined ? undefined : store.graph(hash);
    return text === undefined || hash === null || hash === undefined ? undefined : { sha256: hash, text };
  };
  return {
    list(query) {
      if (query.runId !== undefined && store.run(query.runId) === undefined) {
        throw new CallsheetError('RUN_NOT_FOUND', 'No run has this id.', { hint: 'List runs: run/list' });
      }
      const page = store.listArtifacts(query);
      if (page !== undefined) return page;
      throw new CallsheetError('INVALID_PARAMS', 'The list can not go on from there: no artifact has this id.', {
        hint: 'Give as `before` what the page before gave as `next`, or leave it out.',
      });
    },
    async get({ artifactId, graph: wantsGraph = false, embedded = false }) {
      const artifact = store.artifact(artifactId);
      const run = artifact === undefined ? undefined : store.run(artifact.runId);
      if (artifact === undefined || run === undefined) {
        throw new CallsheetError('ARTIFACT_NOT_FOUND', `No artifact has the id '${artifactId.slice(0, 100)}'.`, {
          hint: 'List them: artifact/list',
        });
      }
      const { promptId, source, conversion } = artifact;
      const template = pinned(run.templateHash);
      const kept = store.provenance(run.runId).find((row) => row.promptId === promptId);
      const graph = textOf(kept?.graph);
      const workflow = wantsGraph ? textOf(kept?.workflow) : undefined;
      const provenance = provenanceOf(artifact, {
        template,
        params: reviveParameters(template, run.parameters),
        promptId,
        attempt: store.attempts(run.runId).find((row) => row.promptId === promptId),
        kept,
        graph: graph?.text,
        source,
        conversion,
      });
      return {
        artifact,
        provenance,
        ...(wantsGraph && graph !== undefined ? { graph } : {}),
        ...(workflow === undefined ? {} : { workflow }),
        ...(embedded ? { embedded: await embeddedIn(artifact.path, inspector) } : {}),
      };
    },
  };
}
