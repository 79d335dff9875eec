/** Which backends take a step of a kind. */
import { CallsheetError } from '#protocol/errors.ts';
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

/** Throws BACKEND_NOT_FOUND. */
export function backendById(backends: readonly Backend[], id: string): Backend {
  const backend = backends.find((one) => one.id === id);
  if (backend !== undefined) return backend;
  const known = backends.map((one) => `'${one.id}'`).join(', ');
  throw new CallsheetError('BACKEND_NOT_FOUND', `No backend has the id '${id}'.`, {
    hint: `Known backends: ${known}. Add one with --backend when the daemon starts.`,
  });
}

/** The first that takes the step: what conditions see, and what stands in for all where one has to be named. Throws BACKEND_NOT_FOUND. */
export function firstTaker(backends: readonly Backend[], asked: string | undefined, kind: Backend['kind']): Backend {
  const [first] = takersOf(backends, asked, kind);
  if (first !== undefined) return first;
  const asFor = asked === undefined ? '' : ` Backend '${backendById(backends, asked).id}' does not take it.`;
  throw new CallsheetError('BACKEND_NOT_FOUND', `A step needs a backend of kind '${kind}', and none is configured.${asFor}`, {
    hint: `Start the daemon with --backend ${kind === 'sandbox' ? 'sandbox' : `${kind}=…`}.`,
  });
}
