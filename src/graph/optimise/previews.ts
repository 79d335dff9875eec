/** Pass `previews`: previews that nobody looks at go, and with them what only they needed. */
import type { Draft } from './draft.ts';
import { saved } from './draft.ts';
import type { Found, Pass } from './types.ts';

export const previews: Pass = {
  name: 'previews',
  does: 'Drops previews that nobody looks at, with everything that only they needed.',
  condition:
    'A `PreviewImage`, `MaskPreview` or `PreviewAudio` of ComfyUI that no output of the step names; a `PreviewAny` where the step declares outputs and names others. It stays when another node takes what it hands on, when it is of a node pack, and when the graph has no other output.',
  proof:
    'What they give is a temporary file, which Callsheet fetches only when an output names its node, or a text, which counts only where no outputs are declared. Their source (`nodes.py`, `nodes_mask.py`, `nodes_audio.py`, `nodes_preview_any.py`) writes nothing else. ComfyUI executes only what feeds an output.',
  example:
    '`VAEDecode → PreviewImage` beside `VAEDecode → SaveImage`: the preview goes; with a sampler of its own before it, that goes too.',

  run(draft: Draft): readonly Found[] {
    const nodes = draft.nodes().filter(({ id }) => draft.roots.previews.has(id));
    const found: Found[] = [];
    for (const { id } of nodes) {
      if (draft.get(id) === undefined || draft.isTaken(id)) continue;
      const [preview, ...feeders] = draft.removeWithFeeders(id).map((node) => saved(node, { ran: true }));
      if (preview !== undefined) found.push({ nodes: [preview, ...feeders], why: WHY });
    }
    return found;
  },
};

const WHY = 'Nobody looks at it: no output of the step names it, and what it shows is kept nowhere.';
