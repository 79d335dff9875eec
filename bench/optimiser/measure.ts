/** One sequence on one machine: naive, and optimised in the variants that are asked for; equal pixels or an error. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Prices } from '#backends/sandbox/costs/cost-model.ts';
import type { ResultMemo } from '#backends/sandbox/options.ts';
import { type LiveRun, type Outcome, playLive } from './live.ts';
import { type PlainAction, playPlain } from './plain.ts';
import type { Place } from './place.ts';
import { leastSeconds } from './possible.ts';
import { type Machine, openSandbox } from './sandbox.ts';
import { modelFiles, type Sequence } from './spec.ts';
import { type Totals, totalsOf } from './totals.ts';
import { NOTHING, type Variant } from './variants.ts';

/** What was asked for and came out, with optimisation off: the graphs of the naive client, and the pixels that must come out again. */
export interface Reference {
  readonly sequence: Sequence;
  readonly actions: readonly PlainAction[];
  readonly outcomes: readonly Outcome[];
  readonly pageCache: readonly string[];
}

export interface Naive extends Totals {
  /** The least that would have given the same. */
  readonly least: number;
}

/** Runs the sequence once through the daemon with everything off, one request after the other. */
export async function takeReference(sequence: Sequence, place: Place, prices: Prices, memo: ResultMemo): Promise<Reference> {
  return inScratch(place, async (dir) => {
    const machine: Machine = { prices, cache: 'classic', pageCache: [], models: place.models, memo };
    const sandbox = await openSandbox(dir, machine);
    try {
      const { outcomes, actions } = await playLive(sequence, { ...place, dir, url: sandbox.url, sandbox, variant: NOTHING });
      expectEnds(sequence, outcomes);
      const pageCache = modelFiles(actions.flatMap((action) => (action.type === 'prompt' ? [action.graph] : [])));
      // What was uploaded is read again by every naive run.
      return { sequence, actions: keep(actions, place), outcomes, pageCache };
    } finally {
      await sandbox.close();
    }
  });
}

export async function measureNaive(reference: Reference, place: Place, machine: Machine): Promise<Naive> {
  return inScratch(place, async (dir) => {
    const sandbox = await openSandbox(dir, machine);
    try {
      const run = await playPlain({ url: sandbox.url, sandbox }, reference.actions);
      return { ...totalsOf(run.ledger), least: leastSeconds(run, machine.prices) };
    } finally {
      await sandbox.close();
    }
  });
}

export interface Optimised extends Totals {
  readonly run: LiveRun;
}

/** Throws when a request ends otherwise than in the reference, or with other pixels. */
export async function measureOptimised(reference: Reference, place: Place, machine: Machine, variant: Variant): Promise<Optimised> {
  return inScratch(place, async (dir) => {
    const sandbox = await openSandbox(dir, machine);
    try {
      const run = await playLive(reference.sequence, { ...place, dir, url: sandbox.url, sandbox, variant });
      compare(reference, run.outcomes, variant.id);
      return { ...totalsOf(sandbox.ledger()), run };
    } finally {
      await sandbox.close();
    }
  });
}

function expectEnds({ id, events }: Sequence, outcomes: readonly Outcome[]): void {
  const requests = events.flatMap((event) => ('start' in event ? [event.start] : 'batch' in event ? event.batch : []));
  for (const [place, { expect = 'succeeded', template }] of requests.entries()) {
    const outcome = outcomes[place];
    if (outcome?.status === expect) continue;
    const why = JSON.stringify(outcome?.run.error ?? outcome?.run.problems);
    throw new Error(`${id}: request ${place + 1} (${template}) ended as ${outcome?.status ?? 'nothing'}, not ${expect}: ${why}`);
  }
}

export function compare(
  { sequence, outcomes }: Pick<Reference, 'sequence' | 'outcomes'>,
  others: readonly Outcome[],
  variant: string,
): void {
  for (const [place, outcome] of outcomes.entries()) {
    const other = others[place];
    if (other?.status === outcome.status && other.outputs.join('\n') === outcome.outputs.join('\n')) continue;
    throw new Error(
      `${sequence.id}, ${variant}: request ${place + 1} gave something else than without the optimiser.\n` +
        `  without: ${outcome.status} ${outcome.outputs.join(', ')}\n  with: ${other?.status ?? 'nothing'} ${other?.outputs.join(', ') ?? ''} ` +
        JSON.stringify(other?.run.error ?? ''),
    );
  }
}

async function inScratch<T>({ scratch }: Place, work: (dir: string) => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(scratch, 'run-'));
  try {
    return await work(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function keep(actions: readonly PlainAction[], { scratch }: Place): readonly PlainAction[] {
  const dir = join(scratch, 'uploads');
  mkdirSync(dir, { recursive: true });
  return actions.map((action) => {
    if (action.type !== 'upload') return action;
    const path = join(dir, action.name);
    copyFileSync(action.path, path);
    return { ...action, path };
  });
}
