/** Whose node classes a dry run takes for steps that may change their graph. */
import type { Backend } from '#backends/contract.ts';
import type { ObjectInfo } from '#graph/object-info.ts';
import type { CompiledStep, CompiledTemplate } from '#templates/compiled.ts';
import { mayBePatched } from '#templates/patch-step.ts';
import type { Offers } from './offers.ts';

/** How long a dry run waits for each backend, in milliseconds. */
const PATIENCE_MS = 5000;

export interface PatchInfoOptions {
  readonly backends: readonly Pick<Backend, 'id' | 'kind'>[];
  readonly offers: Pick<Offers, 'ask'>;
}

/** Of a backend of the step's kind, or of any other that has node classes. Other steps have none, and nobody is asked for them. */
export async function infoForPatches(
  template: CompiledTemplate,
  { backends, offers }: PatchInfoOptions,
): Promise<(step: CompiledStep) => ObjectInfo | undefined> {
  const known = new Map<CompiledStep, ObjectInfo | undefined>();
  for (const step of template.steps) {
    if (!mayBePatched(template, step)) continue;
    const asked = backends.toSorted((a, b) => Number(b.kind === step.backend) - Number(a.kind === step.backend));
    for (const { id } of asked) {
      const { info } = await offers.ask(id, { signal: AbortSignal.timeout(PATIENCE_MS) });
      if (info === undefined) continue;
      known.set(step, info);
      break;
    }
  }
  return (step) => known.get(step);
}
