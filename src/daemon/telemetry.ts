/** Metrics and traces of one daemon: it listens to what is announced anyway. What goes wrong here stays here, and nobody waits for it. */
import type { PhaseWatch } from '#actors/watch-phases.ts';
import type { Store } from '#store/types.ts';
import type { DaemonConfig } from './config.ts';
import { followEvents } from './event-log-lines.ts';
import type { Route } from './http-server.ts';
import type { Logger } from './log.ts';
import { createCounters } from './metrics/counters.ts';
import type { Fact } from './metrics/facts.ts';
import { createMetricsPage } from './metrics/page.ts';
import { metricsRoute } from './metrics/route.ts';
import { createRunClock, type RunClock } from './metrics/run-clock.ts';
import { createSources, type SourceParts } from './metrics/sources.ts';
import { watchStore } from './metrics/watch-store.ts';
import type { RunService } from './run-service.ts';
import { createTracing } from './tracing/tracing.ts';

export interface TelemetryOptions {
  readonly config: Pick<DaemonConfig, 'dataDir' | 'tracing'>;
  readonly identity: { readonly version: string; readonly instance: string };
  readonly log: Logger;
}

export interface Telemetry {
  /** The same store, whose transactions are measured from now on. */
  watchStore(store: Store): Store;
  /** For the actors, which say how long they were at work. */
  readonly watch: PhaseWatch;
  /** Listens to runs. Call it before the first of them goes on. */
  follow(runs: Pick<RunService, 'onEvents'>): void;
  /** The page, once everything it tells of is there. */
  route(parts: Pick<SourceParts, 'status' | 'backends'>): Route;
  close(): Promise<void>;
}

export function createTelemetry({ config, identity, log }: TelemetryOptions): Telemetry {
  const counters = createCounters();
  const tracing = createTracing({ endpoint: config.tracing, ...identity, log });
  let watched: Store | undefined;
  let clock: RunClock | undefined;
  let isTold = false;

  function guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!isTold) log.warn({ err: error }, 'something went wrong while runs were measured; figures may lack it');
      isTold = true;
    }
  }

  function tell(facts: readonly Fact[]): void {
    for (const fact of facts) {
      counters.fact(fact);
      tracing.fact(fact);
    }
  }

  return {
    watchStore(store) {
      clock = createRunClock(store);
      watched = watchStore(store, counters, guard);
      return watched;
    },
    watch: (span) => guard(() => tell(clock?.measured(span) ?? [])),
    follow(runs) {
      runs.onEvents((events) => {
        for (const event of events) guard(() => tell(clock?.take(event) ?? []));
      });
      followEvents(runs, log, guard);
    },
    route(parts) {
      if (watched === undefined) throw new Error('the store is not watched yet');
      return metricsRoute(createMetricsPage(counters, createSources({ ...parts, dataDir: config.dataDir, store: watched, counters })));
    },
    close: () => tracing.close(),
  };
}
