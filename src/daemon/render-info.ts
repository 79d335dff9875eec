/** Whose node classes a dry run takes for the graphs that it shows. */
import type { Backend } from '#backends/contract.ts';
import type { ObjectInfo } from '#graph/object-info.ts';
import type { Problem } from '#protocol/problem.ts';
import type { CompiledStep, CompiledTemplate } from '#templates/compiled.ts';
import type { Offers } from './offers.ts';

/** How long a dry run waits for each backend, in milliseconds. */
const PATIENCE_MS = 5000;

export interface RenderInfoOptions {
  readonly backends: readonly Pick<Backend, 'id' | 'kind'>[];
  readonly offers: Pick<Offers, 'ask'>;
  /** Whoever asked does not want the answer any more. */
  readonly signal?: AbortSignal | undefined;
}

export interface RenderInfo {
  readonly of: (step: CompiledStep) => ObjectInfo | undefined;
  /** Steps for which nobody answered: their graphs are shown as the author wrote them. */
  readonly problems: readonly Problem[];
}

/**
 * Of a backend of the step's kind, or of any other that has node classes: the first that answers. Every step with a graph needs
 * one, for a server may have replaced any class. Each backend is asked once, and none for settings of Wan2GP.
 */
export async function infoForRender(template: CompiledTemplate, { backends, offers, signal }: RenderInfoOptions): Promise<RenderInfo> {
  const patience = () => AbortSignal.any([AbortSignal.timeout(PATIENCE_MS), ...(signal === undefined ? [] : [signal])]);
  const answers = new Map<string, Promise<ObjectInfo | undefined>>();
  const ask = (id: string): Promise<ObjectInfo | undefined> => {
    const asked = answers.get(id) ?? offers.ask(id, { signal: patience() }).then(({ info }) => info);
    answers.set(id, asked);
    return asked;
  };
  const able = backends.filter(({ kind }) => kind !== 'wan2gp');
  const known = new Map<CompiledStep, ObjectInfo>();
  const problems: Problem[] = [];
  for (const step of template.steps) {
    if (step.backend === 'wan2gp') continue;
    for (const { id } of able.toSorted((a, b) => Number(b.kind === step.backend) - Number(a.kind === step.backend))) {
      const info = await ask(id);
      signal?.throwIfAborted();
      if (info === undefined) continue;
      known.set(step, info);
      break;
    }
    if (!known.has(step) && able.length > 0) problems.push(notAsked(step));
  }
  return { of: (step) => known.get(step), problems };
}

// --- helpers ---

function notAsked({ id }: CompiledStep): Problem {
  return {
    code: 'BACKEND_NOT_ASKED',
    severity: 'info',
    message: `No backend has answered, so the graph of step '${id}' is shown as it was written: node classes that the server replaces and its spelling of model names are not known.`,
    hint: 'Start the backend, or look at `callsheet backends list`, and render again.',
    step: id,
  };
}
