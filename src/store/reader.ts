/** The reads of the store. */
import { RUN_ENDS } from '#protocol/views.ts';
import { toArtifact, toAttempt, toEvent, toGraph, toOpenRun, toProvenance, toRequestKey, toRun, toRunSize, toSavings } from './rows.ts';
import type { Statements } from './statements.ts';
import type { Store } from './types.ts';

const USUAL_ROWS = 100;
const MOST_ROWS = 1000;

export type Reader = Pick<
  Store,
  | 'run'
  | 'runs'
  | 'openRuns'
  | 'openRunHeads'
  | 'runCounts'
  | 'assumedLost'
  | 'setting'
  | 'template'
  | 'attempts'
  | 'provenance'
  | 'graph'
  | 'artifacts'
  | 'artifact'
  | 'listArtifacts'
  | 'events'
  | 'requestKey'
  | 'requestKeysOf'
  | 'outbox'
  | 'timings'
  | 'savings'
  | 'asset'
  | 'runSizes'
  | 'runsOfTemplate'
  | 'pendingRemovals'
>;

export function createReader(statements: Statements, epoch: string): Reader {
  return {
    run(runId) {
      const row = statements.run.get(runId);
      return row === undefined ? undefined : toRun(row);
    },
    runs({ status, template, limit, before }) {
      const onlyOpen = status !== undefined && status.every((one) => !RUN_ENDS.includes(one));
      const statement = onlyOpen ? statements.runsOpen : statements.runs;
      const rows = statement.all({
        status: status === undefined ? null : JSON.stringify(status),
        template: template ?? null,
        before: before ?? null,
        limit: rowLimit(limit),
      });
      return rows.map(toRun);
    },
    openRuns: () => statements.openRuns.all(),
    openRunHeads: () => statements.openRunHeads.all().map(toOpenRun),
    runCounts: () => statements.runCounts.all(),
    assumedLost: () => statements.assumedLost.all().map((row) => toAttempt(row, row.run_id)),
    setting: (name) => statements.setting.get(`setting ${name}`),
    template: (hash) => statements.template.get(hash),
    attempts: (runId) => statements.attempts.all(runId).map((row) => toAttempt(row, runId)),
    provenance: (runId) => statements.provenance.all(runId).map((row) => toProvenance(row, runId)),
    graph(hash) {
      const content = statements.graph.get(hash);
      return content === undefined ? undefined : toGraph(content);
    },
    artifacts: (runId) => statements.artifactsOfRun.all(runId).map(toArtifact),
    artifact(artifactId) {
      const row = statements.artifact.get(artifactId);
      return row === undefined ? undefined : toArtifact(row);
    },
    listArtifacts: (query) => statements.artifactLists.page(query),
    events({ runId, after, limit }) {
      const most = Math.max(0, limit);
      const rows = runId === undefined ? statements.eventsOfAll.all(after, most) : statements.eventsOfRun.all(runId, after, most);
      return rows.map((row) => toEvent(row, epoch));
    },
    requestKey(key) {
      const row = statements.requestKey.get(key);
      return row === undefined ? undefined : toRequestKey(row);
    },
    requestKeysOf: (runId) => statements.requestKeysOfRun.all(runId).map(toRequestKey),
    outbox: (limit, kind) => statements.outbox.all({ kind: kind ?? null, limit: Math.max(0, limit) }),
    timings: (template, step) => statements.timings.all(template, step),
    savings: (runId) => statements.savings.all(runId).flatMap((row) => toSavings(row, runId)),
    runSizes: () => statements.runSizes.all().map(toRunSize),
    runsOfTemplate: (hash) => statements.runsOfTemplate.all(hash),
    pendingRemovals: () => statements.removals.pending(),
    asset: (assetId) => statements.asset.get(assetId),
  };
}

function rowLimit(limit: number | undefined): number {
  return Math.min(MOST_ROWS, Math.max(0, limit ?? USUAL_ROWS));
}
