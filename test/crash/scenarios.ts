/** What the daemon is killed in the middle of: runs of every kind, and what their client wishes while they go on. */
import type { Sandbox } from '#backends/sandbox/options.ts';
import type { RunEventBody } from '#protocol/events.ts';
import type { RunStatus } from '#protocol/views.ts';

/** Something that a client asks for once, under a key of its own, until it is answered. */
export type Wish =
  | { readonly method: 'run/cancel' }
  | { readonly method: 'run/retry' }
  | { readonly method: 'run/choose'; readonly values: readonly string[] };

export interface Stage {
  readonly sandboxes: readonly Sandbox[];
  /** A backend dies for good. */
  readonly kill: (sandbox: Sandbox) => void;
}

export interface Scenario {
  /** Completes the sentence "a daemon that is killed in …". */
  readonly name: string;
  readonly template: string;
  /** `picture` is the path of a small PNG that the daemon may read. */
  parameters?(picture: string): Readonly<Record<string, unknown>>;
  readonly backends?: number;
  /** Every backend has a share of the work when nobody kills the daemon. */
  readonly shared?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Ends that the run may have, the first when nobody kills the daemon. */
  readonly ends: readonly RunStatus[];
  /** How often the run ends, when it is tried again. */
  readonly tries?: number;
  /** Prompts that were executed, least and most. Each of them once, always. */
  readonly prompts: readonly [least: number, most: number];
  /** How many when nobody kills the daemon, where that is not any of these. */
  readonly undisturbed?: number;
  prepare?(stage: Stage): void;
  /** Told of each event once. The same wish may be given again; it is asked for once. */
  react?(event: RunEventBody, stage: Stage): Wish | undefined;
}

const isRunning = (event: RunEventBody) => event.type === 'step.status' && event.status === 'running';
const pickLast = (event: RunEventBody): Wish | undefined =>
  event.type === 'choice.offered' ? { method: 'run/choose', values: [event.candidates.at(-1)?.id ?? ''] } : undefined;

export const SCENARIOS: readonly Scenario[] = [
  { name: 'three steps that feed each other', template: 'three-steps', ends: ['succeeded'], prompts: [3, 3] },
  {
    name: 'a fan-out over a fan-out and a step that joins it',
    template: 'fan-out',
    parameters: () => ({ colours: [1, 2], negative: true }),
    ends: ['succeeded'],
    prompts: [6, 6],
  },
  {
    name: 'a step that is skipped, and one that takes something else instead',
    template: 'fan-out',
    parameters: () => ({ colours: [3, 4] }),
    ends: ['succeeded'],
    prompts: [4, 4],
  },
  {
    name: 'a picture of the user that is uploaded',
    template: 'from-picture',
    parameters: (picture) => ({ picture }),
    ends: ['succeeded'],
    prompts: [2, 2],
  },
  { name: 'a run that waits for a choice', template: 'with-choice', ends: ['succeeded'], prompts: [3, 3], react: pickLast },
  {
    name: 'a step that runs out of memory, twice, and fits with the lower profile',
    template: 'low-memory',
    ends: ['succeeded'],
    prompts: [4, 4],
    prepare: ({ sandboxes }) => setFaults(sandboxes, { outOfMemory: 2 }),
  },
  {
    name: 'a run that failed in its last step and is tried again by hand',
    template: 'with-choice',
    ends: ['succeeded'],
    tries: 2,
    prompts: [5, 5],
    react(event, { sandboxes }) {
      if (event.type === 'choice.offered') setFaults(sandboxes, { outOfMemory: 2 });
      if (event.type === 'run.status' && event.status === 'failed') return { method: 'run/retry' };
      return pickLast(event);
    },
  },
  {
    name: 'a run that is cancelled while its prompt is at work',
    template: 'three-steps',
    // Where the wish did not get through before the daemon died, the work may be done before it does.
    ends: ['cancelled', 'succeeded'],
    prompts: [1, 3],
    prepare: ({ sandboxes }) => setFaults(sandboxes, { slowStarts: 3, slowStartMs: 400 }),
    react: (event) => (isRunning(event) ? { method: 'run/cancel' } : undefined),
  },
  {
    name: 'a run that is cancelled while a prompt is queued behind another',
    template: 'many',
    parameters: () => ({ colours: [5, 6, 7] }),
    ends: ['cancelled', 'succeeded'],
    prompts: [1, 3],
    prepare: ({ sandboxes }) => setFaults(sandboxes, { slowStarts: 3, slowStartMs: 400 }),
    react: (event) =>
      event.type === 'step.status' && event.status === 'queued' && event.item === 1 ? { method: 'run/cancel' } : undefined,
  },
  {
    name: 'a step of three equal items, of which two take the result that the first one made',
    template: 'many',
    parameters: () => ({ colours: [8, 8, 8] }),
    ends: ['succeeded'],
    prompts: [1, 3],
    undisturbed: 1,
  },
  { name: 'three steps that share one prompt', template: 'fused', ends: ['succeeded'], prompts: [1, 3], undisturbed: 1 },
  {
    name: 'files with their provenance inside, and others that are made of them',
    template: 'converted',
    ends: ['succeeded'],
    prompts: [1, 1],
  },
  {
    name: 'items that go to two backends at once',
    template: 'with-choice',
    parameters: () => ({ colours: [1, 2, 3, 4] }),
    backends: 2,
    shared: true,
    ends: ['succeeded'],
    prompts: [5, 5],
    react: pickLast,
  },
  {
    name: 'two backends of which one dies for good with the work on it',
    template: 'three-steps',
    backends: 2,
    env: { CALLSHEET_GRACE_MS: '100', CALLSHEET_RESTART_GRACE_MS: '10000', CALLSHEET_RETRY_MS: '50' },
    ends: ['succeeded'],
    prompts: [3, 4],
    prepare: ({ sandboxes }) => setFaults(sandboxes, { slowStarts: 1, slowStartMs: 300 }),
    react(event, { sandboxes, kill }) {
      const busy = sandboxes.filter((sandbox) => sandbox.ledger().some(({ finished }) => finished === null));
      if (isRunning(event) && sandboxes.length === 2 && busy[0] !== undefined) kill(busy[0]);
      return undefined;
    },
  },
];

function setFaults(sandboxes: readonly Sandbox[], faults: Sandbox['faults']): void {
  for (const sandbox of sandboxes) Object.assign(sandbox.faults, faults);
}
