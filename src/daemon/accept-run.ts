/** Accepting a run: the door's checks, and everything that is written down before the client is told that it will not be lost. */
import { CallsheetError } from '#protocol/errors.ts';
import { newRunId } from '#actors/ids.ts';
import type { Backend } from '#backends/contract.ts';
import type { Batch, NewRun } from '#store/types.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';
import { storeParameters } from '#templates/parameters.ts';
import type { Values } from '#templates/types.ts';
import { admit, type DoorOptions } from './run-door.ts';
import type { StartRequest } from './run-service.ts';
import { firstModels } from './scheduler/needs.ts';
import { backendById, firstTaker, takersOf } from './takers.ts';

export interface Accepted {
  readonly run: NewRun;
  readonly template: CompiledTemplate;
  readonly params: Values;
  /** Everything that has to stand on disk before the answer. */
  readonly batch: Batch;
}

export interface AcceptOptions extends Pick<DoorOptions, 'library' | 'resolveMedia' | 'resolveDirectory' | 'offers'> {
  readonly backends: readonly Backend[];
  /** True for a template that stands in the database: its text is not sent there again with every run. */
  readonly isPinned: (hash: string) => boolean;
}

/** Throws what `admit` throws. */
export async function acceptRun(options: AcceptOptions, request: StartRequest, paramsHash: string): Promise<Accepted> {
  const { backends } = options;
  if (request.backend !== undefined) backendById(backends, request.backend);
  const { template, params } = await admit(
    {
      ...options,
      chooseBackend: (asked: string | undefined, kind: Backend['kind']) => firstTaker(backends, asked, kind),
      takers: (asked: string | undefined, kind: Backend['kind']) => takersOf(backends, asked, kind),
    },
    request,
  );
  const runId = newRunId();
  const run: NewRun = {
    runId,
    template: template.id,
    version: template.version,
    templateHash: template.hash,
    backend: request.backend ?? settled(backends, template),
    parameters: storeParameters(params),
    createdAt: Date.now(),
    ...(request.priority === undefined ? {} : { priority: request.priority }),
    ...(request.client === undefined ? {} : { client: request.client }),
    ...optionsOf(request),
    ...modelsOf(template, params),
  };
  const answer = JSON.stringify({ runId });
  const batch: Batch = {
    ...(options.isPinned(template.hash) ? {} : { templates: [{ hash: template.hash, content: JSON.stringify(template.source) }] }),
    newRuns: [run],
    ...(request.requestKey === undefined
      ? {}
      : { requestKeys: [{ key: request.requestKey, method: 'run/start', paramsHash, runId, answer }] }),
    events: [{ runId, at: run.createdAt, body: { type: 'run.created', template: template.id, version: template.version } }],
  };
  return { run, template, params, batch };
}

function modelsOf(template: CompiledTemplate, params: Values): Pick<NewRun, 'models'> {
  const models = firstModels(template, params);
  return models.length === 0 ? {} : { models };
}

/** Nothing for a run that asks for nothing else. */
function optionsOf({ optimize = true, cache = true, embed = false }: StartRequest): Pick<NewRun, 'options'> {
  return optimize && cache && !embed ? {} : { options: { optimize, cache, ...(embed ? { embed } : {}) } };
}

/**
 * Null leaves the choice to the pool, step by step. What is given to the sandbox stays there, and what is not never comes to it: a daemon that
 * is started with other backends holds the run instead (DESIGN 4).
 */
function settled(backends: readonly Backend[], template: CompiledTemplate): string | null {
  const kind = template.steps.find((step) => step.backend !== 'wan2gp')?.backend;
  if (kind === undefined) return null;
  const first = firstTaker(backends, undefined, kind);
  return first.kind === 'sandbox' ? first.id : null;
}

/** Ends and looks are told in milliseconds between which a client that was turned away should try again. */
const SOONEST_MS = 1000;
const LATEST_MS = 60_000;

/** `perRunMs`: how long a run took lately, from one end to the next. */
export function queueFull(open: number, most: number, perRunMs: number | undefined): CallsheetError {
  const retryAfterMs = Math.round(Math.min(LATEST_MS, Math.max(SOONEST_MS, perRunMs ?? LATEST_MS)));
  return new CallsheetError('TOO_MANY_REQUESTS', `${String(open)} runs have not ended yet, and no more than ${String(most)} are taken.`, {
    hint: 'Try again later, or cancel runs that you do not want. The limit is CALLSHEET_MAX_RUNS.',
    details: { retryAfterMs },
  });
}
