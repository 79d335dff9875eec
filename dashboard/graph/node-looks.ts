/** The states of nodes in words. */
import type { NodeState } from '../../src/protocol/methods/run-graph.ts';

export const NODE_LOOKS: Readonly<Record<NodeState, { readonly word: string; readonly mark: string }>> = {
  waiting: { word: 'waits', mark: '' },
  running: { word: 'runs', mark: '▶' },
  done: { word: 'done', mark: '✓' },
  cached: { word: 'from the backend’s cache', mark: '⧉' },
  kept: { word: 'from the result cache', mark: '⧉' },
  failed: { word: 'failed', mark: '✕' },
  'left-out': { word: 'left out by the optimiser', mark: '–' },
  unknown: { word: 'not known', mark: '?' },
};
