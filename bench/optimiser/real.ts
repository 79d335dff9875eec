/** The same comparison by the clock, on a real ComfyUI: what needs no model. */
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatTable, show } from '../numbers.ts';
import { playLive } from './live.ts';
import { compare } from './measure.ts';
import type { Place } from './place.ts';
import { playPlain } from './plain.ts';
import { saved } from './result.ts';
import type { Sequence } from './spec.ts';
import { EVERYTHING, NOTHING, type Variant } from './variants.ts';

/** A server looks at the wish to free its memory when it wakes up. */
const FREED_MS = 1500;

export async function measureReal(url: string, sequences: readonly Sequence[], place: Place): Promise<string> {
  const rows = [];
  for (const sequence of sequences) {
    const live = async (variant: Variant) => {
      await free(url);
      const dir = mkdtempSync(join(place.scratch, 'real-'));
      mkdirSync(dir, { recursive: true });
      return playLive(sequence, { ...place, dir, url, variant });
    };
    const reference = await live(NOTHING);
    await free(url);
    const naive = await playPlain({ url }, reference.actions);
    const optimised = await live(EVERYTHING);
    compare({ sequence, outcomes: reference.outcomes }, optimised.outcomes, 'everything');
    const cells = {
      'naive s': show(naive.wallSeconds),
      'Callsheet, all off s': show(reference.wallSeconds),
      'optimised s': show(optimised.wallSeconds),
      'saved %': (saved(naive.wallSeconds, optimised.wallSeconds) * 100).toFixed(1),
    };
    rows.push({ what: sequence.id, cells });
  }
  return formatTable(['naive s', 'Callsheet, all off s', 'optimised s', 'saved %'], rows);
}

async function free(url: string): Promise<void> {
  await fetch(`${url}/free`, { method: 'POST', body: JSON.stringify({ free_memory: true, unload_models: true }) });
  await sleep(FREED_MS);
}
