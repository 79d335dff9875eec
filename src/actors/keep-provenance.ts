/** What a file that is brought home is told of where it came from: its note, its graph beside it, and on request the same inside it. */
import type { Provenance } from '#protocol/provenance.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { SaveRequest } from '#results/save.ts';
import { writeGraph } from '#results/sidecar.ts';
import { sourcesOf } from '#templates/output-sources.ts';
import type { ActorDeps, RunMemory } from './deps.ts';
import { type FileIdentity, provenanceOf, type ProvenanceSources, travelling } from './provenance.ts';

/** Everything that the files of one attempt have in common. */
export interface AttemptSources extends Omit<ProvenanceSources, 'source' | 'conversion'> {
  /** The workflow in UI format that went along. */
  readonly workflow: string | undefined;
}

export function attemptSources(
  deps: Pick<ActorDeps, 'graph' | 'storeId'>,
  memory: RunMemory,
  promptId: string | undefined,
): AttemptSources {
  const { template, params } = memory;
  const kept = promptId === undefined ? undefined : memory.provenance.get(promptId);
  const attempt = promptId === undefined ? undefined : memory.attempts.get(promptId);
  const textOf = (hash: string | null | undefined) => (hash === null || hash === undefined ? undefined : deps.graph(hash));
  const texts = { graph: textOf(kept?.graph), workflow: textOf(kept?.workflow) };
  return { template, params, promptId, attempt, kept, ...texts, store: deps.storeId };
}

/** Puts the graph beside the notes that are going to name it. Throws STORAGE_FAILED. */
export async function keepGraphs(directory: string, { kept, graph, workflow }: AttemptSources): Promise<void> {
  if (kept === undefined) return;
  try {
    await Promise.all([
      graph === undefined ? undefined : writeGraph(directory, kept.graph, graph),
      workflow === undefined || kept.workflow === null ? undefined : writeGraph(directory, kept.workflow, workflow, 'workflow'),
    ]);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CallsheetError('STORAGE_FAILED', `The graph of a result could not be written to ${directory}: ${why}.`, {
      hint: 'Check that the folder belongs to you and that its disk has space.',
      cause,
    });
  }
}

/** Whether the run, or an output of the template that takes its files from here, wants them embedded. */
export function wantsEmbedding({ template, options }: RunMemory, step: string, output: string): boolean {
  if (options.embed === true) return true;
  const drawn = new Map(template.choices.map((choice) => [choice.into, choice.from]));
  return [...template.outputs.values()].some(
    ({ embed, from }) => embed && sourcesOf(from, drawn).some((source) => source.step === step && source.output === output),
  );
}

/** The note's content, and how the same gets into the file. */
export function saveWith(
  file: FileIdentity,
  sources: AttemptSources & Pick<ProvenanceSources, 'conversion'>,
  isEmbedded: boolean,
): { readonly provenance: Provenance } & Pick<SaveRequest, 'embed'> {
  const provenance = provenanceOf(file, sources);
  if (!isEmbedded) return { provenance };
  return { provenance, embed: (source) => textsOf({ ...provenance, source }, sources) };
}

/** What is put into a file; `draft` comes first, so that a drafted card is known by the beginning of its text. */
export function textsOf(provenance: Provenance, { graph, workflow }: Pick<AttemptSources, 'graph' | 'workflow'>) {
  const { draft, ...rest } = travelling(provenance);
  return {
    callsheet: JSON.stringify({ draft, ...rest }),
    ...(graph === undefined ? {} : { prompt: graph }),
    ...(workflow === undefined ? {} : { workflow }),
  };
}
