/** Open runs in memory: loaded from the store on first use, so that a restarted daemon finds what the dead one wrote. */
import { CallsheetError } from '#protocol/errors.ts';
import type { RunMemory } from '#actors/deps.ts';
import { savingsKey } from '#actors/savings.ts';
import type { RunOptions } from '#protocol/views.ts';
import type { NewRun, Store } from '#store/types.ts';
import { compileTemplate } from '#templates/compile.ts';
import type { CompiledTemplate } from '#templates/compiled.ts';
import { reviveParameters } from '#templates/parameters.ts';
import type { TemplateSource, Values } from '#templates/types.ts';

/** Milliseconds since 1970: runs that were created until then come from a backup. */
export const RESTORED_SETTING = 'restored';

/** Compiled pinned templates kept for reuse; a run's own copy is in the database. */
const COMPILED_LIMIT = 64;

export interface RunMemories {
  /** Throws RUN_NOT_FOUND, SNAPSHOT_REFUSED. */
  get(runId: string): RunMemory;
  /** Adds a run that is about to be stored. */
  add(run: Pick<NewRun, 'runId' | 'backend' | 'options'>, template: CompiledTemplate, params: Values): void;
  drop(runId: string): void;
  /** The template a run pinned. Throws SNAPSHOT_REFUSED. */
  pinned(hash: string): CompiledTemplate;
}

/** Of a run that asked for nothing else. */
export const USUAL_OPTIONS: RunOptions = { optimize: true, cache: true };

export function createRunMemories(store: Store): RunMemories {
  const memories = new Map<string, RunMemory>();
  const compiled = new Map<string, CompiledTemplate>();
  const restoredAt = Number(store.setting(RESTORED_SETTING) ?? Number.NEGATIVE_INFINITY);

  const keep = (template: CompiledTemplate) => {
    compiled.delete(template.hash);
    compiled.set(template.hash, template);
    const oldest = compiled.keys().next();
    if (compiled.size > COMPILED_LIMIT && oldest.done !== true) compiled.delete(oldest.value);
    return template;
  };
  const pinned = (hash: string): CompiledTemplate => {
    const known = compiled.get(hash);
    if (known !== undefined) return keep(known);
    const content = store.template(hash);
    const template = content === undefined ? undefined : compileTemplate(JSON.parse(content) as TemplateSource).value;
    if (template === undefined) {
      throw new CallsheetError('SNAPSHOT_REFUSED', 'The template that the run pinned cannot be read any more.', {
        hint: 'Start the template again; the finished files of the run are kept.',
      });
    }
    return keep(template);
  };
  return {
    pinned,
    add({ runId, backend, options = USUAL_OPTIONS }, template, params) {
      keep(template);
      memories.set(runId, {
        runId,
        template,
        params,
        backend,
        options,
        savings: new Map(),
        attempts: new Map(),
        artifacts: [],
        provenance: new Map(),
        fresh: new Set(),
        leftOut: new Map(),
      });
    },
    get(runId) {
      const known = memories.get(runId);
      if (known !== undefined) return known;
      const row = store.run(runId);
      if (row === undefined) throw new CallsheetError('RUN_NOT_FOUND', `No run has the id '${runId}'.`, { hint: 'See `callsheet runs`.' });
      const template = pinned(row.templateHash);
      const memory: RunMemory = {
        runId,
        template,
        params: reviveParameters(template, row.parameters),
        backend: row.backend,
        options: row.options ?? USUAL_OPTIONS,
        savings: new Map(store.savings(runId).map((saving) => [savingsKey(saving), saving])),
        attempts: new Map(store.attempts(runId).map((attempt) => [attempt.promptId, attempt])),
        artifacts: [...store.artifacts(runId)],
        provenance: new Map(store.provenance(runId).map((kept) => [kept.promptId, kept])),
        fresh: new Set(),
        leftOut: new Map(),
        ...(row.createdAt <= restoredAt ? { restored: true } : {}),
      };
      memories.set(runId, memory);
      return memory;
    },
    drop: (runId) => void memories.delete(runId),
  };
}
