/** The bars of issue 5, point 11, against a result. */
import { median } from '../numbers.ts';
import { type BenchResult, type MachineResult, saved, type SequenceResult } from './result.ts';

export interface Bar {
  readonly what: string;
  readonly bar: string;
  readonly got: string;
  readonly holds: boolean;
}

/** Rounding of sums. */
const EPSILON = 1e-6;
const LEAST_SAVING = 0.2 - EPSILON;
const BATCH_SAVING = 0.5 - EPSILON;
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

export const savingOf = ({ naive, optimised }: SequenceResult): number => saved(naive.seconds, optimised.seconds);
export const possibleOf = ({ naive, least }: SequenceResult): number => saved(naive.seconds, least);
/** Something worth a fifth could be avoided; elsewhere even the least work that would do saves less than the bar asks. */
export const isAvoidable = (sequence: SequenceResult): boolean => possibleOf(sequence) >= LEAST_SAVING;

export function barsOf({ machines, optimiser }: BenchResult): readonly Bar[] {
  return [...machines.flatMap(barsOfMachine), ...timeBars(machines, optimiser)];
}

function barsOfMachine(machine: MachineResult): readonly Bar[] {
  const { sequences } = machine;
  const place = `${machine.profile}, ${machine.cache}`;
  const all = median(sequences.map(savingOf));
  const avoidable = sequences.filter(isAvoidable);
  const short = avoidable.filter((sequence) => savingOf(sequence) < LEAST_SAVING);
  const slower = sequences.filter((sequence) => savingOf(sequence) < -EPSILON);
  const batches = sequences.filter(({ id }) => id.startsWith('batch-two'));
  return [
    {
      what: `${place}: median of all ${sequences.length} sequences`,
      bar: '≥ 20 %',
      got: `${percent(all)} (the most that is possible: ${percent(median(sequences.map(possibleOf)))})`,
      holds: all >= LEAST_SAVING,
    },
    {
      what: `${place}: each of the ${avoidable.length} sequences in which a fifth or more can be avoided`,
      bar: '≥ 20 %',
      got: avoidable.length === 0 ? 'there is none' : list(short, `all; the least ${percent(Math.min(...avoidable.map(savingOf)))}`),
      holds: short.length === 0,
    },
    ...batches.map((batch) => ({
      what: `${place}: ${batch.id}`,
      bar: '≥ 50 %',
      got: `${percent(savingOf(batch))} (the most that is possible: ${percent(possibleOf(batch))})`,
      holds: savingOf(batch) >= BATCH_SAVING,
    })),
    { what: `${place}: never slower`, bar: '≥ 0 %', got: list(slower, 'none is'), holds: slower.length === 0 },
  ];
}

function list(sequences: readonly SequenceResult[], otherwise: string): string {
  return sequences.length === 0 ? otherwise : sequences.map((sequence) => `${sequence.id} ${percent(savingOf(sequence))}`).join(', ');
}

/** A saving is in seconds of the machine, the optimiser's time in those of this one: one graph a prompt against what was saved per prompt. */
function timeBars(machines: readonly MachineResult[], times: BenchResult['optimiser']): readonly Bar[] {
  const large = times.find(({ nodes }) => nodes === 200);
  const usual = times.find(({ nodes }) => nodes === 20);
  if (large === undefined || usual === undefined) return [];
  const shares = machines.flatMap(({ sequences }) =>
    sequences.filter(isAvoidable).map((sequence) => {
      const gain = sequence.naive.seconds - sequence.optimised.seconds;
      return gain <= 0 ? Infinity : (usual.processor / 1000) * (sequence.naive.prompts / gain);
    }),
  );
  const most = Math.max(0, ...shares);
  return [
    {
      what: 'optimiser, 200 nodes',
      bar: '< 10 ms',
      got: `${large.processor.toFixed(2)} ms of the processor; by the clock ${large.median.toFixed(2)}, the first time ${large.first.toFixed(2)}`,
      holds: large.processor < 10,
    },
    { what: 'optimiser against what it saves, 20 nodes a prompt', bar: '< 1 %', got: `at most ${percent(most)}`, holds: most < 0.01 },
  ];
}
