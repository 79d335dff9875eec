/** Progress over a whole graph, whatever arrives and in whatever order. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createProgress } from '#backends/comfyui/progress.ts';
import { readFrame, readPreview, readProgress } from '#backends/comfyui/frames.ts';

const state = (nodes: Record<string, [string, number]>) =>
  ({
    kind: 'state',
    promptId: 'p',
    nodes: Object.fromEntries(Object.entries(nodes).map(([id, [name, value]]) => [id, { state: name, value, max: 1 }])),
  }) as const;

describe('progress', () => {
  it('counts nodes of the whole graph, cached ones as done', () => {
    const progress = createProgress();
    progress.know(
      new Map([
        ['1', 'A'],
        ['2', 'A'],
        ['3', 'A'],
        ['4', 'A'],
      ]),
    );
    progress.cached(['1']);
    expect(progress.value()).toBe(0.25);
    progress.take(state({ 2: ['finished', 1], 3: ['running', 0.5] }));
    expect(progress.value()).toBe(0.625);
    expect(progress.node).toBe('3');
  });

  it('leaves nodes of an expansion to their parent', () => {
    const progress = createProgress();
    progress.know(
      new Map([
        ['1', 'A'],
        ['2', 'A'],
      ]),
    );
    progress.take(state({ '1.0.0.7': ['finished', 1], '1.0.0.8': ['running', 0.5] }));
    expect(progress.value()).toBe(0);
  });

  it('has no total without the graph and stays below 1', () => {
    const progress = createProgress();
    progress.take(state({ 1: ['finished', 1], 2: ['finished', 1] }));
    expect(progress.value()).toBeGreaterThan(0);
    expect(progress.value()).toBeLessThan(1);
  });

  it('never falls and never leaves 0 to 1 (property)', () => {
    const id = fc.constantFrom('1', '2', '3', '1.0.0.9');
    const number = fc.oneof(fc.double(), fc.integer({ min: -5, max: 40 }));
    const step = fc.oneof(
      fc.record({ do: fc.constant('take' as const), node: id, value: number, max: number }),
      fc.record({ do: fc.constant('state' as const), node: id, name: fc.constantFrom('running', 'finished', 'error'), value: number }),
      fc.record({ do: fc.constant('at' as const), node: id }),
      fc.record({ do: fc.constant('cached' as const), node: id }),
      fc.record({ do: fc.constant('know' as const), node: id }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const progress = createProgress();
        let before = 0;
        for (const each of steps) {
          if (each.do === 'take') progress.take({ kind: 'node', promptId: 'p', node: each.node, value: each.value, max: each.max });
          else if (each.do === 'state') progress.take(state({ [each.node]: [each.name, each.value] }));
          else if (each.do === 'at') progress.at(each.node);
          else if (each.do === 'cached') progress.cached([each.node]);
          else
            progress.know(
              new Map([
                ['1', 'A'],
                ['2', 'A'],
                ['3', 'A'],
              ]),
            );
          const now = progress.value();
          expect(now >= before && now < 1).toBe(true);
          before = now;
        }
      }),
    );
  });
});

describe('frames', () => {
  it('never throw, whatever the bytes (property)', () => {
    fc.assert(
      fc.property(fc.string(), fc.json(), fc.uint8Array({ maxLength: 40 }), (source, json, bytes) => {
        expect(['other', 'status', 'progress']).toContain(readFrame(source).kind);
        expect([readFrame(json).kind, readProgress(json)]).toEqual(['other', undefined]);
        expect(() => readPreview(Buffer.from(bytes))).not.toThrow();
      }),
    );
  });

  it('of an ExecutionBlocked error say nothing about the end', () => {
    const data = { prompt_id: 'p', exception_type: 'ExecutionBlocked', exception_message: 'stop here' };
    expect(readFrame(JSON.stringify({ type: 'execution_error', data })).kind).toBe('other');
    expect(readFrame(JSON.stringify({ type: 'execution_error', data: { ...data, exception_type: 'ValueError' } })).kind).toBe('end');
  });

  it('are read the long way when the peer orders its keys otherwise', () => {
    expect(readFrame('{"data":{"prompt_id":"p","nodes":{}},"type":"progress_state"}').kind).toBe('progress');
  });
});
