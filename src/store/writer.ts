/** Writes one batch: everything in the documented order inside the transaction that its caller opened, numbering events as it goes. */
import { deflateRawSync } from 'node:zlib';
import { CallsheetError } from '#protocol/errors.ts';
import type { RunEvent } from '#protocol/events.ts';
import { RUN_ENDS } from '#protocol/views.ts';
import type { ArtifactView } from '#protocol/views.ts';
import type { AttemptRow, Batch, NewRun, RemovalRow, RequestKeyRow, RunState } from './types.ts';
import type { Statements } from './statements.ts';

/** Runs whose numbers are kept at hand; beyond this the memory is emptied and filled again from the database. */
const REMEMBERED_RUNS = 20_000;

interface RunKey {
  readonly id: number;
  seq: number;
  open: boolean;
}

export interface Writer {
  /** Must run inside a transaction. */
  write(batch: Batch): readonly RunEvent[];
  putRequestKey(row: RequestKeyRow): void;
  pin(runId: string, pinned: boolean): void;
  /** Must run inside a transaction. */
  removeRuns(runs: readonly RemovalRow[], keep: ReadonlySet<string>): void;
  /** Remembers that an item is done; it is deleted with the next batch. A crash before that only means that the item is handed out again. */
  outboxDone(id: number): void;
  /** True for an item that is done but still stored. */
  isDone(id: number): boolean;
  /** How many such items there are. */
  unsettled(): number;
  /** Deletes what is done. Must run inside a transaction. */
  settle(): void;
  lastPosition(): number;
  /** After a transaction that stands. */
  committed(): void;
  /** After a transaction that did not stand: everything counted in memory is read again. */
  forget(): void;
}

export function createWriter(statements: Statements, epoch: string): Writer {
  const keys = new Map<string, RunKey>();
  const done = new Set<number>();
  let position = statements.lastPosition.get() ?? 0;
  let outboxId = statements.lastOutbox.get() ?? 0;

  function keyOf(runId: string): RunKey {
    const known = keys.get(runId);
    if (known !== undefined) return known;
    const row = statements.runKey.get(runId);
    if (row === undefined) {
      throw new CallsheetError('INTERNAL', `The store was asked to write about run ${runId}, which it does not hold.`);
    }
    return remember(runId, { id: row.id, seq: row.seq, open: row.open === 1 });
  }

  function remember(runId: string, key: RunKey): RunKey {
    if (keys.size >= REMEMBERED_RUNS) keys.clear();
    keys.set(runId, key);
    return key;
  }

  function insertRun(run: NewRun, state: RunState): void {
    const { lastInsertRowid } = statements.insertRun.run(
      run.runId,
      run.template,
      run.version,
      run.templateHash,
      run.backend,
      run.parameters,
      run.createdAt,
      run.priority ?? 0,
      run.client ?? null,
      jsonOrNull(run.options ?? null),
      jsonOrNull(run.models ?? null),
    );
    const key = remember(run.runId, { id: Number(lastInsertRowid), seq: 0, open: isOpen(state) });
    statements.insertState.run(Number(key.open), ...stateValues(state), key.id);
  }

  function writeState(state: RunState): void {
    const key = keyOf(state.runId);
    const open = isOpen(state);
    if (open === key.open) {
      statements.advanceState.run(...stateValues(state), key.id);
    } else {
      statements.replaceState.run(Number(open), ...stateValues(state), key.id);
      key.open = open;
    }
  }

  function putRequestKey(row: RequestKeyRow): void {
    const first = statements.requestKey.get(row.key);
    if (first === undefined) {
      const run = row.runId === null ? null : keyOf(row.runId).id;
      statements.insertRequestKey.run(row.key, row.method, row.paramsHash, run, row.answer);
    } else if (first.method !== row.method || first.params_hash !== row.paramsHash || first.answer !== row.answer) {
      throw new CallsheetError('REQUEST_KEY_CONFLICT', `The requestKey ${row.key} was used before.`, {
        hint: 'Use a new requestKey for a new request.',
      });
    }
  }

  function graphId(hash: string): number {
    const id = statements.graphId.get(hash);
    if (id === undefined) throw new CallsheetError('INTERNAL', `The store was asked to write about graph ${hash}, which it does not hold.`);
    return id;
  }

  function settle(): void {
    for (const id of done) statements.deleteOutbox.run(id);
  }

  return {
    write(batch) {
      settle();
      for (const { hash, content } of batch.templates ?? []) statements.insertTemplate.run(hash, content);
      const inserted = new Set<RunState>();
      for (const run of batch.newRuns ?? []) {
        const state = batch.states?.find(({ runId }) => runId === run.runId);
        if (state !== undefined) inserted.add(state);
        insertRun(run, state ?? freshState(run.runId));
      }
      for (const { runId, backend, dropped } of batch.retries ?? []) {
        statements.setBackend.run(backend, keyOf(runId).id);
        for (const artifactId of dropped) statements.dropArtifact.run(artifactId, keyOf(runId).id);
        writeState(freshState(runId));
      }
      for (const row of batch.requestKeys ?? []) putRequestKey(row);
      for (const row of batch.attempts ?? []) statements.putAttempt.run(keyOf(row.runId).id, ...attemptValues(row));
      for (const { hash, content } of batch.graphs ?? []) {
        if (statements.graphId.get(hash) === undefined) statements.insertGraph.run(hash, deflateRawSync(content));
      }
      for (const { runId, promptId, graph, workflow, facts, times } of batch.provenance ?? []) {
        const workflowId = workflow === null ? null : graphId(workflow);
        statements.putProvenance.run(keyOf(runId).id, promptId, graphId(graph), workflowId, JSON.stringify(facts), jsonOrNull(times));
      }
      for (const view of batch.artifacts ?? []) statements.putArtifact.run(view.artifactId, keyOf(view.runId).id, ...artifactValues(view));
      for (const state of batch.states ?? []) if (!inserted.has(state)) writeState(state);
      const events: RunEvent[] = [];
      for (const { runId, at, body } of batch.events ?? []) {
        const key = keyOf(runId);
        key.seq += 1;
        position += 1;
        statements.insertEvent.run(position, key.id, key.seq, at, JSON.stringify(body));
        events.push({ runId, seq: key.seq, position, epoch, at, event: body });
      }
      for (const { runId, kind, body } of batch.outbox ?? []) {
        outboxId += 1;
        statements.insertOutbox.run(outboxId, keyOf(runId).id, kind, body);
      }
      for (const { template, step, backend, part, seconds } of batch.timings ?? []) {
        statements.putTiming.run({ template, step, backend, part, seconds });
      }
      for (const { runId, step, item, pass, savings } of batch.savings ?? []) {
        const place = [keyOf(runId).id, step, item ?? -1, pass] as const;
        if (savings.length === 0) statements.dropSavings.run(...place);
        else statements.putSavings.run(...place, JSON.stringify(savings));
      }
      return events;
    },
    putRequestKey,
    pin(runId, pinned) {
      if (pinned) statements.pin.run(keyOf(runId).id);
      else statements.unpin.run(keyOf(runId).id);
    },
    removeRuns(runs, keep) {
      statements.removals.remove(runs, keep);
      for (const { runId } of runs) keys.delete(runId);
    },
    settle,
    outboxDone: (id) => void done.add(id),
    isDone: (id) => done.has(id),
    unsettled: () => done.size,
    committed: () => done.clear(),
    lastPosition: () => position,
    forget() {
      keys.clear();
      position = statements.lastPosition.get() ?? 0;
      outboxId = Math.max(outboxId, statements.lastOutbox.get() ?? 0);
    },
  };
}

function isOpen(state: RunState): boolean {
  return !RUN_ENDS.includes(state.status);
}

function freshState(runId: string): RunState {
  return {
    runId,
    status: 'queued',
    draft: false,
    progress: 0,
    machine: '',
    machineVersion: 0,
    snapshot: null,
    timers: null,
    error: null,
    endedAt: null,
  };
}

function stateValues(state: RunState) {
  return [
    state.status,
    Number(state.draft),
    state.progress,
    state.machine,
    state.machineVersion,
    state.endedAt,
    jsonOrNull(state.error),
    state.timers,
    state.snapshot,
  ] as const;
}

function attemptValues(row: AttemptRow) {
  return [
    row.promptId,
    row.step,
    row.item,
    row.attempt,
    row.backend,
    row.address,
    row.payloadHash,
    row.status,
    Number(row.acknowledged),
    row.number,
    row.createdAt,
    row.endedAt,
    jsonOrNull(row.error),
    row.profile ?? null,
    jsonOrNull(row.fused ?? null),
  ] as const;
}

function artifactValues(view: ArtifactView) {
  return [
    view.step,
    view.item,
    view.node,
    view.index,
    view.output,
    view.path,
    view.mediaType,
    view.bytes,
    view.sha256,
    view.width ?? null,
    view.height ?? null,
    view.duration ?? null,
    Number(view.draft),
    jsonOrNull(view.outputs ?? null),
    jsonOrNull(view.asset ?? null),
    view.profile ?? null,
    jsonOrNull(view.cachedFrom ?? null),
    view.kind,
    jsonOrNull(view.facts ?? null),
    view.createdAt,
    view.sameAs ?? null,
    view.promptId ?? null,
    jsonOrNull(view.source ?? null),
    jsonOrNull(view.conversion ?? null),
    jsonOrNull(view.sequence ?? null),
    Number(view.partial ?? false),
  ] as const;
}

function jsonOrNull(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
