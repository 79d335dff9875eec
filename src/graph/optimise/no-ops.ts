/** Pass `no-ops`: nodes that hand on what they are given are led around. */
import { typesFit, isOpen } from '../link-types.ts';
import type { GraphLink } from '../types.ts';
import { type KnownValues, knownValues } from './constant-values.ts';
import { type Draft, type DraftNode, saved, type Taker } from './draft.ts';
import { isCore } from './known-classes.ts';
import { type NodeView, type NoOp, viewOf } from './no-op.ts';
import { MODEL_NO_OPS } from './no-ops-of-models.ts';
import { PICTURE_NO_OPS } from './no-ops-of-pictures.ts';
import { picturesOf } from './pictures.ts';
import { steadiness } from './steady.ts';
import type { Found, Pass } from './types.ts';

export const NO_OPS: readonly NoOp[] = [...MODEL_NO_OPS, ...PICTURE_NO_OPS];

const ROWS: ReadonlyMap<string, readonly NoOp[]> = Map.groupBy(NO_OPS, ({ classType }) => classType);

export const noOps: Pass = {
  name: 'no-ops',
  does: 'Leads around nodes that hand on what they are given.',
  condition:
    'A node of ComfyUI’s own as in the table below, whose values are written or known, that no output of the step names. What is left out besides brings one value by the graph, no list and no block, and the types on the new links fit. Where what is handed on is a copy, everybody who shares it then is a node of ComfyUI’s own, none of which changes what it is given.',
  proof: 'For each row the place in ComfyUI’s source that returns the input, or computes the same values.',
  example:
    '`CheckpointLoaderSimple → LoraLoader (0, 0) → KSampler`: the sampler takes the model from the checkpoint, and the LoRA is not read.',

  run(draft: Draft): readonly Found[] {
    const found: Found[] = [];
    const known = knownValues(draft);
    for (const { id } of draft.inOrder()) {
      const node = draft.get(id);
      const bypass = node === undefined ? undefined : bypassOf(draft, known, node);
      if (node === undefined || bypass === undefined) continue;
      const [into] = bypass.moves;
      for (const { taker, to } of bypass.moves) draft.relink(taker.node.id, taker.input, to);
      const [gone, ...feeders] = draft.removeWithFeeders(id);
      if (gone === undefined || into === undefined) continue;
      // What was not evaluated before is not saved.
      const isLazy = [...node.inputs.keys()].some((name) => node.specs.get(name)?.options['lazy'] === true);
      const ran = isLazy ? {} : { ran: true };
      found.push({ nodes: [saved(gone, { into: into.to.node }), ...feeders.map((feeder) => saved(feeder, ran))], why: bypass.row.why });
    }
    return found;
  },
};

// --- helpers ---

interface Move {
  readonly taker: Taker;
  readonly to: GraphLink;
}

interface Bypass {
  readonly row: NoOp;
  readonly moves: readonly Move[];
}

function bypassOf(draft: Draft, known: KnownValues, node: DraftNode): Bypass | undefined {
  const rows = ROWS.get(node.classType);
  if (rows === undefined || node.nodeClass === undefined || !isCore(node.nodeClass) || draft.roots.kept.has(node.id)) return undefined;
  const takers = draft.takersOf(node.id);
  if (takers.length === 0) return undefined;
  const pictures = picturesOf(draft, known);
  const sourceOf = (name: string): DraftNode | undefined => {
    const link = node.inputs.get(name)?.link;
    return link === undefined ? undefined : draft.get(link.node);
  };
  const view = viewOf(node, known, {
    picture(name) {
      const link = node.inputs.get(name)?.link;
      return link === undefined ? {} : pictures(link);
    },
    source: (name) => sourceOf(name)?.classType,
    takers: takers.map(({ node: { classType } }) => classType),
  });
  for (const row of rows) {
    const moves = movesOf(draft, node, row, view, takers);
    if (moves !== undefined) return { row, moves };
  }
  return undefined;
}

function movesOf(draft: Draft, node: DraftNode, row: NoOp, view: NodeView, takers: readonly Taker[]): readonly Move[] | undefined {
  const passes = row.passes(view);
  if (passes === undefined) return undefined;
  const ignored = new Set(row.ignores?.(view));
  const isSteady = steadiness(draft);
  const moves: Move[] = [];
  for (const taker of takers) {
    const name = passes[taker.slot];
    const to = name === undefined ? undefined : node.inputs.get(name)?.link;
    if (to === undefined || !fits(draft, node, taker, to)) return undefined;
    // What the node takes besides decides how often it is called, and whether at all.
    const others = [...node.inputs].filter(([other]) => other !== name && !ignored.has(other));
    if (!others.every(([, { link }]) => link === undefined || isSteady(link))) return undefined;
    if (row.isCopy === true && !isSharedSafely(draft, taker, to)) return undefined;
    moves.push({ taker, to });
  }
  return moves;
}

/** The server compares the types of a link; what only a node of any type lets through has to fit without it. */
function fits(draft: Draft, node: DraftNode, { node: taker, input, slot }: Taker, to: GraphLink): boolean {
  const given = draft.get(to.node)?.nodeClass?.outputs[to.slot]?.type;
  const wanted = taker.specs.get(input)?.type;
  if (given === undefined || wanted === undefined) return false;
  if (given === node.nodeClass?.outputs[slot]?.type) return true;
  return isOpen(wanted) || (!isOpen(given) && typesFit(given, wanted));
}

/** Nobody who shares the original from now on changes it in place. */
function isSharedSafely(draft: Draft, taker: Taker, to: GraphLink): boolean {
  const sharing = [taker, ...draft.takersOf(to.node).filter(({ slot }) => slot === to.slot)];
  return sharing.every(({ node }) => node.nodeClass !== undefined && isCore(node.nodeClass));
}
