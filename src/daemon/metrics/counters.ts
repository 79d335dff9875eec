/** Counts what happens from the moment it is told of it, which is all that is done while nobody asks. */
import { CallsheetError } from '#protocol/errors.ts';
import { retryClass } from '#protocol/retry-class.ts';
import type { Batch } from '#store/types.ts';
import { BOUNDS, type MetricName } from './catalogue.ts';
import type { Fact } from './facts.ts';
import { type Count, createCount, createHistogram, createNameCap, type Tally } from './tally.ts';

export interface Counters {
  fact(fact: Fact): void;
  /** A transaction that stands. */
  committed(batch: Batch, seconds: number): void;
  commitFailed(error: unknown): void;
  readonly scrapeFailures: Count;
  /** Template ids beyond the first hundred are one label. */
  templateLabel(id: string): string;
  readonly tallies: Readonly<Partial<Record<MetricName, Tally>>>;
}

const MOST_TEMPLATES = 100;

export function createCounters(): Counters {
  const templateLabel = createNameCap(MOST_TEMPLATES);
  const histogram = (name: keyof typeof BOUNDS) => createHistogram(name, BOUNDS[name]);
  const accepted = createCount();
  const ended = createCount();
  const retried = createCount();
  const runs = histogram('callsheet_run_duration_seconds');
  const items = createCount();
  const phases = histogram('callsheet_phase_duration_seconds');
  const attempts = createCount();
  const attemptTimes = histogram('callsheet_attempt_duration_seconds');
  const failures = createCount();
  const retries = createCount();
  const artifacts = createCount();
  const artifactBytes = createCount();
  const savings = createCount();
  const savedNodes = createCount();
  const savedSeconds = createCount();
  const commits = histogram('callsheet_store_commit_duration_seconds');
  const commitFailures = createCount();
  const scrapeFailures = createCount();

  return {
    templateLabel,
    scrapeFailures,
    fact(fact) {
      switch (fact.kind) {
        case 'accepted':
          return accepted.add({ template: templateLabel(fact.template) });
        case 'retried':
          return retried.add({ template: templateLabel(fact.template) });
        case 'run':
          ended.add({ status: fact.status, template: templateLabel(fact.template) });
          return runs.observe({ status: fact.status }, seconds(fact));
        case 'item':
          return items.add({ status: fact.status });
        case 'phase':
          return phases.observe({ phase: fact.phase }, seconds(fact));
        case 'attempt': {
          const { backend, outcome, error } = fact;
          attempts.add({ backend, outcome });
          attemptTimes.observe({ backend, outcome }, seconds(fact));
          if (error !== undefined) failures.add({ class: retryClass(error), code: error.code });
          return;
        }
        case 'retry':
          return retries.add({ class: fact.class, code: fact.code });
        default:
      }
    },
    committed(batch, took) {
      commits.observe({}, took);
      // Rows are written again when a run collects its outputs; what is new is told of as well.
      const made = new Set(batch.events?.flatMap(({ body }) => (body.type === 'artifact.created' ? [body.artifactId] : [])));
      for (const { artifactId, kind, bytes, sequence } of batch.artifacts ?? []) {
        if (!made.delete(artifactId)) continue;
        artifacts.add({ kind });
        artifactBytes.add({ kind }, sequence?.bytes ?? bytes);
      }
      for (const { pass, savings: saved } of batch.savings ?? []) {
        // A row without any takes back what an earlier try had.
        if (saved.length === 0) continue;
        savings.add({ pass }, saved.length);
        savedNodes.add({ pass }, sum(saved.map(({ nodes }) => nodes.length)));
        savedSeconds.add({ pass }, sum(saved.map(({ seconds: known = 0 }) => known)));
      }
    },
    commitFailed: (error) => commitFailures.add({ code: error instanceof CallsheetError ? error.code : 'INTERNAL' }),
    tallies: {
      callsheet_runs_accepted_total: accepted,
      callsheet_runs_ended_total: ended,
      callsheet_runs_retried_total: retried,
      callsheet_run_duration_seconds: runs,
      callsheet_step_items_total: items,
      callsheet_phase_duration_seconds: phases,
      callsheet_attempts_total: attempts,
      callsheet_attempt_duration_seconds: attemptTimes,
      callsheet_attempt_failures_total: failures,
      callsheet_retries_total: retries,
      callsheet_artifacts_total: artifacts,
      callsheet_artifact_bytes_total: artifactBytes,
      callsheet_optimiser_savings_total: savings,
      callsheet_optimiser_saved_nodes_total: savedNodes,
      callsheet_optimiser_saved_seconds_total: savedSeconds,
      callsheet_store_commit_duration_seconds: commits,
      callsheet_store_commit_failures_total: commitFailures,
      callsheet_scrape_failures_total: scrapeFailures,
    },
  };
}

// --- helpers ---

function seconds({ from, until }: { readonly from: number; readonly until: number }): number {
  return (until - from) / 1000;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
