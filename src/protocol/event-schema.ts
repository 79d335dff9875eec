/** Schemas of the events of a run's log and of the notices beside it. The compiler holds each against its interface in events.ts. */
import type { PreviewNotice, ProgressNotice, RunEventBody } from './events.ts';
import { candidate, errorData, runStatus } from './methods/views.ts';
import { array, integer, number, object, oneOf, optional, pair, record, string, tagged } from './schema.ts';
import type { Schema } from './schema.ts';
import { CACHE_RESULTS, STEP_STATUSES } from './views.ts';

const count = integer({ minimum: 0 });
const item = { step: string(), item: count, attempt: count };

export const runEventBody: Schema<RunEventBody, false> = tagged<RunEventBody>({
  'run.created': object({ template: string(), version: string() }),
  'run.status': object({ status: runStatus, error: optional(errorData) }),
  'run.retried': object({
    nth: integer({ minimum: 2 }),
    again: array(string()),
    dropped: optional(array(string())),
    picks: optional(record(array(string()))),
    from: optional(string()),
    backend: optional(string()),
  }),
  'step.planned': object({ step: string(), items: count, kept: optional(array(count)) }),
  'step.status': object({
    ...item,
    status: oneOf(STEP_STATUSES),
    profile: optional(oneOf(['low'])),
    backend: optional(string()),
    promptId: optional(string()),
    reason: optional(string()),
    error: optional(errorData),
  }),
  'artifact.created': object({
    artifactId: string(),
    step: string(),
    item: count,
    output: string(),
    path: string(),
    mediaType: string(),
  }),
  'choice.offered': object({
    into: string(),
    after: string(),
    title: optional(string()),
    pick: object({ min: count, max: count }),
    candidates: array(candidate),
    deadline: optional(count),
    onTimeout: optional(oneOf(['first', 'fail', 'wait'])),
  }),
  'choice.made': object({ into: string(), picked: array(string()), by: oneOf(['person', 'timeout']) }),
  'choice.status': object({
    into: string(),
    status: oneOf(['skipped', 'blocked', 'failed', 'cancelled']),
    reason: optional(string()),
    error: optional(errorData),
  }),
  'step.cache': object({ ...item, result: oneOf(CACHE_RESULTS), reason: string(), runId: optional(string()) }),
  'step.note': object({ ...item, code: string(), message: string() }),
  'run.note': object({
    code: string(),
    message: string(),
    step: optional(string()),
    severity: optional(oneOf(['warning'])),
    hint: optional(string()),
  }),
});

export const progressNotice: Schema<ProgressNotice, false> = object({
  runId: string(),
  progress: number({ minimum: 0, maximum: 1 }),
  etaSeconds: optional(number({ minimum: 0 })),
  etaRange: optional(pair(number({ minimum: 0 }))),
  step: optional(string()),
  item: optional(count),
  node: optional(string()),
});

export const previewNotice: Schema<PreviewNotice, false> = object({
  runId: string(),
  step: string(),
  item: count,
  mediaType: string(),
  data: string(),
});
