/** Pass `dead-nodes`: nodes that feed nothing that is wanted go. */
import type { Draft, DraftNode } from './draft.ts';
import { saved } from './draft.ts';
import type { Found, Pass } from './types.ts';

export const deadNodes: Pass = {
  name: 'dead-nodes',
  does: 'Drops nodes that feed no output that is wanted.',
  condition:
    'Wanted are the nodes that the outputs of the step name; every output node where it declares none or `*`. Output nodes that may have an effect of their own stay as well: those of node packs, of unknown classes, partner nodes, and savers of models, latents and data sets. A saver of pictures, films, sounds or shapes that no output names goes, if its file name prefix stands in the graph: name it in `outputs` to have its files.',
  proof:
    'ComfyUI executes, and checks, only output nodes and what feeds them (`execution.py`, `validate_prompt`), so that a node that feeds none changes nothing by being away. Callsheet has savers write into a folder of the attempt of which nobody else is told, and fetches only what an output names.',
  example:
    '`SaveImage "draft"` and `SaveImage "final"` with `"outputs": {"picture": "title:final"}`: the draft, and what only it needed, is not made.',

  run(draft: Draft): readonly Found[] {
    const { kept, savers, used } = draft.roots;
    const nodes = draft.nodes();
    const live = reachable(
      draft,
      nodes.filter(({ id }) => kept.has(id)),
    );
    const dead = nodes.filter(({ id }) => !live.has(id));
    const ran = dead.filter(({ id }) => used.has(id));
    const idle = dead.filter(({ id }) => !used.has(id));
    // Those that others take from go last.
    const order = draft.inOrder().filter(({ id }) => !live.has(id));
    for (const { id } of order.toReversed()) draft.remove(id);
    return [
      ...(ran.length === 0 ? [] : [{ nodes: saversFirst(ran, savers).map((node) => saved(node, { ran: true })), why: UNNAMED }]),
      ...(idle.length === 0 ? [] : [{ nodes: idle.map((node) => saved(node)), why: UNUSED }]),
    ];
  },
};

const UNNAMED = 'It feeds no output of the step: files that no output names are never fetched.';
const UNUSED = 'It feeds no output node: the server would not execute it either.';

// --- helpers ---

function reachable(draft: Draft, from: readonly DraftNode[]): Set<string> {
  const found = new Set<string>();
  const open = [...from];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (found.has(node.id)) continue;
    found.add(node.id);
    for (const { link } of node.inputs.values()) {
      const source = link === undefined ? undefined : draft.get(link.node);
      if (source !== undefined) open.push(source);
    }
  }
  return found;
}

function saversFirst(nodes: readonly DraftNode[], savers: ReadonlySet<string>): readonly DraftNode[] {
  return nodes.toSorted((a, b) => Number(savers.has(b.id)) - Number(savers.has(a.id)));
}
