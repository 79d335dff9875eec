/** The same comparison by the clock, on a real ComfyUI: what needs no model. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatTable, median, show } from '../numbers.ts';
import { playLive } from './live.ts';
import { compare } from './measure.ts';
import type { Place } from './place.ts';
import { playPlain } from './plain.ts';
import { type RealSequence, saved } from './result.ts';
import type { Sequence } from './spec.ts';
import { EVERYTHING, NOTHING, type Variant } from './variants.ts';

/** A server looks at the wish to free its memory when it wakes up. */
const FREED_MS = 1500;
const ROUNDS = 3;

/** Medians of three rounds, in turn, so that a busy moment of the machine falls on all. */
export async function measureReal(url: string, sequences: readonly Sequence[], place: Place): Promise<readonly RealSequence[]> {
  const results: RealSequence[] = [];
  for (const sequence of sequences) {
    const live = async (variant: Variant) => {
      await free(url);
      const dir = mkdtempSync(join(place.scratch, 'real-'));
      return playLive(sequence, { ...place, dir, url, variant });
    };
    const times = { naive: [] as number[], off: [] as number[], optimised: [] as number[] };
    for (let round = 0; round < ROUNDS; round++) {
      const reference = await live(NOTHING);
      await free(url);
      const naive = await playPlain({ url }, reference.actions);
      const optimised = await live(EVERYTHING);
      compare({ sequence, outcomes: reference.outcomes }, optimised.outcomes, 'everything');
      times.naive.push(naive.wallSeconds);
      times.off.push(reference.wallSeconds);
      times.optimised.push(optimised.wallSeconds);
    }
    const { id, title } = sequence;
    results.push({ id, title, naive: median(times.naive), off: median(times.off), optimised: median(times.optimised) });
    process.stderr.write(`${id}\n`);
  }
  return results;
}

export const REAL_COLUMNS = ['naive s', 'Callsheet with all off s', 'optimised s', 'saved %'] as const;

export function realRows(sequences: readonly RealSequence[]): readonly (readonly [what: string, cells: readonly string[]])[] {
  return sequences.map(({ id, naive, off, optimised }) => [
    id,
    [show(naive), show(off), show(optimised), (saved(naive, optimised) * 100).toFixed(1)],
  ]);
}

export function describeReal(sequences: readonly RealSequence[]): string {
  const rows = realRows(sequences).map(([what, cells]) => ({
    what,
    cells: Object.fromEntries(REAL_COLUMNS.map((column, place) => [column, cells[place] ?? ''])),
  }));
  return formatTable(REAL_COLUMNS, rows);
}

async function free(url: string): Promise<void> {
  await fetch(`${url}/free`, { method: 'POST', body: JSON.stringify({ free_memory: true, unload_models: true }) });
  await sleep(FREED_MS);
}
