/** Run/retry: an ended run goes on where it ended. What is finished is looked at and kept; the wish, its key and the new try are one transaction. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { choiceOf } from '#machines/run-steps.ts';
import { CallsheetError } from '#protocol/errors.ts';
import type { RunEvent } from '#protocol/events.ts';
import { type ArtifactView, RUN_ENDS, type RunStatus, type RunView, type StepStatus } from '#protocol/views.ts';
import type { Picks } from '#actors/logic.ts';
import type { Backend } from '#backends/contract.ts';
import type { AttemptRow, Batch, NewEvent, RunRow, Store } from '#store/types.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';
import { waitingOrder } from '#templates/order.ts';
import { didYouMean } from '#graph/suggest.ts';
import { REBUILT_MACHINE } from './rebuild/row-parts.ts';
import { isStandIn } from './rebuild/stand-in.ts';
import { planRetry, type RetryPlan } from './retry-plan.ts';
import type { RunHost } from './run-host.ts';
import type { RunMemories } from './run-memory.ts';
import type { RetryRequest } from './run-service.ts';
import { allEvents } from './run-view.ts';

export interface RetryParts {
  readonly store: Store;
  readonly host: Pick<RunHost, 'accept'>;
  readonly memories: Pick<RunMemories, 'pinned'>;
  /** It stands on disk: it begins when its turn comes, or at once where attempts of it are out. */
  readonly begin: (run: RunRow, open: readonly AttemptRow[]) => void;
  /** Throws RUN_NOT_FOUND. */
  readonly rowOf: (runId: string) => RunRow;
  readonly get: (runId: string) => RunView;
  /** Throws BACKEND_NOT_FOUND. */
  readonly backend: (id: string) => Backend;
  readonly addressOf: (backend: Backend) => string;
  readonly now: () => number;
}

export interface Retried {
  readonly runId: string;
  readonly status: RunStatus;
  /** Steps, and choices as `choices.NAME`, that are done again. */
  readonly again: readonly string[];
}

/** Throws RUN_NOT_FOUND, RUN_NOT_RETRYABLE, STEP_NOT_FOUND, BACKEND_NOT_FOUND. */
export function createRetry(parts: RetryParts) {
  const { store, host, memories, begin } = parts;
  const underWay = new Set<string>();

  async function retry(request: RetryRequest, paramsHash: string): Promise<Retried> {
    const { runId, from, requestKey: key } = request;
    const row = parts.rowOf(runId);
    mustHaveEnded(row);
    const template = memories.pinned(row.templateHash);
    const run = parts.get(runId);
    if (from !== undefined) mustBeReached(template, run, from);
    const backend = request.backend ?? row.backend;
    if (backend !== null) parts.backend(backend);
    const gone = await goneFiles(run.artifacts);
    const events = allEvents(store, runId);
    const plan = planRetry({
      order: waitingOrder(template),
      run,
      events,
      attempts: store.attempts(runId),
      gone,
      from,
      reachable: (attempt) => (request.backend ?? attempt.backend) === attempt.backend && isThere(attempt),
      now: parts.now(),
    });
    const nth = 2 + events.filter(({ event }) => event.type === 'run.retried').length;
    const status = 'queued';
    const answer: Retried = { runId, status, again: plan.again };
    await host.accept(
      runId,
      batchOf(
        request,
        backend,
        plan,
        [
          { type: 'run.retried', nth, again: plan.again, ...leftOut(plan), ...given(request) },
          { type: 'run.status', status },
          ...run.artifacts.filter(({ artifactId }) => gone.has(artifactId)).map(noteOf),
        ],
        key === undefined ? [] : [{ key, method: 'run/retry', paramsHash, runId, answer: JSON.stringify(answer) }],
      ),
    );
    begin(
      parts.rowOf(runId),
      plan.attempts.filter(({ endedAt }) => endedAt === null),
    );
    return answer;
  }

  function isThere(attempt: AttemptRow): boolean {
    try {
      return parts.addressOf(parts.backend(attempt.backend)) === attempt.address;
    } catch {
      return false;
    }
  }

  function batchOf(
    { runId }: RetryRequest,
    backend: string | null,
    { attempts, dropped: artifacts }: RetryPlan,
    bodies: readonly NewEvent['body'][],
    requestKeys: NonNullable<Batch['requestKeys']>,
  ): Batch {
    const at = parts.now();
    return {
      retries: [{ runId, backend, dropped: artifacts }],
      requestKeys,
      attempts,
      events: bodies.map((body) => ({ runId, at, body })),
    };
  }

  const once = async (request: RetryRequest, paramsHash: string): Promise<Retried> => {
    const { runId } = request;
    if (underWay.has(runId)) throw refused(`Run '${runId}' is being tried again already.`, `Watch it: callsheet runs watch ${runId}`);
    underWay.add(runId);
    try {
      return await retry(request, paramsHash);
    } finally {
      underWay.delete(runId);
    }
  };
  return { retry: once, isUnderWay: (runId: string) => underWay.has(runId) };
}

/** Choices that stand in a run by the word of its newest try; undefined in its first. */
export function picksOf(events: readonly RunEvent[]): Picks | undefined {
  for (const { event } of events.toReversed()) if (event.type === 'run.retried') return event.picks;
  return undefined;
}

/** True for the step that a person named when the run was tried again: it is made anew, whatever was made before. */
export function isMadeAnew(events: readonly RunEvent[], step: string): boolean {
  for (const { event } of events.toReversed()) if (event.type === 'run.retried') return event.from === step;
  return false;
}

// --- helpers ---

function refused(message: string, hint: string): CallsheetError {
  return new CallsheetError('RUN_NOT_RETRYABLE', message, { hint });
}

function mustHaveEnded({ runId, status, machine, templateHash }: RunRow): void {
  if (!RUN_ENDS.includes(status))
    throw refused(`Run '${runId}' has not ended: it is ${status}.`, `Wait for its end, or cancel it: callsheet runs cancel ${runId}`);
  if (machine === REBUILT_MACHINE)
    throw refused(
      `Run '${runId}' was made again of its files after the database was lost: what else was sent for it is not known.`,
      'Start the template again; the files that are there are kept.',
    );
  if (isStandIn(templateHash))
    throw refused(
      `The template of run '${runId}' was lost with the database.`,
      'Start the template as it is now; the files of the run are kept.',
    );
  if (status === 'succeeded')
    throw refused(
      `Run '${runId}' succeeded: there is nothing to try again.`,
      'Start the template again, with another seed where the result is to differ.',
    );
}

const SETTLED: readonly StepStatus[] = ['done', 'cached', 'skipped'];

/** What the step needs must be done: it cannot be tried before. */
function mustBeReached(template: CompiledTemplate, { steps }: RunView, from: string): void {
  const step = template.steps.find(({ id }) => id === from);
  if (step === undefined) {
    const names = template.steps.map(({ id }) => id);
    throw new CallsheetError('STEP_NOT_FOUND', `The run has no step '${from}'.`, { hint: didYouMean(from, names, 'steps') });
  }
  const waits = step.waits.filter((id) => choiceOf(id) === undefined);
  const open = steps.find(({ id, status }) => waits.includes(id) && !SETTLED.includes(status));
  if (open !== undefined)
    throw refused(
      `Step '${from}' cannot be the first: '${open.id}', which it needs, is ${open.status}.`,
      `Leave 'from' out, or name '${open.id}'.`,
    );
}

async function goneFiles(artifacts: readonly ArtifactView[]): Promise<ReadonlySet<string>> {
  const gone = new Set<string>();
  for (const { artifactId, path, sha256 } of artifacts) if ((await hashOf(path)) !== sha256) gone.add(artifactId);
  return gone;
}

async function hashOf(path: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
    return hash.digest('hex');
  } catch {
    return undefined;
  }
}

function noteOf({ step, path }: ArtifactView): NewEvent['body'] {
  return { type: 'run.note', code: 'ARTIFACT_GONE', message: `${path} is gone or was changed: its step is done again.`, step };
}

function leftOut({ dropped, picks }: RetryPlan) {
  return { ...(dropped.length === 0 ? {} : { dropped }), ...(Object.keys(picks).length === 0 ? {} : { picks }) };
}

function given({ from, backend }: RetryRequest) {
  return { ...(from === undefined ? {} : { from }), ...(backend === undefined ? {} : { backend }) };
}
