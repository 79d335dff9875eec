/** Schemas of what clients see. The compiler holds each against its interface in protocol/views.ts. */
import { ERRORS } from '../errors.ts';
import type { ErrorCode, ErrorData } from '../errors.ts';
import type { Problem } from '../problem.ts';
import { cachedFrom, conversion, sourceFile } from './provenance.ts';
import { array, boolean, integer, json, number, object, oneOf, optional, pair, record, string } from '../schema.ts';
import type { Schema } from '../schema.ts';
import { ASSET_KINDS, COLOR_SPACES, MATERIAL_MAPS, MESH_FORMATS } from '../assets.ts';
import type { AssetView } from '../assets.ts';
import { ARTIFACT_KINDS, CACHE_RESULTS, CHOICE_STATUSES, PASSES, RUN_STATUSES, STEP_STATUSES } from '../views.ts';
import type {
  SequenceView,
  ArtifactView,
  AttemptView,
  BackendView,
  CacheView,
  ChoiceCandidate,
  ChoiceView,
  OptimiserView,
  RunOptions,
  MediaFacts,
  RunSummary,
  RunView,
  Saving,
  StepView,
  TemplateSummary,
} from '../views.ts';

const errorCodes = Object.keys(ERRORS) as ErrorCode[];
const milliseconds = integer({ minimum: 0 });
const fraction = number({ minimum: 0, maximum: 1 });

export const runStatus = oneOf(RUN_STATUSES);

export const problem: Schema<Problem, false> = object({
  code: string(),
  severity: oneOf(['error', 'warning', 'info']),
  message: string(),
  hint: optional(string()),
  file: optional(string()),
  line: optional(integer({ minimum: 0 })),
  column: optional(integer({ minimum: 0 })),
  pointer: optional(string()),
  node: optional(string()),
  input: optional(string()),
  parameter: optional(string()),
  step: optional(string()),
});

export const errorData: Schema<ErrorData, false> = object({
  code: oneOf(errorCodes),
  message: string(),
  hint: optional(string()),
  retryable: boolean(),
  problems: optional(array(problem)),
  step: optional(string()),
  node: optional(string()),
  details: optional(record(json())),
});

export const attempt: Schema<AttemptView, false> = object({
  attemptId: string(),
  item: integer({ minimum: 0 }),
  attempt: integer({ minimum: 1 }),
  backend: string(),
  promptId: optional(string()),
  status: string(),
  profile: optional(oneOf(['low'])),
  fused: optional(array(object({ step: string(), rounds: boolean() }))),
  error: optional(errorData),
});

export const cache: Schema<CacheView, false> = object({
  item: integer({ minimum: 0 }),
  attempt: integer({ minimum: 1 }),
  result: oneOf(CACHE_RESULTS),
  reason: string(),
  runId: optional(string()),
});

export const step: Schema<StepView, false> = object({
  id: string(),
  title: optional(string()),
  status: oneOf(STEP_STATUSES),
  reason: optional(string()),
  items: integer({ minimum: 0 }),
  itemsDone: integer({ minimum: 0 }),
  progress: fraction,
  attempts: array(attempt),
  cache: optional(array(cache)),
  error: optional(errorData),
});

export const asset: Schema<AssetView, false> = object({
  kind: oneOf(ASSET_KINDS),
  name: string(),
  collection: optional(string()),
  colorSpace: optional(oneOf(COLOR_SPACES)),
  frames: optional(integer({ minimum: 1 })),
  fps: optional(number()),
  firstFrame: optional(integer({ minimum: 0 })),
  pattern: optional(string()),
  format: optional(oneOf(MESH_FORMATS)),
  map: optional(oneOf(MATERIAL_MAPS)),
  maps: optional(array(object({ map: oneOf(MATERIAL_MAPS), artifactId: string(), path: string(), colorSpace: oneOf(COLOR_SPACES) }))),
  partOf: optional(string()),
});

export const sequence: Schema<SequenceView, false> = object({
  count: integer({ minimum: 1 }),
  first: integer({ minimum: 0 }),
  pattern: string(),
  bytes: integer({ minimum: 0 }),
  sha256: string(),
});

export const facts: Schema<MediaFacts, false> = object({
  frames: optional(integer({ minimum: 1 })),
  fps: optional(number()),
  channels: optional(integer({ minimum: 1 })),
  sampleRate: optional(number()),
  depth: optional(integer({ minimum: 1 })),
  alpha: optional(boolean()),
  codec: optional(string()),
  audioCodec: optional(string()),
});

export const artifact: Schema<ArtifactView, false> = object({
  artifactId: string(),
  runId: string(),
  step: string(),
  item: integer({ minimum: 0 }),
  output: string(),
  node: string(),
  index: integer({ minimum: 0 }),
  path: string(),
  mediaType: string(),
  bytes: integer({ minimum: 0 }),
  sha256: string(),
  width: optional(integer()),
  height: optional(integer()),
  duration: optional(number()),
  kind: oneOf(ARTIFACT_KINDS),
  facts: optional(facts),
  createdAt: milliseconds,
  sameAs: optional(string()),
  draft: boolean(),
  partial: optional(boolean()),
  profile: optional(oneOf(['low'])),
  cachedFrom: optional(cachedFrom),
  outputs: optional(array(string())),
  promptId: optional(string()),
  source: optional(sourceFile),
  conversion: optional(conversion),
  sequence: optional(sequence),
  asset: optional(asset),
});

const index = integer({ minimum: 0 });

export const candidate: Schema<ChoiceCandidate, false> = object({
  index,
  id: string(),
  artifactId: optional(string()),
  path: optional(string()),
  mediaType: optional(string()),
  width: optional(integer()),
  height: optional(integer()),
  text: optional(string()),
});

export const choice: Schema<ChoiceView, false> = object({
  into: string(),
  after: string(),
  title: optional(string()),
  status: oneOf(CHOICE_STATUSES),
  reason: optional(string()),
  pick: object({ min: index, max: optional(index) }),
  candidates: array(candidate),
  deadline: optional(milliseconds),
  onTimeout: optional(oneOf(['first', 'fail', 'wait'])),
  picked: optional(array(string())),
  pickedBy: optional(oneOf(['person', 'timeout'])),
});

export const runOptions: Schema<RunOptions, false> = object({ optimize: boolean(), cache: boolean(), embed: optional(boolean()) });

export const saving: Schema<Saving, false> = object({
  pass: oneOf(PASSES),
  step: string(),
  item: optional(index),
  nodes: array(object({ id: string(), classType: string(), title: optional(string()), into: optional(string()) })),
  why: string(),
  seconds: optional(number({ minimum: 0 })),
});

export const optimiser: Schema<OptimiserView, false> = object({
  enabled: boolean(),
  savings: array(saving),
  seconds: optional(number({ minimum: 0 })),
});

const summaryMembers = {
  runId: string(),
  template: string(),
  version: string(),
  status: runStatus,
  draft: boolean(),
  progress: fraction,
  etaSeconds: optional(number({ minimum: 0 })),
  etaRange: optional(pair(number({ minimum: 0 }))),
  createdAt: milliseconds,
  endedAt: optional(milliseconds),
  pinned: optional(boolean()),
  error: optional(errorData),
};

export const runSummary: Schema<RunSummary, false> = object(summaryMembers);

export const run: Schema<RunView, false> = object({
  ...summaryMembers,
  tries: optional(integer({ minimum: 2 })),
  parameters: record(json()),
  options: runOptions,
  steps: array(step),
  artifacts: array(artifact),
  choices: optional(array(choice)),
  optimiser: optional(optimiser),
  problems: array(problem),
});

export const backend: Schema<BackendView, false> = object({
  id: string(),
  kind: oneOf(['comfyui', 'wan2gp', 'sandbox']),
  url: optional(string()),
  status: oneOf(['unknown', 'ready', 'unresponsive', 'unreachable', 'not-comfyui', 'worker-dead']),
  version: optional(string()),
  queueRemaining: optional(integer({ minimum: 0 })),
  inFlight: optional(integer({ minimum: 0 })),
  ahead: optional(integer({ minimum: 1 })),
  gpu: optional(string()),
  models: optional(array(string())),
  draft: boolean(),
  takesFiles: optional(boolean()),
  error: optional(errorData),
});

export const templateSummary: Schema<TemplateSummary, false> = object({
  id: string(),
  version: string(),
  title: string(),
  category: string(),
  steps: array(string()),
  parameters: integer({ minimum: 0 }),
  runnable: boolean(),
  problems: integer({ minimum: 0 }),
  approval: optional(oneOf(['pending', 'approved'])),
});

/** What a template would have a backend do: what a person looks at before approving it. */
export const templateContents = object({
  nodeClasses: array(string()),
  /** Those that no other template of the library uses, imports that wait left out. */
  newClasses: array(string()),
  models: array(object({ name: string(), folder: optional(string()), sha256: optional(string()), url: optional(string()) })),
  /** Texts in workflows and manifest that are, or look like, names of files or folders. */
  files: array(string()),
  addresses: array(string()),
  backends: array(string()),
});
