/** The lower profile of a step: what `lowMemory` sets, standing over everything else. It makes a picture smaller, never another one. */
import { type CompileContext, report } from './compile-context.ts';
import { siteKey } from './compile-workflow.ts';
import type { Piece, Site } from './compiled.ts';
import type { Path } from './locate.ts';

/** Inputs that hold a seed by ComfyUI's own names, where the manifest says nothing. */
const SEED_INPUT = /^(?:noise_)?seed$/;

/** `lowered` are the sites that `lowMemory` of the step at `path` writes; `usual` those of the step without it. */
export function lowerProfile(
  context: CompileContext,
  step: string,
  path: Path,
  usual: readonly Site[],
  lowered: readonly Site[],
): readonly Site[] {
  const seeded = new Set(usual.filter(({ pieces }) => pieces.some((piece) => holdsSeed(context, piece))).map(keyOf));
  for (const site of lowered) {
    if (!seeded.has(keyOf(site)) && !SEED_INPUT.test(site.input) && !site.pieces.some((piece) => holdsSeed(context, piece))) continue;
    const at: Path = [...path, 'lowMemory', 'set', keyIn(site)];
    const message = `"lowMemory" of step "${step}" writes input "${site.input}" of node ${site.node}, which holds the seed.`;
    const hint = 'Leave the seed alone: with less memory the same is made smaller, not something else.';
    report(context, at, 'TEMPLATE_LOWER_SEED', message, { step, node: site.node, input: site.input, hint, key: true });
  }
  return [...lowered, ...usual];
}

function holdsSeed({ names }: CompileContext, piece: Piece): boolean {
  const isSeed = (name: string | undefined) => name !== undefined && names.parameters.get(name)?.type === 'seed';
  if (typeof piece === 'string') return false;
  const placeholders = piece.parts.filter((part) => typeof part === 'object');
  return placeholders.some(({ alternatives }) => alternatives.some(({ path }) => path.length === 1 && isSeed(path[0])));
}

function keyOf({ node, input }: Site): string {
  return siteKey(node, input);
}

/** The last part of the pointer is the address as it was written. */
function keyIn({ place }: Site): string {
  return (place.pointer.split('/').at(-1) ?? '').replaceAll('~1', '/').replaceAll('~0', '~');
}
