/** The passes over one graph, in the order in which they run. */
import { constants } from './constants.ts';
import { deadNodes } from './dead-nodes.ts';
import { equalNodes } from './equal-nodes.ts';
import { noOps } from './no-ops.ts';
import { previews } from './previews.ts';
import { sharedLoaders } from './shared-loaders.ts';
import type { Pass } from './types.ts';

/** What goes altogether goes first; a constant shows what does nothing, and what is shared makes others equal. */
export const GRAPH_PASSES: readonly Pass[] = [previews, deadNodes, constants, noOps, sharedLoaders, equalNodes];
