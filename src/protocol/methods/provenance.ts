/** Schemas of provenance. The compiler holds each against its interface in protocol/provenance.ts. */
import type { AttemptTimes, BackendFacts, CachedFrom, Conversion, InputUse, Provenance, SourceFile } from '../provenance.ts';
import { array, boolean, described, integer, json, number, object, oneOf, optional, record, string } from '../schema.ts';
import type { Schema } from '../schema.ts';

const count = integer({ minimum: 0 });
const seconds = optional(number({ minimum: 0 }));
const sha256 = string({ pattern: '^[0-9a-f]{64}$' });
const milliseconds = integer({ minimum: 0 });

const backendFacts: Schema<BackendFacts, false> = object({
  id: string(),
  kind: oneOf(['comfyui', 'wan2gp', 'sandbox']),
  address: optional(described(string(), 'Without credentials. Absent in texts inside files.')),
  version: optional(string()),
  objectInfo: optional(described(sha256, 'sha256 of the object info of the server: other node packs give another.')),
});

const inputUse: Schema<InputUse, false> = object({
  name: string(),
  sha256,
  bytes: count,
  mediaType: string(),
  artifactId: optional(described(string(), 'Where it is a file of the same run.')),
});

const times: Schema<AttemptTimes, false> = object({
  queued: seconds,
  loading: seconds,
  working: seconds,
  nodes: optional(array(object({ node: string(), className: string(), seconds: number({ minimum: 0 }) }))),
});

export const sourceFile: Schema<SourceFile, false> = object({ sha256, bytes: count, mediaType: string() });

export const cachedFrom: Schema<CachedFrom, false> = object({ runId: string(), artifactId: string() });

export const conversion: Schema<Conversion, false> = object({
  to: string(),
  from: array(object({ artifactId: string(), sha256 })),
  // Numbers and texts; the subset of schemas has no unions.
  options: record(json()) as Schema<Conversion['options'], false>,
});

export const provenance: Schema<Provenance, false> = object({
  artifactId: string(),
  runId: string(),
  template: string(),
  version: string(),
  templateHash: string(),
  step: string(),
  item: count,
  attempt: optional(integer({ minimum: 1 })),
  output: string(),
  node: string(),
  index: count,
  promptId: optional(string()),
  draft: boolean(),
  profile: optional(oneOf(['low'])),
  cachedFrom: optional(described(cachedFrom, 'Whose bytes were taken instead of making them again; the attempt is that of those.')),
  callsheet: optional(described(string(), 'Version of Callsheet.')),
  backend: optional(backendFacts),
  preparedAt: optional(milliseconds),
  endedAt: optional(milliseconds),
  graph: optional(described(sha256, 'sha256 of the graph that was sent, as it is kept: .callsheet/graph-<sha256>.json.')),
  workflow: optional(described(sha256, 'The same of the workflow in UI format that was sent along with it.')),
  redacted: optional(described(array(string()), 'Members of the graph whose values were taken out: keys, tokens, passwords.')),
  seeds: array(object({ node: string(), input: string(), value: string() })),
  parameters: described(record(json()), 'As the run was started, defaults and drawn seeds included; of files their name, hash and size.'),
  inputs: array(inputUse),
  models: array(
    object({
      node: string(),
      input: string(),
      name: string(),
      folder: optional(string()),
      sha256: optional(string()),
      bytes: optional(number({ minimum: 0 })),
    }),
  ),
  times: optional(described(times, 'Seconds.')),
  source: optional(described(sourceFile, 'The file as the backend gave it, where the one that is kept is another.')),
  conversion: optional(conversion),
  store: optional(described(string(), 'Of the data directory whose run it is.')),
});
