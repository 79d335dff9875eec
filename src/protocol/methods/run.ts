/** Methods about runs and their artifacts. */
import { array, boolean, closed, described, integer, json, object, optional, record, string } from '../schema.ts';
import { method, requestKey, runId, templateId, templateVersion } from './define.ts';
import { run, runStatus, runSummary } from './views.ts';

const limit = optional(integer({ minimum: 1, maximum: 1000 }));

export const runStart = method({
  name: 'run/start',
  scope: 'run',
  mutation: true,
  description: 'Checks the parameters, stores the run and answers once it is on disk. A call that is refused leaves no run behind.',
  params: closed({
    template: templateId,
    version: templateVersion,
    parameters: optional(record(json())),
    backend: optional(string({ minLength: 1, maxLength: 64 })),
    priority: optional(described(integer({ minimum: -100, maximum: 100 }), 'Higher goes first; 0 when absent. Nothing waits for ever.')),
    optimize: optional(described(boolean(), 'False: graphs are sent as they are. True when absent.')),
    cache: optional(described(boolean(), 'False: nothing is taken from results of earlier runs. True when absent.')),
    embed: optional(described(boolean(), 'True: graph and provenance are put into every file whose kind takes them. False when absent.')),
    requestKey,
  }),
  result: object({ runId: string() }),
  errors: [
    'TEMPLATE_NOT_FOUND',
    'TEMPLATE_NOT_APPROVED',
    'TEMPLATE_NOT_RUNNABLE',
    'PARAMETERS_INVALID',
    'PATH_NOT_ALLOWED',
    'ASSET_NOT_FOUND',
    'BACKEND_NOT_FOUND',
    'TOO_MANY_REQUESTS',
    'REQUEST_KEY_CONFLICT',
    'STORAGE_FAILED',
    'STORAGE_BUSY',
  ],
});

export const runGet = method({
  name: 'run/get',
  scope: 'read',
  mutation: false,
  description: 'One run with its steps, attempts, artifacts and problems, and what the optimiser saved.',
  params: closed({ runId }),
  result: object({ run }),
  errors: ['RUN_NOT_FOUND'],
});

export const runList = method({
  name: 'run/list',
  scope: 'read',
  mutation: false,
  description: 'Runs, newest first. `before` continues after the last run of the page before.',
  params: closed({
    status: optional(array(runStatus, { maxItems: 8 })),
    template: optional(templateId),
    limit,
    before: optional(runId),
  }),
  result: object({ runs: array(runSummary) }),
  errors: [],
});

export const runCancel = method({
  name: 'run/cancel',
  scope: 'run',
  mutation: true,
  description:
    'Asks for the end of a run; the answer says that the wish is on disk, the event `run.status` says when it stopped. It stays `cancelling`, with the reason at its step, until the end is proven; `force` ends a run that is `cancelling` without proof as `lost`; what it left is taken off when its backend answers again.',
  params: closed({ runId, force: optional(boolean()), requestKey }),
  result: object({ status: runStatus }),
  errors: ['RUN_NOT_FOUND', 'REQUEST_KEY_CONFLICT', 'STORAGE_FAILED', 'STORAGE_BUSY'],
});

export const runRetry = method({
  name: 'run/retry',
  scope: 'run',
  mutation: true,
  description:
    'Tries a run again that failed, was lost or cancelled: the same run goes on, what is finished is kept. `from` is a step that is done again with everything made of it; without it only what is not done. The answer says that the new try is on disk.',
  params: closed({
    runId,
    from: optional(string({ minLength: 1, maxLength: 64 })),
    backend: optional(string({ minLength: 1, maxLength: 64 })),
    requestKey,
  }),
  result: object({ runId: string(), status: runStatus, again: array(string()) }),
  errors: [
    'RUN_NOT_FOUND',
    'RUN_NOT_RETRYABLE',
    'STEP_NOT_FOUND',
    'BACKEND_NOT_FOUND',
    'REQUEST_KEY_CONFLICT',
    'STORAGE_FAILED',
    'STORAGE_BUSY',
  ],
});

export const runChoose = method({
  name: 'run/choose',
  scope: 'run',
  mutation: true,
  description:
    'Makes a choice that a run waits for; the answer says that the pick is on disk. `values` are ids, paths, file names or texts of candidates, or their indices as text; `indices` count from 0. `into` may be left out while one choice is awaited.',
  params: closed({
    runId,
    into: optional(string({ minLength: 1, maxLength: 64 })),
    values: optional(array(string({ maxLength: 4096 }), { maxItems: 1000 })),
    indices: optional(array(integer({ minimum: 0, maximum: 1000 }), { maxItems: 1000 })),
    requestKey,
  }),
  result: object({ into: string(), picked: array(string()), status: runStatus }),
  errors: ['RUN_NOT_FOUND', 'CHOICE_NOT_WAITING', 'CHOICE_INVALID', 'REQUEST_KEY_CONFLICT', 'STORAGE_FAILED', 'STORAGE_BUSY'],
});
