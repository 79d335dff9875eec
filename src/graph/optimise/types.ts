/** Words of the optimiser: what a pass is, what it says about itself, and what comes out. */
import type { SavedNode } from '#protocol/views.ts';
import type { ObjectInfo } from '../node-classes.ts';
import type { Draft } from './draft.ts';

/** The passes over one graph; the others of `PASSES` work on steps and runs. */
export type GraphPass = 'dead-nodes' | 'equal-nodes' | 'no-ops' | 'constants' | 'shared-loaders' | 'previews';

/** One thing that a pass did. */
export interface Found {
  /** Nodes that are gone, those that the reason speaks of first. */
  readonly nodes: readonly GoneNode[];
  /** One sentence: why the outputs are the same without them. */
  readonly why: string;
}

export interface GoneNode extends SavedNode {
  /** The server would have executed it, and not taken it from its cache: what it takes is saved. */
  readonly ran?: boolean;
}

export interface PassSaving extends Found {
  readonly pass: GraphPass;
}

/** What a pass says about itself; docs/optimiser.md is made of it. */
export interface PassAccount {
  /** One line for tables. */
  readonly does: string;
  /** When it acts, and when it does not. */
  readonly condition: string;
  /** Why outputs are the same. */
  readonly proof: string;
  readonly example: string;
}

export interface Pass extends PassAccount {
  readonly name: GraphPass;
  /** Changes the draft and says what it did. The same draft always gives the same. */
  run(draft: Draft): readonly Found[];
}

export interface OptimiseOptions {
  /** Of the server that the graph goes to. */
  readonly info: ObjectInfo;
  /** Ids of the nodes whose files are wanted; empty means every file. */
  readonly outputNodes: readonly string[];
}

export interface Optimised {
  /** The graph's own text when nothing was done. */
  readonly text: string;
  /** `outputNodes`, without those whose result another one gives. */
  readonly outputNodes: readonly string[];
  /** In the order of `PASSES`. */
  readonly savings: readonly PassSaving[];
  /** Why nothing of the graph was touched, as a sentence; absent when it was looked at. */
  readonly leftAlone?: string;
}
