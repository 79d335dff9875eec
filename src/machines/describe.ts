/** Any machine as plain nodes and edges: what docs, and later the inspector, draw. Read from the live definition, so it cannot be out of date. */
import type { AnyStateMachine, AnyStateNode } from 'xstate';

export interface ChartNode {
  readonly id: string;
  readonly key: string;
  readonly parent: string | null;
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'final' | 'history';
  readonly isInitial: boolean;
  /** Names of the actors at work while the state is active. */
  readonly invokes: readonly string[];
}

export interface ChartEdge {
  readonly source: string;
  readonly target: string;
  /** Event, and the guard in brackets when there is one. */
  readonly label: string;
}

export interface Chart {
  readonly id: string;
  readonly nodes: readonly ChartNode[];
  readonly edges: readonly ChartEdge[];
}

export function describeMachine(machine: AnyStateMachine): Chart {
  const nodes: ChartNode[] = [];
  const edges: ChartEdge[] = [];
  const visit = (node: AnyStateNode): void => {
    const parent = node.parent;
    if (parent !== undefined) {
      nodes.push({
        id: node.id,
        key: node.key,
        parent: parent === machine.root ? null : parent.id,
        kind: node.type,
        isInitial: parent.initial.target.includes(node),
        invokes: node.invoke.map((invoke) => (typeof invoke.src === 'string' ? invoke.src : invoke.id)),
      });
      for (const transition of [...node.transitions.values()].flat().concat(node.always ?? [])) {
        const label = labelOf(transition.eventType, transition.guard);
        for (const target of transition.target ?? []) edges.push({ source: node.id, target: target.id, label });
      }
    }
    for (const child of Object.values(node.states)) visit(child);
  };
  visit(machine.root);
  return { id: machine.id, nodes, edges };
}

/** XState's own event names, said shorter: `xstate.done.actor.load` → `load done`, an `always` → `at once`. */
function labelOf(event: string, guard: unknown): string {
  const actor = /^xstate\.(done|error)\.actor\.(.+)$/.exec(event);
  const delay = /^xstate\.after\.(\w+)\./.exec(event);
  const name =
    event === ''
      ? 'at once'
      : actor !== null
        ? `${actor[2] ?? ''} ${actor[1] === 'done' ? 'done' : 'failed'}`
        : delay !== null
          ? `after ${delay[1] ?? ''}`
          : event;
  const named =
    typeof guard === 'string' ? guard : typeof guard === 'object' && guard !== null && 'type' in guard ? String(guard.type) : undefined;
  return named === undefined ? name : `${name} [${named}]`;
}
