/** Which attempts are on their way to which backend, and what ran there last. Plain bookkeeping. */

export interface Slot {
  readonly promptId: string;
  readonly runId: string;
  readonly backendId: string;
}

export interface Slots {
  /** Counts an attempt on a backend; the same attempt again changes nothing. */
  occupy(slot: Slot): void;
  release(promptId: string): boolean;
  /** Releases everything of a run. */
  releaseRun(runId: string): boolean;
  /** Attempts of ours there. */
  on(backendId: string): readonly Slot[];
  /** Notes what the newest attempt there uses. */
  loaded(backendId: string, models: readonly string[]): void;
  /** True when all of `models` were used by what went there last; an item without models is at home everywhere. */
  holds(backendId: string, models: readonly string[]): boolean;
  /** The part of `models` that was used by what went there last, 0 to 1; undefined for an item without models. */
  share(backendId: string, models: readonly string[]): number | undefined;
  modelsOn(backendId: string): readonly string[];
  /** Its memory was emptied: nothing that went there before is in it. */
  emptied(backendId: string): void;
}

export function createSlots(): Slots {
  const byPrompt = new Map<string, Slot>();
  const byBackend = new Map<string, Map<string, Slot>>();
  const models = new Map<string, ReadonlySet<string>>();

  const release = (promptId: string): boolean => {
    const slot = byPrompt.get(promptId);
    if (slot === undefined) return false;
    byPrompt.delete(promptId);
    byBackend.get(slot.backendId)?.delete(promptId);
    return true;
  };
  return {
    occupy(slot) {
      if (byPrompt.has(slot.promptId)) return;
      byPrompt.set(slot.promptId, slot);
      const there = byBackend.get(slot.backendId) ?? new Map<string, Slot>();
      byBackend.set(slot.backendId, there.set(slot.promptId, slot));
    },
    release,
    releaseRun(runId) {
      const own = [...byPrompt.values()].filter((slot) => slot.runId === runId);
      for (const { promptId } of own) release(promptId);
      return own.length > 0;
    },
    on: (backendId) => [...(byBackend.get(backendId)?.values() ?? [])],
    loaded: (backendId, names) => void (names.length > 0 && models.set(backendId, new Set(names))),
    holds: (backendId, names) => names.every((name) => models.get(backendId)?.has(name) ?? false),
    share(backendId, names) {
      const held = models.get(backendId);
      return names.length === 0 ? undefined : names.filter((name) => held?.has(name) ?? false).length / names.length;
    },
    modelsOn: (backendId) => [...(models.get(backendId) ?? [])],
    emptied: (backendId) => void models.delete(backendId),
  };
}
