/** The states of nodes in words. */
import type { IconName } from '../parts/icon.tsx';
import type { NodeState } from '../../src/protocol/methods/run-graph.ts';

export const NODE_LOOKS: Readonly<Record<NodeState, { readonly word: string; readonly mark: IconName | undefined }>> = {
  waiting: { word: 'waits', mark: undefined },
  running: { word: 'runs', mark: 'play' },
  done: { word: 'done', mark: 'check' },
  cached: { word: 'from the backend’s cache', mark: 'copy' },
  kept: { word: 'from the result cache', mark: 'copy' },
  failed: { word: 'failed', mark: 'cross' },
  'left-out': { word: 'left out by the optimiser', mark: 'minus' },
  unknown: { word: 'not known', mark: 'question' },
};
