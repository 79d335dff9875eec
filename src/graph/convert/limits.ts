/** How large a workflow may become when its subgraphs are opened. */

/** Ten subgraphs of ten of ten … are a small file and no graph that could run. */
export const MAX_NODES = 100_000;
/** Subgraphs in one another. */
export const MAX_DEPTH = 64;
/** Names that must never become a node id or an input: code that copies graphs into plain objects would trip over them. */
export const RESERVED: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
