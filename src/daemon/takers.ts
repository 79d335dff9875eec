/** Which backends take a step of a kind. */
import type { Backend } from '#backends/contract.ts';

/**
 * The one that was asked for, when it takes this kind of step; else those that do, in the order of the configuration. ComfyUI
 * graphs run on comfyui backends, and on the sandbox where it was asked for or nothing else is configured: it never stands in for
 * a real one (DESIGN 4). Empty when none takes it.
 */
export function takersOf<B extends Pick<Backend, 'id' | 'kind'>>(
  backends: readonly B[],
  asked: string | undefined,
  kind: Backend['kind'],
): readonly B[] {
  const takes = (backend: B) => backend.kind === kind || (kind === 'comfyui' && backend.kind === 'sandbox');
  const named = backends.find(({ id }) => id === asked);
  if (named !== undefined && takes(named)) return [named];
  // A run that was given to something else has its graphs nowhere, least of all on drafts.
  if (named !== undefined && kind === 'comfyui') return [];
  const real = backends.filter((backend) => backend.kind === kind);
  return real.length > 0 ? real : backends.filter(takes);
}
