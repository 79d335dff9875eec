/** The first actors of the run machine: load-template, inject-parameters, plan-step. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { fromPromise } from 'xstate';
import { CallsheetError } from '#protocol/errors.ts';
import { isBlocking } from '#protocol/problem.ts';
import { waitingOrder } from '#templates/order.ts';
import { planStep } from '#templates/render.ts';
import type { MediaValue, Value } from '#templates/types.ts';
import type { AttemptRow, SavingsRow } from '#store/types.ts';
import type { ActorDeps, RunMemory } from './deps.ts';
import type { Begin, InjectParameters, LoadTemplate, Planned, PlanOutput, PlanStep } from './logic.ts';
import { refused } from './render-item.ts';
import { keepSavings, savingsKey } from './savings.ts';
import { scopeOf } from './scope.ts';

export function createLoadTemplate(deps: ActorDeps): LoadTemplate {
  return fromPromise(async ({ input }) => {
    const picks = deps.picksOf(input.runId);
    return { steps: waitingOrder(deps.memory(input.runId).template), ...(picks === undefined ? {} : { picks }) };
  });
}

/** Binds the run's parameters: every file must still be what was accepted at the door. */
export function createInjectParameters(deps: ActorDeps): InjectParameters {
  return fromPromise(async ({ input, signal }) => {
    for (const [name, value] of Object.entries(deps.memory(input.runId).params)) {
      for (const media of mediaIn(value)) await mustBeUnchanged(name, media, signal);
    }
  });
}

export function createPlanStep(deps: ActorDeps): PlanStep {
  return fromPromise(async ({ input }): Promise<PlanOutput> => {
    const memory = deps.memory(input.runId);
    const kind = memory.template.steps.find((step) => step.id === input.step)?.backend ?? 'comfyui';
    const scope = scopeOf(memory, input, deps.chooseBackend(memory, kind));
    const { value, problems } = planStep(memory.template, input.step, scope);
    if (value === undefined || problems.some((problem) => isBlocking(problem))) throw refused(input.step, problems);
    if ('skip' in value) return { skip: value.skip };
    const found = earlierTries(memory, input.step, value.items.length);
    const rows = (found.kept ?? []).flatMap((item) => notMadeAgain(deps, memory, { runId: input.runId, step: input.step, item }));
    keepSavings(memory, rows);
    if (rows.length > 0) deps.stage(input.runId, { savings: rows });
    return { items: value.items.length, ...found };
  });
}

/** What stands in the run's own records: files of finished items, and attempts of the others. */
function earlierTries({ artifacts, attempts }: RunMemory, step: string, items: number): Omit<Planned, 'items'> {
  const done = new Set(
    artifacts.filter((one) => one.step === step && one.conversion === undefined && one.partial !== true).map(({ item }) => item),
  );
  const newest = new Map<number, AttemptRow>();
  for (const row of attempts.values()) {
    if (row.step === step && !done.has(row.item) && row.attempt > (newest.get(row.item)?.attempt ?? 0)) newest.set(row.item, row);
  }
  const kept = [...done].filter((item) => item < items).toSorted((a, b) => a - b);
  const begin = [...newest.values()].map(({ item, attempt, endedAt, profile }): Begin => {
    if (endedAt !== null) return { item, attempt: attempt + 1, isTakenUp: false };
    return { item, attempt, isTakenUp: true, ...(profile === undefined ? {} : { profile }) };
  });
  return { ...(kept.length === 0 ? {} : { kept }), ...(begin.length === 0 ? {} : { begin }) };
}

/** By what the step takes on the backend that made it. What came with the prompt of another step says so itself. */
function notMadeAgain({ timings }: ActorDeps, memory: RunMemory, key: Pick<SavingsRow, 'runId' | 'step' | 'item'>): readonly SavingsRow[] {
  if (memory.savings.has(savingsKey({ ...key, pass: 'fused-steps' }))) return [];
  const made = [...memory.attempts.values()].findLast(({ step, item }) => step === key.step && item === key.item);
  const seconds = made === undefined ? undefined : timings.of(memory.template.id, key.step, made.backend).here('item')?.mean;
  const why = 'An earlier try of the run made its files, and they are there.';
  return [{ ...key, pass: 'existing-outputs', savings: [{ nodes: [], why, ...(seconds === undefined ? {} : { seconds }) }] }];
}

function* mediaIn(value: Value | undefined): Generator<MediaValue> {
  if (Array.isArray(value)) for (const one of value) yield* mediaIn(one);
  else if (typeof value === 'object' && value !== null && isMedia(value)) yield value;
}

function isMedia(value: object): value is MediaValue {
  return '$media' in value && value.$media === 'media';
}

async function mustBeUnchanged(name: string, media: MediaValue, signal: AbortSignal): Promise<void> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(media.path), hash, { signal });
  } catch (cause) {
    throw new CallsheetError('PARAMETERS_INVALID', `The file of parameter '${name}' can no longer be read: ${media.path}`, {
      cause,
      hint: 'Put the file back, or start the run again with another one.',
    });
  }
  if (hash.digest('hex') === media.sha256) return;
  throw new CallsheetError('PARAMETERS_INVALID', `The file of parameter '${name}' changed after the run was accepted: ${media.path}`, {
    hint: 'Start the run again to use the file as it is now.',
  });
}
