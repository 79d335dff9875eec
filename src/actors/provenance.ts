/** The whole provenance of one file, from what is stored of its run, its attempt and its graph: for the note beside it, inside it, and artifact/get. */
import { REDACTED, redactText } from '#graph/secrets.ts';
import { modelKey } from '#graph/sources.ts';
import { usesOf } from '#graph/uses.ts';
import type { AttemptFacts, Conversion, Provenance, SourceFile } from '#protocol/provenance.ts';
import type { ArtifactView } from '#protocol/views.ts';
import type { AttemptRow, ProvenanceRow } from '#store/types.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';
import { declaredModels } from '#templates/contents.ts';
import { isMedia, type Value, type Values } from '#templates/types.ts';

/** What the file itself is known by. */
export type FileIdentity = Pick<
  ArtifactView,
  'artifactId' | 'runId' | 'step' | 'item' | 'output' | 'node' | 'index' | 'draft' | 'profile' | 'cachedFrom'
>;

export interface ProvenanceSources {
  readonly template: CompiledTemplate;
  readonly params: Values;
  readonly promptId: string | undefined;
  readonly attempt: AttemptRow | undefined;
  readonly kept: ProvenanceRow | undefined;
  /** The stored graph. */
  readonly graph: string | undefined;
  readonly source?: SourceFile | undefined;
  readonly conversion?: Conversion | undefined;
  /** Of the data directory. */
  readonly store?: string | undefined;
}

export function provenanceOf(file: FileIdentity, sources: ProvenanceSources): Provenance {
  const { template, params, promptId, attempt, kept, graph, source, conversion, store } = sources;
  const { artifactId, runId, step, item, output, node, index, draft, profile, cachedFrom } = file;
  const uses = graph === undefined ? { seeds: [], models: [] } : usesOf(graph);
  return {
    artifactId,
    runId,
    template: template.id,
    version: template.version,
    templateHash: template.hash,
    step,
    item,
    ...(attempt === undefined ? {} : { attempt: attempt.attempt }),
    output,
    node,
    index,
    ...(promptId === undefined ? {} : { promptId }),
    draft,
    ...(profile === undefined ? {} : { profile }),
    ...(cachedFrom === undefined ? {} : { cachedFrom }),
    ...factsOf(attempt, kept),
    seeds: uses.seeds,
    parameters: shownParameters(template, params, kept?.facts.redactedParameters ?? []),
    inputs: kept?.facts.inputs ?? [],
    models: withHashes(template, uses.models),
    ...(kept?.times === undefined || kept.times === null ? {} : { times: kept.times }),
    ...(source === undefined ? {} : { source }),
    ...(conversion === undefined ? {} : { conversion }),
    ...(store === undefined ? {} : { store }),
  };
}

/** The same for a text that travels inside the file: nothing of this machine and its network. */
export function travelling({ backend, store: _store, ...rest }: Provenance): Provenance {
  if (backend === undefined) return rest;
  const { address: _, ...known } = backend;
  return { ...rest, backend: known };
}

// --- helpers ---

function factsOf(attempt: AttemptRow | undefined, kept: ProvenanceRow | undefined): Partial<Provenance> {
  const facts: Partial<AttemptFacts> = kept?.facts ?? {};
  const { callsheet, backend, redacted } = facts;
  return {
    ...(callsheet === undefined ? {} : { callsheet }),
    ...(backend === undefined ? {} : { backend }),
    ...(attempt === undefined ? {} : { preparedAt: attempt.createdAt }),
    ...(attempt?.endedAt === undefined || attempt.endedAt === null ? {} : { endedAt: attempt.endedAt }),
    ...(kept === undefined ? {} : { graph: kept.graph }),
    ...(kept?.workflow === undefined || kept.workflow === null ? {} : { workflow: kept.workflow }),
    ...(redacted === undefined ? {} : { redacted }),
  };
}

function shownParameters({ parameters }: CompiledTemplate, params: Values, secret: readonly string[]): Readonly<Record<string, unknown>> {
  const entries = Object.entries(params).map(([name, value]) => {
    const definition = parameters.get(name);
    const isPlace = definition?.type === 'directory' || definition?.of === 'directory';
    return [name, secret.includes(name) ? REDACTED : shown(value, isPlace)] as const;
  });
  return Object.fromEntries(entries);
}

/** Files by content and folders by name: paths are those of one machine. Long integers as digits. */
function shown(value: Value, isPlace: boolean): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'string') return redactText(isPlace ? (value.split(/[\\/]/).findLast((part) => part !== '') ?? '') : value);
  if (typeof value !== 'object' || value === null) return value;
  if (isMedia(value)) {
    const { name, sha256, bytes, mediaType } = value;
    return { name, sha256, bytes, mediaType };
  }
  if (Array.isArray(value)) return (value as readonly Value[]).map((item) => shown(item, isPlace));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shown(item, isPlace)]));
}

function withHashes(template: CompiledTemplate, models: Provenance['models']): Provenance['models'] {
  if (models.length === 0) return models;
  const declared = new Map(declaredModels(template).map((model) => [modelKey(model.name), model]));
  return models.map((model) => {
    const { sha256, bytes } = declared.get(modelKey(model.name)) ?? {};
    return { ...model, ...(sha256 === undefined ? {} : { sha256 }), ...(bytes === undefined ? {} : { bytes }) };
  });
}
