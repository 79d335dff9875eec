import { describe, expect, it } from 'vitest';
import { parseGraph } from '#graph/graph.ts';
import { createNodeWatch } from '#daemon/node-watch.ts';
import { createRunGraph } from '#daemon/run-graph.ts';
import type { RunEventBody } from '#protocol/events.ts';
import type { NodeState } from '#protocol/methods/run-graph.ts';
import type { RunView, StepStatus } from '#protocol/views.ts';
import type { AttemptRow, ProvenanceRow, RunRow, SavingsRow } from '#store/types.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';

const AUTHORED = JSON.stringify({
  '1': { class_type: 'Load', inputs: { name: 'model', api_key: 'sk-aaaaaaaaaaaaaaaaaaaaaaaa' } },
  '2': { class_type: 'Encode', inputs: { clip: ['1', 1], text: '{prompt}' } },
  '3': { class_type: 'Sample', inputs: { model: ['1', 0], positive: ['2', 0] } },
  '4': { class_type: 'Save', inputs: { images: ['3', 0] } },
  '9': { class_type: 'Preview', inputs: { images: ['3', 0] } },
});
const SENT =
  '{"1":{"class_type":"Load","inputs":{"name":"model"}},"2":{"class_type":"Encode","inputs":{"clip":["1",1],"text":"dawn"}},"3":{"class_type":"Sample","inputs":{"model":["1",0],"positive":["2",0],"seed":18446744073709551615}},"4":{"class_type":"Save","inputs":{"images":["3",0]}}}';

interface Setting {
  readonly status?: StepStatus;
  readonly attempt?: Partial<AttemptRow>;
  readonly times?: ProvenanceRow['times'];
  readonly savings?: readonly SavingsRow[];
  readonly cache?: 'hit' | 'miss';
  /** The attempt that asked the result cache. */
  readonly asked?: number;
  /** What the run's log says since it was tried again. */
  readonly retried?: readonly RunEventBody[];
  readonly backend?: 'comfyui' | 'wan2gp';
}

/** One run with one step, as the store and the supervisor would tell of it. */
function setUp({ status = 'running', attempt, times = null, savings = [], cache, asked = 1, retried, backend = 'comfyui' }: Setting) {
  const { graph } = parseGraph(AUTHORED);
  const watch = createNodeWatch();
  const row: AttemptRow = {
    promptId: 'p',
    runId: 'run',
    step: 'draw',
    item: 0,
    attempt: 1,
    backend: 'studio',
    address: '',
    payloadHash: '',
    status: 'running',
    acknowledged: true,
    number: 1,
    createdAt: 0,
    endedAt: null,
    error: null,
    ...attempt,
  };
  const read = createRunGraph({
    store: {
      run: () => ({ templateHash: 'h' }) as RunRow,
      attempts: () => (attempt === undefined ? [] : [row]),
      provenance: () => [{ runId: 'run', promptId: 'p', graph: 'g', workflow: null, facts: {} as ProvenanceRow['facts'], times }],
      graph: () => SENT,
      savings: () => savings,
      events: ({ after }) => (after > 0 ? [] : log(retried ?? [])),
    },
    runs: {
      get: () =>
        ({
          ...(retried === undefined ? {} : { tries: 2 }),
          artifacts: [],
          steps: [
            {
              id: 'draw',
              status,
              items: 1,
              itemsDone: 0,
              progress: 0,
              attempts: [],
              ...(cache === undefined ? {} : { cache: [{ item: 0, attempt: asked, result: cache, reason: '' }] }),
            },
          ],
        }) as unknown as RunView,
    },
    watch,
    pinned: () => ({ steps: [{ id: 'draw', backend, graph }] }) as unknown as CompiledTemplate,
  });
  return { read: () => read({ runId: 'run', step: 'draw' }), readOther: () => read({ runId: 'run', step: 'paint' }), watch };
}

const statesOf = ({ nodes }: { readonly nodes: readonly { readonly id: string; readonly state: NodeState }[] }) =>
  Object.fromEntries(nodes.map(({ id, state }) => [id, state]));
const log = (bodies: readonly RunEventBody[]) =>
  bodies.map((event, index) => ({ runId: 'run', seq: index + 1, position: index + 1, epoch: 'e', at: 100, event }));
const at = (event: RunEventBody) => [{ runId: 'run', seq: 1, position: 1, epoch: 'e', at: 0, event }];

describe('run/graph', () => {
  it('is the template while nothing was sent, every node waiting, keys of its author left out', () => {
    const graph = setUp({ status: 'pending' }).read();
    expect(graph).toMatchObject({ source: 'template', step: 'draw', item: 0 });
    expect(new Set(Object.values(statesOf(graph)))).toEqual(new Set(['waiting']));
    expect(JSON.stringify(graph)).not.toContain('sk-aaaa');
  });

  it('is what was sent, with every digit of its values and every link', () => {
    const { text, nodes, backend, attempt } = setUp({ attempt: {} }).read();
    expect({ text, backend, attempt }).toEqual({ text: SENT, backend: 'studio', attempt: 1 });
    expect(nodes.find(({ id }) => id === '3')?.inputs).toEqual([
      { name: 'model', from: { node: '1', slot: 0 } },
      { name: 'positive', from: { node: '2', slot: 0 } },
      { name: 'seed', value: '18446744073709551615' },
    ]);
  });

  it('shows the node at work as running and everything that it takes as done', () => {
    const { read, watch } = setUp({ attempt: {} });
    watch.progress({ runId: 'run', progress: 0.5, step: 'draw', item: 0, node: '3' });
    expect(statesOf(read())).toEqual({ '1': 'done', '2': 'done', '3': 'running', '4': 'waiting' });
  });

  it('forgets what an earlier attempt had done when another is sent', () => {
    const { read, watch } = setUp({ attempt: { attempt: 2 } });
    watch.progress({ runId: 'run', progress: 0.5, step: 'draw', item: 0, node: '4' });
    watch.events(at({ type: 'step.status', step: 'draw', item: 0, attempt: 2, status: 'submitting' }));
    expect(new Set(Object.values(statesOf(read())))).toEqual(new Set(['waiting']));
  });

  it('knows of a finished attempt which nodes took time, and that the others came out of the cache of the backend', () => {
    const times = {
      nodes: [
        { node: '3', className: 'Sample', seconds: 2 },
        { node: '4', className: 'Save', seconds: 0.1 },
      ],
    };
    const graph = setUp({ status: 'done', attempt: { status: 'finished', endedAt: 9 }, times }).read();
    expect(statesOf(graph)).toEqual({ '1': 'cached', '2': 'cached', '3': 'done', '4': 'done' });
    expect(graph.nodes.find(({ id }) => id === '3')?.seconds).toBe(2);
  });

  it('says done of all of them when nobody saw the whole of it', () => {
    const graph = setUp({ status: 'done', attempt: { status: 'finished', endedAt: 9 } }).read();
    expect(new Set(Object.values(statesOf(graph)))).toEqual(new Set(['done']));
  });

  it('marks the node that failed, what it had taken, and what nobody saw', () => {
    const error = { code: 'NODE_FAILED' as const, message: 'no', retryable: false, node: '3' };
    const graph = setUp({ status: 'failed', attempt: { status: 'failed', endedAt: 9, error } }).read();
    expect(statesOf(graph)).toEqual({ '1': 'done', '2': 'done', '3': 'failed', '4': 'unknown' });
  });

  it('keeps what the optimiser took out in the picture, with the reason', () => {
    const savings: SavingsRow[] = [
      {
        runId: 'run',
        step: 'draw',
        item: 0,
        pass: 'previews',
        savings: [{ nodes: [{ id: '9', classType: 'Preview' }], why: 'Nobody looks at it.' }],
      },
    ];
    const graph = setUp({ attempt: {}, savings }).read();
    expect(graph.nodes.find(({ id }) => id === '9')).toMatchObject({ state: 'left-out', why: 'Nobody looks at it.', classType: 'Preview' });
  });

  it('marks all of an item that came out of the result cache', () => {
    const graph = setUp({ status: 'cached', cache: 'hit' }).read();
    expect(new Set(Object.values(statesOf(graph)))).toEqual(new Set(['kept']));
  });

  const error = { code: 'NODE_FAILED' as const, message: 'no', retryable: false, node: '3' };
  const failed = { status: 'failed', endedAt: 9, error } as const;
  const again: RunEventBody = { type: 'run.retried', nth: 2, again: ['draw'] };
  const now = (status: StepStatus): RunEventBody => ({ type: 'step.status', step: 'draw', item: 0, attempt: 2, status });
  const planned: RunEventBody = { type: 'step.planned', step: 'draw', items: 1 };

  it('marks all of an item as kept that failed at first and came out of the result cache when it was tried again', () => {
    const graph = setUp({ status: 'cached', attempt: failed, cache: 'hit', asked: 2, retried: [again, planned, now('cached')] }).read();
    expect(graph).toMatchObject({ source: 'template' });
    expect(new Set(Object.values(statesOf(graph)))).toEqual(new Set(['kept']));
  });

  it('shows an attempt that is newer than what the result cache had', () => {
    expect(statesOf(setUp({ status: 'failed', attempt: { ...failed, attempt: 2 }, cache: 'hit' }).read())).toMatchObject({ '3': 'failed' });
  });

  it.each([
    ['pending', []],
    ['planned', [planned]],
    ['preparing', [planned, now('preparing')]],
    ['waiting', [planned, now('waiting')]],
  ] as const)('shows nothing of an earlier try while the item is %s in a new one', (_, since) => {
    const graph = setUp({ status: 'pending', attempt: failed, retried: [again, ...since] }).read();
    expect(graph).toMatchObject({ source: 'template' });
    expect(graph).not.toHaveProperty('attempt');
    expect(new Set(Object.values(statesOf(graph)))).toEqual(new Set(['waiting']));
  });

  it.each([
    ['ended before it was prepared', [again, planned, now('cancelled')]],
    ['is kept in the new try', [again, { ...planned, kept: [0] }]],
    ['is of a step that is not done again', [{ ...again, again: ['other'] }]],
  ] as const)('shows the newest attempt of an item that %s', (_, retried) => {
    expect(statesOf(setUp({ status: 'done', attempt: failed, retried }).read())).toMatchObject({ '3': 'failed' });
  });

  it('shows an attempt of the new try that has ended while the item waits for the next', () => {
    const attempt = { ...failed, attempt: 2, createdAt: 200, endedAt: 300 };
    expect(statesOf(setUp({ attempt, retried: [again, planned, now('waiting')] }).read())).toMatchObject({ '3': 'failed' });
  });

  it('gives the settings of Wan2GP as text, without nodes', () => {
    expect(setUp({ backend: 'wan2gp', attempt: {} }).read()).toMatchObject({ format: 'wan2gp', nodes: [] });
  });

  it('names the steps there are when it is asked for another', () => {
    expect(() => setUp({}).readOther()).toThrow(
      expect.objectContaining({ code: 'STEP_NOT_FOUND', data: expect.objectContaining({ hint: 'Its steps: draw.' }) }),
    );
  });
});
