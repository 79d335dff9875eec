import { describe, expect, test } from 'vitest';
import type { RunView } from '#protocol/views.ts';
import { barsOf, isAvoidable, savingOf } from '../../bench/optimiser/bars.ts';
import type { Outcome } from '../../bench/optimiser/live.ts';
import { compare } from '../../bench/optimiser/measure.ts';
import { isWhole, withMeasured } from '../../bench/optimiser/page.ts';
import { ancestors, leastSeconds } from '../../bench/optimiser/possible.ts';
import type { BenchResult, SequenceResult } from '../../bench/optimiser/result.ts';
import { splitOf } from '../../bench/optimiser/report.ts';
import { readSpec } from '../../bench/optimiser/spec.ts';
import { alone, without } from '../../bench/optimiser/variants.ts';
import { loadPrices } from '#backends/sandbox/costs/cost-model.ts';

const prices = loadPrices(new URL('../../bench/optimiser/cost-model.json', import.meta.url).pathname, 'rtx-4090');

function sequence(id: string, seconds: { naive: number; optimised: number; least: number }): SequenceResult {
  const totals = (of: number) => ({ seconds: of, loading: 0, modelLoads: 0, bytesRead: 0, bytesMoved: 0, samplerSteps: 0, prompts: 2 });
  const { naive, optimised, least } = seconds;
  return { id, title: id, requests: 2, naive: totals(naive), optimised: totals(optimised), least, told: {} };
}

function result(...sequences: readonly SequenceResult[]): BenchResult {
  return {
    at: '2026-01-01T00:00:00.000Z',
    commit: 'abc',
    machine: { cores: 2, node: 'v24' },
    machines: [{ profile: 'card', title: 'A card', cache: 'ram', sequences, extras: [] }],
    optimiser: [
      { nodes: 20, processor: 1, first: 2, median: 1, largest: 2 },
      { nodes: 200, processor: 9, first: 20, median: 9, largest: 12 },
    ],
  };
}

const failing = (value: BenchResult): string[] => barsOf(value).flatMap(({ what, holds }) => (holds ? [] : [what]));

describe('bars', () => {
  test('hold for a fifth saved on each sequence, and half on the batch', () => {
    const good = result(
      sequence('one', { naive: 10, optimised: 8, least: 5 }),
      sequence('batch-two', { naive: 10, optimised: 5, least: 5 }),
    );
    expect(failing(good)).toEqual([]);
  });

  test('fail one by one', () => {
    expect(failing(result(sequence('one', { naive: 10, optimised: 8.1, least: 5 })))).toEqual([
      'card, ram: median of all 1 sequences',
      'card, ram: each of the 1 sequences in which a fifth or more can be avoided',
    ]);
    const half = result(
      sequence('one', { naive: 10, optimised: 1, least: 1 }),
      sequence('batch-two', { naive: 10, optimised: 6, least: 5 }),
    );
    expect(failing(half)).toEqual(['card, ram: batch-two']);
    const slower = result(
      sequence('one', { naive: 10, optimised: 1, least: 1 }),
      sequence('two', { naive: 10, optimised: 10.1, least: 10 }),
    );
    expect(failing(slower)).toContain('card, ram: never slower');
  });

  test('a sequence in which there is little to avoid is not asked for a fifth', () => {
    const little = sequence('one', { naive: 10, optimised: 10, least: 9 });
    expect(isAvoidable(little)).toBe(false);
    expect(savingOf(little)).toBe(0);
    expect(failing(result(little))).toEqual(['card, ram: median of all 1 sequences']);
  });

  test('the optimiser is held against what it saves, and fails where it saves nothing that it could', () => {
    const gain = (optimised: number) => result(sequence('one', { naive: 10, optimised, least: 1 }));
    expect(failing(gain(7.9))).toEqual([]);
    const slow: BenchResult = { ...gain(7.9), optimiser: gain(7.9).optimiser.map((time) => ({ ...time, processor: 11 })) };
    expect(failing(slow)).toEqual(['optimiser, 200 nodes', 'optimiser against what it saves, 20 nodes a prompt']);
    expect(failing(gain(10))).toContain('optimiser against what it saves, 20 nodes a prompt');
  });
});

describe('the split', () => {
  test('fusion is what comes on top of the passes', () => {
    const base = sequence('one', { naive: 100, optimised: 40, least: 40 });
    const only = { passes: 90, cache: 70, fusion: 85, order: 100 };
    const rest = { passes: 60, cache: 70, fusion: 45, order: 40 };
    const { machines } = result({ ...base, alone: only, without: rest });
    expect(machines.map((machine) => splitOf(machine))).toEqual([[['one', ['10.0 / 20.0', '30.0 / 30.0', '5.0 / 5.0', '0.0 / 0.0']]]]);
  });

  test('fusion is switched on with the passes and off with them', () => {
    expect([...alone('fusion').on]).toEqual(['passes', 'fusion']);
    expect([...without('passes').on]).toEqual(['cache', 'order']);
    expect([...without('fusion').on]).toEqual(['passes', 'cache', 'order']);
    expect([...alone('order').on]).toEqual(['order']);
  });
});

describe('equal outputs', () => {
  const outcome = (...outputs: string[]): Outcome => ({ status: 'succeeded', outputs, run: {} as RunView });
  const reference = {
    sequence: { id: 'seq', title: '', what: '', events: [] },
    outcomes: [outcome('still #0 aaa'), outcome('still #0 bbb')],
  };

  test('other pixels, another end, or a result too few is an error', () => {
    expect(() => compare(reference, reference.outcomes, 'v')).not.toThrow();
    expect(() => compare(reference, [outcome('still #0 aaa'), outcome('still #0 ccc')], 'v')).toThrow(
      'seq, v: request 2 gave something else',
    );
    expect(() => compare(reference, [outcome('still #0 aaa')], 'v')).toThrow('request 2');
    expect(() => compare(reference, [{ ...outcome('still #0 aaa'), status: 'failed' }, outcome('still #0 bbb')], 'v')).toThrow('request 1');
  });
});

describe('what is possible', () => {
  const graph = JSON.stringify({
    '1': { class_type: 'A', inputs: {} },
    '2': { class_type: 'B', inputs: { from: ['1', 0] } },
    '3': { class_type: 'Save', inputs: { from: ['2', 0] } },
    '4': { class_type: 'Preview', inputs: { from: ['1', 0] } },
  });

  test('only what outputs need counts', () => {
    expect([...ancestors(graph, ['3'])].toSorted()).toEqual(['1', '2', '3']);
    expect(ancestors(graph, []).size).toBe(4);
  });

  test('equal work counts once, and each part of a model is moved once', () => {
    const entry = (costs: Readonly<Record<string, readonly [seconds: number, loading: number, key: string]>>, bytes: number) => ({
      prompt_id: 'p',
      started: 0,
      finished: 1,
      outcome: 'success' as const,
      nodes: [],
      costs: {
        seconds: 0,
        loading: 0,
        modelLoads: 1,
        bytesRead: 0,
        bytesMoved: bytes,
        samplerSteps: 0,
        nodes: Object.fromEntries(Object.entries(costs).map(([id, [seconds, loading, key]]) => [id, { seconds, loading, key }])),
        parts: { model: bytes },
      },
    });
    const ledger = [
      entry({ '1': [1, 0, 'a'], '2': [5, 2, 'b'], '3': [0.5, 0, 'c'], '4': [9, 0, 'd'] }, 100),
      entry({ '1': [1, 0, 'a'], '2': [3, 0, 'b'], '3': [0.5, 0, 'e'] }, 200),
    ];
    const prompts = [0, 1].map(() => ({ graph, outputNodes: ['3'] }));
    expect(leastSeconds({ ledger, prompts, wallSeconds: 0 }, { ...prices, transferBytesPerSecond: 100 })).toBeCloseTo(
      1 + 3 + 0.5 + 0.5 + 2,
    );
  });
});

describe('requests', () => {
  test('every sequence has a name of its own, and templates that exist', async () => {
    const all = (['sequences', 'extra-sequences', 'pixel-sequences'] as const).flatMap((name) => readSpec(name).sequences);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });
});

describe('the page', () => {
  test('its section is replaced and the rest is left', () => {
    const value = result(sequence('one', { naive: 10, optimised: 5, least: 5 }));
    const first = withMeasured('# The optimiser\n\nText.\n', value);
    expect(first).toContain('| one | 10.0 | 5.00 | 50.0 | 50.0 |');
    const edited = first.replace('Text.', 'Other text.') + '\nAfter.\n';
    const second = withMeasured(edited, result(sequence('one', { naive: 20, optimised: 5, least: 5 })));
    expect(second).toContain('Other text.');
    expect(second).toContain('After.');
    expect(second).toContain('| one | 20.0 | 5.00 | 75.0 | 75.0 |');
    expect(second).not.toContain('| one | 10.0 |');
  });

  test('a part of a measurement does not make a page', () => {
    expect(isWhole(result(sequence('one', { naive: 10, optimised: 5, least: 5 })))).toBe(false);
  });
});
