/** Runs as the scheduler knows them: in the order in which they came, each with the models of the one before it, and what its items had loaded. */
import type { PlaceLoad, RunMemory } from '#actors/deps.ts';
import type { OpenRun } from '#store/types.ts';

export type RunHead = Pick<OpenRun, 'runId' | 'backend' | 'templateHash' | 'priority' | 'client' | 'models'>;

export interface KnownRun extends RunHead {
  readonly order: number;
  /** Models of the run that came before it; undefined once its own first item has a place. */
  readonly before: readonly string[] | undefined;
  /** It began before its turn. */
  readonly isEarly?: true;
}

export interface RunHeads {
  /** With what came before it. `begun`: it does not follow another any more. */
  arrive(run: RunHead, begun?: boolean): KnownRun;
  /** Also of a run that never arrived here: then it is last. */
  of(memory: RunMemory): KnownRun;
  has(runId: string): boolean;
  isEarly(runId: string): boolean;
  hasten(runId: string): void;
  drop(runId: string): void;
  /** Another open run may go to this backend with models that these are not among. */
  bringsOthers(runId: string, backendId: string, models: readonly string[]): boolean;
  /** An item has its place. `wasLoaded`: its models were on the card; undefined when nothing is known of that. */
  placed(runId: string, promptId: string, models: readonly string[], wasLoaded: boolean | undefined): void;
  loadOf(promptId: string): PlaceLoad | undefined;
  /** The item has left its place. */
  left(promptId: string): void;
}

export function createRunHeads(): RunHeads {
  const runs = new Map<string, KnownRun>();
  /** By prompt id. */
  const loads = new Map<string, PlaceLoad>();
  /** The models of the run that came last, by the backends that it may go to. */
  const lastModels = new Map<string, readonly string[]>();
  let order = 0;

  return {
    arrive(run, begun = false) {
      const { models = [], backend, runId } = run;
      const before = lastModels.get(backend ?? '');
      if (models.length > 0) lastModels.set(backend ?? '', models);
      const known = { ...run, order: (order += 1), before: begun || models.length === 0 ? undefined : before };
      runs.set(runId, known);
      return known;
    },
    of({ runId, backend, template }) {
      return runs.get(runId) ?? { runId, backend, templateHash: template.hash, order: (order += 1), before: undefined };
    },
    has: (runId) => runs.has(runId),
    isEarly: (runId) => runs.get(runId)?.isEarly ?? false,
    hasten(runId) {
      const head = runs.get(runId);
      if (head !== undefined) runs.set(runId, { ...head, isEarly: true });
    },
    drop: (runId) => void runs.delete(runId),
    bringsOthers(runId, backendId, models) {
      const loadsOthers = (run: KnownRun) => run.models?.some((model) => !models.includes(model)) ?? false;
      return [...runs.values()].some((run) => run.runId !== runId && (run.backend ?? backendId) === backendId && loadsOthers(run));
    },
    // Only its first item follows another run: the others follow each other.
    placed(runId, promptId, models, wasLoaded) {
      const head = runs.get(runId);
      const { before } = head ?? {};
      if (head !== undefined) runs.set(runId, { ...head, before: undefined });
      if (wasLoaded === undefined) return;
      const wasSpared = wasLoaded && before !== undefined && models.some((model) => !before.includes(model));
      loads.set(promptId, { wasLoaded, wasSpared, models });
    },
    loadOf: (promptId) => loads.get(promptId),
    left: (promptId) => void loads.delete(promptId),
  };
}
