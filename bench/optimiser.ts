/**
 * What the optimiser saves: `npm run bench:optimiser`. Frozen requests, naive against optimised, on the sandbox that counts what the work would cost
 * on two machines; outputs must be equal to the pixel, or it stops. docs/optimiser.md says how to read it.
 *
 * --sequence ID, --profile NAME, --cache classic|ram: only these (each may be repeated). --no-split: not what each saver does by itself.
 * --backend comfyui=URL: what needs no model, on a real ComfyUI, by the clock.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadPrices } from '#backends/sandbox/costs/cost-model.ts';
import { barsOf } from './optimiser/bars.ts';
import { measureNaive, measureOptimised, type Reference, takeReference } from './optimiser/measure.ts';
import { COST_MODEL, type Place, RESULTS, withPlace } from './optimiser/place.ts';
import { describeReal, measureReal } from './optimiser/real.ts';
import { describe } from './optimiser/report.ts';
import {
  type BenchResult,
  type MachineResult,
  type OptimiserTime,
  type RealResult,
  type Saver,
  SAVERS,
  type SequenceResult,
} from './optimiser/result.ts';
import { createMemo, type Machine } from './optimiser/sandbox.ts';
import { readSpec, type Sequence, type Spec } from './optimiser/spec.ts';
import { timeOptimiser } from './optimiser/time.ts';
import { alone, EVERYTHING, type Variant, without } from './optimiser/variants.ts';

const { values } = parseArgs({
  options: {
    sequence: { type: 'string', multiple: true },
    profile: { type: 'string', multiple: true, default: ['rtx-4090', 'rtx-3060'] },
    cache: { type: 'string', multiple: true, default: ['classic', 'ram'] },
    'no-split': { type: 'boolean', default: false },
    backend: { type: 'string' },
  },
});
const wants = ({ id }: Sequence): boolean => values.sequence?.includes(id) ?? true;

const made = {
  at: new Date().toISOString(),
  commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
  machine: { cores: cpus().length, node: process.version },
};
if (values.backend === undefined) {
  const result = await measure();
  console.log(`${describe(result)}\n\n${keep('optimiser', result)}`);
  if (barsOf(result).some(({ holds }) => !holds)) process.exitCode = 1;
} else {
  const result = await measureBackend(values.backend.replace(/^comfyui=/, ''));
  console.log(`${describeReal(result.sequences)}\n\nComfyUI ${result.version}. ${keep('real-optimiser', result)}`);
}

function keep(kind: string, result: BenchResult | RealResult): string {
  const file = join(RESULTS, `${kind}-${result.at.replaceAll(/[:.]/g, '-')}.json`);
  writeFileSync(file, `${JSON.stringify(result, undefined, 1)}\n`);
  return `${result.machine.cores} cores, Node ${result.machine.node}. ${file}`;
}

async function measureBackend(url: string): Promise<RealResult> {
  const spec = readSpec('pixel-sequences');
  const { system } = (await (await fetch(`${url}/system_stats`)).json()) as { system: { comfyui_version: string } };
  const sequences = await withPlace(spec, (place) => measureReal(url, spec.sequences.filter(wants), place));
  return { ...made, version: system.comfyui_version, sequences };
}

async function measure(): Promise<BenchResult> {
  const spec = readSpec('sequences');
  const machines = values.profile.flatMap((profile) =>
    values.cache.map((mode) => {
      if (mode !== 'classic' && mode !== 'ram') throw new Error(`--cache knows classic and ram, not ${mode}`);
      const cache: Machine['cache'] = mode;
      return { prices: loadPrices(COST_MODEL, profile), cache, sequences: [] as SequenceResult[], extras: [] as SequenceResult[] };
    }),
  );
  const extra = readSpec('extra-sequences');
  const both: Spec = { ...spec, sequences: [...spec.sequences, ...extra.sequences] };
  let optimiser: readonly OptimiserTime[] = [];
  await withPlace(both, async (place) => {
    const [first] = machines;
    if (first === undefined) throw new Error('no machine is left to measure');
    optimiser = await timeOptimiser(place, first.prices);
    for (const sequence of both.sequences.filter(wants)) {
      const memo = createMemo();
      const reference = await takeReference(sequence, place, first.prices, memo);
      for (const { prices, cache, sequences, extras } of machines) {
        const machine: Machine = { prices, cache, pageCache: reference.pageCache, models: place.models, memo };
        const list = extra.sequences.includes(sequence) ? extras : sequences;
        list.push(await measureSequence(reference, place, machine));
        process.stderr.write(`${sequence.id}: ${prices.profile}, ${cache}\n`);
      }
    }
  });
  return {
    ...made,
    machines: machines.map(({ prices, ...rest }): MachineResult => ({ profile: prices.profile, title: prices.title, ...rest })),
    optimiser,
  };
}

async function measureSequence(reference: Reference, place: Place, machine: Machine): Promise<SequenceResult> {
  const { least, ...naive } = await measureNaive(reference, place, machine);
  const { run, ...optimised } = await measureOptimised(reference, place, machine, EVERYTHING);
  const told: Record<string, number> = {};
  for (const { run: view } of run.outcomes) for (const { pass } of view.optimiser?.savings ?? []) told[pass] = (told[pass] ?? 0) + 1;
  const { id, title } = reference.sequence;
  const base = { id, title, requests: reference.outcomes.length, naive, least, optimised, told };
  if (values['no-split']) return base;
  const each = async (variant: (saver: Saver) => Variant): Promise<Record<Saver, number>> => {
    const seconds = { passes: 0, cache: 0, fusion: 0, order: 0 };
    for (const saver of SAVERS) seconds[saver] = (await measureOptimised(reference, place, machine, variant(saver))).seconds;
    return seconds;
  };
  return { ...base, alone: await each(alone), without: await each(without) };
}
