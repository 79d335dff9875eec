/** The graph of one item of a step, node by node, for whoever draws it. */
import { array, closed, described, integer, number, object, oneOf, optional, string } from '../schema.ts';
import type { Infer } from '../schema.ts';
import { method, runId } from './define.ts';

/**
 * `done` was executed, `cached` was served by the backend's own cache, `kept` came out of the result cache with everything else of the item, `left-out` was taken out
 * by the optimiser. `unknown`: the item has ended and nobody saw whether the node had been executed.
 */
export const NODE_STATES = ['waiting', 'running', 'done', 'cached', 'kept', 'failed', 'left-out', 'unknown'] as const;
export type NodeState = (typeof NODE_STATES)[number];

const input = object({
  name: string(),
  from: optional(object({ node: string(), slot: integer({ minimum: 0 }) })),
  value: optional(described(string(), 'JSON text of a value, exact, cut at 2 000 characters.')),
});

const node = object({
  id: string(),
  classType: string(),
  title: optional(string()),
  state: oneOf(NODE_STATES),
  seconds: optional(number({ minimum: 0 })),
  why: optional(described(string(), 'Of a node that was left out.')),
  into: optional(described(string(), 'The node that gives its result in its place.')),
  step: optional(described(string(), 'Of a node of another step that shares the prompt.')),
  inputs: array(input),
});

export const runGraph = method({
  name: 'run/graph',
  scope: 'read',
  mutation: false,
  description:
    'The graph of one item of a step with the state of every node: as it was sent by its newest attempt, else as the template has it. What the optimiser left out is there too.',
  params: closed({
    runId,
    step: string({ minLength: 1, maxLength: 64 }),
    item: optional(described(integer({ minimum: 0 }), '0 when absent.')),
  }),
  result: object({
    step: string(),
    item: integer({ minimum: 0 }),
    attempt: optional(integer({ minimum: 1 })),
    backend: optional(string()),
    source: described(
      oneOf(['sent', 'template']),
      '`template`: nothing was sent yet, or nothing is kept of it; placeholders stand as written.',
    ),
    format: described(oneOf(['api', 'wan2gp']), '`wan2gp`: settings, which are no graph; there are no nodes then.'),
    text: described(string(), 'JSON text, exact: it may hold 64-bit integers.'),
    nodes: array(node),
  }),
  errors: ['RUN_NOT_FOUND', 'STEP_NOT_FOUND', 'SNAPSHOT_REFUSED'],
});

export type RunGraph = Infer<typeof runGraph.result>;
export type RunGraphNode = RunGraph['nodes'][number];
